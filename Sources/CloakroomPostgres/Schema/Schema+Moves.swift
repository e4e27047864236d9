extension Schema {
    /// Version 3: the mark of `cloakroom migrate-store`, a row in a database that it fills or has filled.
    static let moves = """
        CREATE TABLE cloakroom.moves (
            migration int8 PRIMARY KEY,
            target int8 NOT NULL,
            source text NOT NULL,
            started_at timestamptz NOT NULL DEFAULT now(),
            finished_at timestamptz
        )
        """
}
