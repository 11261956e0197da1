//! What a file tells about its content in words, and about who made it, where and when. Nothing of
//! it is trusted: every text is somebody's input.

use jiff::Timestamp;

/// Words longer than this are cut, in characters.
const LONGEST: usize = 1_000;

/// Facts and words of a file. What it does not say, or says wrongly, is absent.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Told {
    pub title: Option<String>,
    pub artist: Option<String>,
    pub album: Option<String>,
    pub description: Option<String>,
    pub genre: Option<String>,
    pub copyright: Option<String>,
    pub software: Option<String>,
    pub camera_make: Option<String>,
    pub camera_model: Option<String>,
    /// RFC 3339.
    pub recorded_at: Option<String>,
    pub place: Option<Place>,
}

/// A place on earth, WGS 84, in degrees; north and east are positive.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Place {
    pub latitude: f64,
    pub longitude: f64,
    /// Above sea level, or below it where negative.
    pub altitude_m: Option<f64>,
}

/// What a word of a file is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Word {
    Title,
    Artist,
    Album,
    Description,
    Genre,
    Copyright,
    Software,
    Make,
    Model,
    Date,
    Place,
}

impl Told {
    /// Takes a word down, unless there is one already: the first one counts.
    pub(super) fn hear(&mut self, word: Word, text: &str) {
        let place = match word {
            Word::Title => &mut self.title,
            Word::Artist => &mut self.artist,
            Word::Album => &mut self.album,
            Word::Description => &mut self.description,
            Word::Genre => &mut self.genre,
            Word::Copyright => &mut self.copyright,
            Word::Software => &mut self.software,
            Word::Make => &mut self.camera_make,
            Word::Model => &mut self.camera_model,
            Word::Date => {
                self.recorded_at = self.recorded_at.take().or_else(|| date(text));
                return;
            }
            Word::Place => {
                self.place = self.place.or_else(|| Place::parse(text));
                return;
            }
        };
        *place = place.take().or_else(|| clean(text));
    }

    /// The same, where only the first time counts that a file gives by a number of seconds since
    /// 1970, in UTC.
    pub(super) fn hear_time(&mut self, seconds: i64) {
        let told = Timestamp::from_second(seconds).ok().filter(|_| seconds > 0);
        self.recorded_at = self.recorded_at.take().or_else(|| Some(told?.to_string()));
    }
}

/// A text in one piece, without what controls terminals and without an end.
fn clean(text: &str) -> Option<String> {
    let text = text.split('\0').next().unwrap_or_default();
    let plain = |c: &char| !c.is_control() || matches!(c, '\n' | '\t');
    let text: String = text.trim().chars().filter(plain).take(LONGEST).collect();
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

/// A time with its offset. Days and years alone say too little.
fn date(text: &str) -> Option<String> {
    let text = text.trim().trim_end_matches('\0');
    let time: Timestamp = text.parse().ok()?;
    // An offset as Apple writes it, without the colon.
    let end = text.len().checked_sub(5).and_then(|at| text.get(at..));
    let plain = end.is_some_and(|end| end.starts_with(['+', '-']));
    match text.split_at_checked(text.len().checked_sub(2)?) {
        Some((front, minutes)) if plain => Some(format!("{front}:{minutes}")),
        _ if text.len() <= 40 => Some(text.to_owned()),
        _ => Some(time.to_string()),
    }
}

impl Place {
    /// ISO 6709 with degrees as decimals: `+48.8577+002.295+035/`.
    fn parse(text: &str) -> Option<Self> {
        let text = text.trim().trim_end_matches('\0').split('/').next()?;
        let mut numbers = Vec::new();
        let mut rest = text.get(..text.len().min(64))?;
        while !rest.is_empty() && numbers.len() < 3 && rest.starts_with(['+', '-']) {
            let end = rest[1..].find(['+', '-', 'C']).map_or(rest.len(), |end| end + 1);
            numbers.push(rest[..end].parse::<f64>().ok()?);
            rest = &rest[end..];
        }
        let (latitude, longitude) = (*numbers.first()?, *numbers.get(1)?);
        Self { latitude, longitude, altitude_m: numbers.get(2).copied() }.checked()
    }

    /// The place if there is such a one. Cameras that do not know where they are write zeros.
    pub(super) fn checked(self) -> Option<Self> {
        let is_known = self.latitude != 0.0 || self.longitude != 0.0;
        let is_on_earth = self.latitude.abs() <= 90.0 && self.longitude.abs() <= 180.0;
        let is_high = self.altitude_m.is_some_and(|m| !(-20_000.0..=100_000.0).contains(&m));
        (is_known && is_on_earth && !is_high).then_some(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_word_counts_and_is_made_harmless() {
        let mut told = Told::default();
        told.hear(Word::Title, " \u{1b}[2JSong\0rest");
        told.hear(Word::Title, "Other");
        told.hear(Word::Artist, " \0");
        told.hear(Word::Album, &"é".repeat(5000));
        assert_eq!(told.title.as_deref(), Some("[2JSong"));
        assert_eq!(told.artist, None);
        assert_eq!(told.album.unwrap().chars().count(), LONGEST);
    }

    #[test]
    fn times_have_an_offset() {
        assert_eq!(date("2024-01-31T09:30:00+0100").unwrap(), "2024-01-31T09:30:00+01:00");
        assert_eq!(date("2024-01-31T09:30:00Z").unwrap(), "2024-01-31T09:30:00Z");
        for none in ["2024", "yesterday", "", "é", "2024-01-31", "+0100"] {
            assert_eq!(date(none), None, "{none}");
        }
        let mut told = Told::default();
        told.hear_time(0);
        told.hear_time(i64::MAX);
        told.hear_time(86_400);
        assert_eq!(told.recorded_at.as_deref(), Some("1970-01-02T00:00:00Z"));
    }

    #[test]
    fn places_are_on_earth() {
        let place = Place::parse("+48.8577-002.295+035.5/").unwrap();
        assert_eq!((place.latitude, place.longitude), (48.8577, -2.295));
        assert_eq!(place.altitude_m, Some(35.5));
        assert!(Place::parse("+48.8577+002.295CRSWGS_84/").unwrap().altitude_m.is_none());
        for none in ["", "+", "+0+0/", "+91+0", "here", "+1", "é+1+2"] {
            assert_eq!(Place::parse(none), None, "{none}");
        }
    }
}
