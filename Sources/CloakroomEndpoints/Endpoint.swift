import CloakroomCore
import HTTPTypes
import Hummingbird

/// One path and method of the contract: its description in the OpenAPI document, and the function that responds.
///
/// Each endpoint has a file of its own under `Endpoints/`, `Check/` or `Private/`, and an entry in the list below.
struct Endpoint: Sendable {
    let operation: Operation
    /// The fields that the endpoint reads from its body or query.
    let fields: [FieldDescription]
    /// nil for an endpoint without fields.
    let place: FieldPlace?
    /// Responds on the public listener; nil if that listener does not have this endpoint.
    let publicly: (@Sendable (Call) async throws -> Response)?
    /// Responds on the private listener; nil if that listener does not have this endpoint.
    let privately: (@Sendable (PrivateCall) async throws -> Response)?
    /// Whether it is a call of the service API, which needs a key.
    var isService = false

    static let all: [Endpoint] = [
        .signUp, .login, .refresh, .logout, .session, .sessions, .endSession, .revokeOthers, .stepUp, .password,
        .clientScript, .clientTypes, .loginPage, .signUpPage, .accountPage, .pagePart, .handOverCode,
        .handOverSession, .openAPI, .keySet, .statusList, .metadata,
        .openIDMetadata, .changePassword, .health, .readiness, .check, .metrics, .beginServiceSession,
        .stepUpServiceSession, .endServiceSession, .subjectSessions, .endSubjectSessions, .setClaims, .setSubject,
        .serviceEvents, .serviceRevocations,
    ]
}

extension Endpoint {
    /// An endpoint of the public listener.
    init(_ operation: Operation, respond: @escaping @Sendable (Call) async throws -> Response) {
        self.init(operation: operation, fields: [], place: nil, publicly: respond, privately: nil)
    }

    /// An endpoint of the public listener, with fields.
    /// - Parameter respond: calls its second argument to read the fields. The call throws if they are invalid, so its
    ///   place decides which errors come before.
    init<Value: Sendable>(
        _ operation: Operation, reads input: Input<Value>,
        respond: @escaping @Sendable (Call, @Sendable () async throws -> Value) async throws -> Response
    ) {
        self.init(
            operation: operation, fields: input.fields, place: input.place,
            publicly: { call in try await respond(call) { try await input.read(call) } }, privately: nil)
    }

    /// An endpoint of both listeners, for load balancers and supervisors.
    init(
        probe operation: Operation, respond: @escaping @Sendable (AuthorizationServer) async throws -> Response
    ) {
        self.init(
            operation: operation, fields: [], place: nil, publicly: { try await respond($0.server) },
            privately: { try await respond($0.server) })
    }

    /// An endpoint of the private listener.
    /// - Parameter query: the parameters that `respond` reads.
    init(
        private operation: Operation, query: [FieldDescription] = [],
        respond: @escaping @Sendable (PrivateCall) async throws -> Response
    ) {
        self.init(
            operation: operation, fields: query, place: query.isEmpty ? nil : .query, publicly: nil, privately: respond)
    }

    /// Whether the endpoint responds to requests without Host: load balancers probe in HTTP/1.0.
    var isForProbes: Bool { publicly != nil && privately != nil }

    /// All denials of the endpoint.
    var denials: Denials {
        var denials = Denials.everyConnection
        if publicly != nil { denials = denials + .everyBrowser }
        switch place {
        case .json, .jsonOrForm: denials = denials + .body
        case .query, nil: break
        }
        if isService { denials = denials + .service }
        return denials + operation.denials
    }
}
