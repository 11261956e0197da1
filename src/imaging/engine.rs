//! Where pictures are decoded: within the budget, in processes that may die for a hostile file
//! without harm. Knows how the work is done, and not what it is for.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use super::job::{Job, Made, Op};
use super::pool::Pool;
use super::turn::is_turnable;
use super::{Budget, Error, Probe, Rendered, Rendition, VariantSpec, Watermark};

/// What every job may take beyond its estimate: tables of codecs, threads, and holes in the heap.
const MARGIN: u64 = 256 * 1024 * 1024;

/// How pictures are worked on.
#[derive(Debug, Clone)]
pub struct Options {
    /// Estimated memory of all work together.
    pub memory_bytes: u64,
    /// Pictures at once.
    pub parallel: usize,
    /// The program whose command `worker` decodes. Without one, pictures are decoded in this
    /// process, and none of the limits below holds.
    pub program: Option<PathBuf>,
    /// How long one piece of work may take.
    pub time: Duration,
    /// The address space that one piece of work may take, beyond that of the bare program.
    pub decode_bytes: u64,
}

/// Makes pictures out of pictures. Clones share everything.
#[derive(Clone)]
pub struct Engine {
    budget: Budget,
    pool: Option<Arc<Pool>>,
    decode_bytes: u64,
    lost: Arc<AtomicU64>,
}

/// This program, as long as it runs: also when its file has been replaced since. `None` where the
/// system does not tell, as in a bare root without `/proc`.
pub fn own_program() -> Option<PathBuf> {
    let itself = PathBuf::from("/proc/self/exe");
    if itself.exists() { Some(itself) } else { std::env::current_exe().ok() }
}

impl Engine {
    /// # Errors
    /// [`Error::Stopped`] where the system has no threads to give.
    pub fn new(options: Options) -> Result<Self, Error> {
        let budget = Budget::new(options.memory_bytes, options.parallel)?;
        let pool = options.program.map(|program| Pool::new(program, options.time));
        if pool.is_none() {
            tracing::warn!("pictures are decoded in the server itself: its program is not found");
        }
        let lost = pool.as_ref().map(|pool| pool.lost()).unwrap_or_default();
        Ok(Self { budget, pool, decode_bytes: options.decode_bytes, lost })
    }

    /// How many decoding processes died or had to be killed so far.
    pub fn lost(&self) -> Arc<AtomicU64> {
        self.lost.clone()
    }

    /// All variants of a picture, as [`render`](super::render()) makes them.
    ///
    /// Dropping the future ends the work.
    ///
    /// # Errors
    /// As `render`; [`Error::Damaged`] also if the decoder dies or takes too long, and
    /// [`Error::Io`] if no process can be started for it.
    pub async fn render(
        &self,
        path: PathBuf,
        probe: Probe,
        specs: Vec<VariantSpec>,
    ) -> Result<Rendered, Error> {
        match self.perform(path, probe, Op::Render { specs }).await? {
            Made::Variants(rendered) => Ok(rendered),
            _ => Err(mistaken()),
        }
    }

    /// A smaller or marked picture of the same kind, as [`resize`](super::resize()) makes it.
    ///
    /// # Errors
    /// As [`Engine::render`]; [`Error::AnimatedResize`].
    pub async fn resize(
        &self,
        path: PathBuf,
        probe: Probe,
        width: u32,
        quality: u8,
        mark: Option<Watermark>,
    ) -> Result<Rendition, Error> {
        match self.perform(path, probe, Op::Resize { width, quality, mark }).await? {
            Made::Picture(picture) => Ok(picture),
            _ => Err(mistaken()),
        }
    }

    /// The picture as PNG, as [`to_png`](super::to_png()) makes it.
    ///
    /// # Errors
    /// As [`Engine::render`].
    pub async fn to_png(&self, path: PathBuf, probe: Probe) -> Result<Vec<u8>, Error> {
        match self.perform(path, probe, Op::ToPng).await? {
            Made::Bytes { bytes } => Ok(bytes),
            _ => Err(mistaken()),
        }
    }

    /// The public bytes of a JPEG turned upright, as
    /// [`turn_losslessly`](super::turn_losslessly()) makes them; nothing where it does not.
    ///
    /// # Errors
    /// As [`Engine::render`].
    pub async fn turn(&self, path: PathBuf, probe: Probe) -> Result<Option<Vec<u8>>, Error> {
        if !is_turnable(&probe) {
            return Ok(None);
        }
        match self.perform(path, probe, Op::Turn).await? {
            Made::Bytes { bytes } => Ok(Some(bytes).filter(|bytes| !bytes.is_empty())),
            _ => Err(mistaken()),
        }
    }

    async fn perform(&self, path: PathBuf, probe: Probe, op: Op) -> Result<Made, Error> {
        let cost = probe.cost_bytes(op.purpose());
        match &self.pool {
            None => self.budget.run(cost, move || op.run(&path, &probe.again(&path)?)).await,
            Some(pool) => {
                let _share = self.budget.share(cost).await?;
                pool.work(&self.job(cost, &probe, op), Path::new(&path)).await
            }
        }
    }

    fn job(&self, cost: u64, probe: &Probe, op: Op) -> Job {
        // The estimate is of memory in use; address space is taken more freely.
        let memory_bytes = cost.saturating_mul(2).saturating_add(MARGIN).min(self.decode_bytes);
        Job { op, facts: probe.facts(), limits: probe.inside.limits, memory_bytes }
    }
}

/// A decoding process answered something else than it was asked.
fn mistaken() -> Error {
    Error::damaged("its decoder gave up")
}
