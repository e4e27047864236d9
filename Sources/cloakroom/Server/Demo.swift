import CloakroomCore
import CloakroomDemo
import CloakroomEndpoints
import CloakroomMiddleware
import CloakroomTokens
import CloakroomWeb
import HTTPTypes
import Hummingbird
import NIOCore
import Synchronization

/// The sample app of `serve --demo`: one page, and a notes API under the middleware that every app uses.
struct Demo {
    let now: @Sendable () -> Instant
    private let notes = Notes()

    /// The maximum age of the authentication for deleting all notes.
    private static let freshness = Span.seconds(60)

    init(now: @escaping @Sendable () -> Instant) {
        self.now = now
    }

    func addRoutes(to router: Router<BasicSessionRequestContext>) {
        let page = Page(WebFile.demoPage.bytes)
        router.get("/") { _, _ in page.response() }
        part("/demo.js", .demoScript, router)
        part("/look.js", .lookScript, router)
        part("/demo.css", .demoStyle, router)
        let api = router.group("/api/notes").add(middleware: RequireSession(now: now))
        api.get { _, context in
            json(["notes": .array(notes.list(of: try context.access.subject).map { .object($0.json) })])
        }
        api.post { request, context in
            let text = try await text(of: request)
            let note = notes.add(text, of: try context.access.subject, at: now())
            return json(.object(note.json), status: .created)
        }
        api.delete { _, context in
            let access = try context.access(requiring: StepUp(maximumAge: Self.freshness), at: now())
            notes.removeAll(of: access.subject)
            return Response(status: .noContent)
        }
        api.delete("/{id}") { _, context in
            let id = try context.parameters.require("id")
            guard notes.remove(id, of: try context.access.subject) else { throw Denial.notFound }
            return Response(status: .noContent)
        }
    }

    private func part(_ path: RouterPath, _ file: WebFile, _ router: Router<BasicSessionRequestContext>) {
        router.get(path) { _, _ in
            Response(
                status: .ok, headers: [.contentType: file.mediaType, .cacheControl: "no-store"],
                body: .init(byteBuffer: ByteBuffer(bytes: file.bytes)))
        }
    }

    private func json(_ value: JSONValue, status: HTTPResponse.Status = .ok) -> Response {
        Response(
            status: status, headers: [.contentType: "application/json; charset=utf-8", .cacheControl: "no-store"],
            body: .init(byteBuffer: ByteBuffer(bytes: value.serialized)))
    }

    private func text(of request: Request) async throws -> String {
        let object = try await request.jsonObject(upTo: 16 * 1024)
        guard let text = object["text"]?.stringValue, 1...2000 ~= text.count else {
            throw Denial.invalidRequest(fields: ["text": "must be a string of 1 to 2000 characters"])
        }
        return text
    }
}

/// The demo's notes: in memory, at most 100 for each subject.
private final class Notes: Sendable {
    struct Note {
        let id: String
        let text: String
        let createdAt: Instant

        var json: JSONObject {
            ["id": .string(id), "text": .string(text), "created_at": .string(createdAt.iso8601)]
        }
    }

    private struct State {
        var notes: [Subject: [Note]] = [:]
        var next = 1
    }

    private let state = Mutex(State())
    private static let maximumPerSubject = 100

    func list(of subject: Subject) -> [Note] {
        state.withLock { $0.notes[subject] ?? [] }
    }

    func add(_ text: String, of subject: Subject, at now: Instant) -> Note {
        state.withLock { state in
            let note = Note(id: "\(state.next)", text: text, createdAt: now)
            state.next += 1
            state.notes[subject] = ((state.notes[subject] ?? []) + [note]).suffix(Self.maximumPerSubject)
            return note
        }
    }

    func remove(_ id: String, of subject: Subject) -> Bool {
        state.withLock { state in
            let before = state.notes[subject]?.count ?? 0
            state.notes[subject]?.removeAll { $0.id == id }
            return (state.notes[subject]?.count ?? 0) < before
        }
    }

    func removeAll(of subject: Subject) {
        state.withLock { $0.notes[subject] = nil }
    }
}
