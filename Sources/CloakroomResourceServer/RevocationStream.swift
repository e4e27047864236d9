import AsyncHTTPClient
import CloakroomCore
import CloakroomTokens
import Logging
import NIOCore
import NIOHTTP1

/// Follows the stream of revocations of the issuer, and copies it into the revocation view. The view itself reports when
/// it has had no update for too long.
struct RevocationStream: Sendable {
    private let address: ServiceAddress
    private let key: Secret
    private let view: RevocationView
    private let timing: Timing
    private let staleAfter: Duration
    private let logger: Logger

    init(
        _ source: RevocationSource, view: RevocationView, timing: Timing, logger: Logger, allowsPlainHTTP: Bool
    ) throws(UnusableAddress) {
        address = try ServiceAddress(
            source.listener, path: "/service/revocations", allowsPlainHTTP: allowsPlainHTTP)
        key = source.key
        self.view = view
        self.timing = timing
        staleAfter = source.staleAfter
        self.logger = logger
    }

    /// Reads the stream until the task is cancelled. A broken stream is opened again after the last entry that was read.
    func run(_ client: HTTPClient) async {
        var reader = RevocationReader(view: view, timing: timing, staleAfter: staleAfter)
        var isFailing = false
        while !Task.isCancelled {
            do {
                try await follow(client, &reader) {
                    if isFailing { logger.notice("the stream of revocations is read again") }
                    isFailing = false
                }
            } catch is CancellationError {
                return
            } catch {
                if !isFailing {
                    logger.error(
                        "the stream of revocations is broken",
                        metadata: ["address": "\(address.url)", "error": "\(error)"])
                }
                isFailing = true
            }
            // Random, so that not every app asks at the same moment after a restart of the issuer.
            try? await Task.sleep(for: timing.reconnect * Double.random(in: 0.5...1))
        }
    }

    /// - Parameter isCurrent: called when the view is current.
    private func follow(_ client: HTTPClient, _ reader: inout RevocationReader, isCurrent: () -> Void) async throws {
        reader.begin()
        let response = try await client.execute(request(after: reader.place), timeout: TimeAmount(timing.timeout))
        guard response.status == .ok else { throw IssuerFailure("the status is \(response.status.code)") }
        var parser = EventStreamParser()
        for try await chunk in response.body {
            for item in try parser.read(chunk.readableBytesView) {
                switch try reader.apply(item) {
                case .nothing: break
                case .current: isCurrent()
                case .late: throw IssuerFailure("the stream is late")
                case .startAgain: return
                }
            }
        }
        throw IssuerFailure("the stream ended")
    }

    private func request(after place: String?) -> HTTPClientRequest {
        var request = HTTPClientRequest(url: address.url)
        request.headers.add(name: "Accept", value: "text/event-stream")
        request.headers.add(name: "Authorization", value: "Bearer \(String(decoding: key.bytes, as: UTF8.self))")
        // The private listener answers no other Host on a socket: the client would send the path of the socket.
        if address.isUnixSocket { request.headers.add(name: "Host", value: "localhost") }
        if let place { request.headers.add(name: "Last-Event-ID", value: place) }
        return request
    }
}

/// Applies the entries of the stream to the view, and remembers the place.
struct RevocationReader {
    enum Outcome: Hashable {
        case nothing
        /// The view has every revocation.
        case current
        /// The view has every revocation up to a time that is long ago: something between here and the issuer holds the stream
        /// back.
        case late
        /// The stream must be read again from its start.
        case startAgain
    }

    private let view: RevocationView
    private let timing: Timing
    private let staleAfter: Duration
    /// When the request was sent.
    private var askedAt = Duration.zero
    /// The id of the last entry; nil to read the stream from its start.
    private(set) var place: String?
    /// Whether the stream is read from its start, and was not current since.
    private var isFromStart = true

    init(view: RevocationView, timing: Timing, staleAfter: Duration) {
        self.view = view
        self.timing = timing
        self.staleAfter = staleAfter
    }

