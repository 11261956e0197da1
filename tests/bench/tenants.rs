//! Figures of hosting: what a site costs, registered, open and served.

use serde_json::{Value, json};
use std::{
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};
use vitrina::{
    base::ids::TenantId,
    config::{Config, Given},
    tenancy::{Tenants, audit::By, provision::NewTenant},
};

pub(crate) fn config(data: &Path) -> Config {
    let flags = vec![("data".to_owned(), data.display().to_string())];
    Config::load(&Given { flags, ..Given::default() }).unwrap().0
}

fn new(n: usize) -> NewTenant {
    let hostnames = vec![format!("t{n}.example")];
    NewTenant { id: format!("t{n}"), hostnames, ..NewTenant::default() }
}

/// Kilobytes that the process has in memory.
fn resident_kb() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|l| l.starts_with("VmRSS")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

fn files_open() -> usize {
    std::fs::read_dir("/proc/self/fd").unwrap().count()
}

pub(crate) fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Runtime::new().unwrap()
}

/// Makes `count` sites in `data`, four at a time as an API would.
pub(crate) fn provision(data: &Path, count: usize) {
    runtime().block_on(async {
        let tenants = Arc::new(vitrina::app::open_tenants(&config(data)).await.unwrap());
        let started = Instant::now();
        let makers: Vec<_> = (0..4)
            .map(|first| {
                let tenants = tenants.clone();
                tokio::spawn(async move {
                    for n in (first..count).step_by(4) {
                        tenants.create(&By::command_line(), new(n)).await.unwrap();
                    }
                })
            })
            .collect();
        for maker in makers {
            maker.await.unwrap();
        }
        let rate = count as f64 / started.elapsed().as_secs_f64();
        let file = data.join("tenants/t0/site.sqlite");
        let bytes = std::fs::metadata(file).unwrap().len();
        print(json!({ "tenants": count, "per_second": rate.round(), "bytes_each": bytes }));
    });
}

/// Resolves hosts of the `count` sites in `data`: those that are open, and those that are not.
pub(crate) fn resolve(data: &Path, count: usize) {
    runtime().block_on(async {
        let tenants = vitrina::app::open_tenants(&config(data)).await.unwrap();
        let idle = resident_kb();
        let mut cold = Vec::new();
        let mut steps = Vec::new();
        for n in 0..count.min(1_000) {
            let started = Instant::now();
            tenants.by_host(&format!("t{n}.example")).await.unwrap();
            cold.push(started.elapsed());
            if matches!(n + 1, 256 | 1_000) {
                steps.push(json!({ "touched": n + 1, "open": tenants.open_count(),
                    "resident_mb": resident_kb() / 1024, "files": files_open() }));
            }
        }
        print(json!({
            "hot_ns": hot(&tenants).await.as_nanos() as u64,
            "cold_ms": super::median(cold),
            "registered": tenants.ids().await.unwrap().len(),
            "resident_idle_mb": idle / 1024,
            "steps": steps,
        }));
    });
}

/// One lookup of a site that is open, as every request does it.
async fn hot(tenants: &Tenants) -> Duration {
    let last = tenants.by_host("t1.example").await.unwrap();
    assert_eq!(last.id, TenantId::parse("t1").unwrap());
    const ROUNDS: u32 = 200_000;
    let started = Instant::now();
    for _ in 0..ROUNDS {
        tenants.by_host("t1.example:8080").await.unwrap();
    }
    started.elapsed() / ROUNDS
}

/// Requests per second through 64 connections, spread over so many of the sites.
pub(crate) fn spread(url: &str, sites: usize, seconds: u64) {
    let served = runtime().block_on(async {
        let deadline = Instant::now() + Duration::from_secs(seconds);
        let clients: Vec<_> = (0..64)
            .map(|client| {
                let url = format!("{url}/api/v2/site");
                tokio::spawn(async move {
                    let http = super::http();
                    let (mut served, mut site) = (0u64, client * 997);
                    while Instant::now() < deadline {
                        // A step that is prime to the number of sites visits them all.
                        site = (site + 7_919) % sites;
                        let host = format!("t{site}.example");
                        let answer = http.get(&url).header("host", host).send().await.unwrap();
                        assert!(answer.status().is_success());
                        let _ = answer.bytes().await.unwrap();
                        served += 1;
                    }
                    served
                })
            })
            .collect();
        let mut all = 0;
        for client in clients {
            all += client.await.unwrap();
        }
        all
    });
    print(json!({ "sites": sites, "per_second": served / seconds }));
}

pub(crate) fn print(figures: Value) {
    println!("{figures}");
}
