-- What each person's items come to, kept right by the triggers below.
CREATE TABLE user_usage (
    user_id INTEGER PRIMARY KEY REFERENCES users ON DELETE CASCADE,
    files   INTEGER NOT NULL DEFAULT 0,
    -- Of all files of their items, each item's counted for itself.
    bytes   INTEGER NOT NULL DEFAULT 0
) STRICT;
INSERT INTO user_usage (user_id, files, bytes)
    SELECT owner_id, count(*), sum(bytes + source_bytes
            + (SELECT coalesce(sum(v.bytes), 0) FROM variants v WHERE v.media_id = media.id))
    FROM media GROUP BY owner_id;

CREATE TRIGGER owned AFTER INSERT ON media BEGIN
    INSERT INTO user_usage (user_id, files, bytes)
        VALUES (NEW.owner_id, 1, NEW.bytes + NEW.source_bytes)
        ON CONFLICT (user_id) DO UPDATE SET files = files + 1, bytes = bytes + excluded.bytes;
END;
-- Before: the variants go with the item, and say no more whose they were.
CREATE TRIGGER disowned BEFORE DELETE ON media BEGIN
    UPDATE user_usage SET files = files - 1, bytes = bytes - OLD.bytes - OLD.source_bytes
            - (SELECT coalesce(sum(bytes), 0) FROM variants WHERE media_id = OLD.id)
        WHERE user_id = OLD.owner_id;
END;
CREATE TRIGGER owned_by_another AFTER UPDATE OF owner_id ON media
    WHEN NEW.owner_id <> OLD.owner_id BEGIN
    UPDATE user_usage SET files = files - 1, bytes = bytes - OLD.bytes - OLD.source_bytes
            - (SELECT coalesce(sum(bytes), 0) FROM variants WHERE media_id = OLD.id)
        WHERE user_id = OLD.owner_id;
    INSERT INTO user_usage (user_id, files, bytes)
        VALUES (NEW.owner_id, 1, OLD.bytes + OLD.source_bytes
            + (SELECT coalesce(sum(bytes), 0) FROM variants WHERE media_id = NEW.id))
        ON CONFLICT (user_id) DO UPDATE SET files = files + 1, bytes = bytes + excluded.bytes;
END;
CREATE TRIGGER owned_resized AFTER UPDATE OF bytes, source_bytes ON media BEGIN
    UPDATE user_usage SET bytes = bytes + NEW.bytes + NEW.source_bytes
            - OLD.bytes - OLD.source_bytes
        WHERE user_id = NEW.owner_id;
END;
CREATE TRIGGER variant_owned AFTER INSERT ON variants BEGIN
    UPDATE user_usage SET bytes = bytes + NEW.bytes
        WHERE user_id = (SELECT owner_id FROM media WHERE id = NEW.media_id);
END;
CREATE TRIGGER variant_disowned AFTER DELETE ON variants BEGIN
    UPDATE user_usage SET bytes = bytes - OLD.bytes
        WHERE user_id = (SELECT owner_id FROM media WHERE id = OLD.media_id);
END;
CREATE TRIGGER variant_owned_resized AFTER UPDATE OF bytes ON variants BEGIN
    UPDATE user_usage SET bytes = bytes + NEW.bytes - OLD.bytes
        WHERE user_id = (SELECT owner_id FROM media WHERE id = NEW.media_id);
END;

-- Files that a crash left in parts: what the storage calls them, as JSON.
ALTER TABLE removals ADD COLUMN parts TEXT NOT NULL DEFAULT '[]';
