//! Playlists of HLS (RFC 8216), as text: one for each quality, one that lists the qualities, and the
//! same with signatures where somebody has nothing but a signed address.

use crate::av::{HLS_CODECS, PIECES, Size};
use std::fmt::Write;

/// The media type of a playlist.
pub(super) const MIME: &str = "application/vnd.apple.mpegurl";

/// The largest playlist that is ever read, in bytes: days of film.
pub(super) const LARGEST: u64 = 8 * 1024 * 1024;

/// One quality.
pub(super) struct Rung {
    pub file: String,
    pub size: Size,
    /// In a second, on average.
    pub bits: u64,
}

/// The playlist of one quality, with the name that its pieces have in the end.
pub(super) fn rung(list: &str, pieces: &str) -> String {
    list.replace(PIECES, pieces)
}

/// The playlist of all qualities, the largest last: most players begin with the first.
pub(super) fn master(rungs: &[Rung], has_sound: bool) -> String {
    let codecs = if has_sound { HLS_CODECS.join(",") } else { HLS_CODECS[0].to_owned() };
    let mut text = String::from("#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-INDEPENDENT-SEGMENTS\n");
    for rung in rungs {
        let Size { width, height } = rung.size;
        // What a moment may take is more than the average.
        let (peak, bits) = (rung.bits.saturating_mul(2), rung.bits);
        let _ = write!(
            text,
            "#EXT-X-STREAM-INF:BANDWIDTH={peak},AVERAGE-BANDWIDTH={bits},\
             RESOLUTION={width}x{height},CODECS=\"{codecs}\"\n{}\n",
            rung.file
        );
    }
    text
}

/// A playlist in which every file has the address that `sign` gives it.
pub(super) fn signed(list: &str, sign: impl Fn(&str) -> String) -> String {
    let mut text = String::with_capacity(list.len() * 2);
    for line in list.lines() {
        match line.split_once("URI=\"") {
            Some((front, rest)) if line.starts_with('#') => match rest.split_once('"') {
                Some((file, end)) => {
                    let _ = writeln!(text, "{front}URI=\"{}\"{end}", sign(file));
                }
                None => text.extend([line, "\n"]),
            },
            None if !line.is_empty() && !line.starts_with('#') => text.extend([&*sign(line), "\n"]),
            _ => text.extend([line, "\n"]),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_in_a_playlist_is_signed_and_nothing_else_is() {
        let list = "#EXTM3U\n#EXT-X-MAP:URI=\"piece.mp4\",BYTERANGE=\"9@0\"\n#EXTINF:4.0,\n\
                    #EXT-X-BYTERANGE:99@9\npiece.mp4\n";
        let list = rung(list, "a.hls_240_pieces-1.mp4");
        let text = signed(&list, |file| format!("{file}?s=1"));
        assert_eq!(
            text,
            "#EXTM3U\n#EXT-X-MAP:URI=\"a.hls_240_pieces-1.mp4?s=1\",BYTERANGE=\"9@0\"\n\
             #EXTINF:4.0,\n#EXT-X-BYTERANGE:99@9\na.hls_240_pieces-1.mp4?s=1\n"
        );
    }

    #[test]
    fn qualities_are_listed_with_what_they_take() {
        let size = Size { width: 426, height: 240 };
        let rungs = [Rung { file: "a.m3u8".to_owned(), size, bits: 300_000 }];
        let text = master(&rungs, false);
        assert!(text.ends_with(
            "#EXT-X-STREAM-INF:BANDWIDTH=600000,AVERAGE-BANDWIDTH=300000,RESOLUTION=426x240,\
             CODECS=\"avc1.4d4032\"\na.m3u8\n"
        ));
        assert!(master(&rungs, true).contains("avc1.4d4032,mp4a.40.2"));
    }
}
