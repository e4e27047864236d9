import CloakroomCore
import CloakroomSessions
import CloakroomTokens
import HTTPTypes
import Hummingbird

extension Endpoint {
    fileprivate static let statusListPath = "/auth/status-lists/"

    /// The Token Status List of some sessions (draft-ietf-oauth-status-list-20). 404 without the setting
    /// `statusListTTL`.
    static let statusList = Endpoint(
        Operation(
            .get, statusListPath + "{list}", "statusList", "A list of revoked sessions, for verifiers that poll",
            details:
                "A Token Status List (draft-ietf-oauth-status-list-20), with the setting `statusListTTL`. The claim `status` of an access token names the list and the index in it. The bit of a session that has ended is 1 until its access tokens have expired. `iat` is the time up to which the list has every revocation. Signed by a key of `/.well-known/jwks.json`. A list exists for every name of 12 characters.",
            tag: .resources, parameter: PathParameter(name: "list"),
            answers: Resource.answers("A JWS, `typ` `\(StatusList.type)`.", [.text("application/\(StatusList.type)")]),
            denials: [.notFound, .unavailable])
    ) { call in
        guard let lists = call.server.statusLists, let list = StatusListID(call.parameter) else {
            throw Denial.notFound
        }
        return Resource(
            try await lists.token(of: list), type: "application/\(StatusList.type)", parameters: "",
            maximumAge: lists.cacheLifetime
        ).response(to: call.request)
    }
}

extension AuthorizationServer.Configuration {
    /// Access tokens name the lists by the public URL, at whatever host their session is. Without one the name has no port, as
    /// the issuer: it must be the same after a restart.
    var statusLists: StatusListService? {
        statusListTTL.map {
            StatusListService(prefix: (publicURL?.description ?? "http://localhost") + Endpoint.statusListPath, ttl: $0)
        }
    }
}
