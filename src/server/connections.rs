//! Connections: taken, spoken HTTP over, and closed when nothing moves on them any more. What is
//! said on them is the endpoint's business.

use super::threads::Threads;
use hyper::{body::Incoming, service::service_fn};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::conn::auto::Builder,
};
use poem::{
    Endpoint, Response,
    http::uri::Scheme,
    web::{LocalAddr, RemoteAddr},
};
use std::{
    convert::Infallible,
    io::{self, IoSlice},
    pin::{Pin, pin},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    task::{Context, Poll, ready},
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinSet,
    time::{sleep, timeout},
};

/// A connection on which nothing moves for this long is closed, and so is one that takes as long
/// to say what it wants.
const IDLE: Duration = Duration::from_secs(120);
/// How much of an answer is held for a client that is slow to take it, and how long the head of a
/// request may be, in bytes.
const HELD: usize = 128 * 1024;

/// Serves until `stopped`, then lets requests in flight finish, `grace` at most.
pub(super) async fn serve(
    listener: TcpListener,
    endpoint: impl Endpoint<Output = Response> + 'static,
    threads: Arc<Threads>,
    mut stopped: watch::Receiver<bool>,
    grace: Duration,
) {
    let endpoint = Arc::new(endpoint);
    let mut open = JoinSet::new();
    loop {
        let stopping = stopped.clone();
        tokio::select! {
            () = told(&mut stopped) => break,
            accepted = listener.accept() => match accepted {
                Ok((socket, _)) => {
                    let attending = move_to(socket.into_std(), endpoint.clone(), stopping);
                    open.spawn_on(attending, &threads.next());
                }
                // Out of file descriptors, most likely: give the system time to get some back.
                Err(_) => sleep(Duration::from_millis(50)).await,
            },
            Some(_) = open.join_next() => {}
        }
    }
    drop(listener);
    let finished = timeout(grace, async { while open.join_next().await.is_some() {} });
    if finished.await.is_err() {
        tracing::warn!(connections = open.len(), "requests in flight are cut off");
    }
}

/// Answers on the thread that this runs on. A socket is told to the system once more there, for
/// each thread hears of its own sockets only.
async fn move_to<E>(
    socket: io::Result<std::net::TcpStream>,
    endpoint: Arc<E>,
    stopping: watch::Receiver<bool>,
) where
    E: Endpoint<Output = Response> + 'static,
{
    if let Ok(socket) = socket.and_then(TcpStream::from_std) {
        attend(socket, endpoint, stopping, IDLE).await;
    }
}

/// Returns when no more requests are to be taken.
async fn told(stopped: &mut watch::Receiver<bool>) {
    let _ = stopped.wait_for(|stop| *stop).await;
}

/// Answers what one client asks, until it has enough or nothing moves for `idle`.
async fn attend<E>(
    socket: TcpStream,
    endpoint: Arc<E>,
    mut stopping: watch::Receiver<bool>,
    idle: Duration,
) where
    E: Endpoint<Output = Response> + 'static,
{
    // Answers are small and latency counts: no waiting to fill a packet. A socket that is gone
    // already will say so when it is read.
    drop(socket.set_nodelay(true));
    let (Ok(local), Ok(remote)) = (socket.local_addr(), socket.peer_addr()) else { return };
    let (local, remote) = (LocalAddr(local.into()), RemoteAddr(remote.into()));
    let service = service_fn(move |req: hyper::Request<Incoming>| {
        let (endpoint, local, remote) = (endpoint.clone(), local.clone(), remote.clone());
        async move {
            let response = endpoint.get_response((req, local, remote, Scheme::HTTP).into()).await;
            Ok::<hyper::Response<_>, Infallible>(response.into())
        }
    });
    let pulse = Arc::new(Pulse::new(idle));
    let io = TokioIo::new(Watched { socket, pulse: pulse.clone() });
    let mut http = Builder::new(TokioExecutor::new());
    http.http1().timer(TokioTimer::new()).header_read_timeout(idle).max_buf_size(HELD);
    let mut connection = pin!(http.serve_connection(io, service));
    tokio::select! {
        _ = connection.as_mut() => return,
        () = pulse.stopped() => {}
        () = told(&mut stopping) => {}
    }
    // A request that is being worked on is still answered; one whose client does not take the
    // answer is not.
    connection.as_mut().graceful_shutdown();
    tokio::select! {
        _ = connection => {}
        () = pulse.stuck() => {}
    }
}

/// When bytes last moved on a connection.
struct Pulse {
    /// How long nothing may move.
    idle: Duration,
    began: Instant,
    /// In milliseconds since it began.
    last: AtomicU64,
    /// There are bytes that the client does not take.
    is_full: AtomicBool,
}

impl Pulse {
    fn new(idle: Duration) -> Self {
        let (last, is_full) = (AtomicU64::new(0), AtomicBool::new(false));
        Self { idle, began: Instant::now(), last, is_full }
    }

