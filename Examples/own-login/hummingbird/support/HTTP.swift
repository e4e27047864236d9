import AsyncHTTPClient
import Foundation
import Hummingbird

/// A variable of the environment that must be there.
package func variable(_ name: String) throws -> String {
    try Environment().require(name)
}

extension Request {
    /// The value of a header; empty without it.
    package func header(_ name: String) -> String {
        headers.first { $0.name.canonicalName == name.lowercased() }?.value ?? ""
    }
}

extension HTTPFields {
    /// The headers of a response that sets cookies. No cache may store it.
    package init(setting cookies: [String]) {
        self.init(cookies.map { .init(name: .setCookie, value: $0) })
        self[.cacheControl] = "no-store"
    }
}

/// What `/me` answers.
package struct Profile: ResponseEncodable {
    let id: String
    let roles: [String]

    package init(id: String, roles: [String]) {
        (self.id, self.roles) = (id, roles)
    }
}

/// The part of a refusal that the app relays to its own client.
private struct Refusal: Decodable {
    let code: String
}

/// Sends JSON with a bearer token, and reads the JSON of the response. The client of the app gets the status and the
/// code of a refusal.
package func post<Answer: Decodable>(
    _ body: some Encodable, to url: String, bearer: String
) async throws -> Answer {
    var request = HTTPClientRequest(url: url)
    request.method = .POST
    request.headers = ["Content-Type": "application/json", "Authorization": "Bearer \(bearer)"]
    request.body = .bytes(ByteBuffer(bytes: try JSONEncoder().encode(body)))
    let response = try await HTTPClient.shared.execute(request, timeout: .seconds(5))
    let answer = Data(try await response.body.collect(upTo: 65536).readableBytesView)
    guard 200..<300 ~= response.status.code else {
        FileHandle.standardError.write(answer)
        let refusal = try JSONDecoder().decode(Refusal.self, from: answer)
        throw HTTPError(.init(code: Int(response.status.code)), message: refusal.code)
    }
    return try JSONDecoder().decode(Answer.self, from: answer)
}
