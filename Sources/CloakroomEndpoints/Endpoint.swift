import CloakroomCore
import HTTPTypes
import Hummingbird

/// One path and method of the contract.
struct Endpoint: Sendable {
    let method: HTTPRequest.Method
    /// Absolute; `{id}` at the end stands for one segment.
    let path: String
    /// Whether it answers without a Host: load balancers probe in HTTP/1.0.
    let isForProbes: Bool
    /// Whether a plain form may be sent to it.
    let takesForms: Bool
    let respond: @Sendable (Call) async throws -> Response

    init(
        _ method: HTTPRequest.Method, _ path: String, isForProbes: Bool = false, takesForms: Bool = false,
        respond: @escaping @Sendable (Call) async throws -> Response
    ) {
        self.method = method
        self.path = path
        self.isForProbes = isForProbes
        self.takesForms = takesForms
        self.respond = respond
    }

    /// Every endpoint; each stands in a file of its own.
    static let all: [Endpoint] =
        [
            .signUp, .login, .refresh, .logout, .session, .sessions, .endSession, .revokeOthers, .stepUp, .password,
            .clientScript, .clientTypes, .openAPI, .keySet, .metadata, .openIDMetadata, .changePassword, .health,
            .readiness, .loginPage, .signUpPage, .accountPage,
        ] + pageParts

    /// Whether a path without endpoint is nevertheless ours to refuse.
    static func isOurs(_ path: String) -> Bool {
        path == "/auth" || path.hasPrefix("/auth/")
    }
}

/// Finds the endpoint of a path, by its exact bytes: what a path means must not depend on who normalises it.
struct EndpointTable: Sendable {
    private let exact: [String: [Endpoint]]
    private let parametric: [String: [Endpoint]]
    static let placeholder = "{id}"

    init(_ endpoints: [Endpoint]) {
        exact = Dictionary(grouping: endpoints.filter { !$0.path.hasSuffix(Self.placeholder) }, by: \.path)
        parametric = Dictionary(grouping: endpoints.filter { $0.path.hasSuffix(Self.placeholder) }) {
            String($0.path.dropLast(Self.placeholder.count))
        }
    }

    struct Match {
        let path: String
        let parameter: String
        fileprivate let endpoints: [Endpoint]

        func endpoint(for method: HTTPRequest.Method) -> Endpoint? {
            endpoints.first { $0.method == method }
        }

        /// The answer to a method that has no endpoint here.
        func refuse(_ method: HTTPRequest.Method) throws(Denial) -> Response {
            let allowed =
                endpoints.map(\.method.rawValue).flatMap { $0 == "GET" ? ["GET", "HEAD"] : [$0] } + ["OPTIONS"]
            guard method == .options else { throw .methodNotAllowed(allow: allowed) }
            return Response(status: .noContent, headers: [.allow: allowed.joined(separator: ", ")])
        }
    }

    func match(_ path: String) -> Match? {
        if let endpoints = exact[path] { return Match(path: path, parameter: "", endpoints: endpoints) }
        guard Endpoint.isOurs(path), let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return nil }
        let prefix = String(path[...slash])
        let parameter = String(path[path.utf8.index(after: slash)...])
        guard let endpoints = parametric[prefix], Self.isIdentifier(parameter) else { return nil }
        return Match(path: prefix + Self.placeholder, parameter: parameter, endpoints: endpoints)
    }

    private static func isIdentifier(_ text: String) -> Bool {
        1...128 ~= text.utf8.count
            && text.utf8.allSatisfy { byte in
                UInt8(ascii: "a")...UInt8(ascii: "z") ~= byte || UInt8(ascii: "A")...UInt8(ascii: "Z") ~= byte
                    || UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte || byte == UInt8(ascii: "-")
                    || byte == UInt8(ascii: "_")
            }
    }
}
