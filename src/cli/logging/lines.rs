//! Lines on their way to standard error. Those about requests wait for a moment and go out
//! together, for a server that is busy writes thousands of them a second; whatever is wrong goes
//! out at once, behind what waited.

use std::{
    io::{self, Write},
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    thread,
    time::Duration,
};
use tracing::{Level, Metadata};
use tracing_subscriber::fmt::MakeWriter;

/// How long a line may wait.
const A_MOMENT: Duration = Duration::from_millis(50);
/// Where so many bytes wait nobody reads them fast enough, and whoever logs more waits as well.
const MOST: usize = 1024 * 1024;

static WAITING: Mutex<Vec<u8>> = Mutex::new(Vec::new());
static SOME: Condvar = Condvar::new();

/// Where the log writes to.
pub(super) struct Lines;

impl Lines {
    /// Starts the thread that writes what waits.
    pub(super) fn start() -> io::Result<Self> {
        thread::Builder::new().name("log".to_owned()).spawn(|| {
            loop {
                let idle = SOME.wait_while(waiting(), |lines| lines.is_empty());
                drop(idle.unwrap_or_else(PoisonError::into_inner));
                thread::sleep(A_MOMENT);
                write_rest();
            }
        })?;
        Ok(Self)
    }
}

fn waiting() -> MutexGuard<'static, Vec<u8>> {
    WAITING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Writes what waits, in order. A reader that went away is nobody's fault.
pub(super) fn write_rest() {
    let mut out = io::stderr().lock();
    let lines = std::mem::take(&mut *waiting());
    let _ = out.write_all(&lines);
}

impl MakeWriter<'_> for Lines {
    type Writer = Line;

    fn make_writer(&self) -> Line {
        Line { is_urgent: false }
    }

    fn make_writer_for(&self, about: &Metadata<'_>) -> Line {
        Line { is_urgent: *about.level() <= Level::WARN }
    }
}

/// Takes one line.
pub(super) struct Line {
    is_urgent: bool,
}

impl Write for Line {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let mut lines = waiting();
        let is_first = lines.is_empty();
        lines.extend_from_slice(line);
        let is_full = lines.len() > MOST;
        drop(lines);
        if self.is_urgent || is_full {
            write_rest();
        } else if is_first {
            SOME.notify_one();
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
