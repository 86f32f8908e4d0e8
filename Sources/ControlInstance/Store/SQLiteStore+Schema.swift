import GRDB

extension SQLiteStore {
    /// A migration that was released is never changed; a new one is added below it.
    static var migrator: DatabaseMigrator {
        var migrator = DatabaseMigrator()
        migrator.registerMigration("1") { database in
            try database.execute(
                sql: """
                    CREATE TABLE simulations (
                        name TEXT PRIMARY KEY,
                        state TEXT NOT NULL,
                        spec TEXT NOT NULL,
                        checkpoint TEXT,
                        createdNs INTEGER NOT NULL
                    ) STRICT;

                    CREATE TABLE machines (
                        simulation TEXT NOT NULL REFERENCES simulations (name) ON DELETE CASCADE,
                        position INTEGER NOT NULL,
                        name TEXT NOT NULL,
                        host TEXT NOT NULL,
                        adopted INTEGER NOT NULL,
                        PRIMARY KEY (simulation, name)
                    ) STRICT;

                    CREATE TABLE operations (
                        id TEXT PRIMARY KEY,
                        kind TEXT NOT NULL,
                        simulation TEXT NOT NULL,
                        checkpoint TEXT,
                        hosts TEXT NOT NULL,
                        target TEXT NOT NULL,
                        phase TEXT NOT NULL,
                        instantNs INTEGER,
                        decision TEXT,
                        outcome TEXT,
                        startedNs INTEGER NOT NULL,
                        finishedNs INTEGER,
                        report TEXT
                    ) STRICT;
                    CREATE INDEX operationsBySimulation ON operations (simulation, startedNs);
                    CREATE INDEX operationsUnfinished ON operations (startedNs) WHERE phase <> 'finished';

                    CREATE TABLE stages (
                        operation TEXT NOT NULL REFERENCES operations (id) ON DELETE CASCADE,
                        position INTEGER NOT NULL,
                        machine TEXT,
                        name TEXT NOT NULL,
                        startedNs INTEGER NOT NULL,
                        durationNs INTEGER NOT NULL,
                        bytes INTEGER,
                        PRIMARY KEY (operation, position)
                    ) STRICT;

                    CREATE TABLE clockStates (
                        operation TEXT NOT NULL REFERENCES operations (id) ON DELETE CASCADE,
                        machine TEXT NOT NULL,
                        moment TEXT NOT NULL CHECK (moment IN ('instant', 'before')),
                        rtcNs INTEGER,
                        kvmclockNs INTEGER,
                        virtualNs INTEGER,
                        state TEXT NOT NULL,
                        PRIMARY KEY (operation, machine, moment)
                    ) STRICT;

                    CREATE TABLE checkpoints (
                        id TEXT PRIMARY KEY,
                        simulation TEXT NOT NULL,
                        name TEXT NOT NULL,
                        parent TEXT,
                        operation TEXT NOT NULL,
                        instantNs INTEGER NOT NULL,
                        createdNs INTEGER NOT NULL,
                        machines TEXT NOT NULL,
                        bytes INTEGER NOT NULL,
                        UNIQUE (simulation, name)
                    ) STRICT;
                    """
            )
        }
        migrator.registerMigration("2: clones") { database in
            try database.execute(
                sql: """
                    ALTER TABLE simulations ADD COLUMN origin TEXT;
                    ALTER TABLE checkpoints ADD COLUMN origin TEXT;
                    """
            )
        }
        migrator.registerMigration("3: labels") { database in
            try database.execute(
                sql: """
                    ALTER TABLE checkpoints ADD COLUMN annotations TEXT NOT NULL DEFAULT '{"labels":{}}';
                    """
            )
        }
        migrator.registerMigration("4: hosts") { database in
            try database.execute(
                sql: """
                    CREATE TABLE hosts (
                        name TEXT PRIMARY KEY,
                        address TEXT NOT NULL,
                        labels TEXT NOT NULL,
                        drained INTEGER NOT NULL,
                        addedNs INTEGER NOT NULL
                    ) STRICT;
                    """
            )
        }
        migrator.registerMigration("5: triggers") { database in
            try database.execute(
                sql: """
                    CREATE TABLE triggers (
                        simulation TEXT PRIMARY KEY REFERENCES simulations (name) ON DELETE CASCADE,
                        record TEXT NOT NULL
                    ) STRICT;
                    ALTER TABLE operations ADD COLUMN cause TEXT;
                    """
            )
        }
        return migrator
    }
}
