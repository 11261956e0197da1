//! What gets through and what does not, in the order of an attacker's notes.

use super::*;

fn cleaned_text(inside: &str) -> String {
    let text = format!(r#"<svg xmlns="{SVG}" xmlns:xlink="{XLINK}">{inside}</svg>"#);
    let drawing = clean(text.as_bytes()).unwrap_or_else(|error| panic!("{inside}: {error}"));
    assert_eq!(clean(drawing.text.as_bytes()).unwrap().text, drawing.text, "{inside}");
    let head = format!(r#"<svg xmlns="{SVG}">"#);
    drawing.text.strip_prefix(&head).unwrap().strip_suffix("</svg>").unwrap().to_owned()
}

fn damaged(text: &str) {
    assert!(matches!(clean(text.as_bytes()), Err(Error::Damaged(_))), "{text:.80}");
}

#[test]
fn what_draws_stays_as_it_is() {
    for kept in [
        r##"<g id="a" fill="url(#b)" transform="rotate(5, 1 2) scale (2)"><path d="M0 0L1 1"></path></g>"##,
        r##"<use href="#a" x="5"></use><text x="1">a &lt;b&gt; &amp; c <tspan>d</tspan></text>"##,
        r##"<image href="data:image/png;base64,AAAA" width="1"></image>"##,
        r##"<style>.a &gt; b,#c{fill:#fff;stroke:url(#d)}</style>"##,
        r##"<rect style="fill:rgb(1,2,3);opacity:.5" class="x y"></rect>"##,
        r##"<filter id="f"><feGaussianBlur stdDeviation="3"></feGaussianBlur></filter>"##,
    ] {
        assert_eq!(cleaned_text(kept), kept);
    }
}

#[test]
fn what_does_more_is_left_out() {
    for (given, kept) in [
        ("<script>alert(1)</script>", ""),
        ("<script href='data:,x'/><g/>", "<g></g>"),
        ("<x:script xmlns:x='http://www.w3.org/2000/svg'>1</x:script>", ""),
        ("<g xmlns='http://www.w3.org/1999/xhtml'><b/></g>", ""),
        ("<g onload='alert(1)' onclick='x' OnLoad='y'/>", "<g></g>"),
        ("<foreignObject><body xmlns='http://www.w3.org/1999/xhtml'/></foreignObject>", ""),
        ("<a xlink:href='javascript:alert(1)'><g/></a>", "<g></g>"),
        ("<use xlink:href='javascript:alert(1)'/>", "<use></use>"),
        ("<use href='http://evil.example/a.svg#x'/>", "<use></use>"),
        ("<use xlink:href='#x'/>", "<use href=\"#x\"></use>"),
        ("<use xlink:href='#x' href='http://e'/>", "<use href=\"#x\"></use>"),
        ("<image href='//evil.example/a.png'/>", "<image></image>"),
        ("<image href='file:///etc/passwd'/>", "<image></image>"),
        ("<image href='data:image/svg+xml;base64,AAAA'/>", "<image></image>"),
        ("<image href='data:text/html,x'/>", "<image></image>"),
        ("<g href='data:image/png;base64,AAAA'/>", "<g></g>"),
        ("<g fill='url(http://evil.example/#a)'/>", "<g></g>"),
        ("<g fill='URL( \"//evil.example\" )'/>", "<g></g>"),
        ("<g fill='u&#92;72l(http://evil.example)'/>", "<g></g>"),
        ("<g fill='url/**/(http://evil.example)'/>", "<g></g>"),
        ("<g filter='url(#a) url(x.svg#b)'/>", "<g></g>"),
        (
            "<g style='fill:red;background:url(http://e);mask:url(x)'/>",
            "<g style=\"fill:red\"></g>",
        ),
        ("<g style='f\\69ll:red'/>", "<g></g>"),
        ("<g style=\"font-family:'a;fill:url(http://e);b:'\"/>", "<g></g>"),
        ("<style>@import 'http://e'; g{fill:red}</style>", "<style>g{fill:red}</style>"),
        ("<style>@import url(http://e);</style>", "<style></style>"),
        (
            "<style>@font-face{font-family:a;src:url(e)} b{color:red}</style>",
            "<style>b{color:red}</style>",
        ),
        ("<style>@media all{g{fill:red}}g{fill:blue}</style>", "<style>g{fill:blue}</style>"),
        (
            "<style>g{fill:red}a[href^='x']{fill:url(http://e)}</style>",
            "<style>g{fill:red}</style>",
        ),
        ("<style><![CDATA[g{fill:red}/*}*/ @import 'e';]]></style>", "<style>g{fill:red}</style>"),
        ("<style><g/>g{fill:red}</style>", "<style>g{fill:red}</style>"),
        ("<animate attributeName='href' to='javascript:x'/>", ""),
        ("<set attributeName='onload' to='x'/>", ""),
        ("<metadata>SECRET</metadata><!-- SECRET --><?php SECRET ?>", ""),
        ("<iframe src='x'/><audio/><video/><embed/><handler/>", ""),
        ("<text>&secret;&#1;&lt;script&gt;</text>", "<text>&lt;script&gt;</text>"),
        ("<g id='&secret;' data-x='1' xml:base='http://e'/>", "<g></g>"),
        ("<title><g/>a</title>b", "<title><g></g>a</title>"),
    ] {
        assert_eq!(cleaned_text(given), kept, "{given}");
    }
}

#[test]
fn only_drawings_are_drawings() {
    for other in ["<html><svg/></html>", "<!doctype html><svg:x/>", "<?xml version='1.0'?><rss/>"] {
        assert!(matches!(clean(other.as_bytes()), Err(Error::Unknown)), "{other}");
    }
    for torn in ["<svg>", "<svg><g></svg>", "<svg", "", "<svg><g x=1/></svg>", "<svg width='0'/>"] {
        damaged(torn);
    }
    assert!(matches!(clean(b"\xff\xfe<\0s\0v\0g\0"), Err(Error::Damaged(_))));
    let packed =
        "<?xml-stylesheet href='http://e'?><!DOCTYPE svg [<!ENTITY a 'b'>]><svg>&a;</svg><g>";
    assert_eq!(clean(packed.as_bytes()).unwrap().text, format!(r#"<svg xmlns="{SVG}"></svg>"#));
}

#[test]
fn bounds_hold() {
    let deep = |depth: usize| format!("<svg>{}{}</svg>", "<g>".repeat(depth), "</g>".repeat(depth));
    assert!(clean(deep(MAX_DEPTH - 1).as_bytes()).is_ok());
    damaged(&deep(MAX_DEPTH));
    damaged(&deep(100_000));
    damaged(&format!("<svg>{}</svg>", "<g/>".repeat(MAX_ELEMENTS)));
    damaged(&format!("<svg>{}</svg>", "<feTile/>".repeat(MAX_FILTERS + 1)));
    let many: String = (0..=MAX_ATTRIBUTES).map(|n| format!(" a{n}='1'")).collect();
    damaged(&format!("<svg><g{many}/></svg>"));
    let spaces: String = (0..90).map(|n| format!(" xmlns:a{n}='x'")).collect();
    damaged(&format!("<svg><g{spaces}><g{spaces}><g{spaces}/></g></g></svg>"));
    let dropped = format!("<svg>{}{}</svg>", "<b>".repeat(10_000), "</b>".repeat(10_000));
    assert!(clean(dropped.as_bytes()).is_ok());
}
