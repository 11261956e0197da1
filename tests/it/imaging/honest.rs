//! Every kind of picture that is taken as it is. Holds no test.

use vitrina::imaging::Format;

use crate::kit::pictures as p;

/// Every kind of honest picture: a name, its bytes, its format and its upright size.
pub(super) type Honest = (&'static str, Vec<u8>, Format, (u32, u32));

pub(super) fn honest() -> Vec<Honest> {
    use Format::*;
    let mut all = vec![
        ("photo", p::photo_jpeg(300, 200, 1), Jpeg, (300, 200)),
        ("camera", p::jpeg_with_exif(64, 48, 6, true), Jpeg, (64, 48)),
        ("progressive", p::progressive_jpeg(300, 200), Jpeg, (300, 200)),
        ("inks", p::cmyk_jpeg(64, 48), Jpeg, (64, 48)),
        ("gray", p::gray_jpeg(64, 48), Jpeg, (64, 48)),
        ("png", p::png(64, 48, false), Png, (64, 48)),
        ("png alpha", p::png(64, 48, true), Png, (64, 48)),
        ("png gray", p::png_gray(64, 48), Png, (64, 48)),
        ("png gray alpha", p::png_gray_alpha(64, 48), Png, (64, 48)),
        ("png one bit", p::png_one_bit(64, 48), Png, (64, 48)),
        ("png palette", p::png_palette(64, 48), Png, (64, 48)),
        ("png sixteen", p::png_sixteen_bit(64, 48), Png, (64, 48)),
        ("png turned", p::png_turned(64, 48, 6), Png, (64, 48)),
        ("png text", p::png_with_text(), Png, (64, 48)),
        ("png text bomb", p::png_text_bomb(), Png, (8, 8)),
        ("apng", p::apng(3), Png, (32, 24)),
        ("gif", p::gif(1), Gif, (40, 30)),
        ("gif moving", p::gif(3), Gif, (40, 30)),
        ("gif comments", p::gif_with_comments(), Gif, (40, 30)),
        ("webp", p::webp(64, 48, false), Webp, (64, 48)),
        ("webp alpha", p::webp(64, 48, true), Webp, (64, 48)),
        ("webp lossy", p::webp_lossy(64, 48), Webp, (64, 48)),
        ("webp exif", p::webp_with_exif(64, 48, 6), Webp, (64, 48)),
        ("webp moving", p::animated_webp(3), Webp, (36, 28)),
        ("webp one frame", p::animated_webp(1), Webp, (36, 28)),
        ("bmp", p::bmp(63, 48), Bmp, (63, 48)),
        ("tiff", p::tiff(63, 48, 1), Tiff, (63, 48)),
        ("tiff turned", p::tiff(64, 48, 6), Tiff, (64, 48)),
        ("tiff sixteen", p::tiff_sixteen_bit(63, 48), Tiff, (63, 48)),
        ("tiff inks", p::tiff_cmyk(64, 48), Tiff, (64, 48)),
        ("tiff palette", p::tiff_palette(63, 48), Tiff, (63, 48)),
        ("tiff alpha", p::tiff_alpha(64, 48), Tiff, (64, 48)),
        ("tiff one bit", p::tiff_one_bit(60, 48), Tiff, (60, 48)),
        ("tiff jpeg", p::tiff_jpeg(64, 40), Tiff, (64, 40)),
        ("tiff lzw", p::tiff_lzw(64, 48), Tiff, (64, 48)),
        ("tiff tiles", p::TiffPage::rgb(70, 50, 1).tiled().file(), Tiff, (70, 50)),
        ("tiff planes", p::TiffPage::rgb(64, 48, 1).planar().deflated().file(), Tiff, (64, 48)),
        ("icon", p::ico(), Ico, (48, 48)),
        ("icon of png", p::ico_with_png(), Ico, (64, 64)),
    ];
    if cfg!(feature = "codecs") {
        all.push(("avif", p::avif(), Avif, (64, 48)));
        all.push(("avif turned", p::avif_rotated(), Avif, (48, 64)));
        all.push(("avif exif", p::avif_with_exif(), Avif, (64, 48)));
        all.push(("avif moving", p::avif_animated(), Avif, (64, 48)));
    }
    if cfg!(feature = "heic") {
        all.push(("heic", p::heic(), Heic, (64, 64)));
        all.push(("heic from a telephone", p::heic_from_telephone(), Heic, (64, 96)));
    }
    if cfg!(feature = "jxl") {
        all.push(("jxl", p::jxl(), Jxl, (64, 48)));
        all.push(("jxl turned", p::jxl_turned(6), Jxl, (48, 64)));
        all.push(("jxl exif", p::jxl_with_exif(), Jxl, (64, 48)));
        all.push(("jxl moving", p::jxl_animated(), Jxl, (64, 48)));
    }
    if cfg!(feature = "svg") {
        all.push(("svg", p::svg(), Svg, (600, 450)));
    }
    all
}
