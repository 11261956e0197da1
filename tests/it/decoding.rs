//! Decoding in processes of their own: what happens when they die, hang or want too much, and
//! that nothing is left of them.

mod served;

use crate::kit::{TestServer, pictures};
use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};
use vitrina::imaging::{Engine, Error, Fit, Limits, Options, Output, Probe, VariantSpec, probe};

/// Far more than any job here takes, and bearable on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

fn options() -> Options {
    Options {
        memory_bytes: 256 << 20,
        parallel: 2,
        program: Some(env!("CARGO_BIN_EXE_vitrina").into()),
        time: PATIENCE,
        decode_bytes: 1 << 30,
    }
}

fn specs() -> Vec<VariantSpec> {
    let spec = |name: &str, fit| VariantSpec {
        name: name.to_owned(),
        fit,
        quality: 80,
        output: Output::Auto,
        animate: false,
    };
    vec![
        spec("medium", Fit::Contain { longer_side: 500 }),
        spec("thumb", Fit::Cover { width: 160, height: 160 }),
    ]
}

/// A picture in a file, and what is known of it.
struct Sample {
    file: tempfile::NamedTempFile,
    probe: Probe,
}

impl Sample {
    fn new(bytes: &[u8]) -> Self {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), bytes).unwrap();
        let probe = probe(file.path(), &Limits::default()).unwrap();
        Self { file, probe }
    }

    async fn render(&self, engine: &Engine) -> Result<vitrina::imaging::Rendered, Error> {
        engine.render(self.file.path().to_owned(), self.probe.clone(), specs()).await
    }
}

/// A process as the system tells of it.
#[derive(Debug, Clone)]
struct Seen {
    pid: String,
    state: char,
    parent: String,
}

/// All processes that work for `parent`, alive or not.
fn workers_of(parent: u32) -> Vec<Seen> {
    let parent = parent.to_string();
    let seen = fs::read_dir("/proc").unwrap().filter_map(|entry| {
        let pid = entry.ok()?.file_name().into_string().ok()?;
        pid.parse::<u32>().ok()?;
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        let (_, rest) = stat.rsplit_once(") ")?;
        let mut fields = rest.split(' ');
        let state = fields.next()?.chars().next()?;
        Some(Seen { pid, state, parent: fields.next()?.to_owned() })
    });
    seen.filter(|seen| seen.parent == parent).collect()
}

fn signal(name: &str, pid: &str) {
    let _ = Command::new("kill").args([name, pid]).stderr(Stdio::null()).status();
}

