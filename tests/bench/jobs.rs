//! Figures of jobs: how many a second, and how long one waits beside many of another site.

use super::tenants::{config, print, runtime};
use serde_json::json;
use std::{
    collections::HashMap,
    path::Path,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::sync::watch;
use vitrina::{
    base::{Clock, Result, ids::TenantId},
    jobs::{
        self, Kind, NewJob, Run, Step, Weight,
        executor::{self, Options, Work},
    },
    tenancy::{Tenant, Tenants},
};

/// Sleeps for as many milliseconds as the payload says, and remembers when each began.
#[derive(Default)]
struct Sleep {
    done: AtomicUsize,
    begun: Mutex<HashMap<String, Instant>>,
}

impl Work for Sleep {
    async fn run(self: Arc<Self>, _kind: Kind, run: Arc<Run>) -> Result<Step> {
        let ms: u64 = run.payload()?;
        if ms > 0 {
            tokio::time::sleep(Duration::from_millis(ms)).await;
        } else {
            let id = run.job.public_id.to_string();
            self.begun.lock().unwrap().insert(id, Instant::now());
        }
        self.done.fetch_add(1, Ordering::Relaxed);
        Ok(Step::Done)
    }
}

async fn add(tenant: &Tenant, count: usize, ms: u64) {
    let made = tenant.write(move |db| {
        let new = NewJob::new(Kind::Recount).payload(&ms)?;
        (0..count).try_for_each(|_| jobs::enqueue(db, &new).map(drop))
    });
    made.await.unwrap();
}

async fn site(tenants: &Tenants, n: usize) -> Arc<Tenant> {
    tenants.get(&TenantId::parse(&format!("t{n}")).unwrap()).await.unwrap()
}

/// Does `count` jobs that do nothing, spread over the first `sites` sites in `data`.
pub(crate) fn rate(data: &Path, sites: usize, count: usize) {
    runtime().block_on(async {
        let tenants = Arc::new(vitrina::app::open_tenants(&config(data)).await.unwrap());
        let work = Arc::new(Sleep::default());
        let making = Instant::now();
        for n in 0..sites {
            let tenant = site(&tenants, n).await;
            add(&tenant, count / sites, 0).await;
            tenant.work_at(Weight::Light, Clock::now()).await.unwrap();
        }
        let (making, began) = (making.elapsed(), Instant::now());
        let (stop, stopped) = watch::channel(false);
        let serving = executor::serve(tenants, work.clone(), Options::default(), stopped);
        let serving = tokio::spawn(serving);
        while work.done.load(Ordering::Relaxed) < count / sites * sites {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        let doing = began.elapsed();
        stop.send_replace(true);
        serving.await.unwrap();
        print(json!({
            "sites": sites,
            "made_per_second": (count as f64 / making.as_secs_f64()).round(),
            "done_per_second": (count as f64 / doing.as_secs_f64()).round(),
        }));
    });
}

/// How long a lone job waits for its beginning beside 10,000 of another site, each of which takes
/// `ms`, and is light or heavy.
pub(crate) fn wait(data: &Path, weight: &str, ms: u64) {
    const MANY: usize = 10_000;
    const LONE: usize = 200;
    let weight = Weight::parse(weight).unwrap();
    runtime().block_on(async {
        let tenants = Arc::new(vitrina::app::open_tenants(&config(data)).await.unwrap());
        let (busy, lone) = (site(&tenants, 0).await, site(&tenants, 1).await);
        add(&busy, MANY, ms).await;
        if weight == Weight::Heavy {
            let heavy = "UPDATE jobs SET weight = 'heavy' WHERE state = 'waiting'";
            busy.write(|db| Ok(db.execute(heavy, []).unwrap())).await.unwrap();
        }
        busy.work_at(weight, Clock::now()).await.unwrap();
        let (work, (stop, stopped)) = (Arc::new(Sleep::default()), watch::channel(false));
        let serving = executor::serve(tenants.clone(), work.clone(), Options::default(), stopped);
        let serving = tokio::spawn(serving);
        tokio::time::sleep(Duration::from_secs(1)).await;
        let mut waits = Vec::new();
        for _ in 0..LONE {
            let asked = Instant::now();
            let job = jobs::add(&lone, NewJob::new(Kind::Recount).payload(&0).unwrap());
            let id = job.await.unwrap().public_id.to_string();
            let begun = loop {
                if let Some(begun) = work.begun.lock().unwrap().remove(&id) {
                    break begun;
                }
                tokio::time::sleep(Duration::from_millis(1)).await;
            };
            waits.push(begun.saturating_duration_since(asked));
            tokio::time::sleep(Duration::from_millis(17)).await;
        }
        stop.send_replace(true);
        serving.await.unwrap();
        waits.sort();
        let ms_at = |share: usize| waits[(LONE - 1) * share / 100].as_secs_f64() * 1e3;
        let left = MANY - (work.done.load(Ordering::Relaxed) - LONE);
        print(json!({
            "weight_of_the_others": weight.as_str(),
            "ms_of_each": ms,
            "wait_p50_ms": ms_at(50),
            "wait_p95_ms": ms_at(95),
            "wait_most_ms": ms_at(100),
            "still_queued": left,
        }));
    });
}
