import ArgumentParser
import CloakroomCore
import CloakroomEndpoints
import CloakroomService
import CloakroomTokens

/// `cloakroom keys`
struct Keys: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "List and rotate the keys. A running server takes changes over within a second.",
        subcommands: [List.self, Rotate.self, Remove.self])

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List the signing keys and the refresh secrets.")
        @OptionGroup var administration: Administration

        func run() async throws {
            try await administration.perform { Table(try $0.ring(), $0) }
        }
    }

    struct Rotate: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Add a new signing key: published now, signing in ten minutes.",
            discussion: "The old key goes on verifying until the last token that it signed is dead.")
        @Flag(help: "Sign with the new key at once; verifiers that have not seen it must fetch the key set again.")
        var now = false
        @Flag(help: "Add a new refresh secret instead; sessions go on.") var refreshSecret = false
        @OptionGroup var administration: Administration

        func run() async throws {
            try await administration.perform { instance in
                let ring = try instance.ring()
                if refreshSecret { return Table(try instance.keyFiles.rotateRefreshSecret(ring), instance) }
                let time = instance.environment.now()
                let rotated = try instance.keyFiles.rotate(
                    ring, to: instance.settings.server.signingAlgorithm, from: now ? time : time + KeyFiles.publication)
                return Table(rotated, instance)
            }
        }
    }

    struct Remove: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Remove a signing key at once: for one that was stolen.",
            discussion: "Tokens that it signed are refused from then on. The key that signs now cannot be removed.")
        @Argument(help: "The kid.") var id: String
        @OptionGroup var administration: Administration

        func run() async throws {
            try await administration.perform { instance in
                let ring = try instance.ring()
                guard ring.signing.contains(where: { $0.key.id == id }) else {
                    throw Administration.Failure("there is no signing key \(id)")
                }
                guard ring.signingKey(at: instance.environment.now()).id != id else {
                    throw Administration.Failure("this key signs now; run first: cloakroom keys rotate --now")
                }
                return Table(try instance.keyFiles.remove(id, from: ring), instance)
            }
        }
    }
}

extension Instance {
    fileprivate func ring() throws -> IssuerKeys {
        guard let ring = try keyFiles.read() else { throw Administration.Failure("there are no keys") }
        return ring
    }
}

extension Table {
    fileprivate init(_ ring: IssuerKeys, _ instance: Instance) {
        self.init(columns: ["kid", "use", "algorithm", "stage", "created_at", "signs_from"])
        let now = instance.environment.now()
        rows = ring.signing.map { entry in
            let stage = ring.verifierKeys.stage(
                of: entry.key.id, at: now, lifetime: instance.settings.server.policy.accessTokenLifetime)
            return [
                Cell(entry.key.id), Cell("access"), Cell(entry.key.algorithm.rawValue),
                Cell((stage?.rawValue ?? ""), style: stage == .signing ? .green : .faint),
                Cell(entry.createdAt.iso8601),
                Cell(entry.signsFrom.iso8601),
            ]
        }
        rows += ring.refresh.map { entry in
            let isCurrent = entry.key.id == ring.currentRefreshKey.id
            return [
                Cell(entry.key.id), Cell("refresh"), Cell("HS256"),
                Cell(isCurrent ? "signing" : "verifying", style: isCurrent ? .green : .faint),
                Cell(entry.createdAt.iso8601), Cell(entry.createdAt.iso8601),
            ]
        }
    }
}
