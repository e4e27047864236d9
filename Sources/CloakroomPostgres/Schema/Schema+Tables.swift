extension Schema {
    /// The tables of version 1: statements, separated by empty lines.
    ///
    /// Each row belongs to one session or to one subject. Texts that are compared have the collation "C": the order of
    /// their bytes, which is the same on every machine.
    static let tables = """
        CREATE SCHEMA cloakroom

        CREATE TABLE cloakroom.migrations (
            version int8 PRIMARY KEY,
            works_with int8 NOT NULL,
            applied_at timestamptz NOT NULL DEFAULT now()
        )

        CREATE TABLE cloakroom.epochs (
            number int8 PRIMARY KEY,
            id int8 NOT NULL,
            system text NOT NULL,
            timeline int8 NOT NULL,
            started_at timestamptz NOT NULL DEFAULT now()
        )

        CREATE TABLE cloakroom.instances (id uuid PRIMARY KEY, seen_at timestamptz NOT NULL)

        CREATE TABLE cloakroom.accounts (
            subject text COLLATE "C" PRIMARY KEY,
            email text COLLATE "C" NOT NULL UNIQUE,
            password_hash text NOT NULL,
            credential_version int8 NOT NULL,
            disabled bool NOT NULL,
            created_at int8 NOT NULL
        )

        CREATE TABLE cloakroom.sessions (
            id text COLLATE "C" PRIMARY KEY,
            subject text COLLATE "C" NOT NULL,
            version int8 NOT NULL,
            secret bytea NOT NULL,
            created_at int8 NOT NULL,
            expires_at int8 NOT NULL,
            generation int8 NOT NULL,
            pending bool NOT NULL,
            window_opened_at int8,
            rotated_at int8 NOT NULL,
            refresh_key text NOT NULL,
            stragglers_from int8 NOT NULL,
            handed_out_at int8 NOT NULL,
            reissued bool NOT NULL,
            last_seen_at int8 NOT NULL,
            last_seen_day int8 NOT NULL,
            revoked_at int8,
            revocation_reason text,
            details bytea NOT NULL,
            parent text COLLATE "C"
        ) WITH (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_insert_scale_factor = 0.2)

        CREATE INDEX sessions_of_subject ON cloakroom.sessions (subject, created_at DESC, id) WHERE revoked_at IS NULL

        CREATE INDEX sessions_by_parent ON cloakroom.sessions (parent) WHERE parent IS NOT NULL AND revoked_at IS NULL

        CREATE INDEX sessions_by_end ON cloakroom.sessions (expires_at)

        CREATE INDEX handed_over_sessions_by_end ON cloakroom.sessions (revoked_at)
            WHERE parent IS NOT NULL AND revoked_at IS NOT NULL

        CREATE INDEX sessions_by_last_day ON cloakroom.sessions (last_seen_day) WHERE revoked_at IS NULL

        CREATE TABLE cloakroom.known_networks (
            subject text COLLATE "C" NOT NULL,
            network text COLLATE "C" NOT NULL,
            seen_at int8 NOT NULL,
            PRIMARY KEY (subject, network)
        ) WITH (fillfactor = 90)

        CREATE INDEX known_networks_by_network ON cloakroom.known_networks (network)

        CREATE TABLE cloakroom.subjects (
            subject text COLLATE "C" PRIMARY KEY,
            claims bytea,
            blocked bool NOT NULL DEFAULT false
        ) WITH (fillfactor = 90)

        CREATE TABLE cloakroom.credentials (
            id text COLLATE "C" PRIMARY KEY,
            digest bytea NOT NULL,
            rights bytea NOT NULL,
            created_at int8 NOT NULL,
            expires_at int8
        )

        CREATE TABLE cloakroom.revocations (
            session text COLLATE "C" PRIMARY KEY,
            time int8 NOT NULL,
            xid xid8 NOT NULL DEFAULT pg_current_xact_id()
        )

        CREATE INDEX revocations_by_transaction ON cloakroom.revocations (xid, session)

        CREATE INDEX revocations_by_time ON cloakroom.revocations (time)

        CREATE TABLE cloakroom.stale_marks (
            subject text COLLATE "C" NOT NULL,
            time int8 NOT NULL,
            xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
            PRIMARY KEY (subject, time)
        )

        CREATE INDEX stale_marks_by_transaction ON cloakroom.stale_marks (xid)

        CREATE INDEX stale_marks_by_time ON cloakroom.stale_marks (time)

        CREATE TABLE cloakroom.events (
            id uuid NOT NULL,
            time int8 NOT NULL,
            kind text NOT NULL,
            subject text COLLATE "C",
            session text COLLATE "C",
            address text,
            details bytea,
            ordinal int8 NOT NULL,
            xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
            PRIMARY KEY (id, time)
        ) PARTITION BY RANGE (time)

        CREATE INDEX events_by_transaction ON cloakroom.events (xid)

        CREATE INDEX events_by_subject ON cloakroom.events (subject) WHERE subject IS NOT NULL

        CREATE FUNCTION cloakroom.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN RAISE EXCEPTION 'security events are append-only'; END $$

        CREATE TRIGGER events_never_go BEFORE DELETE ON cloakroom.events
            FOR EACH ROW EXECUTE FUNCTION cloakroom.refuse_change()

        CREATE TRIGGER events_never_change
            BEFORE UPDATE OF id, time, kind, subject, session, address, details, ordinal ON cloakroom.events
            FOR EACH ROW EXECUTE FUNCTION cloakroom.refuse_change()

        CREATE TABLE cloakroom.unannounced (
            id uuid PRIMARY KEY,
            time int8 NOT NULL,
            kind text NOT NULL,
            subject text,
            session text,
            address text,
            details bytea,
            ordinal int8 NOT NULL
        )

        CREATE TABLE cloakroom.one_time (
            purpose text COLLATE "C" NOT NULL,
            digest bytea NOT NULL,
            value bytea NOT NULL,
            expires_at int8 NOT NULL,
            put_by int8 NOT NULL,
            taken_by int8,
            PRIMARY KEY (purpose, digest)
        )

        CREATE INDEX one_time_by_end ON cloakroom.one_time (expires_at)
        """
}
