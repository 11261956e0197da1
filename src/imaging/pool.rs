//! The decoding processes as the server sees them: started when there is work, kept for a while,
//! replaced when they are worn out, and ended when they die, hang or nobody waits any more.
//! Decides nothing about what is decoded where.

use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::time::timeout;

use super::Error;
use super::job::{Job, Made};
use super::wire::{self, Answer, Frame, Hello};

/// A process that nobody needed for this long is ended.
const IDLE: Duration = Duration::from_secs(60);

/// A process is replaced after so many jobs: codecs leak and memory frays.
const JOBS: u32 = 500;

/// A process that says nothing for this long after its start never will.
const START: Duration = Duration::from_secs(30);

pub(super) struct Pool {
    program: PathBuf,
    /// The longest time that a job may take.
    time: Duration,
    idle: Mutex<Vec<Idle>>,
    /// Processes that died, or had to be ended in the middle of their work.
    lost: Arc<AtomicU64>,
    is_tended: AtomicBool,
}

struct Idle {
    worker: Worker,
    since: Instant,
}

/// One process, which dies when this is dropped.
struct Worker {
    child: Child,
    to: ChildStdin,
    from: ChildStdout,
    jobs: u32,
}

impl Pool {
    pub(super) fn new(program: PathBuf, time: Duration) -> Arc<Self> {
        let (idle, lost, is_tended) = (Mutex::default(), Arc::default(), AtomicBool::new(false));
        Arc::new(Self { program, time, idle, lost, is_tended })
    }

    pub(super) fn lost(&self) -> Arc<AtomicU64> {
        self.lost.clone()
    }

    /// Has one job done in a process of its own for that time. If the future is dropped, the
    /// process is killed.
    ///
    /// # Errors
    /// What the process answers; [`Error::Damaged`] if it dies or takes too long; [`Error::Io`]
    /// if none can be started.
    pub(super) async fn work(self: &Arc<Self>, job: &Job, path: &Path) -> Result<Made, Error> {
        let mut worker = self.take().await?;
        let reason = match timeout(self.time, worker.perform(job, path)).await {
            Ok(Ok(answer)) => {
                self.give_back(worker);
                return answer.map_err(Error::from);
            }
            Ok(Err(_)) => "its decoder gave up",
            Err(_) => "its decoder took too long",
        };
        self.lost.fetch_add(1, Ordering::Relaxed);
        // Its memory counts until it is gone.
        let _ = worker.child.start_kill();
        let status = worker.child.wait().await.map_or_else(|e| e.to_string(), |s| s.to_string());
        tracing::warn!(status, "a decoding process was lost: {reason}");
        Err(Error::damaged(reason))
    }