/// Waits until something is the case; what it found.
async fn until<T>(what: &str, mut found: impl FnMut() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(found) = found() {
            return found;
        }
        assert!(began.elapsed() < PATIENCE, "not yet: {what}");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

#[tokio::test]
async fn processes_and_threads_make_the_same_pictures() {
    let (apart, here) = (Engine::new(options()).unwrap(), Options { program: None, ..options() });
    let here = Engine::new(here).unwrap();
    for bytes in [
        pictures::photo_jpeg(900, 700, 3),
        pictures::jpeg_with_exif(64, 48, 6, true),
        pictures::png(300, 200, true),
        pictures::bmp(31, 17),
    ] {
        let sample = Sample::new(&bytes);
        let (path, probe) = (sample.file.path().to_owned(), &sample.probe);
        let [a, b] = [sample.render(&apart).await.unwrap(), sample.render(&here).await.unwrap()];
        assert_eq!((&a.placeholder, a.color), (&b.placeholder, b.color));
        assert_eq!(a.renditions.len(), 2);
        for (a, b) in a.renditions.iter().zip(&b.renditions) {
            assert_eq!(
                (&a.name, a.format, a.width, a.height),
                (&b.name, b.format, b.width, b.height)
            );
            assert_eq!(a.bytes, b.bytes);
        }
        let resize = |engine: Engine| engine_resize(engine, path.clone(), probe.clone());
        assert_eq!(resize(apart.clone()).await, resize(here.clone()).await);
        let png = |engine: Engine| engine_png(engine, path.clone(), probe.clone());
        assert_eq!(png(apart.clone()).await, png(here.clone()).await);
    }
    // Errors come across as well.
    let animated = Sample::new(&pictures::gif(3));
    let path = animated.file.path().to_owned();
    let refused = apart.resize(path, animated.probe.clone(), 10, 80, None).await;
    assert!(matches!(refused, Err(Error::AnimatedResize)), "{refused:?}");
    let sample = Sample::new(&pictures::photo_jpeg(64, 48, 1));
    fs::write(sample.file.path(), pictures::photo_jpeg(48, 64, 1)).unwrap();
    assert!(matches!(sample.render(&apart).await, Err(Error::Damaged(_))));
    fs::remove_file(sample.file.path()).unwrap();
    let gone = sample.render(&apart).await;
    assert!(matches!(&gone, Err(Error::Io(e)) if e.kind() == std::io::ErrorKind::NotFound));
}

async fn engine_resize(engine: Engine, path: PathBuf, probe: Probe) -> Vec<u8> {
    engine.resize(path, probe, 20, 80, None).await.unwrap().bytes
}

async fn engine_png(engine: Engine, path: PathBuf, probe: Probe) -> Vec<u8> {
    engine.to_png(path, probe).await.unwrap()
}

#[tokio::test]
async fn a_program_that_is_no_decoder_is_an_error_of_ours() {
    for program in ["/bin/true", "/bin/cat", "/nowhere"] {
        let engine = Options { program: Some(program.into()), ..options() };
        let engine = Engine::new(engine).unwrap();
        let sample = Sample::new(&pictures::png(20, 20, false));
        let failed = sample.render(&engine).await;
        assert!(matches!(failed, Err(Error::Io(_))), "{program}: {failed:?}");
    }
}

#[tokio::test]
async fn work_that_nobody_waits_for_frees_its_place() {
    // A shell stands for a decoder: it greets, and then says nothing more.
    let dir = tempfile::tempdir().unwrap();
    let engine = Engine::new(Options { parallel: 1, program: Some(mute(dir.path())), ..options() });
    let engine = engine.unwrap();
    let sample = Sample::new(&pictures::png(20, 20, false));
    let pid_file = dir.path().join("pid");
    for _ in 0..3 {
        let _ = fs::remove_file(&pid_file);
        let work = tokio::time::timeout(Duration::from_millis(700), sample.render(&engine));
        assert!(work.await.is_err(), "it never answers");
        let pid =
            until("its id", || fs::read_to_string(&pid_file).ok().filter(|t| t.ends_with('\n')));
        let process = format!("/proc/{}", pid.await.trim());
        until("it is gone", || (!Path::new(&process).exists()).then_some(())).await;
    }
}

/// A program that greets like a decoder, tells its id, and does nothing.
fn mute(dir: &Path) -> PathBuf {
    let version = env!("CARGO_PKG_VERSION");
    let said =
        format!("{{\"said\":{{\"version\":\"{version}\",\"is_limited\":true}},\"parts\":[]}}");
    let pid = dir.join("pid");
    let text = format!(
        "#!/bin/sh\necho $$ > {}\nprintf '\\{:03o}\\000\\000\\000%s' '{said}'\nexec sleep 1000\n",
        pid.display(),
        said.len(),
    );
    script(dir, &text)
}

fn script(dir: &Path, text: &str) -> PathBuf {
    use std::os::unix::fs::PermissionsExt;
    let (draft, script) = (dir.join("draft"), dir.join("decoder"));
    fs::write(&draft, text).unwrap();
    fs::set_permissions(&draft, fs::Permissions::from_mode(0o755)).unwrap();
    // Copied by another process: a file cannot be run while any process has it open for writing,
    // as one that another test is starting just now may have inherited it.
    assert!(Command::new("cp").args([&draft, &script]).status().unwrap().success());
    script
}

#[tokio::test]
async fn a_process_that_has_worked_enough_is_replaced() {
    let dir = tempfile::tempdir().unwrap();
    let started = dir.path().join("started");
    let real = env!("CARGO_BIN_EXE_vitrina");
    let text = format!("#!/bin/sh\necho $$ >> {}\nexec {real} \"$@\"\n", started.display());
    let wrapper = script(dir.path(), &text);
    let engine = Engine::new(Options { program: Some(wrapper), ..options() }).unwrap();
    let sample = Sample::new(&pictures::png(2, 2, false));
    let processes = || fs::read_to_string(&started).unwrap().lines().count();
    for _ in 0..500 {
        sample.render(&engine).await.unwrap();
    }
    assert_eq!(processes(), 1);
    sample.render(&engine).await.unwrap();
    assert_eq!(processes(), 2);
    assert_eq!(engine.lost().load(std::sync::atomic::Ordering::Relaxed), 0);
}

/// A server in the tests' own process decodes with the real program as well.
#[tokio::test]
async fn the_program_that_decodes_can_be_named() {
    let settings = [("decode_program", "/bin/false")];
    let server = TestServer::with(&settings).await;
    let answer = server.admin().await.upload_with(pictures::png(9, 9, false), "a.png", &[]).await;
    answer.problem(500, "internal");
}
