import PostgreSQL

extension PostgreSQLStore {
    struct Migration: Sendable {
        var version: Int64
        var name: String
        var statements: [StaticString]
    }

    /// One that was released is never changed; a new one is added below it.
    static let migrations: [Migration] = [
        Migration(
            version: 1,
            name: "all",
            statements: [
                """
                CREATE TABLE simulations (
                    name TEXT PRIMARY KEY,
                    state TEXT NOT NULL,
                    spec TEXT NOT NULL,
                    machines TEXT NOT NULL,
                    checkpoint TEXT,
                    origin TEXT,
                    created_ns BIGINT NOT NULL
                )
                """,
                """
                CREATE TABLE operations (
                    id TEXT PRIMARY KEY,
                    kind TEXT NOT NULL,
                    simulation TEXT NOT NULL,
                    checkpoint TEXT,
                    hosts TEXT NOT NULL,
                    target TEXT NOT NULL,
                    phase TEXT NOT NULL,
                    instant_ns BIGINT,
                    decision TEXT,
                    outcome TEXT,
                    started_ns BIGINT NOT NULL,
                    finished_ns BIGINT,
                    report TEXT
                )
                """,
                "CREATE INDEX operations_by_simulation ON operations (simulation, started_ns)",
                "CREATE INDEX operations_unfinished ON operations (started_ns) WHERE phase <> 'finished'",
                """
                CREATE TABLE stages (
                    operation TEXT NOT NULL REFERENCES operations (id) ON DELETE CASCADE,
                    position BIGINT NOT NULL,
                    machine TEXT,
                    name TEXT NOT NULL,
                    started_ns BIGINT NOT NULL,
                    duration_ns BIGINT NOT NULL,
                    bytes BIGINT,
                    PRIMARY KEY (operation, position)
                )
                """,
                """
                CREATE TABLE clock_states (
                    operation TEXT NOT NULL REFERENCES operations (id) ON DELETE CASCADE,
                    machine TEXT NOT NULL,
                    moment TEXT NOT NULL CHECK (moment IN ('instant', 'before')),
                    rtc_ns BIGINT,
                    kvmclock_ns BIGINT,
                    virtual_ns BIGINT,
                    state TEXT NOT NULL,
                    PRIMARY KEY (operation, machine, moment)
                )
                """,
                """
                CREATE TABLE checkpoints (
                    id TEXT PRIMARY KEY,
                    simulation TEXT NOT NULL,
                    name TEXT NOT NULL,
                    parent TEXT,
                    origin TEXT,
                    operation TEXT NOT NULL,
                    instant_ns BIGINT NOT NULL,
                    created_ns BIGINT NOT NULL,
                    machines TEXT NOT NULL,
                    bytes BIGINT NOT NULL,
                    annotations TEXT NOT NULL,
                    keeper TEXT NOT NULL,
                    UNIQUE (simulation, name)
                )
                """,
                """
                CREATE TABLE hosts (
                    name TEXT PRIMARY KEY,
                    address TEXT NOT NULL,
                    labels TEXT NOT NULL,
                    drained BOOLEAN NOT NULL,
                    added_ns BIGINT NOT NULL
                )
                """,
                """
                CREATE TABLE instances (
                    id TEXT PRIMARY KEY,
                    name TEXT NOT NULL,
                    home TEXT NOT NULL,
                    process TEXT NOT NULL,
                    lease_ms BIGINT NOT NULL,
                    expires TIMESTAMPTZ NOT NULL
                )
                """,
                """
                CREATE TABLE claims (
                    simulation TEXT PRIMARY KEY,
                    owner TEXT NOT NULL REFERENCES instances (id) ON DELETE CASCADE,
                    epoch BIGINT NOT NULL,
                    taken TIMESTAMPTZ NOT NULL DEFAULT clock_timestamp()
                )
                """,
                "CREATE SEQUENCE epochs",
                // A server that was down could hear of nobody: everybody has one lease more after its start.
                """
                CREATE FUNCTION is_live(instance instances) RETURNS boolean LANGUAGE sql VOLATILE AS $$
                    SELECT instance.expires > '-infinity' AND clock_timestamp() < greatest(
                        instance.expires, pg_postmaster_start_time() + instance.lease_ms * interval '1 millisecond')
                $$
                """,
            ]
        ),
        Migration(
            version: 2,
            name: "triggers",
            statements: [
                """
                CREATE TABLE triggers (
                    simulation TEXT PRIMARY KEY REFERENCES simulations (name) ON DELETE CASCADE,
                    record TEXT NOT NULL
                )
                """,
                "ALTER TABLE operations ADD COLUMN cause TEXT",
            ]
        ),
    ]

    /// Brings the tables up to date. Those who start at the same moment do it one after the other.
    static func migrate(_ session: PostgreSQLSession, _ place: String, known: [Migration] = migrations) throws {
        try session.run("SELECT pg_advisory_xact_lock(hashtextextended('fermata schema', 0))")
        try session.run(
            """
            CREATE TABLE IF NOT EXISTS fermata_schema (
                version BIGINT PRIMARY KEY, name TEXT NOT NULL, applied TIMESTAMPTZ NOT NULL DEFAULT clock_timestamp())
            """
        )
        let applied = try session.run("SELECT version, name FROM fermata_schema ORDER BY version").rows
        let newest = known.last?.version ?? 0
        if let newer = try applied.last(where: { try $0.integer("version") > newest }) {
            throw StoreError(
                "the database \(place) was written by a newer release of fermata (its schema is "
                    + "'\(try newer.text("version")): \(try newer.text("name"))'), which this one cannot read: use that one",
                .newer
            )
        }
        let versions = Set(try applied.map { try $0.integer("version") })
        for migration in known where !versions.contains(migration.version) {
            for statement in migration.statements { try session.run(statement) }
            try session.run(
                "INSERT INTO fermata_schema (version, name) VALUES ($1, $2)",
                [.integer(migration.version), .text(migration.name)]
            )
        }
    }
}
