import CloakroomMiddleware
import Hummingbird
import Testing

@testable import CloakroomLab

@Suite struct FetchMetadataPolicyTests {
    @Test(
        "from other origins only links pass, and requests without Fetch Metadata pass",
        arguments: [
            ("POST", nil, nil, 200), ("POST", "same-origin", "cors", 200), ("POST", "none", "navigate", 200),
            ("GET", "cross-site", "navigate", 200), ("GET", "same-site", "navigate", 200),
            ("GET", "cross-site", "no-cors", 403), ("GET", "same-site", "cors", 403),
            ("POST", "cross-site", "navigate", 403), ("POST", "same-site", "navigate", 403),
            ("POST", "cross-site", nil, 403), ("POST", "something new", "navigate", 403),
        ] as [(String, String?, String?, Int)])
    func policy(_ method: String, _ site: String?, _ mode: String?, _ expected: Int) async throws {
        let router = Router(context: BasicSessionRequestContext.self)
        router.add(middleware: FetchMetadataPolicy())
        router.get("/") { _, _ in "" }
        router.post("/") { _, _ in "" }
        let server = try await LocalServer(router)
        defer { server.end() }
        let headers = [("Sec-Fetch-Site", site), ("Sec-Fetch-Mode", mode)].compactMap { name, value in
            value.map { (name, $0) }
        }
        #expect(try await LocalHTTP.send(method, port: server.port, "/", headers: headers).status == expected)
    }
}
