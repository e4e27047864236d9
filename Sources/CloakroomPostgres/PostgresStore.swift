public import CloakroomCore
import CloakroomFiles
public import CloakroomStores
import Foundation
package import Logging

/// The store for many instances: a PostgreSQL database, reached by libpq.
///
/// Every session is one row, which is changed by compare-and-swap on its version. No decision is made on a standby.
public final class PostgresStore: SessionStore, AccountStore, CredentialStore, OneTimeStore, SubjectStore {
    /// Reads and writes of one session, in groups.
    let sessions: GroupCommit<PostgresWork>
    /// Writes of one subject with all of its sessions, each in a transaction of its own. They lock many rows, and in a
    /// group with others the order of the locks would be lost.
    let subjects: GroupCommit<PostgresWork>
    /// Queries that may read many rows.
    let queries: GroupCommit<PostgresWork>
    /// The feed of revocations, on a connection of its own: what a proof says holds for the server that gave it.
    let feed: GroupCommit<PostgresWork>
    /// Charges of allowances, on a connection of their own: a renewal never waits for one.
    let allowances: GroupCommit<AllowanceWork>
    let events: EventRows
    let instance = UUID()
    let server: PostgresServer
    /// Whether this is the command that fills the tables from another store.
    let isFilling: Bool

    /// The kind of process that opens the database.
    package enum Role: Sendable {
        /// The process logs and counts its own security events.
        case server
        /// The process has no permanent log: a server logs and counts its events.
        case command
    }

    /// Connects to the database at `url`, such as `postgres://db1,db2/cloakroom?target_session_attrs=read-write`, and
    /// creates the tables if there are none.
    /// - Throws: `UnusableData` when no server that takes writes can be reached, or when a newer build has changed the
    ///   tables.
    public convenience init(url: String) throws {
        do {
            try self.init(PostgresAddress(parsing: url), as: .server)
        } catch let error as PostgresAddress.Invalid {
            throw UnusableData(.cannotBeMade, "the address of PostgreSQL is invalid: \(error)")
        }
    }

    /// - Parameters:
    ///   - making: whether to create and change tables.
    ///   - isFilling: whether this is the command that fills the tables from another store.
    package init(
        _ address: PostgresAddress, making: Bool = true, isFilling: Bool = false, as role: Role,
        logger: Logger = Logger(label: "cloakroom.store")
    ) throws {
        server = PostgresServer(address, logger: logger)
        self.isFilling = isFilling
        _ = try server.prepareSchema(making: making, isFilling: isFilling)
        events = EventRows(leavesToServers: role == .command)
        let shared = server
        func lanes(_ count: Int, within limit: Duration) -> [GroupCommit<PostgresWork>.Perform] {
            (0..<count).map { _ in
                let lane = Lane(shared, limit: limit)
                return { lane.perform($0) }
            }
        }
        sessions = GroupCommit(
            "sessions", limits: GroupLimits(group: address.largestGroup),
            performers: lanes(address.connections - PostgresAddress.otherConnections, within: .seconds(2)))
        subjects = GroupCommit(
            "subjects", limits: GroupLimits(group: 1), performers: lanes(1, within: .seconds(5)))
        queries = GroupCommit(
            "queries", limits: GroupLimits(group: 1), performers: lanes(1, within: .seconds(30)))
        feed = GroupCommit("feed", limits: GroupLimits(group: 1), performers: lanes(1, within: .seconds(1)))
        let lane = Lane(server, limit: .seconds(2))
        allowances = GroupCommit(
            "allowances", limits: GroupLimits(group: min(64, address.largestGroup)),
            performers: [{ AllowanceWork.perform($0, in: lane) }])
    }

    /// Brings the tables to the version of this build.
    /// - Returns: the versions of the steps that were taken.
    package static func migrate(_ address: PostgresAddress) throws -> [Int64] {
        try PostgresServer(address, logger: Logger(label: "cloakroom.store")).prepareSchema(making: true)
    }

    /// Later calls of the store throw once their connection has ended.
    public func close() {
        server.close()
    }

    /// The time of the database.
    public var sharedTime: SharedTime? { SharedTime(now: server.clock.now, step: server.clock.step) }

    /// Writes a row of this instance: a server that takes no writes, or whose standby is lost, does not acknowledge it.
    public func ping() async throws {
        try await sessions.perform("instances") { [heartbeat] in .repeatable([heartbeat], $0) { _ in } }
    }

    /// A write of this instance's row.
    var heartbeat: Statement {
        Statement(
            """
            INSERT INTO cloakroom.instances (id, seen_at) VALUES ($1::text::uuid, clock_timestamp())
            ON CONFLICT (id) DO UPDATE SET seen_at = clock_timestamp()
            """, [.text(instance.uuidString)])
    }

    /// The number of live sessions.
    public func liveSessions(at now: Instant, under policy: SessionPolicy) async throws -> Int {
        let idle = now - policy.idleLifetime
        // A session's own midnight comes up to a day after that of UTC.
        let statement = Statement(
            """
            SELECT count(*) FROM cloakroom.sessions
            WHERE revoked_at IS NULL AND last_seen_day >= $1 AND last_seen_at > $2 AND expires_at > $3
            """, [.int(SessionRow.day(of: idle) - 1), .int(idle.milliseconds), .int(now.milliseconds)])
        return try await queries.read([statement]) { Int($0[0].first?.int(0) ?? 0) }
    }
}

extension PostgresStep {
    /// A write that may be made twice without harm: it is sent again when it is not known whether it took effect.
    static func repeatable<Value: Sendable>(
        _ statements: [Statement], _ result: WorkResult<Value>, _ value: @escaping ([Rows]) -> Value
    ) -> PostgresStep {
        .write(
            statements,
            then: { rows in
                result.value = value(rows)
                return .done
            },
            // A read of nothing leads back here.
            ifUnknown: .read([]) { _ in repeatable(statements, result, value) })
    }
}
