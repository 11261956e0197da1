-- Work that outlives its request.
CREATE TABLE jobs (
    id           INTEGER PRIMARY KEY,
    public_id    TEXT NOT NULL UNIQUE,
    kind         TEXT NOT NULL,
    weight       TEXT NOT NULL CHECK (weight IN ('light', 'heavy')),
    state        TEXT NOT NULL DEFAULT 'waiting'
        CHECK (state IN ('waiting', 'running', 'done', 'failed', 'cancelled')),
    -- What it is about, as JSON.
    payload      TEXT NOT NULL,
    -- Of the same kind and key, one waits and one runs at most.
    key          TEXT,
    -- Who may see it besides the admins, and the item that it is about.
    owner_id     INTEGER REFERENCES users ON DELETE SET NULL,
    media_id     TEXT,
    attempts     INTEGER NOT NULL DEFAULT 0,
    max_attempts INTEGER NOT NULL CHECK (max_attempts > 0),
    -- Not before this moment. 0 is at once, and 1 the same behind those that have not begun; no
    -- clock that is set back delays these.
    run_at       INTEGER NOT NULL,
    -- The process that runs it.
    holder       TEXT,
    -- Whether the run is asked to end.
    is_cancelled INTEGER NOT NULL DEFAULT 0 CHECK (is_cancelled IN (0, 1)),
    done         INTEGER NOT NULL DEFAULT 0,
    total        INTEGER,
    message      TEXT,
    last_error   TEXT,
    created_at   INTEGER NOT NULL,
    started_at   INTEGER,
    finished_at  INTEGER,
    CHECK ((state = 'running') = (holder IS NOT NULL)),
    CHECK ((state IN ('done', 'failed', 'cancelled')) = (finished_at IS NOT NULL))
) STRICT;
CREATE INDEX jobs_waiting ON jobs (weight, run_at, id) WHERE state = 'waiting';
CREATE UNIQUE INDEX jobs_by_key ON jobs (kind, key, state)
    WHERE key IS NOT NULL AND finished_at IS NULL;
CREATE INDEX jobs_ended ON jobs (finished_at) WHERE finished_at IS NOT NULL;
-- The lists, all by id, which is by age.
CREATE INDEX jobs_by_state ON jobs (state, id);
CREATE INDEX jobs_by_kind ON jobs (kind, id);
CREATE INDEX jobs_of_owner ON jobs (owner_id, id) WHERE owner_id IS NOT NULL;

-- Housekeeping did it so far.
INSERT INTO jobs (public_id, kind, weight, payload, key, max_attempts, run_at, created_at)
    SELECT 'regenerate', 'regenerate', 'light', 'null', 'all', 100, 0, started_at
    FROM regeneration WHERE finished_at IS NULL;
