-- Films and recordings beside pictures. Until now all items were pictures.
ALTER TABLE media DROP COLUMN kind;
ALTER TABLE media ADD COLUMN kind TEXT NOT NULL DEFAULT 'image'
    CHECK (kind IN ('image', 'video', 'audio'));

-- What a film or a recording is, besides what every item is. The size of a recording in `media` is
-- that of its poster.
CREATE TABLE av (
    media_id     INTEGER PRIMARY KEY REFERENCES media ON DELETE CASCADE,
    -- Small letters, as in `h264` and `aac`; absent where there is no such track.
    video_codec  TEXT,
    audio_codec  TEXT,
    -- Bits and frames in each second, on average; absent where nobody knows.
    bit_rate     INTEGER,
    frame_rate   REAL,
    channels     INTEGER NOT NULL,
    -- In Hertz; 0 without sound.
    sample_rate  INTEGER NOT NULL,
    tracks       INTEGER NOT NULL,
    artist       TEXT,
    album        TEXT,
    -- Where the poster comes from: out of the film, out of the file, from somebody, or from nowhere.
    poster       TEXT NOT NULL CHECK (poster IN ('frame', 'cover', 'upload', 'neutral')),
    poster_at_ms INTEGER
) STRICT;

-- What a file beside an original is for. Pictures are made of the picture or of the poster, and are
-- made anew when the site's settings ask for others.
ALTER TABLE variants ADD COLUMN role TEXT NOT NULL DEFAULT 'picture'
    CHECK (role IN ('picture', 'poster', 'preview', 'rendition'));
