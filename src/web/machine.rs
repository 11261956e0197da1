//! What is there for programs that come by a page: how to show it elsewhere.

use super::{
    api_client::Refusal,
    visit::{Outcome, Visit},
};
use poem::{
    Response,
    http::{StatusCode, header},
};
use serde_json::Value;

/// `/oembed`: the API's answer, as JSON or as XML (oembed.com, 2.3).
pub(super) async fn oembed(visit: Visit) -> Outcome {
    let format = visit.query("format").unwrap_or_default();
    if !matches!(&*format, "" | "json" | "xml") {
        return Err(Refusal::new(StatusCode::NOT_IMPLEMENTED, "There are `json` and `xml`."));
    }
    let query = visit.carried(&["url", "maxwidth", "maxheight"]);
    let told = match visit.get(&format!("/oembed?{query}")).await {
        Ok(told) => told,
        Err(refusal) => return Ok(plain(refusal.status, "text/plain", refusal.detail())),
    };
    Ok(match format == "xml" {
        true => plain(StatusCode::OK, "text/xml", &xml(&told)),
        false => plain(StatusCode::OK, "application/json", &told.to_string()),
    })
}

fn plain(status: StatusCode, media_type: &str, body: &str) -> Response {
    Response::builder()
        .status(status)
        .content_type(format!("{media_type}; charset=utf-8"))
        .header(header::CACHE_CONTROL, "private, no-cache")
        .header(header::X_CONTENT_TYPE_OPTIONS, "nosniff")
        .body(body.to_owned())
}

fn xml(told: &Value) -> String {
    let fields = told.as_object().into_iter().flatten().filter(|(_, value)| !value.is_null());
    let fields = fields.map(|(name, value)| {
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        format!("<{name}>{}</{name}>", quick_xml::escape::escape(&*text))
    });
    let head = "<?xml version=\"1.0\" encoding=\"utf-8\" standalone=\"yes\"?>";
    format!("{head}<oembed>{}</oembed>", fields.collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn xml_holds_what_json_holds_and_no_more() {
        let told = json!({ "title": "a < b & c", "width": 9, "html": null });
        let text = xml(&told);
        assert!(text.contains("<title>a &lt; b &amp; c</title>"), "{text}");
        assert!(text.contains("<width>9</width>") && !text.contains("html"), "{text}");
    }
}
