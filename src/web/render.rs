//! Templates to responses: strict, escaped, with the headers that every page carries.
//! It knows no page by name.

use super::{filters, statics};
use minijinja::{
    Environment, ErrorKind, Output, State, UndefinedBehavior, Value as Shown, escape_formatter,
};
use poem::{
    Error, Response,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
};
use rust_embed::RustEmbed;
use serde_json::Value;
use std::{borrow::Cow, collections::BTreeSet};
use url::{Origin, Url};

#[derive(RustEmbed)]
#[folder = "assets/pages"]
struct Templates;

/// The sprite of icons. It stands in each page, because a policy as strict as ours lets no
/// browser fetch one from elsewhere in the same way.
const ICONS: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/assets/icons.svg"));

/// What is left when even the page of a problem cannot be rendered.
const LAST_RESORT: &str = "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\">\
    <title>Something went wrong</title><h1>Something went wrong</h1>\
    <p>This page could not be made. The log says why.</p></html>";

/// Renders pages.
pub(super) struct Renderer {
    environment: Environment<'static>,
}

impl Renderer {
    pub(super) fn new() -> Self {
        Self { environment: environment() }
    }

    /// The page `template`. A template that fails is logged and answered with a plain 500.
    pub(super) fn page(&self, status: StatusCode, template: &str, context: &Value) -> Response {
        // While developing, templates are read again for each page.
        let environment = if cfg!(debug_assertions) {
            Cow::Owned(environment())
        } else {
            Cow::Borrowed(&self.environment)
        };
        let html =
            environment.get_template(template).and_then(|found| found.render(shown(context)));
        match html {
            Ok(html) => respond(status, html, context),
            Err(error) => {
                tracing::error!(template, error = ?error, "a page could not be rendered");
                respond(StatusCode::INTERNAL_SERVER_ERROR, LAST_RESORT.to_owned(), context)
            }
        }
    }
}

fn environment() -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_loader(|name| {
        Ok(Templates::get(name).map(|file| String::from_utf8_lossy(&file.data).into_owned()))
    });
    environment.set_formatter(write_escaped);
    environment.add_function("asset", statics::url);
    environment.add_global("sheets", Shown::from_iter(statics::SHEETS));
    environment.add_function("sprite", || Shown::from_safe_string(ICONS.to_owned()));
    environment.add_function("icon", icon);
    filters::add_to(&mut environment);
    environment
}

/// Writes a value as HTML. Only what has a meaning in HTML is escaped: programs that look for
/// `og:image` with less than a parser find addresses as they are.
fn write_escaped(
    out: &mut Output,
    state: &mut State,
    value: &Shown,
) -> Result<(), minijinja::Error> {
    let Some(text) = value.as_str().filter(|_| !value.is_safe()) else {
        return escape_formatter(out, state, value);
    };
    for part in text.split_inclusive(['&', '<', '>', '"', '\'']) {
        let mut rest = part.chars();
        let last = rest.next_back();
        let entity = match last {
            Some('&') => "&amp;",
            Some('<') => "&lt;",
            Some('>') => "&gt;",
            Some('"') => "&quot;",
            Some('\'') => "&#39;",
            _ => {
                out.write_str(part)?;
                continue;
            }
        };
        out.write_str(rest.as_str())?;
        out.write_str(entity)?;
    }
    Ok(())
}

/// The icon `name` of the sprite, beside a text that says the same. A misspelt name fails the page.
fn icon(name: &str) -> Result<Shown, minijinja::Error> {
    if !ICONS.contains(&format!("id=\"i-{name}\"")) {
        let missing = format!("no icon is called {name}");
        return Err(minijinja::Error::new(ErrorKind::InvalidOperation, missing));
    }
    Ok(Shown::from_safe_string(format!(
        "<svg class=\"icon\" aria-hidden=\"true\"><use href=\"#i-{name}\"/></svg>"
    )))
}

/// JSON as templates take it.
fn shown(json: &Value) -> Shown {
    match json {
        Value::Null => Shown::from(()),
        Value::Bool(yes) => Shown::from(*yes),
        Value::Number(number) => match number.as_i64() {
            Some(whole) => Shown::from(whole),
            None => Shown::from(number.as_f64().unwrap_or_default()),
        },
        Value::String(text) => Shown::from(text),
        Value::Array(items) => items.iter().map(shown).collect(),
        Value::Object(map) => Shown::from_pairs(map.iter().map(|(key, value)| (key, shown(value)))),
    }
}

