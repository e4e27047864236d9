import CloakroomAccounts
import CloakroomCore
import CloakroomMiddleware
import CloakroomSessions
import CloakroomStores
import CloakroomTokens
import HTTPTypes
import Hummingbird
import NIOCore
import ServiceLifecycle

extension Endpoint {
    /// Streams the feed of revocations to verifiers on other machines.
    static let serviceRevocations = Endpoint(
        service: Operation(
            .get, "/service/revocations", "streamRevocations", "The feed of revocations, as an event stream",
            details:
                "Server-sent events. `revoked` has `session` and `time`: refuse the session's access tokens. `stale` has `subject` and `time`: access tokens of the subject whose `iat` is not after that time count as expired; whole seconds in a token's `iat` are compared with the exact time. At first come all entries of the last day; `Last-Event-ID` goes on after an entry. A comment comes at least every second: without one the stream is broken. Scope `revocations:read`.",
            tag: .service, security: .serviceKey,
            headers: [.init(name: "Last-Event-ID", help: "The `id` of the last event that was received.")],
            answers: [Answer(.ok, "The stream.", .text("text/event-stream"))]),
        needs: .readRevocations
    ) { call in
        let stream = RevocationStream(call, after: call.request.headers[.known("Last-Event-ID")])
        return Response(
            status: .ok, headers: [.contentType: "text/event-stream"],
            body: ResponseBody { writer in
                try await stream.write(to: &writer)
                try await writer.finish(nil)
            })
    }
}

/// One reader of the stream.
private struct RevocationStream: Sendable {
    private let sessions: SessionService
    private let backends: BackendService
    private let credential: ServiceCredential
    private let start: Place?
    private let log: SampledLog

    private typealias Place = (epoch: Int64, cursor: FeedCursor)

    private static let period = Duration.milliseconds(250)
    /// The number of periods between two comments, which show that the stream is alive.
    private static let silence = 4

    init(_ call: ServiceCall, after id: String?) {
        sessions = call.sessions
        backends = call.backends
        credential = call.credential
        log = call.log
        let parts = id?.split(separator: "-", maxSplits: 1) ?? []
        start = parts.count == 2 ? Int64(parts[0]).map { ($0, FeedCursor(String(parts[1]))) } : nil
    }

    /// Writes entries until the server stops, the reader has gone, the store cannot be read, or the key is removed: then
    /// the stream ends, and the reader asks again.
    func write(to writer: inout any ResponseBodyWriter) async throws {
        var place = start
        try await writer.write(ByteBuffer(string: "retry: 1000\n\n"))
        var periods = 0
        while !Task.isShuttingDownGracefully {
            let isBeat = periods % Self.silence == 0
            if isBeat { guard try await backends.isValid(credential) else { return } }
            while let text = try await entries(after: &place) { try await writer.write(ByteBuffer(string: text)) }
            // The first one tells the reader at once that it is up to date.
            if isBeat { try await writer.write(ByteBuffer(string: ": live\n\n")) }
            periods += 1
            try await Task.sleep(for: Self.period)
        }
    }

    /// - Returns: nil at the end of the feed.
    private func entries(after place: inout Place?) async throws -> String? {
        var page = try await sessions.feed(after: place?.cursor)
        if let place, place.epoch != page.epoch { page = try await sessions.feed(after: nil) }
        place = (page.epoch, page.cursor)
        guard !page.isEmpty else { return nil }
        let events =
            page.revoked.map { event("revoked", ["session": .string($0.session.rawValue), "time": time($0.time)]) }
            + page.stale.map { event("stale", ["subject": .string($0.subject.rawValue), "time": time($0.time)]) }
        // The last event alone has the id: a reader that was cut off before it gets the page again.
        return events.dropLast().joined() + "id: \(page.epoch)-\(page.cursor.rawValue)\n" + (events.last ?? "")
    }

    private func event(_ name: String, _ data: JSONObject) -> String {
        "event: \(name)\ndata: \(String(decoding: JSONValue.object(data).serialized, as: UTF8.self))\n\n"
    }

    /// Seconds since 1970, as in tokens, with milliseconds.
    private func time(_ instant: Instant) -> JSONValue {
        .number(Double(instant.milliseconds) / 1000)
    }
}
