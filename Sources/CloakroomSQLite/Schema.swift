import CloakroomFiles
import GRDB

/// The tables. There is one row per session, and none per token.
enum Schema {
    /// The version of the tables. Every change of `tables` raises it.
    static let version = 5
    /// The application id in the header of the file, by which `file` and other tools identify it: the letters `Clkr`.
    static let applicationID = 0x436C_6B72

    /// Creates the tables in an empty database, or checks that they are those of this version.
    ///
    /// The transaction takes the write lock when it begins: of two processes that start at once on a new directory,
    /// the second finds the tables of the first.
    /// - Parameter acceptsMoved: whether to open a database whose data has moved to another store.
    static func prepare(
        _ database: Database, at path: String, making: Bool, acceptsMoved: Bool = false
    ) throws {
        do {
            try database.inTransaction(.immediate) {
                let isEmpty = try objects(in: database).isEmpty
                if isEmpty, making { try create(database) }
                try check(database, at: path, isEmpty: isEmpty && !making)
                if !acceptsMoved { try refuseMoved(database, at: path) }
                return .commit
            }
        } catch let error as DatabaseError {
            throw UnusableData(error, at: path)
        }
    }

    private static func create(_ database: Database) throws {
        try database.execute(sql: tables)
        try database.execute(sql: "PRAGMA user_version = \(version); PRAGMA application_id = \(applicationID)")
    }

    /// Refuses a database with another schema version or with missing tables: a build must not serve from tables that
    /// it does not know.
    private static func check(_ database: Database, at path: String, isEmpty: Bool) throws {
        guard !isEmpty else { throw UnusableData(.missing, "\(path) is empty") }
        let found = try Int.fetchOne(database, sql: "PRAGMA user_version") ?? 0
        guard found <= version else {
            throw UnusableData(
                .damaged,
                "\(path) has schema version \(found), and this build reads version \(version): run the newer build")
        }
        guard found == version else {
            throw UnusableData(
                .damaged,
                "\(path) has schema version \(found), and this build reads version \(version), with no way from the one to the other: run the build that made it"
            )
        }
        let missing = try expected().subtracting(objects(in: database)).sorted()
        guard missing.isEmpty else {
            let tables = missing.filter { $0.hasPrefix("table ") }
            let named = tables.isEmpty ? missing : tables
            throw UnusableData(
                .damaged,
                "\(path) says schema version \(found), as this build reads (\(version)), but lacks: \(named.joined(separator: ", "))"
            )
        }
    }

    /// Refuses a database whose data has moved: a server that wrote to it would begin a second history of the sessions.
    private static func refuseMoved(_ database: Database, at path: String) throws {
        guard let place = try StoreRecord.movedTo(database) else { return }
        throw UnusableData(.cannotBeMade, "the data of \(path) has moved to \(place): set store to that database")
    }

    /// The names of tables, indices, triggers and columns: `table users`, `column users.email`.
    private static func objects(in database: Database) throws -> Set<String> {
        try String.fetchSet(
            database,
            sql: """
                SELECT type || ' ' || name FROM main.sqlite_schema WHERE name NOT LIKE 'sqlite_%'
                UNION ALL
                SELECT 'column ' || tables.name || '.' || columns.name
                FROM main.sqlite_schema AS tables, pragma_table_info(tables.name) AS columns
                WHERE tables.type = 'table' AND tables.name NOT LIKE 'sqlite_%'
                """)
    }

    private static func expected() throws -> Set<String> {
        try DatabaseQueue().write { database in
            try create(database)
            return try objects(in: database)
        }
    }

