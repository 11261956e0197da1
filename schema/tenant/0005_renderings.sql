-- Pictures that were made on demand, in sizes that somebody asked for. They lie beside their
-- original and may go at any time: whoever asks again gets them made again.
CREATE TABLE renderings (
    id       INTEGER PRIMARY KEY,
    media_id INTEGER NOT NULL REFERENCES media ON DELETE CASCADE,
    -- What was asked for, in words that are the same for the same picture.
    spec     TEXT NOT NULL,
    file     TEXT NOT NULL,
    mime     TEXT NOT NULL,
    bytes    INTEGER NOT NULL CHECK (bytes > 0),
    used_at  INTEGER NOT NULL,
    UNIQUE (media_id, spec)
) STRICT;
CREATE INDEX renderings_by_use ON renderings (used_at);

INSERT INTO usage (name, amount) VALUES ('bytes_rendered', 0);
CREATE TRIGGER rendering_counted AFTER INSERT ON renderings BEGIN
    UPDATE usage SET amount = amount + NEW.bytes WHERE name = 'bytes_rendered';
END;
CREATE TRIGGER rendering_uncounted AFTER DELETE ON renderings BEGIN
    UPDATE usage SET amount = amount - OLD.bytes WHERE name = 'bytes_rendered';
END;
CREATE TRIGGER rendering_recounted AFTER UPDATE OF bytes ON renderings BEGIN
    UPDATE usage SET amount = amount + NEW.bytes - OLD.bytes WHERE name = 'bytes_rendered';
END;