    fn beat(&self) {
        let now = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.last.store(now, Ordering::Relaxed);
    }

    /// Returns when nothing has moved for too long.
    async fn stopped(&self) {
        loop {
            let last = Duration::from_millis(self.last.load(Ordering::Relaxed));
            let still = self.began.elapsed().saturating_sub(last);
            if still >= self.idle {
                return;
            }
            sleep(self.idle.saturating_sub(still)).await;
        }
    }

    /// Returns when nothing has moved for too long because of the client.
    async fn stuck(&self) {
        loop {
            self.stopped().await;
            if self.is_full.load(Ordering::Relaxed) {
                return;
            }
            sleep(self.idle).await;
        }
    }
}

/// A socket whose movements are noticed, at next to no cost.
struct Watched {
    socket: TcpStream,
    pulse: Arc<Pulse>,
}

impl Watched {
    fn wrote(&self, written: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        self.pulse.is_full.store(written.is_pending(), Ordering::Relaxed);
        let written = ready!(written);
        self.pulse.beat();
        Poll::Ready(written)
    }
}

impl AsyncRead for Watched {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let read = ready!(Pin::new(&mut self.socket).poll_read(cx, buf));
        self.pulse.beat();
        Poll::Ready(read)
    }
}

impl AsyncWrite for Watched {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.socket).poll_write(cx, buf);
        self.wrote(written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.socket).poll_write_vectored(cx, bufs);
        self.wrote(written)
    }

    fn is_write_vectored(&self) -> bool {
        self.socket.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use poem::{Body, Request};
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    const SHORT: Duration = Duration::from_millis(300);

    /// Answers `/slow` late, `/large` with more than any buffer holds, and anything else at once.
    async fn answer(req: Request) -> poem::Result<Response> {
        Ok(match req.uri().path() {
            "/slow" => {
                sleep(SHORT * 4).await;
                Response::builder().body("late")
            }
            "/large" => Response::builder().body(Body::from_vec(vec![b'x'; 64 << 20])),
            _ => Response::builder().body("soon"),
        })
    }

    async fn client(idle: Duration) -> (TcpStream, tokio::task::JoinHandle<()>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (socket, _) = listener.accept().await.unwrap();
        let attending = tokio::spawn(async move {
            let (_stop, stopping) = watch::channel(false);
            attend(socket, Arc::new(poem::endpoint::make(answer)), stopping, idle).await;
        });
        (client, attending)
    }

    async fn ask(client: &mut TcpStream, path: &str) {
        let request = format!("GET {path} HTTP/1.1\r\nhost: a\r\n\r\n");
        client.write_all(request.as_bytes()).await.unwrap();
    }

    async fn rest(client: &mut TcpStream) -> String {
        let mut text = Vec::new();
        let _ = timeout(SHORT * 20, client.read_to_end(&mut text)).await.unwrap();
        String::from_utf8(text).unwrap()
    }

    #[tokio::test]
    async fn a_connection_serves_many_requests_and_ends_when_nothing_moves() {
        let (mut client, _) = client(SHORT).await;
        for _ in 0..3 {
            ask(&mut client, "/").await;
            sleep(SHORT / 3).await;
        }
        assert_eq!(rest(&mut client).await.matches("soon").count(), 3);
    }

    #[tokio::test]
    async fn a_head_that_comes_letter_by_letter_is_not_waited_for() {
        let (mut client, attending) = client(SHORT).await;
        ask(&mut client, "/").await;
        let began = Instant::now();
        while client.write_all(b"G").await.is_ok() && !attending.is_finished() {
            assert!(began.elapsed() < SHORT * 20);
            sleep(SHORT / 10).await;
        }
    }

    #[tokio::test]
    async fn an_answer_that_takes_long_to_make_is_still_sent() {
        let (mut client, _) = client(SHORT).await;
        ask(&mut client, "/slow").await;
        assert!(rest(&mut client).await.ends_with("late"));
    }

    #[tokio::test]
    async fn a_client_that_does_not_take_its_answer_is_let_go() {
        let (mut client, attending) = client(SHORT).await;
        ask(&mut client, "/large").await;
        timeout(SHORT * 20, attending).await.unwrap().unwrap();
    }

    #[tokio::test]
    async fn a_stop_waits_for_requests_in_flight_as_long_as_it_may() {
        for (grace, expected) in [(SHORT * 20, "late"), (SHORT, "")] {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let mut client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
            let (stop, stopped) = watch::channel(false);
            let endpoint = poem::endpoint::make(answer);
            let threads = Arc::new(Threads::start().unwrap());
            let serving = tokio::spawn(serve(listener, endpoint, threads, stopped, grace));
            ask(&mut client, "/slow").await;
            sleep(SHORT).await;
            stop.send_replace(true);
            assert!(rest(&mut client).await.ends_with(expected));
            timeout(SHORT * 20, serving).await.unwrap().unwrap();
        }
    }
}