fn respond(status: StatusCode, html: String, context: &Value) -> Response {
    let mut response =
        Response::builder().status(status).content_type("text/html; charset=utf-8").body(html);
    let headers = response.headers_mut();
    guard(headers);
    // A guest's browser may go back to a page without loading it again.
    if context.get("viewer").is_none_or(Value::is_null) {
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    }
    for (name, value) in
        [(header::CONTENT_SECURITY_POLICY, policy(context)), (header::LINK, statics::preload())]
    {
        if let Ok(value) = HeaderValue::try_from(value) {
            headers.insert(name, value);
        }
    }
    response
}

/// The headers of every answer of the pages, redirects included. What a page says differs by who
/// is asking, so it is kept by nobody.
pub(super) fn guard(headers: &mut HeaderMap) {
    for (name, value) in [
        (header::CACHE_CONTROL, "private, no-store"),
        (header::VARY, "Cookie, Authorization"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        // Addresses of unlisted pictures, setup and delete links stay on this site.
        (header::REFERRER_POLICY, "same-origin"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("permissions-policy"), "camera=(), geolocation=(), microphone=()"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
}

/// What the page may load: its own scripts and styles, and pictures from where the site hands
/// them out, which may be another of the site's names than the one that was visited.
fn policy(context: &Value) -> String {
    let mut origins = BTreeSet::new();
    gather_origins(context, &mut origins);
    let pictures = origins.into_iter().fold(String::new(), |all, origin| all + " " + &origin);
    format!(
        "default-src 'none'; img-src 'self' data: blob:{pictures}; \
         media-src 'self'{pictures}; script-src 'self'; \
         style-src 'self'; connect-src 'self'; manifest-src 'self'; form-action 'self'; \
         base-uri 'none'; frame-ancestors 'none'"
    )
}

fn gather_origins(value: &Value, origins: &mut BTreeSet<String>) {
    match value {
        Value::Object(map) => {
            let urls = map.get("urls").and_then(Value::as_object);
            // The cover of an album has its picture in a field of that name.
            let urls = urls.into_iter().flat_map(|urls| urls.values()).chain(map.get("thumb"));
            for url in urls.filter_map(Value::as_str) {
                if let Ok(origin @ Origin::Tuple(..)) = Url::parse(url).map(|url| url.origin()) {
                    origins.insert(origin.ascii_serialization());
                }
            }
            map.values().for_each(|inner| gather_origins(inner, origins));
        }
        Value::Array(items) => items.iter().for_each(|inner| gather_origins(inner, origins)),
        _ => {}
    }
}

/// Answers what no page answered, such as a method that a path does not have.
pub(super) async fn bare_problem(error: Error) -> Response {
    let status = error.status();
    let mut response = Response::builder()
        .status(status)
        .content_type("text/plain; charset=utf-8")
        .body(status.canonical_reason().unwrap_or("Problem"));
    guard(response.headers_mut());
    response
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn pictures_may_come_from_where_the_site_hands_them_out_and_nowhere_else() {
        let context = json!({ "page": { "media": { "urls": {
            "thumb": "https://pictures.example:8443/f/a/b.jpg", "view": "javascript:x",
            "medium": "https://pictures.example:8443/f/a/c.jpg", "original": "data:,; script-src *",
        } }, "description": "https://evil.example/" } });
        let policy = policy(&context);
        assert!(policy.contains("img-src 'self' data: blob: https://pictures.example:8443;"));
        assert!(!policy.contains("evil") && !policy.contains("script-src *"));
    }

    #[test]
    fn every_template_compiles() {
        let environment = environment();
        for name in Templates::iter() {
            environment.get_template(&name).unwrap();
        }
    }

    #[test]
    fn what_a_visitor_wrote_is_escaped() {
        let mut environment = environment();
        environment.add_template("x.html", "<p title=\"{{ a }}\">").unwrap();
        let html = environment.get_template("x.html").unwrap();
        let html = html.render(shown(&json!({ "a": "/'\"><b>&amp;é" }))).unwrap();
        assert_eq!(html, "<p title=\"/&#39;&quot;&gt;&lt;b&gt;&amp;amp;é\">");
    }
}
