-- Removed sites that still have files in storages elsewhere. Their folders stay aside, without what
-- lay in them, until nothing is left there or the operator gives it up.
CREATE TABLE leftovers (
    -- Also in the name of the folder.
    id         TEXT PRIMARY KEY,
    -- Whose they were: another site may have the name by now.
    tenant     TEXT NOT NULL,
    -- What was known of the site, as JSON, and its key, sealed as in `tenants`.
    record     TEXT NOT NULL,
    sealed_key BLOB,
    -- Whether the site is gone: this is written before, so that no crash loses the folder.
    is_ready   INTEGER NOT NULL DEFAULT 0 CHECK (is_ready IN (0, 1)),
    removed_at INTEGER NOT NULL,
    next_at    INTEGER NOT NULL,
    -- How many files are left, and where, as JSON, as of the last time that it was tried.
    files      INTEGER NOT NULL DEFAULT 0,
    places     TEXT NOT NULL DEFAULT '[]',
    problem    TEXT
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX leftovers_to_be ON leftovers (tenant) WHERE is_ready = 0;
CREATE INDEX leftovers_by_time ON leftovers (next_at) WHERE is_ready = 1;
