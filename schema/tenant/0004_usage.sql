-- How much there is of what, kept right by the triggers below, so that a limit is checked by
-- reading one row inside the transaction that adds to it.
CREATE TABLE usage (
    name   TEXT PRIMARY KEY,
    amount INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO usage (name, amount) VALUES
    ('users', (SELECT count(*) FROM users)),
    ('managers', (SELECT count(*) FROM users WHERE role = 'manager')),
    ('admins', (SELECT count(*) FROM users WHERE role = 'admin')),
    ('files', (SELECT count(*) FROM media)),
    ('tags', (SELECT count(DISTINCT tag) FROM media_tags)),
    ('bytes_stored', (SELECT coalesce(sum(bytes), 0) FROM media)
                   + (SELECT coalesce(sum(bytes), 0) FROM variants));

CREATE TRIGGER user_counted AFTER INSERT ON users BEGIN
    UPDATE usage SET amount = amount + 1 WHERE name = 'users';
    UPDATE usage SET amount = amount + 1 WHERE name = NEW.role || 's' AND NEW.role <> 'user';
END;
CREATE TRIGGER user_uncounted AFTER DELETE ON users BEGIN
    UPDATE usage SET amount = amount - 1 WHERE name = 'users';
    UPDATE usage SET amount = amount - 1 WHERE name = OLD.role || 's' AND OLD.role <> 'user';
END;
CREATE TRIGGER user_recounted AFTER UPDATE OF role ON users BEGIN
    UPDATE usage SET amount = amount - 1 WHERE name = OLD.role || 's' AND OLD.role <> 'user';
    UPDATE usage SET amount = amount + 1 WHERE name = NEW.role || 's' AND NEW.role <> 'user';
END;

CREATE TRIGGER media_counted AFTER INSERT ON media BEGIN
    UPDATE usage SET amount = amount + 1 WHERE name = 'files';
    UPDATE usage SET amount = amount + NEW.bytes WHERE name = 'bytes_stored';
END;
CREATE TRIGGER media_uncounted AFTER DELETE ON media BEGIN
    UPDATE usage SET amount = amount - 1 WHERE name = 'files';
    UPDATE usage SET amount = amount - OLD.bytes WHERE name = 'bytes_stored';
END;
CREATE TRIGGER media_resized AFTER UPDATE OF bytes ON media BEGIN
    UPDATE usage SET amount = amount + NEW.bytes - OLD.bytes WHERE name = 'bytes_stored';
END;
CREATE TRIGGER variant_counted AFTER INSERT ON variants BEGIN
    UPDATE usage SET amount = amount + NEW.bytes WHERE name = 'bytes_stored';
END;
CREATE TRIGGER variant_uncounted AFTER DELETE ON variants BEGIN
    UPDATE usage SET amount = amount - OLD.bytes WHERE name = 'bytes_stored';
END;
CREATE TRIGGER variant_resized AFTER UPDATE OF bytes ON variants BEGIN
    UPDATE usage SET amount = amount + NEW.bytes - OLD.bytes WHERE name = 'bytes_stored';
END;

CREATE TRIGGER tag_counted AFTER INSERT ON media_tags
    WHEN NOT EXISTS (SELECT 1 FROM media_tags WHERE tag = NEW.tag
        AND NOT (media_id = NEW.media_id AND position = NEW.position)) BEGIN
    UPDATE usage SET amount = amount + 1 WHERE name = 'tags';
END;
CREATE TRIGGER tag_uncounted AFTER DELETE ON media_tags
    WHEN NOT EXISTS (SELECT 1 FROM media_tags WHERE tag = OLD.tag) BEGIN
    UPDATE usage SET amount = amount - 1 WHERE name = 'tags';
END;

-- What is counted anew each month, in UTC.
CREATE TABLE usage_by_month (
    month  TEXT NOT NULL,
    name   TEXT NOT NULL,
    amount INTEGER NOT NULL,
    PRIMARY KEY (month, name)
) STRICT, WITHOUT ROWID;

-- While one of these lasts, bytes whose rows are gone stay where they are: somebody copies them.
CREATE TABLE holds (
    name  TEXT PRIMARY KEY,
    until INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Links that sign somebody in once, made by the operator to help them.
CREATE TABLE login_links (
    secret_hash BLOB PRIMARY KEY,
    user_id     INTEGER NOT NULL REFERENCES users ON DELETE CASCADE,
    expires_at  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
