//! An S3 server on a free port that checks signatures, keeps what it gets in a folder, and fails as
//! it is told to.

use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::{Request, Response, body::Incoming, service::service_fn};
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto::Builder,
};
use poem::http::{Method, StatusCode};
use s3s::{
    Body, HttpError,
    auth::SimpleAuth,
    service::{S3Service, S3ServiceBuilder},
};
use serde_json::{Value, json};
use std::{
    path::PathBuf,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::net::TcpListener;

pub(crate) const BUCKET: &str = "pictures";
pub(crate) const ACCESS_KEY: &str = "AKIATESTTESTTEST";
pub(crate) const SECRET: &str = "a secret that nobody is shown";

/// What goes wrong with one request.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Fault {
    Status(u16),
    Slow(Duration),
    /// Half of the answer's body, and then the line is cut.
    Truncated,
    /// It says that all went well, and did nothing.
    Swallowed,
    /// The answer names another entity than the one that is there.
    WrongTag,
}

type Plan = dyn Fn(&Method, &str) -> Option<Fault> + Send + Sync;

pub(crate) struct S3 {
    pub endpoint: String,
    plan: Arc<Mutex<Box<Plan>>>,
    requests: Arc<AtomicUsize>,
    dir: tempfile::TempDir,
}

impl S3 {
    pub(crate) async fn start() -> Self {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join(BUCKET)).unwrap();
        let mut service = S3ServiceBuilder::new(s3s_fs::FileSystem::new(dir.path()).unwrap());
        service.set_auth(SimpleAuth::from_single(ACCESS_KEY, SECRET));
        let service = service.build();
        let plan: Arc<Mutex<Box<Plan>>> = Arc::new(Mutex::new(Box::new(|_, _| None)));
        let requests = Arc::new(AtomicUsize::new(0));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let (plans, counter) = (plan.clone(), requests.clone());
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let (service, plans, counter) = (service.clone(), plans.clone(), counter.clone());
                tokio::spawn(async move {
                    let answer = service_fn(move |request: Request<Incoming>| {
                        counter.fetch_add(1, Ordering::Relaxed);
                        let path = request.uri().path().to_owned();
                        let fault = plans.lock().unwrap()(request.method(), &path);
                        answer(service.clone(), request, fault)
                    });
                    let builder = Builder::new(TokioExecutor::new());
                    let _ = builder.serve_connection(TokioIo::new(socket), answer).await;
                });
            }
        });
        Self { endpoint, plan, requests, dir }
    }

    /// From now on, requests fail as this says.
    pub(crate) fn fail(
        &self,
        plan: impl Fn(&Method, &str) -> Option<Fault> + Send + Sync + 'static,
    ) {
        *self.plan.lock().unwrap() = Box::new(plan);
    }

    pub(crate) fn heal(&self) {
        self.fail(|_, _| None);
    }

    pub(crate) fn requests(&self) -> usize {
        self.requests.load(Ordering::Relaxed)
    }

    pub(crate) fn bucket(&self) -> PathBuf {
        self.dir.path().join(BUCKET)
    }

    /// The keys of all objects, in order.
    pub(crate) fn keys(&self) -> Vec<String> {
        let mut keys = Vec::new();
        let mut folders = vec![self.bucket()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    let key = path.strip_prefix(self.bucket()).unwrap();
                    keys.push(key.display().to_string());
                }
            }
        }
        keys.sort();
        keys
    }

    /// How many parts of files wait to be put together.
    pub(crate) fn parts(&self) -> usize {
        let entries = std::fs::read_dir(self.dir.path()).unwrap();
        let names = entries.map(|e| e.unwrap().file_name().into_string().unwrap());
        names.filter(|name| name.starts_with(".upload_id-")).count()
    }

    /// What to POST to `/storages` for it.
    pub(crate) fn storage(&self, name: &str, prefix: &str) -> Value {
        json!({
            "name": name,
            "kind": "s3",
            "place": { "endpoint": self.endpoint, "bucket": BUCKET, "prefix": prefix },
            "secrets": { "access_key": ACCESS_KEY, "secret": SECRET },
        })
    }
}

async fn answer(
    service: S3Service,
    request: Request<Incoming>,
    fault: Option<Fault>,
) -> Result<Response<Body>, HttpError> {
    let plain = |status: u16, text: &'static str| {
        let status = StatusCode::from_u16(status).unwrap();
        let body = Body::from(Bytes::from_static(text.as_bytes()));
        Response::builder().status(status).header("etag", "\"x\"").body(body).unwrap()
    };
    match fault {
        None => service.call(request.map(Body::from)).await,
        Some(Fault::Status(status)) => Ok(plain(status, "<Error><Code>Broken</Code></Error>")),
        Some(Fault::Swallowed) => {
            let _ = request.into_body().collect().await;
            Ok(plain(200, ""))
        }
        Some(Fault::Slow(time)) => {
            tokio::time::sleep(time).await;
            service.call(request.map(Body::from)).await
        }
        Some(Fault::WrongTag) => {
            let mut answer = service.call(request.map(Body::from)).await?;
            answer.headers_mut().insert("etag", "\"0123456789abcdef\"".parse().unwrap());
            Ok(answer)
        }
        Some(Fault::Truncated) => {
            let answer = service.call(request.map(Body::from)).await?;
            let (mut head, body) = answer.into_parts();
            let bytes = body.collect().await.map(|b| b.to_bytes()).unwrap_or_default();
            head.headers.insert("content-length", bytes.len().to_string().parse().unwrap());
            Ok(Response::from_parts(head, Body::from(bytes.slice(..bytes.len() / 2))))
        }
    }
}
