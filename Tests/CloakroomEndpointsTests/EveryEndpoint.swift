import HTTPTypes

@testable import CloakroomEndpoints

extension Endpoint {
    static let onPublicListener = all.filter { $0.publicly != nil }

    var method: HTTPRequest.Method { operation.method }

    /// All paths of the endpoint.
    /// - Parameter identifier: the value of an identifier in the path.
    func paths(naming identifier: String = "some-session") -> [String] {
        guard let parameter = operation.parameter else { return [operation.path] }
        return (parameter.values ?? [identifier]).map { operation.path.replacing(parameter.placeholder, with: $0) }
    }
}
