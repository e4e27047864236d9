import CloakroomMiddleware
import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import Testing

@testable import CloakroomEndpoints

/// The log names the request that a refused check asked about.
@Suite struct CheckRefusalLogTests {
    private func metadata(
        _ uri: String = "/auth/check", method: HTTPRequest.Method = .get, _ headers: HTTPFields = [:]
    ) -> Logger.Metadata {
        ForwardedRequest.metadata(
            ofCheck: Request(
                head: HTTPRequest(
                    method: method, scheme: "http", authority: "localhost", path: uri, headerFields: headers),
                body: .init(buffer: ByteBuffer())))
    }

    private func told(_ method: String, _ target: String) -> HTTPFields {
        [.known("X-Forwarded-Method"): method, .known("X-Forwarded-Uri"): target]
    }

    @Test("a refused check is logged with its method and path, without the query")
    func original() {
        #expect(
            metadata("/auth/check?max_age=60", told("POST", "/notes?token=secret"))
                == ["original_method": "POST", "original_path": "/notes"])
        #expect(
            metadata("/auth/check;allow=200/notes?token=secret", method: .put)
                == ["original_method": "PUT", "original_path": "/notes"])
    }

    @Test("the logged host is the one that the browser requested, not that of the check")
    func host() {
        var headers = told("POST", "/")
        #expect(metadata("/auth/check", headers)["host"] == nil)
        headers[.known("X-Forwarded-Host")] = "app.example.com"
        #expect(metadata("/auth/check", headers)["host"] == "app.example.com")
        #expect(metadata("/auth/check;allow=200/notes", headers)["host"] == "app.example.com")
        headers[.known("X-Forwarded-Host")] = "app \u{E4}" + String(repeating: "a", count: 300)
        #expect(
            metadata("/auth/check", headers)["host"] == .string("app???" + String(repeating: "a", count: 194) + "..."))
    }

    @Test("the logged path is printable and bounded")
    func printable() {
        #expect(metadata("/auth/check", told("GET", "/a\u{1B}[31m b"))["original_path"] == "/a?[31m?b")
        #expect(metadata("/auth/check", told("GET", "/\u{E4}"))["original_path"] == "/??")
        let path = "/" + String(repeating: "a", count: 199)
        #expect(metadata("/auth/check", told("GET", path))["original_path"] == .string(path))
        #expect(metadata("/auth/check", told("GET", path + "bbb"))["original_path"] == .string(path + "..."))
    }

    @Test("without a forwarded target, and for other requests, no path is added")
    func none() {
        #expect(metadata() == [:])
        #expect(metadata("/auth/check?nothing=1", told("GET", "/")) == [:])
        #expect(metadata("/metrics", told("GET", "/")) == [:])
    }
}
