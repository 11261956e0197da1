//! SVG files: a plain drawing, and what attackers put into others.

use super::{BLUE, GREEN, RED, SECRET, YELLOW};

fn fill([r, g, b]: [u8; 3]) -> String {
    format!("rgb({r},{g},{b})")
}

/// A drawing of this size around its parts.
pub(crate) fn svg_of(size: (u32, u32), parts: &str) -> Vec<u8> {
    let (width, height) = size;
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" xmlns:xlink=\"http://www.w3.org/1999/xlink\" \
         width=\"{width}\" height=\"{height}\" viewBox=\"0 0 4 4\" preserveAspectRatio=\"none\">\
         {parts}</svg>"
    )
    .into_bytes()
}

/// Red and green above, blue and yellow below.
fn quarters() -> String {
    let rect = |x: u8, y: u8, color| {
        format!("<rect x=\"{x}\" y=\"{y}\" width=\"2\" height=\"2\" fill=\"{}\"/>", fill(color))
    };
    [rect(0, 0, RED), rect(2, 0, GREEN), rect(0, 2, BLUE), rect(2, 2, YELLOW)].concat()
}

/// Four quarters, and the secret place wherever programs leave such things.
pub(crate) fn svg() -> Vec<u8> {
    let secret = String::from_utf8_lossy(SECRET);
    let told = format!("<!-- {secret} --><metadata>{secret}</metadata><?tool {secret}?>");
    svg_of((600, 450), &format!("{told}{}", quarters()))
}

/// Four quarters, and one thing that a drawing must not do.
#[cfg(feature = "svg")]
pub(crate) fn svgs_that_do_harm() -> Vec<(&'static str, Vec<u8>)> {
    let with = |parts: &str| svg_of((600, 450), &format!("{}{parts}", quarters()));
    let before = |prolog: &str| [prolog.as_bytes(), &svg_of((600, 450), &quarters())].concat();
    let laughs: String = (1..10)
        .map(|n| format!("<!ENTITY l{n} '{}'>", format!("&l{};", n - 1).repeat(10)))
        .collect();
    vec![
        ("script", with("<script>fetch('//evil.example')</script>")),
        ("script elsewhere", with("<script xlink:href='//evil.example/a.js'/>")),
        ("onload", with("<g onload='alert(1)' onclick='alert(2)'/>")),
        ("link", with("<a xlink:href='javascript:alert(1)'><g/></a>")),
        ("use of elsewhere", with("<use xlink:href='http://evil.example/a.svg#b'/>")),
        ("picture elsewhere", with("<image href='http://evil.example/a.png' width='4'/>")),
        ("file", with("<image href='/etc/passwd' width='4' height='4'/>")),
        (
            "foreign",
            with(
                "<foreignObject><iframe xmlns='http://www.w3.org/1999/xhtml' src='x'/></foreignObject>",
            ),
        ),
        ("import", with("<style>@import url(http://evil.example/a.css);</style>")),
        ("url", with("<style>rect{fill:url(http://evil.example/#a)}</style>")),
        ("escaped url", with("<g style='fill:u\\72l(http://evil.example/#a)'/>")),
        ("animation", with("<a><animate attributeName='href' values='javascript:alert(1)'/></a>")),
        (
            "style sheet",
            before("<?xml version='1.0'?><?xml-stylesheet href='http://evil.example/a.css'?>"),
        ),
        ("outer entity", before("<!DOCTYPE svg [<!ENTITY x SYSTEM 'file:///etc/passwd'>]>")),
        (
            "laughs",
            [
                format!("<!DOCTYPE svg [<!ENTITY l0 'ha'>{laughs}]>").as_bytes(),
                &with("<text>&l9;</text>"),
            ]
            .concat(),
        ),
        (
            "wide filter",
            with(
                "<filter id='f' x='-1e6' y='-1e6' width='1e7' height='1e7'><feGaussianBlur stdDeviation='1e6'/></filter><g filter='url(#f)'/>",
            ),
        ),
    ]
}

/// Nineteen times ten of the same, one inside the other.
#[cfg(feature = "svg")]
pub(crate) fn svg_bomb() -> Vec<u8> {
    let level =
        |n: u32| format!("<g id='g{}'>{}</g>", n + 1, format!("<use href='#g{n}'/>").repeat(10));
    let levels: String = (0..19).map(level).collect();
    svg_of(
        (600, 450),
        &format!("<defs><path id='g0' d='M0 0h1v1z'/>{levels}</defs><use href='#g19'/>"),
    )
}

/// A drawing that is packed, by its first bytes.
pub(crate) fn svgz() -> Vec<u8> {
    b"\x1f\x8b\x08\0\0\0\0\0\0\x03".to_vec()
}
