//! What it costs to decode in a process of its own: time per picture and memory at the peak, beside
//! the same work in the same process.

use super::median;
use serde_json::json;
use std::{
    fs,
    path::Path,
    time::{Duration, Instant},
};
use vitrina::imaging::{Engine, Fit, Limits, Options, Output, VariantSpec, probe};

const ROUNDS: usize = 30;

pub(super) fn compare(path: &Path, program: &Path) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let started = Instant::now();
        let known = probe(path, &Limits::default()).unwrap();
        let probed = started.elapsed();
        let apart = engine(Some(program));
        let (first, times) = rounds(&apart, path).await;
        let (server, worker) = (peak("self"), peak(&child()));
        drop(apart);
        let (_, here) = rounds(&engine(None), path).await;
        println!(
            "{}",
            json!({
                "pixels": u64::from(known.width) * u64::from(known.height),
                "probe_ms": probed.as_secs_f64() * 1e3,
                "first_ms": first.as_secs_f64() * 1e3,
                "worker_ms": median(times),
                "here_ms": median(here),
                "server_peak_mb": server, "worker_peak_mb": worker, "here_peak_mb": peak("self"),
            })
        );
    });
}

fn engine(program: Option<&Path>) -> Engine {
    let options = Options {
        memory_bytes: 2 << 30,
        parallel: 1,
        program: program.map(Into::into),
        time: Duration::from_secs(60),
        decode_bytes: 2 << 30,
    };
    Engine::new(options).unwrap()
}

/// The first round, which may have to start a process, and all others.
async fn rounds(engine: &Engine, path: &Path) -> (Duration, Vec<Duration>) {
    let spec = |name: &str, fit| VariantSpec {
        name: name.to_owned(),
        fit,
        quality: 80,
        output: Output::Auto,
        animate: false,
    };
    let specs = [
        spec("medium", Fit::Contain { longer_side: 500 }),
        spec("thumb", Fit::Cover { width: 160, height: 160 }),
    ];
    let mut times = Vec::new();
    for _ in 0..=ROUNDS {
        let known = probe(path, &Limits::default()).unwrap();
        let started = Instant::now();
        engine.render(path.to_owned(), known, specs.to_vec()).await.unwrap();
        times.push(started.elapsed());
    }
    (times.remove(0), times)
}

/// The most memory that a process had at once, in MB.
fn peak(process: &str) -> f64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|line| line.trim().trim_end_matches("kB").trim().parse::<f64>().ok());
    kib.unwrap_or_default() / 1024.0
}

/// The one process that this one has started.
fn child() -> String {
    let own = std::process::id().to_string();
    let is_child = |pid: &String| {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        let parent = stat.rsplit_once(") ").and_then(|(_, rest)| rest.split(' ').nth(1));
        parent == Some(&*own)
    };
    let all = fs::read_dir("/proc").unwrap().flatten();
    all.filter_map(|e| e.file_name().into_string().ok()).find(is_child).unwrap_or_default()
}
