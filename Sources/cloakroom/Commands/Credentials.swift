import ArgumentParser
import CloakroomAccounts
import CloakroomCore
import CloakroomEndpoints
import CloakroomMiddleware
import CloakroomStores
import CloakroomTokens

/// `cloakroom credentials`
struct Credentials: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Add, list and remove the keys of backends that use the service API.",
        subcommands: [Add.self, List.self, Remove.self])

    struct Add: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Add a credential and print its key.",
            discussion: "The key is printed once. The database keeps only a hash of it.")
        @Option(
            help: ArgumentHelp(
                "What the key may do: a list of \(ServiceScope.names), separated by commas.", valueName: "scope,..."))
        var scope: [String]
        @Option(
            help: ArgumentHelp("The highest authentication level that it may assert: 1, 2 or phr.", valueName: "acr"))
        var maxAcr = AuthenticationLevel.singleFactor.rawValue
        @Option(help: ArgumentHelp("It may name only subjects that begin with this.", valueName: "text"))
        var subjectPrefix: String?
        @Option(
            help: ArgumentHelp(
                "It is accepted from this network only, such as 10.1.0.0/16; then never over a Unix socket.",
                valueName: "cidr"))
        var network: String?
        @Option(help: ArgumentHelp("How long it is valid, such as 90d, 12h or 30m.", valueName: "time"))
        var expires: String?
        @OptionGroup var administration: Administration

        func validate() throws {
            _ = try rights()
            _ = try lifetime()
        }

        func run() async throws {
            try await administration.perform(making: true) { instance in
                let added = try await instance.server.backends.addCredential(rights(), lifetime: lifetime())
                return Table(added.credential, key: added.key)
            }
        }

        private func rights() throws -> ServiceCredential.Rights {
            let names = scope.flatMap { $0.split(separator: ",").map(String.init) }
            let scopes = names.compactMap { ServiceScope(rawValue: $0) }
            guard !scopes.isEmpty, scopes.count == names.count else {
                throw ValidationError("--scope expects a list of \(ServiceScope.names)")
            }
            guard let level = AuthenticationLevel(rawValue: maxAcr) else {
                throw ValidationError("--max-acr expects 1, 2 or phr")
            }
            if let subjectPrefix, Subject(external: subjectPrefix) == nil {
                throw ValidationError("--subject-prefix expects 1 to 64 of A-Z, a-z, 0-9 and . _ : -")
            }
            let range = network.flatMap { AddressRange(parsing: $0) }
            guard network == nil || range != nil else {
                throw ValidationError("--network expects an address or a CIDR range")
            }
            return .init(
                scopes: Set(scopes), maximumLevel: level, subjectPrefix: subjectPrefix, network: range?.description)
        }

        private func lifetime() throws -> Span? {
            guard let expires else { return nil }
            let units: [Character: Int64] = ["s": 1, "m": 60, "h": 3600, "d": 86400]
            guard let unit = expires.last.flatMap({ units[$0] }), let count = Int64(expires.dropLast()),
                1...36500 * 86400 / unit ~= count
            else { throw ValidationError("--expires expects a time such as 90d, 12h, 30m or 45s") }
            return .seconds(count * unit)
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List the credentials, without their keys.")
        @OptionGroup var administration: Administration

        func run() async throws {
            try await administration.perform(empty: "There are no credentials.") { instance in
                Table(try await instance.server.backends.credentials(), at: instance.environment.now())
            }
        }
    }

    struct Remove: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Remove a credential. Running servers refuse its key from now on.",
            discussion: "The sessions that were begun with it go on; `cloakroom sessions revoke` ends them.")
        @Argument(help: "The credential's id, the part of the key between the underscores.") var id: String
        @OptionGroup var administration: Administration

        func run() async throws {
            try await administration.perform { instance in
                do {
                    try await instance.server.backends.removeCredential(CredentialID(id))
                } catch Denial.notFound {
                    throw Administration.Failure("there is no such credential; `cloakroom credentials list` shows all")
                }
                return Table(columns: ["removed"], rows: [[.init(id)]])
            }
        }
    }
}

extension ServiceScope {
    fileprivate static let names = allCases.map(\.rawValue).joined(separator: ", ")
}

extension Table {
    private static let columns = ["id", "scopes", "max_acr", "subject_prefix", "network", "created_at", "expires_at"]

    fileprivate init(_ credential: ServiceCredential, key: ServiceKey) {
        self.init(columns: Self.columns + ["key"])
        rows = [Self.cells(credential, expiry: nil) + [Cell(key.text)]]
    }

    fileprivate init(_ credentials: [ServiceCredential], at now: Instant) {
        self.init(columns: Self.columns)
        rows = credentials.map { credential in
            let isExpired = credential.expiresAt.map { $0 <= now } ?? false
            return Self.cells(credential, expiry: isExpired ? .red : nil)
        }
    }

    private static func cells(_ credential: ServiceCredential, expiry style: Terminal.Style?) -> [Cell] {
        let rights = credential.rights
        let scopes = ServiceScope.allCases.filter(rights.scopes.contains).map(\.rawValue)
        return [
            Cell(credential.id.rawValue),
            Cell(scopes.joined(separator: ","), json: .array(scopes.map { .string($0) })),
            Cell(rights.maximumLevel.rawValue), optional(rights.subjectPrefix), optional(rights.network),
            Cell(credential.createdAt.iso8601), optional(credential.expiresAt?.iso8601, style),
        ]
    }

    private static func optional(_ text: String?, _ style: Terminal.Style? = nil) -> Cell {
        Cell(text ?? "-", json: text.map { .string($0) } ?? .null, style: style)
    }
}
