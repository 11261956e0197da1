//! Pages of a list over HTTP: `Link` headers (RFC 8288) beside the cursors in the body.

use crate::base::page::Page;

/// The value of the `Link` header for a page of the list at `path`, whose other parameters are
/// `query` (already encoded, without cursors). `None` for a list of a single page.
pub fn link_header<T>(page: &Page<T>, path: &str, query: &str) -> Option<String> {
    let and = if query.is_empty() { "" } else { "&" };
    let link = |rel: &str, parameter: &str, cursor: String| {
        format!("<{path}?{query}{and}{parameter}={cursor}>; rel=\"{rel}\"")
    };
    let next = page.next.map(|c| link("next", "after", c.encode()));
    let prev = page.prev.map(|c| link("prev", "before", c.encode()));
    let links: Vec<String> = next.into_iter().chain(prev).collect();
    (!links.is_empty()).then(|| links.join(", "))
}
