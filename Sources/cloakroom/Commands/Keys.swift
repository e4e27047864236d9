import ArgumentParser
import CloakroomCore
import CloakroomEndpoints
import CloakroomFiles
import CloakroomSessions
import CloakroomTokens

/// `cloakroom keys`
struct Keys: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "List and rotate the keys. A running server uses changed keys within a second.",
        subcommands: [
            List.self, Rotate.self, Remove.self, NewSecret.self, Reseal.self, Import.self,
        ])

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List the signing keys and the refresh secrets.")
        @OptionGroup var administration: Administration

        func run() async throws {
            try await administration.withKeys { place, _, _ in try await place.existing() }
        }
    }

    struct Rotate: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Add a new signing key: published now, signing in ten minutes.",
            discussion: """
                The old key verifies until the last token that it signed has expired. A new refresh secret signs in ten \
                minutes as well if the keys are in PostgreSQL, and at once if they are in files.
                """)
        @Flag(help: "Sign with the new key at once. Verifiers that have not seen it must fetch the key set again.")
        var now = false
        @Option(help: "ES256, Ed25519 or RS256. (default: what the keys are of)") var algorithm: String?
        @Flag(help: "Add a new refresh secret instead. Sessions continue.") var refreshSecret = false
        @OptionGroup var administration: Administration

        private static let syntax = ValueSyntax.one(of: SignatureAlgorithm.signing)

        func validate() throws {
            if let algorithm, Self.syntax.parse(algorithm) == nil {
                throw ValidationError("--algorithm: expected \(Self.syntax.expected.withoutMarkup)")
            }
            guard !refreshSecret || algorithm == nil else {
                throw ValidationError("--refresh-secret has one algorithm")
            }
        }

        func run() async throws {
            try await administration.withKeys { [now, refreshSecret, algorithm] place, settings, environment in
                let algorithm = algorithm.flatMap(Self.syntax.parse) ?? settings.server.signingAlgorithm?.algorithm
                let isImmediate = now || refreshSecret && !place.source.publishesRefreshSecrets
                return try await place.change { keys in
                    let time = environment.now()
                    let start = isImmediate ? time : time + IssuerKeys.publication
                    if refreshSecret {
                        return try keys.withNewRefreshSecret(from: start, at: time, random: environment.random)
                    }
                    return try keys.rotated(to: algorithm, from: start, at: time)
                }
            }
        }
    }

    struct Remove: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Remove a signing key at once: for one that was stolen.",
            discussion: """
                Access tokens that it signed are refused from then on. Browsers renew theirs with their refresh tokens, \
                and no session ends. The key that signs now cannot be removed.
                """)
        @Argument(help: "The kid.") var id: String
        @OptionGroup var administration: Administration

        func run() async throws {
            try await administration.withKeys { [id] place, _, environment in
                try await place.change { try $0.removing(id, at: environment.now()) }
            }
        }
    }
}

extension Administration {
    /// Runs `work` on the keys, and prints those that it returns. With key files no database is opened.
    func withKeys(_ work: (KeyPlace, Settings, Environment) async throws -> IssuerKeys) async throws {
        try await withKeyPlace { place, settings, environment in
            Table(try await work(place, settings, environment), settings, at: environment.now())
        }
    }

    func withKeyPlace(
        empty: String = "", _ work: (KeyPlace, Settings, Environment) async throws -> Table?
    ) async throws {
        try await report(empty: empty) { settings in
            let directory = try DataDirectory(existing: settings.data.directory)
            guard case .postgres = settings.data.store else {
                return try await work(KeyPlace(settings.data, directory, nil, .system), settings, .system)
            }
            _ = try settings.data.masterSecrets()
            let store = try OpenStore(settings.data.store, making: false, isCommand: true)
            defer { store.close() }
            let environment = Environment.system(on: store.store)
            return try await work(
                KeyPlace(settings.data, directory, store.keys, environment), settings, environment)
        }
    }
}

extension Table {
    fileprivate init(_ keys: IssuerKeys, _ settings: Settings, at now: Instant) {
        self.init(columns: ["kid", "use", "algorithm", "stage", "created_at", "signs_from"])
        rows = keys.signing.map { entry in
            let stage = keys.verifierKeys.stage(
                of: entry.key.id, at: now, lifetime: settings.server.policy.accessTokenLifetime)
            return [
                Cell(entry.key.id), Cell("access"), Cell(entry.key.algorithm.rawValue),
                Cell((stage?.rawValue ?? ""), style: stage == .signing ? .green : .faint),
                Cell(entry.createdAt.iso8601),
                Cell(entry.signsFrom.iso8601),
            ]
        }
        rows += keys.refresh.map { entry in
            let isCurrent = entry.key.id == keys.refreshKey(at: now).id
            let stage = isCurrent ? "signing" : entry.signsFrom > now ? "published" : "verifying"
            return [
                Cell(entry.key.id), Cell("refresh"), Cell("HS256"), Cell(stage, style: isCurrent ? .green : .faint),
                Cell(entry.createdAt.iso8601), Cell(entry.signsFrom.iso8601),
            ]
        }
    }
}
