import Foundation
import Hummingbird
import HummingbirdTesting
import Testing

@testable import Notes

@Suite struct NotesTests {
    /// Runs `test` with a new app and the cookie of a user who has signed up.
    private func withApp(_ test: @escaping @Sendable (any TestClientProtocol, HTTPFields) async throws -> Void)
        async throws
    {
        let directory = FileManager.default.temporaryDirectory.appending(path: "notes-\(UUID())").path
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let app = Application(router: Notes.makeRouter(try Notes.makeServer(directory: directory)))
        try await app.test(.live) { client in
            let answer = try await client.execute(
                uri: "/auth/signup", method: .post, headers: [.contentType: "application/json"],
                body: ByteBuffer(string: #"{"email":"ann@example.com","password":"correct horse battery"}"#))
            let cookie = try #require(answer.headers[.setCookie]?.prefix { $0 != ";" })
            try await test(client, [.cookie: String(cookie), .origin: "http://localhost"])
        }
    }

    @Test("a protected route refuses a request without session")
    func refusesStrangers() async throws {
        try await withApp { client, _ in
            let answer = try await client.execute(uri: "/notes", method: .get)
            #expect(answer.status == .unauthorized)
            #expect(String(buffer: answer.body).contains("session_missing"))
        }
    }

    @Test("a note that was written can be read again, and deleted with a fresh login")
    func notes() async throws {
        try await withApp { client, headers in
            let written = try await client.execute(
                uri: "/notes", method: .post, headers: headers, body: ByteBuffer(string: "milk"))
            #expect(written.status == .created)
            let read = try await client.execute(uri: "/notes", method: .get, headers: headers)
            #expect(String(buffer: read.body) == "milk")
            let deleted = try await client.execute(uri: "/notes", method: .delete, headers: headers)
            #expect(deleted.status == .noContent)
        }
    }

    @Test("another site cannot write a note")
    func refusesOtherSites() async throws {
        try await withApp { client, headers in
            var headers = headers
            headers[.origin] = "https://evil.example"
            let answer = try await client.execute(uri: "/notes", method: .post, headers: headers)
            #expect(answer.status == .forbidden)
        }
    }
}
