//! How values of the API read to people: sizes, times, exposures. It changes no value.

use super::placeholder;
use jiff::Timestamp;
use minijinja::{Environment, Value};

pub(super) fn add_to(environment: &mut Environment<'static>) {
    environment.add_filter("bytes", bytes);
    environment.add_filter("pixels", pixels);
    environment.add_filter("date", |time: &str| moment(time, "%-d %B %Y"));
    environment.add_filter("moment", |time: &str| moment(time, "%-d %B %Y, %H:%M UTC"));
    environment.add_filter("format_name", format_name);
    environment.add_filter("shutter", shutter);
    environment.add_filter("tidy", tidy);
    environment.add_filter("excerpt", excerpt);
    environment.add_filter("length", length);
    environment.add_filter("codec", codec);
    environment.add_filter("bit_rate", bit_rate);
    environment.add_filter("placeholder", placeholder::data_uri);
}

/// Bytes in decimal units, as disks and file managers count them: `2.7 MB`.
fn bytes(count: f64) -> String {
    let mut size = count.max(0.0);
    let mut units = ["bytes", "kB", "MB", "GB"].into_iter();
    let mut unit = "TB";
    for next in units.by_ref() {
        unit = next;
        if size < 999.5 {
            break;
        }
        size /= 1000.0;
        unit = "TB";
    }
    match unit {
        "bytes" => format!("{size:.0} bytes"),
        _ if size < 9.95 => format!("{size:.1} {unit}"),
        _ => format!("{size:.0} {unit}"),
    }
}

/// Pixels in megapixels: `12 MP`.
fn pixels(width: f64, height: f64) -> String {
    let mega = width.max(0.0) * height.max(0.0) / 1e6;
    if mega < 9.95 { format!("{mega:.1} MP") } else { format!("{mega:.0} MP") }
}

/// A time of the API (RFC 3339) in the given form; the text itself where it is not one.
fn moment(time: &str, form: &str) -> String {
    time.parse::<Timestamp>().map_or_else(|_| time.to_owned(), |t| t.strftime(form).to_string())
}

/// `image/jpeg` as `JPEG`.
fn format_name(mime: &str) -> String {
    let name = mime.rsplit(['/', '+']).next().unwrap_or(mime);
    match name {
        "webp" => "WebP".to_owned(),
        "mpeg" if mime == "audio/mpeg" => "MP3".to_owned(),
        "mp4" if mime == "audio/mp4" => "M4A".to_owned(),
        "quicktime" => "QuickTime".to_owned(),
        "webm" => "WebM".to_owned(),
        "matroska" => "Matroska".to_owned(),
        "3gpp" => "3GP".to_owned(),
        "ogg" => "Ogg".to_owned(),
        "xml" if mime.ends_with("svg+xml") => "SVG".to_owned(),
        name => name.trim_start_matches("x-").to_uppercase(),
    }
}

/// How long something plays, in milliseconds, as players show it: `3:25`, `1:02:03`.
fn length(ms: f64) -> String {
    let s = (ms.max(0.0) / 1000.0).round() as u64;
    let (h, m, s) = (s / 3600, s / 60 % 60, s % 60);
    if h > 0 { format!("{h}:{m:02}:{s:02}") } else { format!("{m}:{s:02}") }
}

/// `h264` as `H.264`.
fn codec(name: &str) -> String {
    match name {
        "h264" => "H.264".to_owned(),
        "hevc" => "H.265".to_owned(),
        "opus" | "vorbis" => format!("{}{}", name[..1].to_uppercase(), &name[1..]),
        "eac3" => "E-AC-3".to_owned(),
        "ac3" => "AC-3".to_owned(),
        "mpeg4" => "MPEG-4".to_owned(),
        name => name.to_uppercase(),
    }
}

/// Bits in a second: `4.2 Mbit/s`.
fn bit_rate(bits: f64) -> String {
    if bits < 999_500.0 {
        return format!("{:.0} kbit/s", bits / 1e3);
    }
    format!("{:.1} Mbit/s", bits / 1e6)
}

/// Exposure in seconds as photographers write it: `0.004` is `1/250 s`. Text stays text.
fn shutter(time: &Value) -> String {
    let Ok(seconds) = f64::try_from(time.clone()) else {
        let text = time.to_string();
        return if text.ends_with('s') { text } else { format!("{text} s") };
    };
    if seconds > 0.0 && seconds < 0.4 {
        format!("1/{:.0} s", 1.0 / seconds)
    } else {
        format!("{} s", tidy(time))
    }
}

/// The beginning of a text on one line, for where only some of it is shown.
fn excerpt(text: &str) -> String {
    const LENGTH: usize = 200;
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(LENGTH) {
        Some((end, _)) => format!("{}…", line[..end].trim_end()),
        None => line,
    }
}

/// A number without the tail that binary fractions leave: `2.8`, not `2.799999`. Text stays text.
fn tidy(number: &Value) -> String {
    match f64::try_from(number.clone()) {
        Ok(number) => {
            let text = format!("{number:.2}");
            text.trim_end_matches('0').trim_end_matches('.').to_owned()
        }
        Err(_) => number.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_read_well() {
        for (count, text) in [
            (0.0, "0 bytes"),
            (999.0, "999 bytes"),
            (1000.0, "1.0 kB"),
            (999_999.0, "1.0 MB"),
            (2_671_234.0, "2.7 MB"),
            (52_428_800.0, "52 MB"),
            (3e12, "3.0 TB"),
            (-5.0, "0 bytes"),
        ] {
            assert_eq!(bytes(count), text);
        }
    }

    #[test]
    fn an_excerpt_ends_between_characters() {
        assert_eq!(excerpt(" two\n lines "), "two lines");
        assert_eq!(excerpt(&"é".repeat(300)).chars().count(), 201);
    }

    #[test]
    fn times_read_well_and_never_fail() {
        assert_eq!(moment("2026-01-31T09:30:00.000Z", "%-d %B %Y"), "31 January 2026");
        assert_eq!(moment("yesterday", "%Y"), "yesterday");
    }

    #[test]
    fn films_read_well() {
        assert_eq!(
            ["0:00", "0:10", "1:02:03"],
            [0.0, 9_981.0, 3_723_000.0].map(length).each_ref().map(|t| &**t)
        );
        assert_eq!(
            (codec("h264"), codec("opus"), codec("aac")),
            ("H.264".into(), "Opus".into(), "AAC".into())
        );
        assert_eq!(
            (bit_rate(128_000.0), bit_rate(4_180_000.0)),
            ("128 kbit/s".into(), "4.2 Mbit/s".into())
        );
        assert_eq!(
            (format_name("audio/mpeg"), format_name("video/mp4")),
            ("MP3".into(), "MP4".into())
        );
    }

    #[test]
    fn cameras_read_well() {
        assert_eq!(shutter(&Value::from(0.004)), "1/250 s");
        assert_eq!(shutter(&Value::from(2)), "2 s");
        assert_eq!(shutter(&Value::from("1/60")), "1/60 s");
        assert_eq!(tidy(&Value::from(2.799_999)), "2.8");
        assert_eq!(tidy(&Value::from(50)), "50");
        assert_eq!(format_name("image/jpeg"), "JPEG");
        assert_eq!(format_name("image/svg+xml"), "SVG");
        assert_eq!(pixels(4000.0, 3000.0), "12 MP");
    }
}
