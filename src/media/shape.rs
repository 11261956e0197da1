//! The shape in which an original is wanted, as it stands in an address that the site signed:
//! `?w=&h=&fit=&fmt=&q=&sig=`. Words and a signature; nothing is made here.

use super::listing;
use crate::{
    accounts::Actor,
    base::{Error, Result},
    imaging::{Output, VariantSpec},
    site::{FitWord, Settings, settings},
    tenancy::Tenant,
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::Deserialize;
use subtle::ConstantTimeEq;

const PURPOSE: &str = "resize-url";
/// The longest side that any format here can have.
const LONGEST_SIDE: u32 = 16_383;

/// The part of an address that says what is wanted, as it came.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Asked {
    w: Option<String>,
    h: Option<String>,
    fit: Option<String>,
    fmt: Option<String>,
    q: Option<String>,
    sig: Option<String>,
}

/// What is wanted of an original.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    pub width: Option<u32>,
    pub height: Option<u32>,
    pub fit: FitWord,
    /// `Auto` is settled with whoever asks.
    pub output: Output,
    pub quality: Option<u8>,
}

impl Asked {
    /// What is asked for behind the address of this item, if anything is.
    ///
    /// # Errors
    /// `Invalid` for words that mean nothing; `BadSignature` where the site did not sign this.
    pub(super) fn verified(&self, tenant: &Tenant, id: &str) -> Result<Option<Shape>> {
        let words = [&self.w, &self.h, &self.fit, &self.fmt, &self.q, &self.sig];
        if words.iter().all(|word| word.is_none()) {
            return Ok(None);
        }
        let shape = self.parse()?;
        let claimed = URL_SAFE_NO_PAD.decode(self.sig.as_deref().unwrap_or_default());
        let claimed = claimed.map_err(|_| Error::BadSignature)?;
        let genuine: bool = shape.mac(tenant, id).as_slice().ct_eq(&claimed).into();
        if genuine { Ok(Some(shape)) } else { Err(Error::BadSignature) }
    }

    fn parse(&self) -> Result<Shape> {
        let side = |field: &'static str, text: &Option<String>| {
            text.as_deref().map(|t| number(field, t, LONGEST_SIDE)).transpose()
        };
        let quality = self.q.as_deref().map(|t| number("q", t, 100)).transpose()?;
        let shape = Shape {
            width: side("w", &self.w)?,
            height: side("h", &self.h)?,
            fit: match self.fit.as_deref() {
                None => FitWord::default(),
                Some(word) => FitWord::find(word)
                    .ok_or_else(|| Error::invalid("fit", "must be contain or cover"))?,
            },
            output: match self.fmt.as_deref() {
                None => Output::default(),
                Some(word) => Output::parse(word).map_err(|why| Error::invalid("fmt", why))?,
            },
            quality: quality.and_then(|q| u8::try_from(q).ok()),
        };
        shape.fit.frame(shape.width, shape.height).map_err(|reason| Error::invalid("w", reason))?;
        Ok(shape)
    }
}

fn number(field: &'static str, text: &str, most: u32) -> Result<u32> {
    let number = text.parse::<u32>().ok().filter(|n| (1..=most).contains(n));
    number.ok_or_else(|| Error::invalid(field, format!("must be a number from 1 to {most}")))
}

impl Shape {
    /// Signs the address of an item's original in this shape.
    ///
    /// # Errors
    /// `Forbidden` for whoever does not look after the item, and where the site makes no such
    /// pictures; `Invalid` for a shape that is none.
    pub async fn sign(self, tenant: &Tenant, actor: &Actor, id: &str) -> Result<String> {
        let media = listing::find(tenant, actor, id).await?;
        media.facts().check_edit(actor)?;
        let settings = tenant.read(settings::load).await?;
        self.spec(&settings)?;
        let sig = URL_SAFE_NO_PAD.encode(self.mac(tenant, media.public_id.as_str()));
        Ok(format!("{}?{}&sig={sig}", media.file_path(&media.file), self.query()))
    }

    fn mac(self, tenant: &Tenant, id: &str) -> [u8; 32] {
        tenant.key(PURPOSE).mac(&[id.as_bytes(), self.query().as_bytes()])
    }

