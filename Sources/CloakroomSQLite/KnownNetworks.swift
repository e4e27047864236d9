import CloakroomCore
import CloakroomStores
import GRDB

/// The networks from which the owners of accounts have logged in: at most `NetworkAddress.rememberedPerSubject` per
/// account.
enum KnownNetworks {
    static func note(
        _ network: NetworkAddress, of subject: Subject, at time: Instant, _ database: Database
    ) throws {
        try database.cachedStatement(
            sql: """
                INSERT INTO known_networks (subject, network, seen_at) VALUES (?, ?, ?)
                ON CONFLICT (subject, network) DO UPDATE SET seen_at = excluded.seen_at
                """
        ).execute(arguments: [subject.rawValue, network.rawValue, time.milliseconds])
        try database.cachedStatement(
            sql: """
                DELETE FROM known_networks WHERE subject = ? AND network IN
                (SELECT network FROM known_networks WHERE subject = ? ORDER BY seen_at DESC, network LIMIT -1 OFFSET ?)
                """
        ).execute(arguments: [subject.rawValue, subject.rawValue, NetworkAddress.rememberedPerSubject])
    }

    /// Always makes both queries: the time must not show whether a subject exists.
    static func familiarity(
        of network: NetworkAddress, to subject: Subject, _ database: Database
    ) throws -> NetworkFamiliarity {
        let isOwn = try Bool.fetchOne(
            database.cachedStatement(sql: "SELECT 1 FROM known_networks WHERE subject = ? AND network = ?"),
            arguments: [subject.rawValue, network.rawValue])
        let isAnyones = try Bool.fetchOne(
            database.cachedStatement(sql: "SELECT 1 FROM known_networks WHERE network = ? LIMIT 1"),
            arguments: [network.rawValue])
        return isOwn != nil ? .own : isAnyones != nil ? .others : .none
    }
}
