extension Schema {
    /// Version 4: the allowances of tries that all instances share. See `AllowanceWork`.
    ///
    /// No index has the time: every update is then HOT, and the sweep reads a table that has as few rows as there were
    /// tries in the last minutes.
    static let allowances = """
        CREATE TABLE cloakroom.allowances (
            name bytea PRIMARY KEY,
            restored_at int8 NOT NULL
        ) WITH (fillfactor = 50)
        """
}
