-- What the site's admin has set; whatever is not here stands at its default.
CREATE TABLE settings (
    key        TEXT PRIMARY KEY,
    -- JSON.
    value      TEXT NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
