-- One row per site that this appliance hosts. What a site holds lies in its own file.
CREATE TABLE tenants (
    id         TEXT PRIMARY KEY CHECK (length(id) BETWEEN 1 AND 16),
    name       TEXT NOT NULL,
    status     TEXT NOT NULL DEFAULT 'active' CHECK (status IN ('active')),
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
