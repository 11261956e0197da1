//! A process that bounds itself and then becomes another program. Knows nothing of what that is.
//!
//! Limits that a process sets for itself hold for what it becomes, so that no code has to run
//! between two processes.

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::unix::process::CommandExt;
use std::process::Command;

use rustix::process::{Resource, Rlimit, getrlimit, nice, setrlimit};

/// What the other program may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Confines {
    /// Address space, in bytes.
    pub memory_bytes: u64,
    /// Time of the processors.
    pub cpu_seconds: u64,
    /// Of each file that it writes.
    pub file_bytes: u64,
}

/// Files that it may have open at once.
const FILES: u64 = 64;

/// How much it gives way to others.
const NICENESS: i32 = 10;

impl Confines {
    /// Itself as arguments for [`become_other`].
    pub(super) fn words(self) -> [String; 3] {
        [self.memory_bytes, self.cpu_seconds, self.file_bytes].map(|number| number.to_string())
    }

    fn parse(words: &[OsString]) -> Option<(Self, &[OsString])> {
        let (head, rest) = words.split_first_chunk::<3>()?;
        let number = |word: &OsStr| word.to_str()?.parse().ok();
        let [memory, cpu, file] = head;
        let confines = Self {
            memory_bytes: number(memory)?,
            cpu_seconds: number(cpu)?,
            file_bytes: number(file)?,
        };
        Some((confines, rest))
    }
}

/// Bounds this process and makes it the program that the words name after the limits. Comes back
/// only where that fails.
///
/// # Errors
/// If the words make no sense, a limit cannot be set, or the program cannot be run.
pub fn become_other(words: &[OsString]) -> io::Result<()> {
    let bad = || io::Error::new(io::ErrorKind::InvalidInput, "it is not told what to become");
    let (confines, rest) = Confines::parse(words).ok_or_else(bad)?;
    let (program, arguments) = rest.split_first().ok_or_else(bad)?;
    // Where memory is short, the system should end this process and not its server. Not every
    // system can be told so.
    let _ = std::fs::write("/proc/self/oom_score_adj", "1000");
    let _ = nice(NICENESS);
    limit(Resource::Core, 0)?;
    limit(Resource::Cpu, confines.cpu_seconds)?;
    limit(Resource::Fsize, confines.file_bytes)?;
    limit(Resource::Nofile, FILES)?;
    limit(Resource::As, confines.memory_bytes)?;
    Err(Command::new(program).args(arguments).exec())
}

/// Lowers a limit for good, to what is wanted or to what the system gives.
fn limit(resource: Resource, wanted: u64) -> io::Result<()> {
    let most = getrlimit(resource).maximum.unwrap_or(u64::MAX);
    let bound = Some(wanted.min(most));
    Ok(setrlimit(resource, Rlimit { current: bound, maximum: bound })?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_understood_as_they_are_written() {
        let confines = Confines { memory_bytes: 1 << 30, cpu_seconds: 20, file_bytes: 0 };
        let mut words: Vec<OsString> = confines.words().map(OsString::from).to_vec();
        words.extend(["/bin/true".into(), "-x".into()]);
        let (parsed, rest) = Confines::parse(&words).unwrap();
        assert_eq!((parsed, rest), (confines, &words[3..]));
        assert!(Confines::parse(&words[..2]).is_none());
        assert!(become_other(&["1".into(), "x".into(), "2".into()]).is_err());
    }
}
