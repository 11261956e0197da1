-- Uploads that come in pieces. How far each has come is the length of its file.
CREATE TABLE resumable_uploads (
    id         INTEGER PRIMARY KEY,
    public_id  TEXT NOT NULL UNIQUE,
    owner_id   INTEGER NOT NULL REFERENCES users ON DELETE CASCADE,
    -- Of the whole file, in bytes.
    length     INTEGER NOT NULL CHECK (length >= 0),
    -- What its sender says about it, as it was sent.
    metadata   TEXT NOT NULL,
    -- Whether it is to be a part of another one.
    is_part    INTEGER NOT NULL CHECK (is_part IN (0, 1)),
    -- The uploads that it is joined from, in their order and parted by spaces.
    parts      TEXT,
    -- The item that came of it.
    media_id   TEXT,
    expires_at INTEGER NOT NULL
) STRICT;
CREATE INDEX resumable_by_owner ON resumable_uploads (owner_id);
CREATE INDEX resumable_by_expiry ON resumable_uploads (expires_at);
