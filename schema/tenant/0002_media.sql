CREATE TABLE media (
    id           INTEGER PRIMARY KEY,
    public_id    TEXT NOT NULL UNIQUE,
    owner_id     INTEGER NOT NULL REFERENCES users ON DELETE CASCADE,
    kind         TEXT NOT NULL CHECK (kind IN ('image')),
    title        TEXT,
    description  TEXT,
    -- The name the file came with, its ending corrected.
    filename     TEXT NOT NULL,
    -- Where the bytes lie in the site's store, and the original's name there and in addresses.
    folder       TEXT NOT NULL UNIQUE,
    file         TEXT NOT NULL,
    mime         TEXT NOT NULL,
    bytes        INTEGER NOT NULL CHECK (bytes > 0),
    -- As a viewer sees it: after the orientation is applied.
    width        INTEGER NOT NULL CHECK (width > 0),
    height       INTEGER NOT NULL CHECK (height > 0),
    frames       INTEGER NOT NULL CHECK (frames > 0),
    is_animated  INTEGER NOT NULL CHECK (is_animated IN (0, 1)),
    duration_ms  INTEGER,
    -- SHA-256 of the stored original.
    sha256       BLOB NOT NULL CHECK (length(sha256) = 32),
    -- ThumbHash, and the average colour as 0xRRGGBB.
    placeholder  BLOB NOT NULL,
    color        INTEGER NOT NULL,
    -- What the camera wrote, as JSON. For the owner's eyes.
    metadata     TEXT NOT NULL,
    taken_at     TEXT,
    nsfw         INTEGER NOT NULL CHECK (nsfw IN (0, 1)),
    visibility   TEXT NOT NULL CHECK (visibility IN ('public', 'unlisted', 'private')),
    -- SHA-256 of the secret in the delete link.
    delete_hash  BLOB NOT NULL,
    created_at   INTEGER NOT NULL,
    updated_at   INTEGER NOT NULL,
    expires_at   INTEGER,
    trashed_at   INTEGER
) STRICT;
-- The lists: everybody's public items, one's own, one's trash. All by id, which is by age.
CREATE INDEX media_public ON media (id) WHERE visibility = 'public' AND trashed_at IS NULL;
CREATE INDEX media_of_owner ON media (owner_id, id) WHERE trashed_at IS NULL;
CREATE INDEX media_trash_of_owner ON media (owner_id, id) WHERE trashed_at IS NOT NULL;
CREATE INDEX media_same_bytes ON media (owner_id, sha256);
CREATE INDEX media_by_expiry ON media (expires_at) WHERE expires_at IS NOT NULL;
CREATE INDEX media_by_trashing ON media (trashed_at) WHERE trashed_at IS NOT NULL;

CREATE TABLE variants (
    media_id INTEGER NOT NULL REFERENCES media ON DELETE CASCADE,
    name     TEXT NOT NULL,
    file     TEXT NOT NULL,
    mime     TEXT NOT NULL,
    bytes    INTEGER NOT NULL CHECK (bytes > 0),
    width    INTEGER NOT NULL,
    height   INTEGER NOT NULL,
    PRIMARY KEY (media_id, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE media_tags (
    media_id INTEGER NOT NULL REFERENCES media ON DELETE CASCADE,
    position INTEGER NOT NULL,
    tag      TEXT NOT NULL,
    PRIMARY KEY (media_id, position)
) STRICT, WITHOUT ROWID;
CREATE INDEX media_by_tag ON media_tags (tag, media_id);

-- Folders whose rows are gone and whose bytes are to follow. Written with the deletion, so that
-- a crash between the two is made good later.
CREATE TABLE purges (
    folder     TEXT PRIMARY KEY,
    created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