    private static let tables = """
        CREATE TABLE accounts (
            subject TEXT NOT NULL PRIMARY KEY,
            email TEXT NOT NULL UNIQUE,
            password_hash TEXT NOT NULL,
            credential_version INTEGER NOT NULL,
            disabled INTEGER NOT NULL,
            created_at INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID;

        CREATE TABLE sessions (
            id TEXT NOT NULL PRIMARY KEY,
            subject TEXT NOT NULL,
            secret BLOB NOT NULL,
            created_at INTEGER NOT NULL,
            expires_at INTEGER NOT NULL,
            generation INTEGER NOT NULL,
            pending INTEGER NOT NULL,
            window_opened_at INTEGER,
            rotated_at INTEGER NOT NULL,
            refresh_key TEXT NOT NULL,
            stragglers_from INTEGER NOT NULL,
            handed_out_at INTEGER NOT NULL,
            reissued INTEGER NOT NULL,
            last_seen_at INTEGER NOT NULL,
            last_seen_day INTEGER NOT NULL,
            revoked_at INTEGER,
            revocation_reason TEXT,
            -- All other fields, as JSON (Session.Details).
            details BLOB NOT NULL,
            -- The session from which it was handed over, as in `details`.
            parent TEXT
        ) STRICT, WITHOUT ROWID;
        -- In the order of the list of sessions. Excludes revoked sessions: an account that logs in and out often has
        -- many, and a query must not read them.
        CREATE INDEX sessions_of_subject ON sessions (subject, created_at DESC, id) WHERE revoked_at IS NULL;
        CREATE INDEX sessions_by_parent ON sessions (parent) WHERE parent IS NOT NULL AND revoked_at IS NULL;
        CREATE INDEX sessions_by_end ON sessions (expires_at);
        -- A login can hand over many sessions one after the other; a row of each would stay for the absolute lifetime.
        CREATE INDEX handed_over_sessions_by_end ON sessions (revoked_at)
            WHERE parent IS NOT NULL AND revoked_at IS NOT NULL;
        -- An index on `last_seen_at` would add two written pages to every renewal. The day changes once a day.
        CREATE INDEX sessions_by_last_day ON sessions (last_seen_day) WHERE revoked_at IS NULL;

        -- The networks from which the owner of an account logged in. Kept longer than sessions: if strangers use up the
        -- tries for an account, its owner can still log in from these networks.
        CREATE TABLE known_networks (
            subject TEXT NOT NULL,
            network TEXT NOT NULL,
            seen_at INTEGER NOT NULL,
            PRIMARY KEY (subject, network)
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX known_networks_by_network ON known_networks (network);

        -- What apps decide about a subject, with or without an account.
        CREATE TABLE subjects (
            subject TEXT NOT NULL PRIMARY KEY,
            -- As JSON (Claims).
            claims BLOB,
            blocked INTEGER NOT NULL DEFAULT 0
        ) STRICT, WITHOUT ROWID;

        CREATE TABLE credentials (
            id TEXT NOT NULL PRIMARY KEY,
            digest BLOB NOT NULL,
            -- As JSON (ServiceCredential.Rights).
            rights BLOB NOT NULL,
            created_at INTEGER NOT NULL,
            expires_at INTEGER
        ) STRICT, WITHOUT ROWID;

        -- The feed of revocations, which other processes poll: sessions that have ended, and subjects whose access tokens
        -- are stale.
        CREATE TABLE revocations (
            position INTEGER PRIMARY KEY AUTOINCREMENT,
            session TEXT,
            subject TEXT,
            time INTEGER NOT NULL,
            CHECK ((session IS NULL) <> (subject IS NULL))
        ) STRICT;

        CREATE TABLE events (
            position INTEGER PRIMARY KEY AUTOINCREMENT,
            kind TEXT NOT NULL,
            time INTEGER NOT NULL,
            subject TEXT,
            session TEXT,
            address TEXT,
            -- Fields that only some kinds of events have, as JSON (SecurityEvent.Details).
            details BLOB
        ) STRICT;
        CREATE INDEX events_by_subject ON events (subject) WHERE subject IS NOT NULL;
        CREATE TRIGGER events_never_change BEFORE UPDATE ON events
            BEGIN SELECT RAISE(ABORT, 'security events are append-only'); END;
        -- Only the oldest event can be deleted, so retention works, and no event can be removed from the middle.
        CREATE TRIGGER events_go_oldest_first BEFORE DELETE ON events
            WHEN EXISTS (SELECT 1 FROM events WHERE position < OLD.position)
            BEGIN SELECT RAISE(ABORT, 'security events are append-only'); END;

        -- Events that commands recorded and that a server has yet to log and count.
        CREATE TABLE unannounced (position INTEGER PRIMARY KEY) STRICT;

        CREATE TABLE one_time (
            purpose TEXT NOT NULL,
            digest BLOB NOT NULL,
            value BLOB NOT NULL,
            expires_at INTEGER NOT NULL,
            PRIMARY KEY (purpose, digest)
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX one_time_by_end ON one_time (expires_at);

        CREATE TABLE store (
            id INTEGER PRIMARY KEY CHECK (id = 1),
            epoch INTEGER NOT NULL,
            -- The number of the migration to another store, from its first run on.
            migration INTEGER,
            -- The store that has the data now. From then on this file is neither read nor written.
            moved_to TEXT,
            -- The number of the mark in that store.
            moved_to_target INTEGER,
            -- What `ping` writes. The last column: SQLite would read these pages to get at a later one, in each transaction.
            written BLOB
        ) STRICT;
        INSERT INTO store (id, epoch) VALUES (1, 1);
        """
}
