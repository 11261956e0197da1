-- How a picture looks, as 64 bits of which few differ between pictures that look alike; 0 where
-- there is too little to tell.
ALTER TABLE media ADD COLUMN looks INTEGER NOT NULL DEFAULT 0;
CREATE INDEX media_by_looks ON media (looks) WHERE looks <> 0 AND trashed_at IS NULL;

-- The file as it was uploaded, where it is kept beside the public one. For its owner's eyes.
ALTER TABLE media ADD COLUMN source_file TEXT;
ALTER TABLE media ADD COLUMN source_mime TEXT;
ALTER TABLE media ADD COLUMN source_bytes INTEGER NOT NULL DEFAULT 0;

DROP TRIGGER media_counted;
DROP TRIGGER media_uncounted;
CREATE TRIGGER media_counted AFTER INSERT ON media BEGIN
    UPDATE usage SET amount = amount + 1 WHERE name = 'files';
    UPDATE usage SET amount = amount + NEW.bytes + NEW.source_bytes WHERE name = 'bytes_stored';
END;
CREATE TRIGGER media_uncounted AFTER DELETE ON media BEGIN
    UPDATE usage SET amount = amount - 1 WHERE name = 'files';
    UPDATE usage SET amount = amount - OLD.bytes - OLD.source_bytes WHERE name = 'bytes_stored';
END;

-- What is drawn over pictures.
CREATE TABLE watermark (
    id         INTEGER PRIMARY KEY CHECK (id = 1),
    -- A small PNG.
    png        BLOB NOT NULL,
    width      INTEGER NOT NULL,
    height     INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;

-- Pictures that nobody may upload (again).
CREATE TABLE blocked_pictures (
    id         INTEGER PRIMARY KEY,
    public_id  TEXT NOT NULL UNIQUE,
    -- Of the file that was blocked, and how it looked.
    sha256     BLOB NOT NULL UNIQUE CHECK (length(sha256) = 32),
    looks      INTEGER NOT NULL,
    reason     TEXT,
    -- Who blocked it, by name: that person may be gone by now.
    blocked_by TEXT NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;
