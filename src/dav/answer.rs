//! Requests below `/dav`: who asks, what for, and what they are told. It is past the API: nothing
//! of this is in its document.

use super::{
    Session,
    blank::Blanks,
    conditions,
    path::{self, PREFIX},
    shift,
    tree::{Node, find},
    xml,
};
use crate::{
    accounts::{Scope, basic},
    base::{Error, Result},
    http::{Client, Problem},
    media::{files::Files, upload::Uploads},
    site::settings,
    tenancy::Tenant,
};
use dav_server::{DavHandler, fakels::FakeLs};
use futures_util::TryStreamExt;
use http_body_util::StreamBody;
use hyper::body::Frame;
use poem::{
    Body, IntoResponse, Request, Response,
    http::{HeaderValue, Method, StatusCode, header},
};
use std::sync::Arc;

const CHALLENGE: HeaderValue =
    HeaderValue::from_static("Basic realm=\"Vitrina\", charset=\"UTF-8\"");

/// What this answers beyond what HTTP itself asks for.
const ALLOWED: &str =
    "OPTIONS, GET, HEAD, PUT, DELETE, PROPFIND, PROPPATCH, MKCOL, MOVE, LOCK, UNLOCK";

/// RFC 4918, 9.1: a whole tree in one answer has no bounds.
const ONE_BY_ONE: &str = "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n\
    <D:error xmlns:D=\"DAV:\"><D:propfind-finite-depth/></D:error>\n";

/// Hands out everybody's own folders.
#[derive(Clone)]
pub struct Dav {
    files: Files,
    blanks: Blanks,
}

impl Dav {
    pub fn new(files: Files) -> Self {
        Self { files, blanks: Blanks::default() }
    }

    /// Whether this is the one to answer what is asked for.
    pub fn is_asked_for(path: &str) -> bool {
        path.strip_prefix(PREFIX).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }

    /// # Errors
    /// Those of whoever may not, and of what is not there.
    pub async fn answer(
        &self,
        req: Request,
        tenant: &Arc<Tenant>,
        client: &Client,
    ) -> Result<Response, Problem> {
        let answered = self.try_answer(req, tenant, client).await;
        match answered {
            Err(error @ (Error::Unauthenticated | Error::WrongCredentials)) => {
                let mut answer = Problem::from(error).into_response();
                answer.headers_mut().insert(header::WWW_AUTHENTICATE, CHALLENGE);
                // Word for programs that ask for a sign that there is WebDAV at all.
                answer.headers_mut().insert("dav", HeaderValue::from_static("1, 2"));
                Ok(answer)
            }
            other => Ok(other?),
        }
    }

    async fn try_answer(
        &self,
        req: Request,
        tenant: &Arc<Tenant>,
        client: &Client,
    ) -> Result<Response> {
        if !tenant.read(settings::load).await?.webdav {
            return Err(Error::NotFound("page"));
        }
        let way = path::parse(req.uri().path())?;
        let actor = basic::identify(tenant, client, req.headers()).await?;
        actor.need_scope(needed(req.method()))?;
        let uploads: Arc<Uploads> = self.files.uploads.clone();
        let (tenant, blanks) = (tenant.clone(), self.blanks.clone());
        let session = Session { tenant, actor, uploads, blanks, refusal: Arc::default() };
        match (req.method().as_str(), req.header("depth")) {
            ("GET" | "HEAD", _) => match find(&session, &way).await? {
                Node::File(file) => {
                    let (tenant, actor) = (&session.tenant, &session.actor);
                    self.files.own(&req, tenant, actor, &file).await
                }
                Node::Blank(_) => Ok(Response::builder().body(Body::empty())),
                Node::Folder(_) => Ok(folder()),
            },
            ("DELETE", _) => {
                shift::throw_away(&session, &way).await?;
                Ok(StatusCode::NO_CONTENT.into())
            }
            ("MOVE", _) => {
                let to = req.header("destination").unwrap_or_default();
                let overwrite = req.header("overwrite") != Some("F");
                let to = path::destination(to)?;
                let had = shift::shift(&session, &way, &to, overwrite).await?;
                Ok(if had { StatusCode::NO_CONTENT } else { StatusCode::CREATED }.into())
            }
            ("COPY", _) => Err(Error::Forbidden("an item is not copied here: upload it again")),
            ("PATCH", _) => Err(Error::Forbidden("files are written whole")),
            ("PROPFIND", None | Some("infinity" | "Infinity")) => Ok(Response::builder()
                .status(StatusCode::FORBIDDEN)
                .content_type("application/xml; charset=utf-8")
                .body(ONE_BY_ONE)),
            _ => hand_on(session, req).await,
        }
    }
}

/// What a token must be made for. Locks are for those who write.
fn needed(method: &Method) -> Scope {
    match method.as_str() {
        "GET" | "HEAD" | "OPTIONS" | "PROPFIND" => Scope::MediaRead,
        _ => Scope::MediaWrite,
    }
}

/// For somebody who looks at it with a browser.
fn folder() -> Response {
    let text = "These are folders for WebDAV: connect to this address with a file manager or \
                another program that speaks it.\n";
    Response::builder().content_type("text/plain; charset=utf-8").body(text)
}

/// Lets the crate speak the protocol, and says why where it only says that something failed.
async fn hand_on(session: Session, req: Request) -> Result<Response> {
    conditions::check(req.headers())?;
    let is_options = req.method() == Method::OPTIONS;
    let (parts, body) = req.into_parts();
    let body = if parts.method == Method::PUT { body } else { xml::read(body).await?.into() };
    let mut asked = hyper::Request::new(StreamBody::new(Box::pin(
        body.into_bytes_stream().map_ok(Frame::data),
    )));
    *asked.method_mut() = parts.method;
    *asked.uri_mut() = parts.uri;
    *asked.headers_mut() = parts.headers;
    let handler = DavHandler::builder()
        .strip_prefix(PREFIX)
        .filesystem(Box::new(session.clone()))
        .locksystem(FakeLs::new())
        .build_handler();
    let answer = handler.handle(asked).await;
    if let Some(error) = session.refusal()
        && (answer.status().is_client_error() || answer.status().is_server_error())
    {
        return Err(error);
    }
    let (head, body) = answer.into_parts();
    let mut answer = Response::builder().status(head.status).finish();
    *answer.headers_mut() = head.headers;
    if is_options {
        answer.headers_mut().insert(header::ALLOW, HeaderValue::from_static(ALLOWED));
    }
    answer.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    answer.set_body(Body::from_bytes_stream(body));
    Ok(answer)
}
