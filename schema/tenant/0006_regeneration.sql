-- Making the variants of all items anew, as housekeeping does it: a few items at each visit.
CREATE TABLE regeneration (
    id          INTEGER PRIMARY KEY CHECK (id = 1),
    started_at  INTEGER NOT NULL,
    finished_at INTEGER,
    -- The item that was done last; those with a higher number follow, up to the last one.
    position    INTEGER NOT NULL,
    last        INTEGER NOT NULL,
    total       INTEGER NOT NULL,
    done        INTEGER NOT NULL,
    failed      INTEGER NOT NULL,
    -- Why it ended before its end.
    problem     TEXT
) STRICT;
