import CPQ
import Foundation

/// A connection in pipeline mode. One thread uses it at a time.
final class PostgresConnection {
    private let handle: OpaquePointer
    private let usesNames: Bool
    /// The names of prepared statements, by their text.
    private var names: [String: String] = [:]
    private var namesGiven = 0
    private let notices = Notices()
    /// Of the history that the server continues; it grows at each promotion of a standby.
    var timeline: Int64 = 0
    /// Identifies the cluster that was initialised.
    var system = ""

    /// What became of the statements before one synchronisation point, which are one transaction.
    enum Outcome {
        case rows([Rows])
        /// Nothing is committed. `statement` is the index of the statement that failed; nil if the commit did.
        case failed(statement: Int?, ServerError)
    }

    /// Takes over a connection that is established.
    init(_ handle: OpaquePointer, usesNames: Bool) {
        self.handle = handle
        self.usesNames = usesNames
        PQsetnonblocking(handle, 1)
        PQenterPipelineMode(handle)
        PQsetNoticeReceiver(
            handle,
            { context, result in
                guard let context, let result else { return }
                Unmanaged<Notices>.fromOpaque(context).takeUnretainedValue().note(ServerError(result))
            }, Unmanaged.passUnretained(notices).toOpaque())
    }

    deinit {
        PQfinish(handle)
    }

    /// Sends transactions in one pipeline, and reads what becomes of each.
    /// - Throws: `ConnectionLost`. The connection must not be used again, and whether a transaction took effect is not
    ///   known.
    func exchange(_ transactions: [[Statement]], within limit: Duration) throws -> [Outcome] {
        let end = ContinuousClock.now + limit
        let unprepared = usesNames ? try prepare(transactions) : 0
        for transaction in transactions {
            for statement in transaction { try send(statement) }
            try check(PQpipelineSync(handle))
        }
        if unprepared > 0, case .failed(_, let error) = try outcome(of: unprepared, before: end) {
            // The statements that are not prepared fail as well, with an error that says less.
            for transaction in transactions { _ = try outcome(of: transaction.count, before: end) }
            names = [:]
            return transactions.map { _ in .failed(statement: 0, error) }
        }
        return try transactions.map { try outcome(of: $0.count, before: end) }
    }

    /// Sends what is not prepared yet, as a transaction of its own: within another, an earlier failure would skip it.
    /// - Returns: the number of statements.
    private func prepare(_ transactions: [[Statement]]) throws -> Int {
        var count = 0
        for statement in transactions.joined() where statement.isKept && names[statement.sql] == nil {
            let name = "s\(namesGiven)"
            names[statement.sql] = name
            namesGiven += 1
            let types = statement.values.map(\.type)
            try check(PQsendPrepare(handle, name, statement.sql, Int32(types.count), types))
            count += 1
        }
        if count > 0 { try check(PQpipelineSync(handle)) }
        return count
    }

    private func send(_ statement: Statement) throws {
        // One byte more, so that there is an address to point to.
        var buffer: [UInt8] = [0]
        var ends: [Int?] = []
        for value in statement.values { ends.append(value.append(to: &buffer) ? buffer.count : nil) }
        let formats = [Int32](repeating: 1, count: ends.count)
        try buffer.withUnsafeBytes { bytes in
            guard let base = bytes.baseAddress else { return }
            var start = 1
            var (pointers, lengths): ([UnsafePointer<CChar>?], [Int32]) = ([], [])
            for end in ends {
                pointers.append(
                    end.map { _ in base.advanced(by: start).assumingMemoryBound(to: CChar.self) })
                lengths.append(Int32((end ?? start) - start))
                start = end ?? start
            }
            let count = Int32(ends.count)
            if usesNames, statement.isKept {
                try check(PQsendQueryPrepared(handle, names[statement.sql], count, pointers, lengths, formats, 1))
            } else {
                let types = statement.values.map(\.type)
                try check(PQsendQueryParams(handle, statement.sql, count, types, pointers, lengths, formats, 1))
            }
        }
    }

    private func check(_ result: Int32) throws {
        guard result == 1 else { throw lost() }
    }

    private func lost(_ reason: String? = nil) -> ConnectionLost {
        let message = reason ?? String(cString: PQerrorMessage(handle))
        return ConnectionLost(description: message.trimmingCharacters(in: .whitespacesAndNewlines))
    }

    /// Reads the results up to the next synchronisation point.
    private func outcome(of count: Int, before end: ContinuousClock.Instant) throws -> Outcome {
        var rows: [Rows] = []
        var failure: (statement: Int?, error: ServerError)?
        while true {
            guard let result = try next(before: end) else { continue }
            switch PQresultStatus(result) {
            case PGRES_PIPELINE_SYNC:
                PQclear(result)
                try notices.check()
                if let failure { return .failed(statement: failure.statement, failure.error) }
                guard rows.count == count else { throw lost("the server sent \(rows.count) results of \(count)") }
                return .rows(rows)
            case PGRES_TUPLES_OK, PGRES_COMMAND_OK: rows.append(Rows(result))
            case PGRES_PIPELINE_ABORTED: PQclear(result)
            default:
                let error = ServerError(result)
                PQclear(result)
                if error.consequence == .connectionLost { throw lost(error.description) }
                failure = failure ?? (rows.count < count ? rows.count : nil, error)
            }
        }
    }

    /// The next result; nil after the last result of a statement.
    private func next(before end: ContinuousClock.Instant) throws -> OpaquePointer? {
        while true {
            let isUnsent = PQflush(handle)
            guard isUnsent >= 0 else { throw lost() }
            if PQisBusy(handle) == 0 { return PQgetResult(handle) }
            guard Sockets.wait([(PQsocket(handle), isUnsent > 0)], before: end) else { throw lost("no answer in time") }
            guard PQconsumeInput(handle) == 1 else { throw lost() }
        }
    }
}

/// Notices of the server. One of them takes back an acknowledgement.
private final class Notices {
    private var warning: ServerError?

    func note(_ notice: ServerError) {
        // "canceling wait for synchronous replication": the commit is reported as successful, but no standby has it.
        if ["01000", "57P01"].contains(notice.code) { warning = notice }
    }

    func check() throws {
        guard let warning else { return }
        throw ConnectionLost(description: warning.description)
    }
}

/// Waits for sockets.
enum Sockets {
    /// Waits until one of the sockets can be read, or written where `writing` says so.
    /// - Returns: false when none could before `end`.
    static func wait(_ sockets: [(socket: Int32, writing: Bool)], before end: ContinuousClock.Instant) -> Bool {
        var entries = sockets.map {
            pollfd(fd: $0.socket, events: Int16($0.writing ? POLLIN | POLLOUT : POLLIN), revents: 0)
        }
        while true {
            let left = ContinuousClock.now.duration(to: end)
            guard left > .zero else { return false }
            let milliseconds = left.components.seconds * 1000 + left.components.attoseconds / 1_000_000_000_000_000
            let ready = poll(&entries, nfds_t(entries.count), Int32(min(milliseconds + 1, 60_000)))
            if ready > 0 { return true }
            if ready < 0, errno != EINTR { return true }
        }
    }
}
