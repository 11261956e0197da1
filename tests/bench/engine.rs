//! The work on one picture as the appliance does it: looked at, and decoded by a process of its own.

use std::{
    fs,
    io::BufRead,
    path::Path,
    time::{Duration, Instant},
};
use vitrina::imaging::{Engine, Fit, Limits, Options, Output, VariantSpec, probe};

/// Makes both variants of the picture for each line on standard input, and prints how many
/// milliseconds that took and how many megabytes the decoding process had at most.
pub(super) fn reside(program: &Path, picture: &Path, folder: &Path) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let engine = runtime.block_on(async { engine(program) });
    for _ in std::io::stdin().lock().lines() {
        let started = Instant::now();
        let known = probe(picture, &Limits::default()).unwrap();
        let rendered = runtime.block_on(engine.render(picture.to_owned(), known, specs()));
        for one in rendered.unwrap().renditions {
            fs::write(folder.join(format!("{}.jpg", one.name)), one.bytes).unwrap();
        }
        println!("{} {}", started.elapsed().as_secs_f64() * 1e3, peak(&child()));
    }
}

fn engine(program: &Path) -> Engine {
    let options = Options {
        memory_bytes: 2 << 30,
        parallel: 1,
        program: Some(program.into()),
        time: Duration::from_secs(60),
        decode_bytes: 2 << 30,
    };
    Engine::new(options).unwrap()
}

fn specs() -> Vec<VariantSpec> {
    let spec = |name: &str, fit| VariantSpec {
        name: name.to_owned(),
        fit,
        quality: 80,
        output: Output::Auto,
        animate: false,
    };
    let thumb = Fit::Cover { width: 160, height: 160 };
    vec![spec("medium", Fit::Contain { longer_side: 500 }), spec("thumb", thumb)]
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
