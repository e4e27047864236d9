import CloakroomAccounts
import CloakroomCore
import CloakroomStores
import HTTPTypes
import Hummingbird

extension Endpoint {
    /// An endpoint of the service API, without fields.
    init(
        service operation: Operation, needs scope: ServiceScope,
        respond: @escaping @Sendable (ServiceCall) async throws -> Response
    ) {
        self.init(
            operation: operation, fields: [], place: nil, publicly: nil,
            privately: { try await ServiceCall.respond(to: $0, operation, needs: scope, respond) }, isService: true)
    }

    /// An endpoint of the service API, with fields.
    init<Value: Sendable>(
        service operation: Operation, needs scope: ServiceScope, reads input: Input<Value>,
        respond: @escaping @Sendable (ServiceCall, Value) async throws -> Response
    ) {
        self.init(
            operation: operation, fields: input.fields, place: input.place, publicly: nil,
            privately: { call in
                try await ServiceCall.respond(to: call, operation, needs: scope) { call in
                    try await respond(call, try await input.read(call))
                }
            }, isService: true)
    }
}

extension Denials {
    /// The denials of every endpoint of the service API.
    static let service: Denials = [.serviceOnly, .serviceKeyInvalid, .serviceScope, .rateLimited, .unavailable]
}
