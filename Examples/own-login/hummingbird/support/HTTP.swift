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

/// What `/me` answers.
package struct Profile: ResponseEncodable {
    let id: String
    let roles: [String]

    package init(id: String, roles: [String]) {
        (self.id, self.roles) = (id, roles)
    }
}

/// A call of the app that another server refused.
struct RefusedCall: Error {
    let status: UInt
    let body: String
}

/// Sends JSON with a bearer token, and reads the JSON of the response.
package func post<Answer: Decodable>(
    _ body: some Encodable, to url: String, bearer: String
) async throws -> Answer {
    var request = HTTPClientRequest(url: url)
    request.method = .POST
    request.headers = ["Content-Type": "application/json", "Authorization": "Bearer \(bearer)"]
    request.body = .bytes(ByteBuffer(bytes: try JSONEncoder().encode(body)))
    let response = try await HTTPClient.shared.execute(request, timeout: .seconds(5))
    let answer = try await response.body.collect(upTo: 65536)
    guard 200..<300 ~= response.status.code else {
        throw RefusedCall(status: response.status.code, body: String(buffer: answer))
    }
    return try JSONDecoder().decode(Answer.self, from: Data(answer.readableBytesView))
}
