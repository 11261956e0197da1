//! Every statement about jobs.

use super::{Filter, Job, State, Weight, end::Told, enqueue::NewJob};
use crate::{
    base::{
        Clock, Result,
        clock::Millis,
        ids::{JobId, PublicId},
        page::{Ask, Cursor, From, Page},
    },
    db::{Read, Write},
    sql,
    tenancy::Site,
};
use rusqlite::{
    OptionalExtension, Row, params, params_from_iter,
    types::{FromSqlError, Value},
};

sql! {
    ALL = "SELECT id, public_id, kind, state, payload, owner_id, media_id, attempts, max_attempts,
        run_at, is_cancelled, done, total, message, last_error, created_at, started_at, finished_at
        FROM jobs";
    INSERT = "INSERT INTO jobs (public_id, kind, weight, payload, key, owner_id, media_id,
            max_attempts, run_at, created_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)
        ON CONFLICT (kind, key, state) WHERE key IS NOT NULL AND finished_at IS NULL DO UPDATE SET
            payload = excluded.payload, run_at = min(run_at, excluded.run_at)
        RETURNING public_id";
    CLAIM = "UPDATE jobs SET state = 'running', holder = ?2, attempts = attempts + 1,
            started_at = ?3, is_cancelled = 0
        WHERE id = (SELECT j.id FROM jobs j
            WHERE j.state = 'waiting' AND j.weight = ?1 AND j.run_at <= ?3 AND NOT EXISTS
                (SELECT 1 FROM jobs r
                    WHERE r.kind = j.kind AND r.key = j.key AND r.state = 'running'
                    AND r.finished_at IS NULL)
            ORDER BY j.run_at, j.id LIMIT 1)
        RETURNING id";
    OTHER_HOLDERS = "SELECT DISTINCT holder FROM jobs
        WHERE state = 'running' AND weight = ?1 AND holder <> ?2";
    HELD = "SELECT is_cancelled FROM jobs
        WHERE id = ?1 AND state = 'running' AND holder = ?2 AND attempts = ?3";
    TELL = "UPDATE jobs SET done = ?2, total = ?3, message = ?4 WHERE id = ?1";
    FINISH = "UPDATE jobs SET state = ?2, holder = NULL, finished_at = ?3,
            last_error = coalesce(?4, last_error),
            done = CASE WHEN ?2 = 'done' THEN coalesce(total, done) ELSE done END
        WHERE id = ?1";
    PUT_BACK = "UPDATE jobs SET state = 'waiting', holder = NULL, run_at = ?2, attempts = ?3,
            last_error = coalesce(?4, last_error) WHERE id = ?1";
    ASK_TO_END = "UPDATE jobs SET is_cancelled = 1 WHERE id = ?1 AND state = 'running'";
    REVIVE = "UPDATE jobs SET state = 'waiting', attempts = 0, run_at = 0, is_cancelled = 0,
            finished_at = NULL WHERE id = ?1";
    HAS_TWIN = "SELECT 1 FROM jobs j, jobs o WHERE j.id = ?1 AND o.id <> j.id
        AND o.kind = j.kind AND o.key = j.key AND o.state = 'waiting' AND o.finished_at IS NULL";
    FIRST_DUE = "SELECT j.run_at FROM jobs j
        WHERE j.state = 'waiting' AND j.weight = ?1 AND NOT EXISTS
            (SELECT 1 FROM jobs r
                WHERE r.kind = j.kind AND r.key = j.key AND r.state = 'running'
                    AND r.finished_at IS NULL)
        ORDER BY j.run_at LIMIT 1";
    RUNS = "SELECT 1 FROM jobs WHERE state = 'running' AND weight = ?1";
    BRING_FORWARD = "UPDATE jobs SET run_at = 1
        WHERE state = 'waiting' AND weight = ?1 AND run_at > ?2";
    SWEEP = "DELETE FROM jobs WHERE id IN (SELECT id FROM jobs WHERE finished_at IS NOT NULL
        AND finished_at <= CASE WHEN state = 'failed' THEN ?2 ELSE ?1 END LIMIT 500)";
    FIRST_ENDED = "SELECT min(finished_at) FROM jobs WHERE finished_at IS NOT NULL";
}

/// Makes a job, or gives its payload to the one that waits under the same key.
pub(super) fn insert(db: &Write<Site>, new: &NewJob, id: &PublicId) -> Result<PublicId> {
    let row = params![
        id,
        new.kind.as_str(),
        new.kind.weight().as_str(),
        new.payload,
        new.key,
        new.owner,
        new.media,
        new.max_attempts,
        new.run_at,
        Clock::now(),
    ];
    Ok(db.prepare_cached(INSERT)?.query_row(row, |r| r.get(0))?)
}

