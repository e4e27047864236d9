extension Schema {
    /// Version 2: the keys of the issuer, sealed under the master secret of the operator.
    ///
    /// Of a key that has ended the row stays, without the key, so that no instance that remembers the key puts it back.
    static let keys = """
        CREATE TABLE cloakroom.keys (
            id text COLLATE "C" PRIMARY KEY,
            kind text COLLATE "C" NOT NULL,
            algorithm text COLLATE "C" NOT NULL,
            period int8,
            created_at int8 NOT NULL,
            signs_from int8 NOT NULL,
            longest_session int8 NOT NULL,
            sealed bytea,
            ended text,
            ended_at int8,
            UNIQUE (kind, algorithm, period),
            CHECK ((sealed IS NULL) = (ended IS NOT NULL))
        )
        """
}
