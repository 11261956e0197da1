-- Which sites may have a job to start, of which weight, and when at the latest. `stamp` moves with
-- every new reason, so that whoever found nothing to do does not wipe out a job that came meanwhile.
CREATE TABLE work (
    tenant TEXT NOT NULL REFERENCES tenants ON DELETE CASCADE,
    weight TEXT NOT NULL CHECK (weight IN ('light', 'heavy')),
    at     INTEGER NOT NULL,
    stamp  INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (tenant, weight)
) STRICT, WITHOUT ROWID;
CREATE INDEX work_first ON work (at);
