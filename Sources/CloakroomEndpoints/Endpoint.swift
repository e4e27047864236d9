import CloakroomCore
import HTTPTypes
import Hummingbird

/// One path and method of the contract: what the OpenAPI document says about it, and what answers it.
///
/// Each stands in a file of its own under `Endpoints/`, `Check/` or `Private/`, and in the list below.
struct Endpoint: Sendable {
    let operation: Operation
    /// The fields of its body or query, as the endpoint reads them.
    let fields: [FieldDescription]
    /// nil for an endpoint that takes no fields.
    let place: FieldPlace?
    /// Answers on the public listener; nil where that has no such endpoint.
    let publicly: (@Sendable (Call) async throws -> Response)?
    /// Answers on the private listener; nil where that has no such endpoint.
    let privately: (@Sendable (PrivateCall) async throws -> Response)?

    static let all: [Endpoint] = [
        .signUp, .login, .refresh, .logout, .session, .sessions, .endSession, .revokeOthers, .stepUp, .password,
        .clientScript, .clientTypes, .loginPage, .signUpPage, .accountPage, .pagePart, .openAPI, .keySet, .metadata,
        .openIDMetadata, .changePassword, .health, .readiness, .check, .metrics,
    ]
}

extension Endpoint {
    /// On the public listener.
    init(_ operation: Operation, respond: @escaping @Sendable (Call) async throws -> Response) {
        self.init(operation: operation, fields: [], place: nil, publicly: respond, privately: nil)
    }

    /// On the public listener, with fields.
    /// - Parameter respond: reads the fields with its second argument, at the point at which what is wrong with them is to
    ///   be said.
    init<Value: Sendable>(
        _ operation: Operation, reads input: Input<Value>,
        respond: @escaping @Sendable (Call, @Sendable () async throws -> Value) async throws -> Response
    ) {
        self.init(
            operation: operation, fields: input.fields, place: input.place,
            publicly: { call in try await respond(call) { try await input.read(call) } }, privately: nil)
    }

    /// On both listeners, for load balancers and supervisors.
    init(
        probe operation: Operation, respond: @escaping @Sendable (AuthorizationServer) async throws -> Response
    ) {
        self.init(
            operation: operation, fields: [], place: nil, publicly: { try await respond($0.server) },
            privately: { try await respond($0.server) })
    }

    /// On the private listener.
    /// - Parameter query: the parameters that `respond` reads.
    init(
        private operation: Operation, query: [FieldDescription] = [],
        respond: @escaping @Sendable (PrivateCall) async throws -> Response
    ) {
        self.init(
            operation: operation, fields: query, place: query.isEmpty ? nil : .query, publicly: nil, privately: respond)
    }

    /// Whether it answers without a Host: load balancers probe in HTTP/1.0.
    var isForProbes: Bool { publicly != nil && privately != nil }

    /// Every denial that the endpoint may answer.
    var denials: Denials {
        var denials = Denials.everyConnection
        if publicly != nil { denials = denials + .everyBrowser }
        switch place {
        case .json, .jsonOrForm: denials = denials + .body
        case .query, nil: break
        }
        return denials + operation.denials
    }
}
