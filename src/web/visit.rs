//! One request for a page: who asks, of which site, and how a handler answers. No rule lives here.

use super::{
    api_client::{Answer, ApiClient, Refusal},
    render::{self, Renderer},
};
use futures_util::future::join;
use poem::{
    Body, Endpoint, Request, Response,
    endpoint::make,
    http::{HeaderValue, Method, StatusCode, header},
};
use serde_json::{Value, json};
use std::{collections::HashMap, sync::Arc};
use url::{Url, form_urlencoded};

/// The longest form body that is read, in bytes: a description is the longest thing in one.
const FORM_LIMIT: usize = 256 * 1024;

/// What every page needs.
pub(super) struct Pages {
    pub(super) api: ApiClient,
    pub(super) renderer: Renderer,
}

/// What a handler comes to: a page, or the problem that is shown in its place.
pub(super) type Outcome = Result<Response, Refusal>;

/// One visit: the request without its body, the site it is for and who is signed in.
#[derive(Clone)]
pub(super) struct Visit(Arc<Facts>);

struct Facts {
    pages: Arc<Pages>,
    request: Request,
    site: Value,
    /// The signed-in user, or `null` for a guest.
    viewer: Value,
}

impl Visit {
    /// Asks the API for the site and the visitor. A site that cannot be read is a refusal, and
    /// the visit then carries just enough to show it.
    async fn open(pages: Arc<Pages>, request: Request) -> (Self, Option<Refusal>) {
        let headers = request.headers();
        let signed =
            headers.contains_key(header::COOKIE) || headers.contains_key(header::AUTHORIZATION);
        let session = async {
            if !signed {
                return Value::Null;
            }
            match pages.api.get(&request, "/session").await {
                Ok(answer) => answer.get("user").cloned().unwrap_or(Value::Null),
                Err(_) => Value::Null,
            }
        };
        let (site, viewer) = join(pages.api.get(&request, "/site"), session).await;
        let (site, refusal) = match site {
            Ok(site) => (site, None),
            Err(refusal) => (json!({ "name": "Vitrina", "version": "" }), Some(refusal)),
        };
        (Self(Arc::new(Facts { pages, request, site, viewer })), refusal)
    }

    /// The site's public facts, as the API gives them.
    pub(super) fn site(&self) -> &Value {
        &self.0.site
    }

    pub(super) fn is_guest(&self) -> bool {
        self.0.viewer.is_null()
    }

    /// Nobody administers this site yet.
    pub(super) fn needs_setup(&self) -> bool {
        self.0.site.get("setup_needed").and_then(Value::as_bool).unwrap_or(false)
    }

    /// A part of the route, decoded; empty where the route has none of that name.
    pub(super) fn part(&self, name: &str) -> String {
        let parts = self.0.request.path_params::<HashMap<String, String>>();
        parts.ok().and_then(|mut parts| parts.remove(name)).unwrap_or_default()
    }