    /// A process that waits, or a new one.
    async fn take(self: &Arc<Self>) -> Result<Worker, Error> {
        while let Some(worker) = self.next_idle() {
            if let Some(worker) = worker.alive() {
                return Ok(worker);
            }
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
        let worker = Worker::start(&self.program).await;
        worker.map_err(|cause| {
            tracing::error!(program = %self.program.display(), %cause, "no decoding process");
            Error::Io(cause)
        })
    }

    /// The one that has waited for the shortest time, so that those who are not needed grow old.
    fn next_idle(&self) -> Option<Worker> {
        self.idle().pop().map(|idle| idle.worker)
    }

    fn give_back(self: &Arc<Self>, worker: Worker) {
        if worker.jobs < JOBS {
            self.idle().push(Idle { worker, since: Instant::now() });
            self.tend();
        }
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Idle>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends the idle ones from time to time, for as long as there is somebody to end.
    fn tend(self: &Arc<Self>) {
        if self.is_tended.swap(true, Ordering::AcqRel) {
            return;
        }
        let pool = Arc::downgrade(self);
        tokio::spawn(async move {
            loop {
                tokio::time::sleep(IDLE / 4).await;
                let Some(pool) = pool.upgrade() else { return };
                if pool.retire(IDLE) {
                    return;
                }
            }
        });
    }

    /// Ends those who have been idle for so long, and sees off those who died meanwhile. Tells
    /// whether nobody is left to look after.
    fn retire(&self, idle: Duration) -> bool {
        let mut waiting = self.idle();
        waiting.retain_mut(|one| {
            let lives = matches!(one.worker.child.try_wait(), Ok(None));
            self.lost.fetch_add(u64::from(!lives), Ordering::Relaxed);
            lives && one.since.elapsed() < idle
        });
        let is_empty = waiting.is_empty();
        if is_empty {
            self.is_tended.store(false, Ordering::Release);
        }
        is_empty
    }
}

impl Worker {
    async fn start(program: &Path) -> io::Result<Self> {
        let mut child = Command::new(program)
            .arg("worker")
            .env_clear()
            // Threads of a codec share one heap; a heap for each would use up address space.
            .env("MALLOC_ARENA_MAX", "1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            // What a terminal sends to the server is not for it.
            .process_group(0)
            .kill_on_drop(true)
            .spawn()?;
        let (Some(to), Some(from)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(io::Error::other("it has no pipes"));
        };
        let mut worker = Self { child, to, from, jobs: 0 };
        let hello = timeout(START, wire::receive(&mut worker.from, 0)).await??;
        worker.greet(&hello)?;
        Ok(worker)
    }

    fn greet(&self, hello: &Frame<Hello>) -> io::Result<()> {
        if hello.said.version != Hello::ours().version {
            return Err(io::Error::other("it is of another version"));
        }
        if !hello.said.is_limited {
            tracing::warn!("a decoding process cannot limit its memory");
        }
        Ok(())
    }

    /// Itself, if the process still runs.
    fn alive(mut self) -> Option<Self> {
        matches!(self.child.try_wait(), Ok(None)).then_some(self)
    }

    async fn perform(&mut self, job: &Job, path: &Path) -> io::Result<Answer> {
        self.jobs += 1;
        let mut parts = vec![path.as_os_str().as_bytes().to_vec()];
        parts.extend(job.op.picture().cloned());
        wire::send(&mut self.to, job, &parts).await?;
        // No process can hold more than it may have.
        let answer = wire::receive(&mut self.from, job.memory_bytes).await?;
        let Frame::<Answer> { mut said, parts } = answer;
        if let Ok(made) = &mut said
            && !made.put_pictures(parts)
        {
            return Err(io::Error::other("it sent other pictures than it names"));
        }
        Ok(said)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    /// A program that greets like a decoder and does nothing more.
    fn greeter(dir: &Path) -> PathBuf {
        let version = Hello::ours().version;
        let said =
            format!("{{\"said\":{{\"version\":\"{version}\",\"is_limited\":true}},\"parts\":[]}}");
        let text = format!(
            "#!/bin/sh\nprintf '\\{:03o}\\000\\000\\000%s' '{said}'\nexec sleep 1000\n",
            said.len()
        );
        let (draft, program) = (dir.join("draft"), dir.join("greeter"));
        fs::write(&draft, text).unwrap();
        fs::set_permissions(&draft, fs::Permissions::from_mode(0o755)).unwrap();
        // Copied by another process: a file cannot be run while any process has it open for
        // writing, as one that another test is starting just now may have inherited it.
        let copied = std::process::Command::new("cp").args([&draft, &program]).status();
        assert!(copied.unwrap().success());
        program
    }

    #[tokio::test]
    async fn the_idle_are_kept_for_a_while_and_then_ended() {
        let dir = tempfile::tempdir().unwrap();
        let pool = Pool::new(greeter(dir.path()), START);
        let (first, second) = (pool.take().await.unwrap(), pool.take().await.unwrap());
        let ids = [&first, &second].map(|worker| worker.child.id().unwrap());
        pool.give_back(first);
        pool.give_back(second);
        assert!(!pool.retire(IDLE));
        // The one that came last goes first.
        let again = pool.take().await.unwrap();
        assert_eq!(again.child.id(), Some(ids[1]));
        pool.give_back(again);
        assert!(pool.retire(Duration::ZERO));
        for id in ids {
            let process = PathBuf::from(format!("/proc/{id}"));
            let began = Instant::now();
            while process.exists() {
                assert!(began.elapsed() < START, "{id} is still there");
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        }
        let fresh = pool.take().await.unwrap();
        assert!(!ids.contains(&fresh.child.id().unwrap()));
    }

    #[tokio::test]
    async fn the_dead_get_no_jobs() {
        let dir = tempfile::tempdir().unwrap();
        let pool = Pool::new(greeter(dir.path()), START);
        let mut dead = pool.take().await.unwrap();
        let id = dead.child.id();
        dead.child.start_kill().unwrap();
        while dead.child.try_wait().unwrap().is_none() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        pool.give_back(dead);
        assert_ne!(pool.take().await.unwrap().child.id(), id);
        assert_eq!(pool.lost().load(Ordering::Relaxed), 1);
    }
}