/// The next job that is due and is not kept waiting by one of its key, from now on held.
pub(super) fn claim(db: &Write<Site>, weight: Weight, holder: &str) -> Result<Option<Job>> {
    let values = (weight.as_str(), holder, Clock::now());
    let id = db.prepare_cached(CLAIM)?.query_row(values, |r| r.get::<_, JobId>(0)).optional()?;
    id.map(|id| Ok(one(db, "id = ?1", id)?.ok_or(rusqlite::Error::QueryReturnedNoRows)?))
        .transpose()
}

pub(super) fn by_public_id(db: &Read<Site>, id: &PublicId) -> Result<Option<Job>> {
    one(db, "public_id = ?1", id)
}

/// The newest job of this kind.
pub(super) fn last(db: &Read<Site>, kind: super::Kind) -> Result<Option<Job>> {
    one(db, "kind = ?1 ORDER BY id DESC LIMIT 1", kind.as_str())
}

fn one(db: &Read<Site>, condition: &str, value: impl rusqlite::ToSql) -> Result<Option<Job>> {
    let mut statement = db.prepare_cached(&format!("{ALL} WHERE {condition}"))?;
    Ok(statement.query_row([value], read_row).optional()?)
}

/// A page of jobs, newest first.
pub(super) fn list(db: &Read<Site>, filter: &Filter, ask: &Ask) -> Result<Page<Job>> {
    let (text, values) = listing(filter, ask);
    let mut statement = db.prepare_cached(&text)?;
    let rows = statement.query_map(params_from_iter(values), read_row)?;
    let rows = rows.collect::<rusqlite::Result<Vec<_>>>()?;
    Ok(Page::of(ask, rows, |job| job.id.0))
}

fn listing(filter: &Filter, ask: &Ask) -> (String, Vec<Value>) {
    let (key, beyond, order) = match ask.from {
        From::Start => (i64::MAX, "<", "DESC"),
        From::After(Cursor(key)) => (key, "<", "DESC"),
        From::Before(Cursor(key)) => (key, ">", "ASC"),
    };
    let mut values = vec![Value::from(key), Value::from(ask.rows())];
    let mut conditions = format!("id {beyond} ?1");
    let word = |word: &str| Value::from(word.to_owned());
    let wanted = [
        ("state", filter.state.map(|state| word(state.as_str()))),
        ("kind", filter.kind.map(|kind| word(kind.as_str()))),
        ("owner_id", filter.owner.map(|owner| Value::from(owner.0))),
    ];
    for (column, value) in wanted {
        let Some(value) = value else { continue };
        values.push(value);
        conditions += &format!(" AND {column} = ?{}", values.len());
    }
    (format!("{ALL} WHERE {conditions} ORDER BY id {order} LIMIT ?2"), values)
}

/// Who else holds jobs.
pub(super) fn other_holders(db: &Read<Site>, weight: Weight, me: &str) -> Result<Vec<String>> {
    let mut statement = db.prepare_cached(OTHER_HOLDERS)?;
    let names = statement.query_map((weight.as_str(), me), |r| r.get(0))?;
    Ok(names.collect::<rusqlite::Result<_>>()?)
}

/// The jobs that these hold.
pub(super) fn held_by(db: &Read<Site>, weight: Weight, holders: &[String]) -> Result<Vec<Job>> {
    let mut statement = db.prepare_cached(&format!(
        "{ALL} WHERE state = 'running' AND weight = ?1 AND holder = ?2"
    ))?;
    let mut jobs = Vec::new();
    for holder in holders {
        let rows = statement.query_map((weight.as_str(), holder), read_row)?;
        jobs.extend(rows.collect::<rusqlite::Result<Vec<_>>>()?);
    }
    Ok(jobs)
}

/// Whether this very run still has its job; and if so, whether it is asked to end.
pub(super) fn held(db: &Read<Site>, job: &Job, holder: &str) -> Result<Option<bool>> {
    let values = (job.id, holder, job.attempts);
    Ok(db.prepare_cached(HELD)?.query_row(values, |r| r.get(0)).optional()?)
}

pub(super) fn tell(db: &Write<Site>, id: JobId, told: &Told) -> Result<()> {
    let number = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
    let values = (id, number(told.done), told.total.map(number), &told.message);
    db.prepare_cached(TELL)?.execute(values)?;
    Ok(())
}

/// Ends a job.
pub(super) fn finish(db: &Write<Site>, id: JobId, state: State, error: Option<&str>) -> Result<()> {
    db.prepare_cached(FINISH)?.execute((id, state.as_str(), Clock::now(), error))?;
    Ok(())
}

/// Has a job wait again.
pub(super) fn put_back(
    db: &Write<Site>,
    id: JobId,
    run_at: Millis,
    attempts: u32,
    error: Option<&str>,
) -> Result<()> {
    db.prepare_cached(PUT_BACK)?.execute((id, run_at, attempts, error))?;
    Ok(())
}