    /// The same words for the same shape.
    fn query(self) -> String {
        let mut words = Vec::new();
        words.extend(self.width.map(|w| format!("w={w}")));
        words.extend(self.height.map(|h| format!("h={h}")));
        words.push(format!("fit={}", self.fit.as_str()));
        words.push(format!("fmt={}", self.output.as_str()));
        words.extend(self.quality.map(|q| format!("q={q}")));
        words.join("&")
    }

    /// The variant that the site makes of this shape; its name tells it from all others.
    pub(super) fn spec(self, settings: &Settings) -> Result<VariantSpec> {
        if !settings.resize_urls {
            return Err(Error::Forbidden("this site makes no pictures on demand"));
        }
        let width = self.width.map(|w| allowed("width", w, settings)).transpose()?;
        let height = self.height.map(|h| allowed("height", h, settings)).transpose()?;
        let fit = self.fit.frame(width, height).map_err(|r| Error::invalid("width", r))?;
        let site = u8::try_from(settings.variant_quality).unwrap_or(100);
        let quality = self.quality.unwrap_or(site);
        let side = |side: Option<u32>| side.map_or_else(|| "any".to_owned(), |n| n.to_string());
        let (width, height, fit_word) = (side(width), side(height), self.fit.as_str());
        let name = format!("{width}x{height}-{fit_word}-q{quality}-{}", self.output.as_str());
        Ok(VariantSpec { name, fit, quality, output: self.output, animate: false })
    }
}

/// The side that the site allows for this one.
fn allowed(field: &'static str, side: u32, settings: &Settings) -> Result<u32> {
    let side = u64::from(side);
    if side > settings.resize_max_side {
        let most = settings.resize_max_side;
        return Err(Error::invalid(field, format!("may be at most {most} pixels")));
    }
    let steps = &settings.resize_steps;
    let step = steps.iter().find(|step| **step >= side).or(steps.last()).copied();
    Ok(u32::try_from(step.unwrap_or(side)).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::imaging::Fit;

    fn shape(width: u32, height: Option<u32>, fit: FitWord) -> Shape {
        Shape { width: Some(width), height, fit, output: Output::Auto, quality: None }
    }

    #[test]
    fn words_are_checked_and_named() {
        let word = |text: &str| Some(text.to_owned());
        type Set = fn(&mut Asked, Option<String>);
        let fields: [(&str, Set, &[&str]); 5] = [
            ("w", |a, t| a.w = t, &["0", "-1", "x", "16384", "99999999999", "1.5", ""]),
            ("h", |a, t| a.h = t, &["0", "abc"]),
            ("fit", |a, t| a.fit = t, &["fill", ""]),
            ("fmt", |a, t| a.fmt = t, &["gif", "tiff"]),
            ("q", |a, t| a.q = t, &["0", "101"]),
        ];
        for (name, set, wrong) in fields {
            for text in wrong {
                let mut asked = Asked { w: word("100"), ..Asked::default() };
                set(&mut asked, word(text));
                let error = asked.parse().unwrap_err();
                assert!(matches!(error, Error::Invalid { field, .. } if field == name), "{text}");
            }
        }
        let no_side = Asked { q: word("80"), ..Asked::default() };
        assert!(no_side.parse().is_err());
    }

    #[test]
    fn sides_go_by_steps_and_not_past_the_longest() {
        let settings =
            Settings { resize_steps: vec![320, 640], resize_max_side: 1000, ..Settings::default() };
        let fit = |s: Shape| s.spec(&settings).map(|spec| spec.fit);
        let inside = |width| Fit::Inside { width, height: u32::MAX };
        assert_eq!(fit(shape(300, None, FitWord::Contain)).unwrap(), inside(320));
        assert_eq!(fit(shape(321, None, FitWord::Contain)).unwrap(), inside(640));
        assert_eq!(fit(shape(900, None, FitWord::Contain)).unwrap(), inside(640));
        assert!(fit(shape(1001, None, FitWord::Contain)).is_err());
        assert!(fit(shape(300, None, FitWord::Cover)).is_err());
        let square = fit(shape(300, Some(300), FitWord::Cover)).unwrap();
        assert_eq!(square, Fit::Cover { width: 320, height: 320 });
    }
}
