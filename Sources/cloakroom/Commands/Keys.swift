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
        subcommands: [List.self, Rotate.self, Remove.self])

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List the signing keys and the refresh secrets.")
        @OptionGroup var administration: Administration

        func run() async throws {
            try await administration.withKeys { files, _ in try files.existing }
        }
    }

    struct Rotate: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Add a new signing key: published now, signing in ten minutes.",
            discussion: "The old key verifies until the last token that it signed has expired.")
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
            guard !refreshSecret || !now && algorithm == nil else {
                throw ValidationError("--refresh-secret signs at once and has one algorithm")
            }
        }

        func run() async throws {
            let environment = Environment.system
            try await administration.withKeys { files, settings in
                let algorithm = algorithm.flatMap(Self.syntax.parse) ?? settings.server.signingAlgorithm?.algorithm
                return try files.change { keys in
                    let time = environment.now()
                    if refreshSecret {
                        return try keys.withNewRefreshSecret(at: time, random: environment.random)
                    }
                    return try keys.rotated(
                        to: algorithm, from: now ? time : time + IssuerKeys.publication, at: time)
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
            let now = Environment.system.now()
            try await administration.withKeys { files, _ in
                try files.change { try $0.removing(id, at: now) }
            }
        }
    }
}

extension KeyFiles {
    fileprivate var existing: IssuerKeys {
        get throws {
            guard let keys = try read() else { throw missing }
            return keys
        }
    }

    /// Changes existing keys. If there are none, it creates no file, not even a lock.
    fileprivate func change(_ work: (IssuerKeys) throws -> IssuerKeys) throws -> IssuerKeys {
        _ = try existing
        return try update { keys in
            guard let keys else { throw missing }
            return try work(keys)
        }
    }

    private var missing: UnusableData {
        UnusableData(.missing, "there are no keys in \(directory.path); the server makes them at its first start")
    }
}

extension Administration {
    /// Runs `work` on the key files. No command about keys opens the database.
    fileprivate func withKeys(_ work: (KeyFiles, Settings) throws -> IssuerKeys) async throws {
        try await report { settings in
            let files = KeyFiles(directory: try DataDirectory(existing: settings.data.directory))
            return Table(try work(files, settings), settings, at: Environment.system.now())
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
            let isCurrent = entry.key.id == keys.currentRefreshKey.id
            return [
                Cell(entry.key.id), Cell("refresh"), Cell("HS256"),
                Cell(isCurrent ? "signing" : "verifying", style: isCurrent ? .green : .faint),
                Cell(entry.createdAt.iso8601), Cell(entry.createdAt.iso8601),
            ]
        }
    }
}
