//! The decoding process: takes jobs from standard input and answers on standard output, within
//! limits that it sets itself. Knows neither the server nor any site.
//!
//! [`Engine`](super::Engine) starts it and ends it.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io;
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::thread;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use super::Error;
use super::job::{Fault, Job, Made};
use super::probe;
use super::wire::{self, Answer, Frame, Hello};

/// What a job may bring along: the path of its file, and a small picture.
const MAX_PARTS: u64 = 16 * 1024 * 1024;

/// Does one job after the other until nobody asks any more.
///
/// Whatever goes wrong inside a codec, be it a panic, a fault or want of memory, ends the
/// process; whoever asked sees that it is gone.
///
/// # Errors
/// If the pipes cannot be used.
pub fn serve() -> io::Result<()> {
    let own = give_up_rights();
    let jobs = listen()?;
    // Not through the usual handle, which would look for line ends in pictures.
    let mut to = File::from(io::stdout().as_fd().try_clone_to_owned()?);
    wire::write(&mut to, &Hello { is_limited: limit_memory(own, None), ..Hello::ours() }, &[])?;
    for Frame { said, parts } in jobs {
        let (answer, parts) = answer(said, parts, own);
        wire::write(&mut to, &answer, &parts)?;
    }
    Ok(())
}

impl Hello {
    pub(super) fn ours() -> Self {
        Self { version: env!("CARGO_PKG_VERSION").to_owned(), is_limited: true }
    }
}

fn answer(mut job: Job, parts: Vec<Vec<u8>>, own: u64) -> (Answer, Vec<Vec<u8>>) {
    let mut parts = parts.into_iter();
    let path = PathBuf::from(OsString::from_vec(parts.next().unwrap_or_default()));
    if let Some(picture) = parts.next() {
        job.op.put_picture(picture);
    }
    limit_memory(own, Some(job.memory_bytes));
    match perform(&job, &path) {
        Ok(mut made) => {
            let pictures = made.take_pictures();
            (Ok(made), pictures)
        }
        Err(error) => (Err(Fault::from(error)), Vec::new()),
    }
}

fn perform(job: &Job, path: &Path) -> Result<Made, Error> {
    job.op.run(path, &probe::expect(path, &job.facts, &job.limits)?)
}

/// Hears jobs on a thread of its own, so that the process ends with its server even while it
/// decodes.
fn listen() -> io::Result<mpsc::Receiver<Frame<Job>>> {
    let (heard, jobs) = mpsc::sync_channel(1);
    let mut from = File::from(io::stdin().as_fd().try_clone_to_owned()?);
    let listen = move || {
        while let Ok(job) = wire::read(&mut from, MAX_PARTS) {
            if heard.send(job).is_err() {
                break;
            }
        }
        std::process::exit(0);
    };
    thread::Builder::new().stack_size(256 * 1024).spawn(listen)?;
    Ok(jobs)
}

/// Gives up what decoding does not need, and tells how much address space the process has now.
fn give_up_rights() -> u64 {
    // Where memory is short, the system should end this process and not its server. Not every
    // system can be told so.
    let _ = fs::write("/proc/self/oom_score_adj", "1000");
    let nothing = Rlimit { current: Some(0), maximum: Some(0) };
    // Neither files nor images of the memory, which holds somebody's picture.
    for resource in [Resource::Fsize, Resource::Core] {
        let _ = setrlimit(resource, nothing);
    }
    address_space().unwrap_or(FIRST_GUESS)
}

/// The address space of the program alone, where the system does not tell.
const FIRST_GUESS: u64 = 256 * 1024 * 1024;

fn address_space() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmSize:"))?;
    let kib: u64 = line.trim().trim_end_matches("kB").trim().parse().ok()?;
    kib.checked_mul(1024)
}

/// Bounds the address space to `own` and so much more, or to what the system gives. Tells whether
/// the system takes it.
fn limit_memory(own: u64, more: Option<u64>) -> bool {
    let given = getrlimit(Resource::As);
    let wanted = more.map(|more| own.saturating_add(more));
    let current = match (wanted, given.maximum) {
        (Some(wanted), Some(most)) => Some(wanted.min(most)),
        (wanted, most) => wanted.or(most),
    };
    setrlimit(Resource::As, Rlimit { current, ..given }).is_ok()
}