pub(super) fn ask_to_end(db: &Write<Site>, id: JobId) -> Result<()> {
    db.prepare_cached(ASK_TO_END)?.execute([id])?;
    Ok(())
}

/// Makes a job that has ended as good as new.
pub(super) fn revive(db: &Write<Site>, id: JobId) -> Result<()> {
    db.prepare_cached(REVIVE)?.execute([id])?;
    Ok(())
}

/// Whether another job of the same kind and key waits.
pub(super) fn has_twin(db: &Read<Site>, id: JobId) -> Result<bool> {
    Ok(db.prepare_cached(HAS_TWIN)?.exists([id])?)
}

/// From when on the first of those may run that wait for nothing but their moment.
pub(super) fn first_due(db: &Read<Site>, weight: Weight) -> Result<Option<Millis>> {
    let mut statement = db.prepare_cached(FIRST_DUE)?;
    Ok(statement.query_row([weight.as_str()], |r| r.get(0)).optional()?)
}

pub(super) fn runs(db: &Read<Site>, weight: Weight) -> Result<bool> {
    Ok(db.prepare_cached(RUNS)?.exists([weight.as_str()])?)
}

/// Lets those run at once that are put off beyond a moment.
pub(super) fn bring_forward(db: &Write<Site>, weight: Weight, beyond: Millis) -> Result<()> {
    db.prepare_cached(BRING_FORWARD)?.execute((weight.as_str(), beyond))?;
    Ok(())
}

/// Removes up to 500 jobs that ended before these moments: the second is for those that failed.
pub(super) fn sweep(db: &Write<Site>, before: Millis, failed_before: Millis) -> Result<usize> {
    Ok(db.prepare_cached(SWEEP)?.execute((before, failed_before))?)
}

/// When the first of those that are over ended.
pub(super) fn first_ended(db: &Read<Site>) -> Result<Option<Millis>> {
    Ok(db.prepare_cached(FIRST_ENDED)?.query_row([], |r| r.get(0))?)
}

fn read_row(r: &Row) -> rusqlite::Result<Job> {
    let unsigned = |n: i64| n.max(0).unsigned_abs();
    let state = r.get_ref(3)?.as_str()?;
    Ok(Job {
        id: r.get(0)?,
        public_id: r.get(1)?,
        kind: r.get(2)?,
        state: State::parse(state).map_err(|_| FromSqlError::InvalidType)?,
        payload: r.get(4)?,
        owner: r.get(5)?,
        media: r.get(6)?,
        attempts: r.get(7)?,
        max_attempts: r.get(8)?,
        run_at: r.get(9)?,
        is_cancelled: r.get(10)?,
        done: unsigned(r.get(11)?),
        total: r.get::<_, Option<i64>>(12)?.map(unsigned),
        message: r.get(13)?,
        last_error: r.get(14)?,
        created_at: r.get(15)?,
        started_at: r.get(16)?,
        finished_at: r.get(17)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{base::ids::UserId, db::Schema, jobs::Kind};

    #[test]
    fn every_statement_prepares() {
        crate::db::sql::assert_prepares::<Site>(STATEMENTS);
    }

    fn plan(db: &rusqlite::Connection, text: &str, values: Vec<Value>) -> String {
        let mut statement = db.prepare(&format!("EXPLAIN QUERY PLAN {text}")).unwrap();
        let steps = statement.query_map(params_from_iter(values), |r| r.get::<_, String>(3));
        steps.unwrap().map(|step| step.unwrap() + "; ").collect()
    }

    #[test]
    fn lists_and_claims_are_read_along_an_index() {
        let db = rusqlite::Connection::open_in_memory().unwrap();
        Site::STEPS.iter().for_each(|step| db.execute_batch(step.sql).unwrap());
        for n in 0..8 {
            let filter = Filter {
                state: (n & 1 > 0).then_some(State::Failed),
                kind: (n & 2 > 0).then_some(Kind::Recount),
                owner: (n & 4 > 0).then_some(UserId(1)),
            };
            let cursor = Cursor(9).encode();
            for (after, before) in [(None, None), (Some(&*cursor), None), (None, Some(&*cursor))] {
                let (text, values) = listing(&filter, &Ask::parse(None, after, before).unwrap());
                let plan = plan(&db, &text, values);
                assert!(plan.contains("SEARCH jobs") && !plan.contains("TEMP"), "{text}: {plan}");
            }
        }
        let values = vec!["light".to_owned().into(), "x".to_owned().into(), 9.into()];
        let plan = plan(&db, CLAIM, values);
        assert!(plan.contains("jobs_waiting") && plan.contains("jobs_by_key"), "{plan}");
        assert!(!plan.contains("SCAN") && !plan.contains("TEMP"), "{plan}");
    }
}
