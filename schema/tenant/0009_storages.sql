-- Where the bytes of a site may lie. The first one is the site's own folder.
CREATE TABLE storages (
    id           INTEGER PRIMARY KEY,
    public_id    TEXT NOT NULL UNIQUE,
    name         TEXT NOT NULL UNIQUE,
    kind         TEXT NOT NULL CHECK (kind IN ('local', 'disk', 's3', 'gcs', 'azure', 'webdav')),
    -- Where it is, as JSON; and what opens it, sealed.
    place        TEXT NOT NULL,
    secrets      BLOB,
    -- Which kinds of items it takes.
    takes_image  INTEGER NOT NULL DEFAULT 1 CHECK (takes_image IN (0, 1)),
    takes_video  INTEGER NOT NULL DEFAULT 1 CHECK (takes_video IN (0, 1)),
    takes_audio  INTEGER NOT NULL DEFAULT 1 CHECK (takes_audio IN (0, 1)),
    -- In bytes.
    capacity     INTEGER CHECK (capacity > 0),
    -- The lowest number comes first; those of one number take turns by their weights.
    priority     INTEGER NOT NULL DEFAULT 100,
    weight       INTEGER NOT NULL DEFAULT 1 CHECK (weight > 0),
    is_read_only INTEGER NOT NULL DEFAULT 0 CHECK (is_read_only IN (0, 1)),
    delivery     TEXT NOT NULL DEFAULT 'proxy' CHECK (delivery IN ('proxy', 'redirect', 'public')),
    -- Where everybody finds its objects, for `public`.
    public_url   TEXT,
    -- Whom to tell that an address shows nothing any more.
    purge_url    TEXT,
    template     TEXT NOT NULL,
    -- Of all items that lie here, the bytes of their files counted for each item.
    items        INTEGER NOT NULL DEFAULT 0,
    bytes        INTEGER NOT NULL DEFAULT 0,
    -- How it was when it was last needed.
    failures     INTEGER NOT NULL DEFAULT 0,
    down_until   INTEGER,
    problem      TEXT,
    created_at   INTEGER NOT NULL,
    updated_at   INTEGER NOT NULL
) STRICT;

INSERT INTO storages (id, public_id, name, kind, place, template, created_at, updated_at,
        items, bytes)
    SELECT 1, '1111111111', 'This server', 'local', '{}', '{yyyy}/{mm}/{dd}/{name}-{id}.{ext}',
        0, 0, (SELECT count(*) FROM media),
        (SELECT coalesce(sum(bytes + source_bytes), 0) FROM media)
            + (SELECT coalesce(sum(bytes), 0) FROM variants);

-- NULL: the first one.
ALTER TABLE media ADD COLUMN storage_id INTEGER REFERENCES storages;
CREATE INDEX media_by_storage ON media (storage_id, id) WHERE storage_id IS NOT NULL;

-- The original whose bytes are this one's too, where one copy serves several items.
ALTER TABLE media ADD COLUMN shared_folder TEXT;
ALTER TABLE media ADD COLUMN shared_file TEXT;
CREATE INDEX media_by_share ON media (shared_folder) WHERE shared_folder IS NOT NULL;
CREATE INDEX media_by_sha256 ON media (sha256);

CREATE TRIGGER stored AFTER INSERT ON media BEGIN
    UPDATE storages SET items = items + 1, bytes = bytes + NEW.bytes + NEW.source_bytes
        WHERE id = coalesce(NEW.storage_id, 1);
END;
-- Before: the variants go with the item, and say no more where they were.
CREATE TRIGGER unstored BEFORE DELETE ON media BEGIN
    UPDATE storages SET items = items - 1, bytes = bytes - OLD.bytes - OLD.source_bytes
            - (SELECT coalesce(sum(bytes), 0) FROM variants WHERE media_id = OLD.id)
        WHERE id = coalesce(OLD.storage_id, 1);
END;
CREATE TRIGGER moved AFTER UPDATE OF storage_id ON media BEGIN
    UPDATE storages SET items = items - 1, bytes = bytes - OLD.bytes - OLD.source_bytes
            - (SELECT coalesce(sum(bytes), 0) FROM variants WHERE media_id = OLD.id)
        WHERE id = coalesce(OLD.storage_id, 1);
    UPDATE storages SET items = items + 1, bytes = bytes + NEW.bytes + NEW.source_bytes
            + (SELECT coalesce(sum(bytes), 0) FROM variants WHERE media_id = NEW.id)
        WHERE id = coalesce(NEW.storage_id, 1);
END;
CREATE TRIGGER stored_resized AFTER UPDATE OF bytes, source_bytes ON media BEGIN
    UPDATE storages SET bytes = bytes + NEW.bytes + NEW.source_bytes - OLD.bytes - OLD.source_bytes
        WHERE id = coalesce(NEW.storage_id, 1);
END;
CREATE TRIGGER variant_stored AFTER INSERT ON variants BEGIN
    UPDATE storages SET bytes = bytes + NEW.bytes
        WHERE id = (SELECT coalesce(storage_id, 1) FROM media WHERE id = NEW.media_id);
END;
CREATE TRIGGER variant_unstored AFTER DELETE ON variants BEGIN
    UPDATE storages SET bytes = bytes - OLD.bytes
        WHERE id = (SELECT coalesce(storage_id, 1) FROM media WHERE id = OLD.media_id);
END;

-- Files that no row names any more, and how often it was tried in vain to remove them. Written
-- with whatever takes the names away, so that a crash between the two is made good later.
CREATE TABLE removals (
    id         INTEGER PRIMARY KEY,
    storage_id INTEGER NOT NULL,
    folder     TEXT NOT NULL,
    -- Their names, as JSON.
    files      TEXT NOT NULL,
    -- Whether they are all that the item had, except for `keep`, which others still share.
    is_whole   INTEGER NOT NULL CHECK (is_whole IN (0, 1)),
    keep       TEXT,
    attempts   INTEGER NOT NULL DEFAULT 0,
    next_at    INTEGER NOT NULL,
    problem    TEXT
) STRICT;
CREATE INDEX removals_by_time ON removals (next_at);
INSERT INTO removals (storage_id, folder, files, is_whole, next_at)
    SELECT 1, folder, '[]', 1, 0 FROM purges;
DROP TABLE purges;
