import GRDB

/// The tables. One row per session, none per token.
enum Schema {
    static var migrator: DatabaseMigrator {
        var migrator = DatabaseMigrator()
        migrator.registerMigration("1 accounts, sessions, revocations, events") { try $0.execute(sql: first) }
        return migrator
    }

    private static let first = """
        CREATE TABLE users (
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
            client TEXT NOT NULL,
            secret BLOB NOT NULL,
            created_at INTEGER NOT NULL,
            expires_at INTEGER NOT NULL,
            remembered INTEGER NOT NULL,
            user_agent TEXT NOT NULL,
            address TEXT NOT NULL,
            generation INTEGER NOT NULL,
            pending INTEGER NOT NULL,
            window_opened_at INTEGER,
            rotated_at INTEGER NOT NULL,
            refresh_key TEXT NOT NULL,
            last_seen_at INTEGER NOT NULL,
            stragglers_from INTEGER NOT NULL,
            handed_out_at INTEGER NOT NULL,
            reissued INTEGER NOT NULL,
            auth_time INTEGER NOT NULL,
            amr TEXT NOT NULL,
            acr TEXT NOT NULL,
            earlier_auth_time INTEGER,
            earlier_amr TEXT,
            earlier_acr TEXT,
            revoked_at INTEGER,
            revocation_reason TEXT,
            last_seen_day INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX sessions_of_subject ON sessions (subject);
        CREATE INDEX sessions_by_end ON sessions (expires_at);
        -- An index on the moment would be written with every renewal, on two pages that nothing else needs; the day
        -- changes once a day.
        CREATE INDEX sessions_by_last_day ON sessions (last_seen_day) WHERE revoked_at IS NULL;

        -- The feed that other processes follow.
        CREATE TABLE revocations (
            position INTEGER PRIMARY KEY AUTOINCREMENT,
            session TEXT NOT NULL,
            time INTEGER NOT NULL
        ) STRICT;

        CREATE TABLE events (
            position INTEGER PRIMARY KEY AUTOINCREMENT,
            kind TEXT NOT NULL,
            time INTEGER NOT NULL,
            subject TEXT,
            session TEXT,
            address TEXT,
            detail TEXT
        ) STRICT;
        CREATE INDEX events_by_subject ON events (subject) WHERE subject IS NOT NULL;
        CREATE TRIGGER events_never_change BEFORE UPDATE ON events
            BEGIN SELECT RAISE(ABORT, 'security events are append-only'); END;
        -- Retention takes from the oldest end only: nobody cuts a row out of the middle.
        CREATE TRIGGER events_go_oldest_first BEFORE DELETE ON events
            WHEN EXISTS (SELECT 1 FROM events WHERE position < OLD.position)
            BEGIN SELECT RAISE(ABORT, 'security events are append-only'); END;
        """
}
