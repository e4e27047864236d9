/// The form of a server's renewal request.
struct Endpoint: Sendable {
    let port: UInt16
    let delivery: Delivery

    /// The bytes of a request before and after the credential.
    private let before: [UInt8]
    private let after: [UInt8]

    init(port: UInt16, delivery: Delivery) {
        self.port = port
        self.delivery = delivery
        let host = "localhost:\(port)"
        switch delivery {
        case .cookie:
            before = Array(
                "POST /auth/refresh HTTP/1.1\r\nHost: \(host)\r\nOrigin: http://\(host)\r\nCookie: \(Delivery.cookieName)="
                    .utf8)
            after = Array("\r\nContent-Length: 0\r\n\r\n".utf8)
        case .json:
            before = Array(
                "POST /refresh HTTP/1.1\r\nHost: \(host)\r\nContent-Type: application/json\r\nContent-Length: ".utf8)
            after = Array("\"}".utf8)
        }
    }

    func write(_ credential: [UInt8], into request: inout [UInt8]) {
        request.removeAll(keepingCapacity: true)
        request += before
        if delivery == .json {
            let opening = Delivery.opening
            request += "\(opening.count + credential.count + after.count)".utf8
            request += "\r\n\r\n".utf8
            request += opening
        }
        request += credential
        request += after
    }
}

/// The way in which a request carries the refresh token.
enum Delivery: String, Sendable {
    case cookie
    case json

    static let cookieName = "__Host-Http-session"
    static let opening = Array(#"{"refresh":""#.utf8)

    private static let field = Array("\"refresh\"".utf8)
    private static let quote = UInt8(ascii: "\"")

    /// The new credential in a response; nil if there is none.
    func successor(in answer: AnswerReader) -> [UInt8]? {
        switch self {
        case .cookie: answer.cookie
        case .json: Self.refresh(in: answer.body)
        }
    }

    /// The string after `"refresh":`; tokens need no escapes.
    private static func refresh(in body: [UInt8]) -> [UInt8]? {
        guard let name = body.firstRange(of: field),
            let open = body[name.upperBound...].firstIndex(of: quote),
            let close = body[(open + 1)...].firstIndex(of: quote)
        else { return nil }
        return Array(body[(open + 1)..<close])
    }
}
