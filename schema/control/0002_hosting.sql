-- Named sets of limits and features that sites are sold with. A limit that is absent is none.
CREATE TABLE plans (
    id          TEXT PRIMARY KEY CHECK (length(id) BETWEEN 1 AND 32),
    name        TEXT NOT NULL,
    -- Where a customer goes who needs more.
    upgrade_url TEXT,
    -- JSON objects: a limit's name and number, a feature's name and whether it is on.
    limits      TEXT NOT NULL,
    features    TEXT NOT NULL,
    -- What came with the plan and means nothing to this version. Sealed JSON.
    extra       BLOB,
    created_at  INTEGER NOT NULL,
    updated_at  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE tenants_with_plans (
    id           TEXT PRIMARY KEY CHECK (length(id) BETWEEN 1 AND 16),
    name         TEXT NOT NULL,
    status       TEXT NOT NULL DEFAULT 'active'
        CHECK (status IN ('active', 'suspended', 'deleting')),
    -- Why it is not active, for everybody to read.
    reason       TEXT,
    plan         TEXT REFERENCES plans,
    -- What differs from the plan, as in `plans`.
    limits       TEXT NOT NULL DEFAULT '{}',
    features     TEXT NOT NULL DEFAULT '{}',
    -- JSON: what differs until a moment, after which it falls away by itself.
    trial        TEXT,
    extra        BLOB,
    -- The key that this site's other keys come from, sealed by the appliance's.
    sealed_key   BLOB,
    -- When a site that is being deleted is removed for good.
    delete_after INTEGER,
    created_at   INTEGER NOT NULL,
    updated_at   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO tenants_with_plans (id, name, created_at, updated_at)
    SELECT id, name, created_at, updated_at FROM tenants;
DROP TABLE tenants;
ALTER TABLE tenants_with_plans RENAME TO tenants;
CREATE INDEX tenants_by_plan ON tenants (plan) WHERE plan IS NOT NULL;

CREATE TABLE hostnames (
    -- In lower case, internationalised ones as punycode, without a port.
    host         TEXT PRIMARY KEY,
    tenant       TEXT NOT NULL REFERENCES tenants ON DELETE CASCADE,
    -- Links start with this one.
    is_canonical INTEGER NOT NULL CHECK (is_canonical IN (0, 1)),
    created_at   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX canonical_hostnames ON hostnames (tenant) WHERE is_canonical = 1;
CREATE INDEX hostnames_by_tenant ON hostnames (tenant);

-- What changed, for processes that remember what they read: a host, a tenant, or every tenant
-- (where `tenant` and `host` are both absent). Old rows are trimmed.
CREATE TABLE changes (
    revision INTEGER PRIMARY KEY AUTOINCREMENT,
    tenant   TEXT,
    host     TEXT
) STRICT;
CREATE TRIGGER tenant_changed AFTER UPDATE ON tenants BEGIN
    INSERT INTO changes (tenant) VALUES (NEW.id);
END;
CREATE TRIGGER tenant_added AFTER INSERT ON tenants BEGIN
    INSERT INTO changes (tenant) VALUES (NEW.id);
END;
CREATE TRIGGER tenant_removed AFTER DELETE ON tenants BEGIN
    INSERT INTO changes (tenant) VALUES (OLD.id);
END;
CREATE TRIGGER host_added AFTER INSERT ON hostnames BEGIN
    INSERT INTO changes (tenant, host) VALUES (NEW.tenant, NEW.host);
END;
CREATE TRIGGER host_changed AFTER UPDATE ON hostnames BEGIN
    INSERT INTO changes (tenant, host) VALUES (NEW.tenant, NEW.host);
END;
CREATE TRIGGER host_removed AFTER DELETE ON hostnames BEGIN
    INSERT INTO changes (tenant, host) VALUES (OLD.tenant, OLD.host);
END;
CREATE TRIGGER plan_changed AFTER UPDATE ON plans BEGIN
    INSERT INTO changes (tenant) VALUES (NULL);
END;
CREATE TRIGGER changes_trimmed AFTER INSERT ON changes WHEN NEW.revision % 1000 = 0 BEGIN
    DELETE FROM changes WHERE revision <= NEW.revision - 1000;
END;

-- Whom housekeeping must visit, and when at the latest. `stamp` moves with every new reason, so
-- that a visit does not wipe out one that came up meanwhile. Whoever writes to a site counts on a
-- visit after `until`, even where one comes before that.
CREATE TABLE due (
    tenant TEXT PRIMARY KEY REFERENCES tenants ON DELETE CASCADE,
    at     INTEGER NOT NULL,
    until  INTEGER NOT NULL DEFAULT 0,
    stamp  INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;
CREATE INDEX due_first ON due (at);
INSERT INTO due (tenant, at) SELECT id, 0 FROM tenants;

-- What each site holds, as of its last visit.
CREATE TABLE tenant_stats (
    tenant       TEXT PRIMARY KEY REFERENCES tenants ON DELETE CASCADE,
    -- JSON: a name and its number.
    amounts      TEXT NOT NULL,
    -- The month that the monthly ones among them are for, as in 2026-01.
    month        TEXT NOT NULL,
    refreshed_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Work that only one of several processes does at a time.
CREATE TABLE leases (
    name   TEXT PRIMARY KEY,
    holder TEXT NOT NULL,
    until  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE operator_keys (
    id           INTEGER PRIMARY KEY,
    public_id    TEXT NOT NULL UNIQUE,
    name         TEXT NOT NULL UNIQUE,
    -- SHA-256 of the key.
    secret_hash  BLOB NOT NULL UNIQUE,
    -- Words parted by spaces; networks parted by commas, where none means everywhere.
    scopes       TEXT NOT NULL,
    networks     TEXT NOT NULL DEFAULT '',
    created_at   INTEGER NOT NULL,
    last_used_at INTEGER,
    expires_at   INTEGER
) STRICT;

-- Signed requests that were seen, so that none is taken twice.
CREATE TABLE nonces (
    nonce      TEXT PRIMARY KEY,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX nonces_by_expiry ON nonces (expires_at);

-- Who did what to whom. A tenant's entries outlive it.
CREATE TABLE audit (
    id      INTEGER PRIMARY KEY,
    at      INTEGER NOT NULL,
    actor   TEXT NOT NULL,
    action  TEXT NOT NULL,
    tenant  TEXT,
    -- JSON.
    detail  TEXT NOT NULL,
    address TEXT
) STRICT;
CREATE INDEX audit_of_tenant ON audit (tenant, id);

-- A sealed known text: opens with the right key only.
CREATE TABLE key_check (
    id     INTEGER PRIMARY KEY CHECK (id = 1),
    sealed BLOB NOT NULL
) STRICT;
