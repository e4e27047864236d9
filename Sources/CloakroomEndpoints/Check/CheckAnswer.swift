import CloakroomCore
import CloakroomMiddleware
import CloakroomTokens
import HTTPTypes
import Hummingbird

/// The answer of a check that allows: it tells the proxy whose request it is, with a token.
///
/// Only a connection of the private listener yields the peer that it is made for. Script can reach the public listener with any
/// headers, and that listener cannot make one.
struct CheckAnswer: Sendable {
    let access: VerifiedAccess
    /// The cookie for the browser; nil when nothing newer is handed out.
    let setCookie: String?
    let isWith200: Bool

    init(
        allowing access: VerifiedAccess, setCookie: String? = nil, under parameters: CheckParameters,
        to _: AdmittedPeer
    ) {
        self.access = access
        self.setCookie = setCookie
        isWith200 = parameters.allowsWith200
    }

    /// Names and values, in the order in which they are sent.
    var fields: [(name: String, value: String)] {
        var fields = [
            ("X-Auth-Subject", access.subject.rawValue), ("X-Auth-Session", access.session.rawValue),
            ("X-Auth-Claims", "{}"),
            ("Authorization", "Bearer \(String(decoding: access.token.bytes, as: UTF8.self))"),
            ("Cache-Control", "no-store"),
        ]
        if let setCookie {
            // No cache may keep an answer with a renewed cookie. The proxy copies this header to the backend's answer.
            fields += [
                ("Set-Cookie", setCookie), ("X-Auth-Set-Cookie", setCookie), ("X-Auth-Cache-Control", "no-store"),
            ]
        }
        return fields
    }

    var response: Response {
        var headers = HTTPFields()
        for (name, value) in fields { headers.append(HTTPField(name: .known(name), value: value)) }
        return Response(status: isWith200 ? .ok : .noContent, headers: headers)
    }
}