    /// One value of the query, decoded.
    pub(super) fn query(&self, name: &str) -> Option<String> {
        let query = self.0.request.original_uri().query().unwrap_or("");
        form_urlencoded::parse(query.as_bytes())
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.into_owned())
    }

    /// Those of these values that are in the query, as a query.
    pub(super) fn carried(&self, names: &[&str]) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        for name in names {
            query.extend_pairs(self.query(name).map(|value| (name, value)));
        }
        query.finish()
    }

    /// The path that was asked for, without its query.
    pub(super) fn path(&self) -> &str {
        self.0.request.original_uri().path()
    }

    /// The same with its query, to come back to.
    pub(super) fn here(&self) -> &str {
        self.0.request.original_uri().path_and_query().map_or("/", |whole| whole.as_str())
    }

    pub(super) async fn get(&self, path: &str) -> Result<Value, Refusal> {
        self.0.pages.api.get(&self.0.request, path).await
    }

    pub(super) async fn send(
        &self,
        method: Method,
        path: &str,
        json: Value,
    ) -> Result<Answer, Refusal> {
        self.0.pages.api.send(&self.0.request, method, path, json).await
    }

    pub(super) async fn pass(&self, path: &str, body: Body) -> Result<Answer, Refusal> {
        self.0.pages.api.pass(&self.0.request, path, body).await
    }

    /// The page `template`, with what it shows.
    pub(super) fn show(&self, template: &str, context: Value) -> Response {
        self.show_as(StatusCode::OK, template, context)
    }

    pub(super) fn show_as(&self, status: StatusCode, template: &str, context: Value) -> Response {
        let common = json!({
            "site": self.0.site, "viewer": self.0.viewer, "path": self.path(),
            "here": self.here(), "page": context,
        });
        self.0.pages.renderer.page(status, template, &common)
    }

    /// The page of a refusal; somebody who only has to sign in is sent there instead.
    fn show_refusal(&self, refusal: &Refusal) -> Response {
        if refusal.status == StatusCode::UNAUTHORIZED && self.is_guest() {
            return self.to_sign_in();
        }
        let said = |name: &str| refusal.problem.get(name).cloned().unwrap_or(Value::Null);
        let context = json!({ "status": refusal.status.as_u16(), "detail": refusal.detail(),
            "title": said("title"), "code": said("code"), "request_id": said("request_id"),
            "upgrade_url": said("upgrade_url") });
        self.show_as(refusal.status, "problem.html", context)
    }

    /// To the sign-in form, and from there back to this page.
    pub(super) fn to_sign_in(&self) -> Response {
        let back = if self.0.request.method() == Method::GET { self.here() } else { "/" };
        let next: String = form_urlencoded::byte_serialize(back.as_bytes()).collect();
        redirect(&format!("/sign-in?next={next}"))
    }

    /// A write that another site's page sent through this visitor's browser is refused. The API
    /// guards what a cookie may do; this also covers forms that need none, such as signing in.
    fn refuse_foreign_form(&self) -> Result<(), Refusal> {
        let header = |name: &str| self.0.request.header(name);
        let own = match (header("sec-fetch-site"), header("origin"), header("host")) {
            (Some(site), _, _) => matches!(site, "same-origin" | "none"),
            (None, Some(origin), Some(host)) => {
                origin.split_once("://").is_some_and(|(_, from)| from.eq_ignore_ascii_case(host))
            }
            (None, Some(_), None) => false,
            (None, None, _) => true,
        };
        if own {
            return Ok(());
        }
        Err(Refusal::new(StatusCode::FORBIDDEN, "This form was sent from another site."))
    }
}

/// The fields of a form, in order, names possibly repeated.
pub(super) struct Form(Vec<(String, String)>);

impl Form {
    async fn read(body: Body) -> Result<Self, Refusal> {
        let unreadable = |_| Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, "This form is too long.");
        let bytes = body.into_bytes_limit(FORM_LIMIT).await.map_err(unreadable)?;
        Ok(Self::of(&bytes))
    }

    /// The fields of an `application/x-www-form-urlencoded` text.
    pub(super) fn of(encoded: impl AsRef<[u8]>) -> Self {
        Self(form_urlencoded::parse(encoded.as_ref()).into_owned().collect())
    }

    /// The form had a field of that name, filled or not.
    pub(super) fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(key, _)| key == name)
    }

    /// The first value of that name, without surrounding space; empty where there is none.
    pub(super) fn text(&self, name: &str) -> &str {
        self.raw(name).trim()
    }

    /// The first value of that name exactly as typed: a password may begin with a space.
    pub(super) fn raw(&self, name: &str) -> &str {
        self.0.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value.as_str())
    }

    /// Every value of that name.
    pub(super) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

/// A page that is read.
pub(super) fn page<F, Fut>(
    to: &Arc<Pages>,
    show: F,
) -> impl Endpoint<Output = Response> + use<F, Fut>
where
    F: Fn(Visit) -> Fut + Copy + Send + Sync + 'static,
    Fut: Future<Output = Outcome> + Send + 'static,
{
    serve(to, move |visit, _| show(visit))
}

/// A form that is sent.
pub(super) fn form<F, Fut>(
    to: &Arc<Pages>,
    act: F,
) -> impl Endpoint<Output = Response> + use<F, Fut>
where
    F: Fn(Visit, Form) -> Fut + Copy + Send + Sync + 'static,
    Fut: Future<Output = Outcome> + Send + 'static,
{
    serve(to, move |visit, body| async move {
        visit.refuse_foreign_form()?;
        act(visit, Form::read(body).await?).await
    })
}

