import CloakroomCore
import CloakroomMiddleware
import CloakroomService
import CloakroomTokens
import HTTPTypes
import Hummingbird
import NIOCore

extension Response {
    static func json(_ value: JSONValue, status: HTTPResponse.Status = .ok, headers: HTTPFields = [:]) -> Response {
        var headers = headers
        headers[.contentType] = "application/json; charset=utf-8"
        return Response(status: status, headers: headers, body: .init(byteBuffer: ByteBuffer(bytes: value.serialized)))
    }
}

extension Call {
    /// What login, refresh and session answer.
    func answer(_ grant: SessionGrant, status: HTTPResponse.Status = .ok) -> Response {
        var response = Response.json(.object(describe(grant)), status: status)
        handOver(grant.tokens, to: &response)
        return response
    }

    /// What login and sign-up answer: a session that no cookie belongs to yet.
    func answer(new grant: SessionGrant, status: HTTPResponse.Status = .ok) -> Response {
        var response = answer(grant, status: status)
        response.hand(over: server.xsrf?.setting(for: grant.session.id, request.headers))
        return response
    }

    private func describe(_ grant: SessionGrant) -> JSONObject {
        let now = service.now
        let delivery = service.client(of: grant.session).delivery
        // The level that this very request has: a straggler's is that of the token it brought.
        let authentication = grant.access?.authentication ?? grant.session.authentication
        let session: JSONObject = [
            "id": .string(grant.session.id.rawValue),
            "created_at": .string(grant.session.createdAt.iso8601),
            "auth_time": .string(authentication.time.iso8601),
            "amr": .array(authentication.methods.map { .string($0) }),
            "acr": .string(authentication.level.rawValue),
            "binding": "none",
            "expires_in": .integer(grant.access.map { ($0.expiresAt - now).wholeSeconds } ?? 0),
            "session_expires_in": .integer((grant.session.deadline(under: service.policy) - now).wholeSeconds),
            "rotated": .bool(grant.isRotated),
        ]
        var body: JSONObject = [
            "authenticated": true,
            "user": ["id": .string(grant.user.subject.rawValue), "email": .string(grant.user.email.rawValue)],
            "session": .object(session),
            "delivery": .string(delivery.rawValue),
        ]
        if let tokens = grant.tokens { add(tokens, to: &body) }
        return body
    }

    private func add(_ tokens: IssuedTokens, to body: inout JSONObject) {
        switch tokens.delivery {
        case .cookie:
            return
        case .hybrid:
            body["access_token"] = .string(text(tokens.access.token))
            body["token_type"] = "Bearer"
        case .body:
            body["access_token"] = .string(text(tokens.access.token))
            body["token_type"] = "Bearer"
            body["refresh_token"] = .string(text(tokens.refresh))
        }
    }

    func text(_ token: Secret) -> String { String(decoding: token.bytes, as: UTF8.self) }
}
