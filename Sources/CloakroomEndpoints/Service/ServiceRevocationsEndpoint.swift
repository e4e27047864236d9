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
                "Server-sent events. `revoked` has `session` and `time`: refuse the session's access tokens. `stale` has `subject` and `time`: access tokens of the subject whose `iat` is not after that time count as expired; whole seconds in a token's `iat` are compared with the exact time. At first come all entries of the last day; `Last-Event-ID` goes on after an entry. `reset` says that the id was malformed or that the store has lost entries: all of them follow, keep those that you have. `current` has `age` and `elapsed`: you have every entry from more than `age` seconds before it was sent, `elapsed` seconds after the response began. So you have every entry from before `elapsed` minus `age` seconds after your request, however long a relay has held the event. It comes four times a second, with a comment: without one the stream is broken. Scope `revocations:read`.",
            tag: .service, security: .serviceKey,
            headers: [.init(name: "Last-Event-ID", help: "The `id` of the last event that was received.")],
            answers: [Answer(.ok, "The stream.", .text("text/event-stream"))]),
        needs: .readRevocations
    ) { call in
        // Brings the feed to the present: its subscribers then get what comes from now on.
        try await call.server.feed.catchUp()
        let ids = call.request.headers[values: .known("Last-Event-ID")]
        let stream = RevocationStream(call, after: ids.isEmpty ? nil : FeedCursor(ids.joined(separator: ",")))
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
    private let feed: RevocationFeed
    private let uptime: @Sendable () -> Duration
    private let isValid: @Sendable () async throws -> Bool
    private let start: FeedCursor?
    /// When the response began.
    private let began: Duration

    init(_ call: ServiceCall, after start: FeedCursor?) {
        feed = call.server.feed
        uptime = call.server.sessions.environment.uptime
        began = uptime()
        isValid = { [watch = call.server.credentialWatch, credential = call.credential] in
            try await watch.isValid(credential)
        }
        self.start = start
    }

    /// Writes entries until the server stops, the reader has gone or is too slow, the store cannot be read at the
    /// beginning, or the key is removed: then the stream ends, and the reader asks again.
    func write(to writer: inout any ResponseBodyWriter) async throws {
        let news = await feed.subscribe()
        defer { news.end() }
        try await writer.write(ByteBuffer(string: "retry: 1000\n\n"))
        try await writeBacklog(to: &writer)
        // Tells the reader at once that it is up to date.
        try await feed.catchUp()
        let shutdown = Task {
            try await gracefulShutdown()
            news.end()
        }
        defer { shutdown.cancel() }
        while let some = await news.next(), try await isValid() {
            try await writer.write(ByteBuffer(string: text(some)))
        }
    }

    /// Writes what came before the subscription.
    private func writeBacklog(to writer: inout any ResponseBodyWriter) async throws {
        var cursor = start
        while true {
            let page = try await feed.page(after: cursor)
            if page.isStart, cursor != nil { try await writer.write(ByteBuffer(string: Self.reset)) }
            guard !page.isEmpty else { return }
            cursor = page.cursor
            try await writer.write(ByteBuffer(string: Self.text(page)))
        }
    }

    private func text(_ news: FeedSubscription.News) -> String {
        let pages = news.pages.map { shared in
            (shared.page.isStart ? Self.reset : "") + shared.text(Self.text)
        }
        guard let current = news.current else { return pages.joined() }
        let now = uptime()
        let (age, elapsed) = ((now - current) / .milliseconds(1), (now - began) / .milliseconds(1))
        return pages.joined() + ": live\n\n"
            + Self.event(
                "current", ["age": .number(age.rounded(.up) / 1000), "elapsed": .number(elapsed.rounded(.down) / 1000)])
    }

    private static let reset = event("reset", [:])

    private static func text(_ page: FeedPage) -> String {
        let events =
            page.revoked.map { event("revoked", ["session": .string($0.session.rawValue), "time": time($0.time)]) }
            + page.stale.map { event("stale", ["subject": .string($0.subject.rawValue), "time": time($0.time)]) }
        // The last event alone has the id: a reader that was cut off before it gets the page again.
        guard let last = events.last else { return "" }
        return events.dropLast().joined() + "id: \(page.resumption.rawValue)\n" + last
    }

    private static func event(_ name: String, _ data: JSONObject) -> String {
        "event: \(name)\ndata: \(String(decoding: JSONValue.object(data).serialized, as: UTF8.self))\n\n"
    }

    /// Seconds since 1970, as in tokens, with milliseconds.
    private static func time(_ instant: Instant) -> JSONValue {
        .number(Double(instant.milliseconds) / 1000)
    }
}