/// A form with a file in it, whose body is passed on unread.
pub(super) fn upload<F, Fut>(
    to: &Arc<Pages>,
    act: F,
) -> impl Endpoint<Output = Response> + use<F, Fut>
where
    F: Fn(Visit, Body) -> Fut + Copy + Send + Sync + 'static,
    Fut: Future<Output = Outcome> + Send + 'static,
{
    serve(to, move |visit, body| async move {
        visit.refuse_foreign_form()?;
        act(visit, body).await
    })
}

fn serve<F, Fut>(to: &Arc<Pages>, act: F) -> impl Endpoint<Output = Response> + use<F, Fut>
where
    F: Fn(Visit, Body) -> Fut + Copy + Send + Sync + 'static,
    Fut: Future<Output = Outcome> + Send + 'static,
{
    let pages = to.clone();
    make(move |mut request: Request| {
        let pages = pages.clone();
        async move {
            let body = request.take_body();
            let (visit, refusal) = Visit::open(pages, request).await;
            if let Some(refusal) = refusal {
                return visit.show_refusal(&refusal);
            }
            if visit.needs_setup() && visit.path() != "/setup" {
                return redirect("/setup");
            }
            match act(visit.clone(), body).await {
                Ok(response) => response,
                Err(refusal) => visit.show_refusal(&refusal),
            }
        }
    })
}

/// Goes on with a `GET` of a path of this site.
pub(super) fn redirect(path: &str) -> Response {
    let target = HeaderValue::from_str(path).unwrap_or(HeaderValue::from_static("/"));
    let mut response = Response::builder().status(StatusCode::SEE_OTHER).finish();
    response.headers_mut().insert(header::LOCATION, target);
    render::guard(response.headers_mut());
    response
}

/// The same, keeping what the API wants kept in the browser.
pub(super) fn redirect_with(path: &str, answer: Answer) -> Response {
    let mut response = redirect(path);
    for cookie in answer.cookies {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    response
}

/// `next` where it stays on this site, the front page otherwise.
pub(super) fn local_path(next: &str) -> String {
    let inside = || {
        let site = Url::parse("http://site.invalid/").ok()?;
        let target = site.join(next).ok()?;
        (target.origin() == site.origin()).then_some(target)
    };
    let plain = next.starts_with('/') && !next.chars().any(|c| c.is_control() || c == '\\');
    match inside().filter(|_| plain) {
        // Dots may have folded into a path that begins with two slashes, which names a host.
        Some(target) if !target.path().starts_with("//") => target
            .query()
            .map_or_else(|| target.path().to_owned(), |query| format!("{}?{query}", target.path())),
        _ => "/".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn next_never_leaves_the_site() {
        for (next, stays) in [
            ("/library?view=trash", "/library?view=trash"),
            ("/m/abc/a-picture", "/m/abc/a-picture"),
            ("", "/"),
            ("library", "/"),
            ("//evil.example/", "/"),
            ("/\\evil.example", "/"),
            ("/.//evil.example", "/"),
            ("/a/..//evil.example", "/"),
            ("https://evil.example/", "/"),
            ("/\t/evil.example", "/"),
            ("javascript:alert(1)", "/"),
        ] {
            assert_eq!(local_path(next), stays, "{next}");
        }
    }

    #[tokio::test]
    async fn a_form_keeps_repeated_names_and_a_password_its_spaces() {
        let body = Body::from_string("id=a&id=b&password=+x+&login=+ana+".to_owned());
        let form = Form::read(body).await.unwrap();
        assert_eq!(form.all("id").collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!((form.raw("password"), form.text("login")), (" x ", "ana"));
        assert_eq!(form.text("absent"), "");
    }

    #[tokio::test]
    async fn a_form_that_is_too_long_is_refused() {
        let body = Body::from_string("x".repeat(FORM_LIMIT + 1));
        assert!(Form::read(body).await.is_err());
    }
}
