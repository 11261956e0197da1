//! Embed codes: the ways to put an item into somebody else's page.

use super::{Kind, Media, Role, poster, view_av};
use crate::{imaging::Format, site::Links};

/// One code, ready to be copied.
#[derive(Debug, PartialEq, Eq)]
pub struct Embed {
    pub name: &'static str,
    pub label: &'static str,
    pub group: &'static str,
    pub code: String,
}

/// All codes of an item, grouped by where they are used.
pub fn codes(media: &Media, links: &Links) -> Vec<Embed> {
    let view = links.to(&media.page_path());
    let original = links.to(&media.file_path(&media.file));
    let of = |name| {
        media.variant(name).map_or(original.clone(), |v| links.to(&media.file_path(&v.file)))
    };
    let (medium, thumb) = (of("medium"), of("thumb"));
    let largest = if shows_original(media) { &original } else { &medium };
    let title = title(media);
    let html = |image: &str| picture(image, title);
    let linked_html = |image: &str| format!("<a href=\"{view}\">{}</a>", html(image));
    let markdown = |image: &str| format!("![{}]({image})", escape_markdown(title));
    let linked_markdown = |image: &str| format!("[{}]({view})", markdown(image));
    let bbcode = |image: &str| format!("[img]{image}[/img]");
    let linked_bbcode = |image: &str| format!("[url={view}]{}[/url]", bbcode(image));
    let embed = |name, label, group, code| Embed { name, label, group, code };
    vec![
        embed("viewer_link", "Viewer link", "Links", view.clone()),
        embed("direct_link", "Direct link", "Links", original.clone()),
        embed("medium_link", "Medium link", "Links", medium.clone()),
        embed("thumb_link", "Thumbnail link", "Links", thumb.clone()),
        embed("html_original", "Original", "HTML", whole(media, links)),
        embed("html_medium_linked", "Medium, linked", "HTML", linked_html(&medium)),
        embed("html_thumb_linked", "Thumbnail, linked", "HTML", linked_html(&thumb)),
        embed("markdown_original", "Original", "Markdown", markdown(largest)),
        embed("markdown_medium_linked", "Medium, linked", "Markdown", linked_markdown(&medium)),
        embed("markdown_thumb_linked", "Thumbnail, linked", "Markdown", linked_markdown(&thumb)),
        embed("bbcode_original", "Original", "BBCode", bbcode(largest)),
        embed("bbcode_medium_linked", "Medium, linked", "BBCode", linked_bbcode(&medium)),
        embed("bbcode_thumb_linked", "Thumbnail, linked", "BBCode", linked_bbcode(&thumb)),
    ]
}

/// Whether a page may show the original itself: not every browser shows every kind of file.
pub(super) fn shows_original(media: &Media) -> bool {
    let is_shown = Format::from_mime(&media.mime).is_none_or(Format::is_shown_everywhere);
    is_shown && media.kind == Kind::Image
}

/// The item itself as HTML: the picture, or a player.
pub(super) fn whole(media: &Media, links: &Links) -> String {
    let medium = media.variant("medium").filter(|_| !shows_original(media));
    let file = medium.map_or(&media.file, |variant| &variant.file);
    match media.kind {
        Kind::Image => picture(&links.to(&media.file_path(file)), title(media)),
        kind => player(media, kind, links, &escape_html(title(media))),
    }
}

fn title(media: &Media) -> &str {
    media.title.as_deref().unwrap_or(&media.filename)
}

fn picture(image: &str, title: &str) -> String {
    format!("<img src=\"{image}\" alt=\"{}\">", escape_html(title))
}

/// A player for a film or a recording, with an encoding that every browser plays where there is one.
fn player(media: &Media, kind: Kind, links: &Links, title: &str) -> String {
    let at = |file: &str| links.to(&media.file_path(file));
    let made = media.variant(view_av::MP4).filter(|variant| variant.role == Role::Rendition);
    let source = made.map_or(at(&media.file), |variant| at(&variant.file));
    let start = format!("controls preload=\"metadata\" src=\"{source}\" title=\"{title}\"");
    if kind == Kind::Audio {
        return format!("<audio {start}></audio>");
    }
    let (width, height) = (media.width, media.height);
    let poster = media.variant(poster::NAME).map_or_else(String::new, |v| at(&v.file));
    format!(
        "<video {start} playsinline poster=\"{poster}\" width=\"{width}\" \
         height=\"{height}\"></video>"
    )
}

fn escape_html(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            c => safe.push(c),
        }
    }
    safe
}

fn escape_markdown(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        if matches!(c, '\\' | '[' | ']' | '`' | '*' | '_' | '<' | '>' | '!' | '(' | ')') {
            safe.push('\\');
        }
        safe.push(c);
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_cannot_leave_its_place() {
        assert_eq!(escape_html("\"><script>"), "&quot;&gt;&lt;script&gt;");
        assert_eq!(escape_markdown("](x)"), "\\]\\(x\\)");
    }
}
