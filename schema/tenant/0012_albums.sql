-- Albums: a tree of titles that items are put into. What is in an album belongs to its owner.
CREATE TABLE albums (
    id             INTEGER PRIMARY KEY,
    public_id      TEXT NOT NULL UNIQUE,
    owner_id       INTEGER NOT NULL REFERENCES users ON DELETE CASCADE,
    parent_id      INTEGER REFERENCES albums ON DELETE SET NULL,
    title          TEXT NOT NULL,
    description    TEXT,
    -- What its owner asked for, and what holds: that, or what its parent has where it is stricter.
    own_visibility TEXT NOT NULL CHECK (own_visibility IN ('public', 'unlisted', 'private')),
    visibility     TEXT NOT NULL CHECK (visibility IN ('public', 'unlisted', 'private')),
    -- The item that stands for it, where somebody chose one.
    cover_id       INTEGER REFERENCES media ON DELETE SET NULL,
    -- Items in it that are not in the trash, and those of them that everybody finds in it.
    items          INTEGER NOT NULL DEFAULT 0,
    public_items   INTEGER NOT NULL DEFAULT 0,
    created_at     INTEGER NOT NULL,
    updated_at     INTEGER NOT NULL
) STRICT;
-- The lists: everybody's public albums, one's own, those inside another. All by id, so by age.
CREATE INDEX albums_public ON albums (id) WHERE visibility = 'public';
CREATE INDEX albums_of_owner ON albums (owner_id, id);
CREATE INDEX albums_of_parent ON albums (parent_id, id) WHERE parent_id IS NOT NULL;
CREATE INDEX albums_of_cover ON albums (cover_id) WHERE cover_id IS NOT NULL;

-- `visibility` is what holds, so that whoever asks it need not know of albums.
ALTER TABLE media ADD COLUMN album_id INTEGER REFERENCES albums ON DELETE SET NULL;
ALTER TABLE media ADD COLUMN own_visibility TEXT NOT NULL DEFAULT 'private'
    CHECK (own_visibility IN ('public', 'unlisted', 'private'));
UPDATE media SET own_visibility = visibility;
CREATE INDEX media_of_album ON media (album_id, id)
    WHERE album_id IS NOT NULL AND trashed_at IS NULL;
-- Trashed ones too: rows that name an album are looked for when it goes.
CREATE INDEX media_trash_of_album ON media (album_id)
    WHERE album_id IS NOT NULL AND trashed_at IS NOT NULL;

CREATE TRIGGER media_shelved AFTER INSERT ON media WHEN NEW.album_id IS NOT NULL BEGIN
    UPDATE media SET visibility = (
        SELECT CASE WHEN 'private' IN (NEW.own_visibility, a.visibility) THEN 'private'
            WHEN 'unlisted' IN (NEW.own_visibility, a.visibility) THEN 'unlisted'
            ELSE 'public' END FROM albums a WHERE a.id = NEW.album_id)
    WHERE id = NEW.id;
END;
CREATE TRIGGER media_reshelved AFTER UPDATE OF own_visibility, album_id ON media BEGIN
    UPDATE media SET visibility = coalesce((
        SELECT CASE WHEN 'private' IN (NEW.own_visibility, a.visibility) THEN 'private'
            WHEN 'unlisted' IN (NEW.own_visibility, a.visibility) THEN 'unlisted'
            ELSE 'public' END FROM albums a WHERE a.id = NEW.album_id), NEW.own_visibility)
    WHERE id = NEW.id;
END;
CREATE TRIGGER album_shown AFTER UPDATE OF visibility ON albums
    WHEN NEW.visibility <> OLD.visibility BEGIN
    UPDATE media SET updated_at = updated_at + 1, visibility =
        CASE WHEN 'private' IN (own_visibility, NEW.visibility) THEN 'private'
            WHEN 'unlisted' IN (own_visibility, NEW.visibility) THEN 'unlisted'
            ELSE 'public' END
    WHERE album_id = NEW.id;
END;

CREATE TRIGGER album_filled AFTER INSERT ON media WHEN NEW.album_id IS NOT NULL BEGIN
    UPDATE albums SET items = items + (NEW.trashed_at IS NULL),
        public_items = public_items + (NEW.trashed_at IS NULL AND NEW.own_visibility = 'public')
    WHERE id = NEW.album_id;
END;
CREATE TRIGGER album_emptied AFTER DELETE ON media WHEN OLD.album_id IS NOT NULL BEGIN
    UPDATE albums SET items = items - (OLD.trashed_at IS NULL),
        public_items = public_items - (OLD.trashed_at IS NULL AND OLD.own_visibility = 'public')
    WHERE id = OLD.album_id;
END;
CREATE TRIGGER album_changed AFTER UPDATE OF album_id, trashed_at, own_visibility ON media
    WHEN OLD.album_id IS NOT NULL OR NEW.album_id IS NOT NULL BEGIN
    UPDATE albums SET items = items - (OLD.trashed_at IS NULL),
        public_items = public_items - (OLD.trashed_at IS NULL AND OLD.own_visibility = 'public')
    WHERE id = OLD.album_id;
    UPDATE albums SET items = items + (NEW.trashed_at IS NULL),
        public_items = public_items + (NEW.trashed_at IS NULL AND NEW.own_visibility = 'public')
    WHERE id = NEW.album_id;
END;

INSERT INTO usage (name, amount) VALUES ('albums', 0);
CREATE TRIGGER album_counted AFTER INSERT ON albums BEGIN
    UPDATE usage SET amount = amount + 1 WHERE name = 'albums';
END;
CREATE TRIGGER album_uncounted AFTER DELETE ON albums BEGIN
    UPDATE usage SET amount = amount - 1 WHERE name = 'albums';
END;
