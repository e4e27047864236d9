import CloakroomAccounts
import CloakroomCore
import CloakroomMiddleware
import CloakroomSessions
import CloakroomStores
import HTTPTypes
import Hummingbird

/// One call of the service API by a backend whose key allows it.
struct ServiceCall: RequestWithFields {
    let server: AuthorizationServer
    let request: Request
    let peer: AdmittedPeer
    /// The value of the path parameter; empty without one.
    let parameter: String
    let credential: ServiceCredential
    let log: SampledLog

    var form: FormSubmission? { nil }
    var sessions: SessionService { server.sessions }
    var backends: BackendService { server.backends }

    /// Checks the caller, records the use, and responds.
    static func respond(
        to call: PrivateCall, _ operation: Operation, needs scope: ServiceScope,
        _ respond: @Sendable (ServiceCall) async throws -> Response
    ) async throws -> Response {
        let credential = try await authenticate(call)
        try credential.require(scope)
        let isRead = operation.method == .get
        if isRead {
            try await call.server.backends.recordUse(of: operation.id, credential, isRead: true)
        }
        var response = try await respond(
            ServiceCall(
                server: call.server, request: call.request, peer: call.peer, parameter: call.parameter,
                credential: credential, log: call.log))
        response.headers[.cacheControl] = "no-store"
        return response
    }

    /// - Throws: `Denial.serviceOnly` for a call that a browser sent: a page must not use a key that it found, and a backend
    ///   must not relay a request of a browser as it is.
    private static func authenticate(_ call: PrivateCall) async throws -> ServiceCredential {
        let headers = call.request.headers
        guard headers[.origin] == nil, headers[.secFetchSite] == nil else { throw Denial.serviceOnly }
        let address = call.peer.address
        return try await call.server.backends.authenticate(bearer(headers), from: address) { network in
            AddressRange(parsing: network).map { TrustedProxies([$0]).contains(address) } ?? false
        }
    }

    private static func bearer(_ headers: HTTPFields) -> String? {
        let values = headers[values: .authorization]
        guard values.count == 1, values[0].prefix(7).lowercased() == "bearer " else { return nil }
        return String(values[0].dropFirst(7))
    }

    /// The subject in the path, if the key allows it.
    /// - Throws: `Denial.invalidRequest` for a malformed subject, `.serviceScope`.
    func subject() throws(Denial) -> Subject {
        guard let subject = Subject(external: parameter) else {
            throw .invalidRequest(fields: ["subject": Subject.expected])
        }
        try credential.require(subject)
        return subject
    }

    /// The claims, if the setting `claims` allows their names.
    func allowed(_ claims: Claims) throws(Denial) -> Claims {
        let unknown = claims.values.keys.filter { !server.configuration.claims.contains($0) }
        guard unknown.isEmpty else {
            throw .invalidRequest(
                fields: Dictionary(
                    unknown.map { ("claims.\($0)", "is not among the names of the setting claims") }
                ) { $1 })
        }
        return claims
    }

    /// Records a change that records no event of its own.
    func recordUse(of operation: String, subject: Subject) async throws {
        try await backends.recordUse(of: operation, credential, subject: subject, isRead: false)
    }
}
