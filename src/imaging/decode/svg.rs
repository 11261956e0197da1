//! SVG to pixels, with resvg. It sees a cleaned drawing, opens no file but fonts, and fetches
//! nothing.

use std::path::Path;

use image::{DynamicImage, RgbaImage};
use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg::{ImageHrefResolver, Options, Tree};

use super::super::Error;
use super::super::facts::Probe;
use super::other_size;

pub(super) fn decode(path: &Path, probe: &Probe) -> Result<DynamicImage, Error> {
    let text = probe.parts().read(path)?;
    let mut options = Options {
        image_href_resolver: ImageHrefResolver {
            resolve_data: ImageHrefResolver::default_data_resolver(),
            resolve_string: Box::new(|_, _| None),
        },
        ..Options::default()
    };
    // Looking for fonts takes a while. Where there are none, text is not drawn.
    if text.windows(5).any(|word| word == b"<text") {
        options.fontdb_mut().load_system_fonts();
    }
    let tree = Tree::from_data(&text, &options).map_err(|cause| {
        tracing::debug!(%cause, "an SVG could not be drawn");
        Error::damaged("it cannot be decoded")
    })?;
    drop(text);
    let mut canvas = Pixmap::new(probe.width, probe.height).ok_or_else(other_size)?;
    let across = probe.width as f32 / tree.size().width();
    let down = probe.height as f32 / tree.size().height();
    resvg::render(&tree, Transform::from_scale(across, down), &mut canvas.as_mut());
    let pixels = canvas.take_demultiplied();
    let image = RgbaImage::from_raw(probe.width, probe.height, pixels);
    image.map(DynamicImage::from).ok_or_else(other_size)
}
