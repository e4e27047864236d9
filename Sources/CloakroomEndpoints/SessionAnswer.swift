import CloakroomCore
import CloakroomMiddleware
import CloakroomSessions
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
        var body: JSONObject = [
            "authenticated": true,
            "user": .object(describeUser(grant.session)),
            "session": .object(describeSession(grant)),
            "delivery": .string(sessions.client(of: grant.session).delivery.rawValue),
        ]
        switch grant.renewal {
        case .renewed(let tokens): add(tokens.access, refresh: tokens.refresh, tokens.delivery, to: &body)
        case .served(let served): add(served.access, refresh: nil, served.delivery, to: &body)
        case nil: break
        }
        return body
    }

    private func describeUser(_ session: Session) -> JSONObject {
        var user: JSONObject = ["id": .string(session.subject.rawValue)]
        if let login = session.login { user["email"] = .string(login) }
        return user
    }

    private func describeSession(_ grant: SessionGrant) -> JSONObject {
        let now = sessions.now
        let authentication = grant.authentication
        var session: JSONObject = [
            "id": .string(grant.session.id.rawValue),
            "created_at": .string(grant.session.createdAt.iso8601),
            "auth_time": .string(authentication.time.iso8601),
            "amr": .array(authentication.methods.map { .string($0) }),
            "acr": .string(authentication.level.rawValue),
            "binding": .string(grant.session.binding.rawValue),
            "expires_in": .integer(held(by: grant).map { ($0.expiresAt - now).wholeSeconds } ?? 0),
            "session_expires_in": .integer((grant.session.deadline(under: sessions.policy) - now).wholeSeconds),
            "rotated": .bool(grant.tokens != nil),
        ]
        if case .served(let served)? = grant.renewal {
            session["renew_in"] = .integer(served.renewableIn.secondsToWait)
        }
        return session
    }

    /// The access token that the client holds with this answer in its hands.
    private func held(by grant: SessionGrant) -> VerifiedAccess? {
        switch grant.renewal {
        case .renewed(let tokens): tokens.access
        case .served(let served): served.delivery == .cookie ? grant.access : served.access
        case nil: grant.access
        }
    }

    /// With cookie delivery no body carries a token.
    private func add(_ access: VerifiedAccess, refresh: Secret?, _ delivery: Delivery, to body: inout JSONObject) {
        switch delivery {
        case .cookie:
            return
        case .hybrid:
            body["access_token"] = .string(text(access.token))
            body["token_type"] = "Bearer"
        case .body:
            body["access_token"] = .string(text(access.token))
            body["token_type"] = "Bearer"
            if let refresh { body["refresh_token"] = .string(text(refresh)) }
        }
    }

    func text(_ token: Secret) -> String { String(decoding: token.bytes, as: UTF8.self) }
}
