//! What agencies write: IPTC-IIM 4.2, inside the image resources of Photoshop. Reads the texts
//! that people see, and passes over all else.

use super::Metadata;
use super::words::{caption, iso_moment, tags, tidy};

/// More values than any caption has.
const MAX_VALUES: usize = 500;

/// One value of the record about the picture: its number and its bytes.
struct Value<'a>(u8, &'a [u8]);

/// Takes the resources as they stand behind `Photoshop 3.0`, or the values alone, as TIFF has them.
pub(super) fn read(resources: &[u8]) -> Option<Metadata> {
    let is_bare = resources.first() == Some(&0x1c);
    let all = if is_bare { resources } else { resource(resources, 0x0404)? };
    let (values, is_utf8) = values(all);
    let texts = |number: u8| {
        let all = values.iter().filter(move |value| value.0 == number);
        all.map(move |value| text(value.1, is_utf8))
    };
    let first = |number: u8| texts(number).find_map(tidy);
    let keywords: Vec<String> = texts(25).collect();
    Some(Metadata {
        title: first(5).or_else(|| first(105)),
        description: texts(120).find_map(caption),
        tags: tags(keywords.iter().map(String::as_str)),
        artist: first(80),
        copyright: first(116),
        city: first(90),
        country: first(101),
        taken_at: first(55).and_then(|day| moment(&day, first(60).as_deref())),
        ..Metadata::default()
    })
}

/// The body of the first resource with this number.
fn resource(mut rest: &[u8], wanted: u16) -> Option<&[u8]> {
    loop {
        rest = rest.strip_prefix(b"8BIM")?;
        let (number, named) = rest.split_first_chunk::<2>()?;
        // A name with its length before it, filled up to an even number of bytes.
        let name = usize::from(*named.first()?);
        let (size, body) = named.get((name + 2) & !1..)?.split_first_chunk::<4>()?;
        let size = usize::try_from(u32::from_be_bytes(*size)).ok()?;
        let (body, after) = body.split_at_checked(size)?;
        if u16::from_be_bytes(*number) == wanted {
            return Some(body);
        }
        rest = after.get(size % 2..)?;
    }
}

/// The values of the second record, and whether the first says that they are UTF-8.
fn values(mut rest: &[u8]) -> (Vec<Value<'_>>, bool) {
    let mut values = Vec::new();
    let mut is_utf8 = false;
    while let [0x1c, record, number, l1, l0, body @ ..] = rest {
        // Longer values have their length elsewhere; no text that is read here is one.
        let size = usize::from(u16::from_be_bytes([*l1, *l0]));
        let Some((value, after)) = body.split_at_checked(size) else {
            break;
        };
        match record {
            1 if *number == 90 => is_utf8 = value == b"\x1b%G",
            2 if values.len() < MAX_VALUES => values.push(Value(*number, value)),
            _ => {}
        }
        rest = after;
    }
    (values, is_utf8)
}

/// As UTF-8 where it is or claims to be, otherwise as Latin-1.
fn text(bytes: &[u8], is_utf8: bool) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) if is_utf8 => String::from_utf8_lossy(bytes).into_owned(),
        Err(_) => bytes.iter().map(|byte| char::from(*byte)).collect(),
    }
}

/// A day as `20240501` and a time of it as `100000+0200`.
fn moment(day: &str, time: Option<&str>) -> Option<String> {
    let day = jiff::civil::Date::strptime("%Y%m%d", day).ok()?;
    let clock = |time: &str| {
        let (local, offset) = time.split_at_checked(6)?;
        let at = jiff::civil::Time::strptime("%H%M%S", local).ok()?;
        let (hours, minutes) = offset.split_at_checked(3).unwrap_or_default();
        Some(format!("T{}{hours}:{minutes}", at.strftime("%H:%M:%S")))
    };
    let clock = time.and_then(clock).unwrap_or_default();
    iso_moment(&format!("{}{}", day.strftime("%Y-%m-%d"), clock.trim_end_matches(':')))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dataset(record: u8, number: u8, value: &[u8]) -> Vec<u8> {
        let size = (value.len() as u16).to_be_bytes();
        [&[0x1c, record, number], &size[..], value].concat()
    }

    fn resources(iim: &[u8]) -> Vec<u8> {
        let other = b"8BIM\x03\xed\x03abc\0\0\0\x03xyz\0";
        let size = (iim.len() as u32).to_be_bytes();
        [&other[..], b"8BIM\x04\x04\0\0", &size, iim].concat()
    }

    fn told(datasets: &[Vec<u8>]) -> Metadata {
        read(&resources(&datasets.concat())).unwrap()
    }

    #[test]
    fn a_caption_is_read() {
        let found = told(&[
            dataset(2, 0, &[0, 4]),
            dataset(2, 105, b"Second choice"),
            dataset(2, 5, b"A boat"),
            dataset(2, 120, b"A boat\rin the harbour"),
            dataset(2, 25, b"sea"),
            dataset(2, 25, b"boat"),
            dataset(2, 80, b"Ada"),
            dataset(2, 116, b"(c) Ada"),
            dataset(2, 90, b"Lisboa"),
            dataset(2, 101, b"Portugal"),
            dataset(2, 55, b"20240501"),
            dataset(2, 60, b"100000+0200"),
        ]);
        assert_eq!(found.title.as_deref(), Some("A boat"));
        assert_eq!(found.description.as_deref(), Some("A boat in the harbour"));
        assert_eq!(found.tags, ["sea", "boat"]);
        assert_eq!(
            (found.artist.as_deref(), found.copyright.as_deref()),
            (Some("Ada"), Some("(c) Ada"))
        );
        assert_eq!(
            (found.city.as_deref(), found.country.as_deref()),
            (Some("Lisboa"), Some("Portugal"))
        );
        assert_eq!(found.taken_at.as_deref(), Some("2024-05-01T10:00:00+02:00"));
    }

    #[test]
    fn letters_are_read_as_they_were_meant() {
        let title = |datasets: &[Vec<u8>]| told(datasets).title;
        assert_eq!(title(&[dataset(2, 5, "Café".as_bytes())]).as_deref(), Some("Café"));
        assert_eq!(title(&[dataset(2, 5, b"Caf\xe9")]).as_deref(), Some("Café"));
        let claimed = [dataset(1, 90, b"\x1b%G"), dataset(2, 5, b"Caf\xe9")];
        assert_eq!(title(&claimed).as_deref(), Some("Caf\u{fffd}"));
    }

    #[test]
    fn days_come_with_and_without_a_clock() {
        let at = |day, time| moment(day, time);
        assert_eq!(at("19840501", None).as_deref(), Some("1984-05-01T00:00:00"));
        assert_eq!(at("19840501", Some("101112")).as_deref(), Some("1984-05-01T10:11:12"));
        assert_eq!(at("19840501", Some("ééé")).as_deref(), Some("1984-05-01T00:00:00"));
        assert_eq!(at("19841301", None), None);
    }

    #[test]
    fn no_cut_makes_it_stumble() {
        let whole = resources(&[dataset(2, 5, b"A boat"), dataset(2, 25, b"sea")].concat());
        for len in 0..whole.len() {
            let _ = read(&whole[..len]);
        }
        let endless = [&[0x1c, 2, 5, 0xff, 0xff], &b"short"[..]].concat();
        assert_eq!(read(&resources(&endless)), Some(Metadata::default()));
        let many: Vec<u8> = (0..9_000).flat_map(|_| dataset(2, 25, b"x")).collect();
        assert_eq!(told(&[many]).tags, ["x"]);
    }
}