    /// Called before a request, which reads from `place`.
    mutating func begin() {
        isFromStart = place == nil
        askedAt = timing.uptime()
    }

    /// - Throws: for an entry that cannot be read. It could be a revocation, so the stream counts as broken.
    mutating func apply(_ item: EventStreamParser.Item) throws -> Outcome {
        guard case .event(let name, let data, let id) = item else { return .nothing }
        switch name {
        case "revoked":
            let entry = try Entry(data, naming: "session")
            view.update([Revoked(session: SessionID(entry.name), time: entry.time)], at: timing.uptime())
        case "stale":
            let entry = try Entry(data, naming: "subject")
            view.update(stale: [StaleMark(subject: Subject(entry.name), time: entry.time)], at: timing.uptime())
        case "reset": (place, isFromStart) = (nil, true)
        case "current": return confirm(try News(data))
        default: break
        }
        return try id.map { try goOn(after: checked($0)) } ?? .nothing
    }

    /// The part of an id before its first hyphen names a history of the store. An issuer says `reset` when the history is
    /// another one; without it entries of that history may be missing.
    private mutating func goOn(after id: String) -> Outcome {
        if let place, place.prefix(while: { $0 != "-" }) != id.prefix(while: { $0 != "-" }) {
            self.place = nil
            return .startAgain
        }
        place = id
        return .nothing
    }

    /// If the wall clock was set back, expired tokens are valid again, and the view has dropped their sessions.
    ///
    /// The response began after the request. So the news were sent no earlier than `elapsed` after the request, and what is
    /// missing since then is the delay, at most: also behind a relay that holds events back. Clocks that run at different
    /// speeds look like a delay that grows, and another connection ends it.
    private mutating func confirm(_ news: News) -> Outcome {
        let (uptime, now) = (timing.uptime(), timing.now())
        guard isFromStart || !view.isSetBack(at: uptime, now) else {
            place = nil
            return .startAgain
        }
        isFromStart = false
        let delay = max(.zero, uptime - askedAt - news.elapsed)
        let age = news.age + delay
        view.confirm(at: uptime - age, now - Span(milliseconds: Int64((age / .milliseconds(1)).rounded(.up))))
        return delay > staleAfter / 2 ? .late : .current
    }

    /// The id goes into a header of the next request.
    private func checked(_ id: String) throws -> String {
        guard 1...256 ~= id.utf8.count, id.utf8.allSatisfy({ 0x21...0x7E ~= $0 }) else {
            throw IssuerFailure("the id of an event is too long or not printable")
        }
        return id
    }
}

/// The data of the event `current`.
private struct News {
    let age: Duration
    let elapsed: Duration

    init(_ data: [UInt8]) throws {
        let object = try JSONReader.read(data).objectValue
        func time(_ name: String) throws -> Duration {
            guard let seconds = object?[name]?.seconds, 0...1e9 ~= seconds else {
                throw IssuerFailure("an event has no \(name)")
            }
            return .seconds(seconds)
        }
        (age, elapsed) = (try time("age"), try time("elapsed"))
    }
}

/// The data of an entry of the stream.
private struct Entry {
    let name: String
    let time: Instant

    init(_ data: [UInt8], naming member: String) throws {
        let object = try JSONReader.read(data).objectValue
        guard let name = object?[member]?.stringValue, !name.isEmpty, let time = object?["time"]?.secondsSince1970
        else {
            throw IssuerFailure("an event has no \(member) or no time")
        }
        self.name = name
        self.time = time
    }
}

extension JSONValue {
    /// nil for anything but a number.
    fileprivate var seconds: Double? {
        switch self {
        case .integer(let seconds): Double(seconds)
        case .number(let seconds): seconds
        case .object, .array, .string, .bool, .null: nil
        }
    }

    /// nil for anything but a number of seconds since 1970.
    fileprivate var secondsSince1970: Instant? {
        seconds.flatMap { abs($0) < 1e12 ? Instant(milliseconds: Int64(($0 * 1000).rounded())) : nil }
    }
}
