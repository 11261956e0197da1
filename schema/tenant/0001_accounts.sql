-- People and what proves that it is them. Secrets are stored as hashes only.
CREATE TABLE users (
    id            INTEGER PRIMARY KEY,
    username      TEXT NOT NULL UNIQUE,
    email         TEXT NOT NULL UNIQUE,
    -- argon2id in PHC string format.
    password_hash TEXT NOT NULL,
    role          TEXT NOT NULL CHECK (role IN ('admin', 'manager', 'user')),
    created_at    INTEGER NOT NULL,
    updated_at    INTEGER NOT NULL
) STRICT;

CREATE TABLE sessions (
    id           INTEGER PRIMARY KEY,
    user_id      INTEGER NOT NULL REFERENCES users ON DELETE CASCADE,
    -- SHA-256 of the cookie's value.
    secret_hash  BLOB NOT NULL UNIQUE,
    user_agent   TEXT,
    address      TEXT,
    created_at   INTEGER NOT NULL,
    last_seen_at INTEGER NOT NULL,
    expires_at   INTEGER NOT NULL
) STRICT;
CREATE INDEX sessions_by_user ON sessions (user_id);
CREATE INDEX sessions_by_expiry ON sessions (expires_at);

CREATE TABLE tokens (
    id           INTEGER PRIMARY KEY,
    public_id    TEXT NOT NULL UNIQUE,
    user_id      INTEGER NOT NULL REFERENCES users ON DELETE CASCADE,
    name         TEXT NOT NULL,
    -- SHA-256 of the token.
    secret_hash  BLOB NOT NULL UNIQUE,
    -- Words parted by spaces, as in RFC 6749.
    scopes       TEXT NOT NULL,
    created_at   INTEGER NOT NULL,
    last_used_at INTEGER,
    expires_at   INTEGER
) STRICT;
CREATE INDEX tokens_by_user ON tokens (user_id);

-- At most one row, and none once there is an admin: the hash of the setup link's secret.
CREATE TABLE setup (
    id          INTEGER PRIMARY KEY CHECK (id = 1),
    secret_hash BLOB NOT NULL,
    created_at  INTEGER NOT NULL
) STRICT;
