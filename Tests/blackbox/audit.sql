-- Notes every row that is written in the schema cloakroom, with its transaction, its statement, and the subject that it belongs to.
-- Triggers see the writes of every process. They run as their owner, so that the role of the product needs no more rights.
CREATE SCHEMA audit;

CREATE TABLE audit.writes (
    number int8 GENERATED ALWAYS AS IDENTITY,
    transaction xid8 NOT NULL DEFAULT pg_current_xact_id(),
    -- The server takes this time anew for each statement of a pipeline.
    statement timestamptz NOT NULL DEFAULT statement_timestamp(),
    query text NOT NULL DEFAULT current_query(),
    table_name text NOT NULL,
    operation text NOT NULL,
    subject text
);

-- The subject of each session, also of those that are deleted.
CREATE TABLE audit.sessions (id text PRIMARY KEY, subject text NOT NULL);

CREATE FUNCTION audit.subject(table_name text, written jsonb) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    session text;
BEGIN
    IF table_name = 'sessions' THEN
        INSERT INTO audit.sessions VALUES (written->>'id', written->>'subject') ON CONFLICT DO NOTHING;
    END IF;
    IF table_name = 'allowances' THEN
        -- Of an account, a session or a network: each is a subject of its own here.
        RETURN 'allowance ' || (written->>'name');
    END IF;
    IF written->>'subject' IS NOT NULL THEN
        RETURN written->>'subject';
    END IF;
    session := written->>'session';
    IF table_name = 'one_time' THEN
        -- A code of a hand-over belongs to the session of the login host.
        session := convert_from((written->>'value')::bytea, 'UTF8')::jsonb->>'parent';
    END IF;
    IF session IS NULL THEN
        RETURN NULL;
    END IF;
    RETURN coalesce((SELECT s.subject FROM audit.sessions AS s WHERE s.id = session), 'unknown session ' || session);
END $$;

CREATE FUNCTION audit.note() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
    -- A partition of the events counts as their table.
    name text := regexp_replace(TG_TABLE_NAME, '_\d{4}_\d\d$', '');
BEGIN
    IF TG_OP <> 'INSERT' THEN
        INSERT INTO audit.writes (table_name, operation, subject) VALUES (name, TG_OP, audit.subject(name, to_jsonb(OLD)));
    END IF;
    IF TG_OP <> 'DELETE' THEN
        INSERT INTO audit.writes (table_name, operation, subject) VALUES (name, TG_OP, audit.subject(name, to_jsonb(NEW)));
    END IF;
    RETURN NULL;
END $$;

DO $$
DECLARE
    name text;
BEGIN
    FOR name IN SELECT relname FROM pg_class WHERE relnamespace = 'cloakroom'::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition LOOP
        EXECUTE format('CREATE TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON cloakroom.%I FOR EACH ROW EXECUTE FUNCTION audit.note()', name);
    END LOOP;
END $$;
