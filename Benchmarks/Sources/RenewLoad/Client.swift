/// One client with its connection and its sessions, which it renews in turn.
struct Client {
    let endpoint: Endpoint
    private var credentials: [[UInt8]]
    private let reader = AnswerReader()
    private var request: [UInt8] = []
    private var tally = Tally()

    init(endpoint: Endpoint, credentials: [[UInt8]]) {
        self.endpoint = endpoint
        self.credentials = credentials
    }

    mutating func run(until deadline: Int64) -> Tally {
        while Clock.now < deadline {
            do {
                guard try stay(until: deadline) else { break }
            } catch {
                tally.failures += 1
                // A server that is gone would otherwise be asked in a tight loop.
                if error != .closed { break }
            }
        }
        return tally
    }

    /// Renews over one connection until the server closes it or the time is over.
    /// - Returns: whether it is worth going on: a session that was refused is refused for ever.
    private mutating func stay(until deadline: Int64) throws(Broken) -> Bool {
        let connection = try Connection(port: endpoint.port)
        var isFirst = true
        while Clock.now < deadline {
            let index = tally.asked % credentials.count
            let began = Clock.now
            do {
                try ask(index, over: connection)
            } catch {
                // Between two requests a server may close a connection: then nothing was renewed, and nothing is lost.
                guard error == .closed, !isFirst, !reader.hasBegun else { throw error }
                tally.reconnects += 1
                return true
            }
            isFirst = false
            tally.asked += 1
            guard take(index, after: Clock.now - began) else { return false }
            if reader.closes { return true }
        }
        return true
    }

    private mutating func ask(_ index: Int, over connection: borrowing Connection) throws(Broken) {
        endpoint.write(credentials[index], into: &request)
        reader.reset()
        try connection.send(request)
        try reader.read(from: connection)
    }

    /// Takes note of an answer.
    /// - Returns: whether the session may still be renewed.
    private mutating func take(_ index: Int, after nanoseconds: Int64) -> Bool {
        tally.statuses[reader.status, default: 0] += 1
        guard reader.status == 200 else {
            tally.failures += 1
            return reader.status >= 500 || reader.status == 429
        }
        if let successor = endpoint.delivery.successor(in: reader) {
            if refreshPart(successor) != refreshPart(credentials[index]) { tally.rotated += 1 }
            credentials[index] = successor
        } else {
            // The first presentation of a credential confirms it, which is saved; the next one brings another.
            tally.served += 1
        }
        tally.microseconds.append(UInt32(clamping: nanoseconds / 1000))
        return true
    }

    /// A session cookie holds the access token too, before the tilde.
    private func refreshPart(_ credential: [UInt8]) -> ArraySlice<UInt8> {
        credential.firstIndex(of: UInt8(ascii: "~")).map { credential[($0 + 1)...] } ?? credential[...]
    }
}
