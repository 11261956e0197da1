//! Which variants a site wants of each picture: `medium` and `thumb` always, and those that its
//! admin adds. Arithmetic and words; the pictures are made elsewhere.

use super::Settings;
use crate::{
    base::{Error, Result},
    imaging::{Fit, Output, VariantSpec},
};
use serde::{Deserialize, Serialize};

/// A site may add so many variants of its own.
const MOST: usize = 8;
const LONGEST_NAME: usize = 24;
const LONGEST_SIDE: u32 = 8_192;
/// Names with a meaning of their own.
const TAKEN: [&str; 5] = ["original", "medium", "thumb", "poster", "source"];

/// A variant that the site's admin has added.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NamedVariant {
    /// Small letters, digits and `_`. Stands in the names of files.
    pub name: String,
    #[serde(default)]
    pub fit: FitWord,
    /// The frame, in pixels. One of the two may be missing where the fit is `contain`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub width: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub height: Option<u32>,
    /// 1 to 100; the site's `variant_quality` without it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quality: Option<u8>,
    #[serde(default)]
    pub format: Output,
    /// Whether an animation stays one.
    #[serde(default)]
    pub animate: bool,
}

/// How a picture fits a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FitWord {
    /// All of the picture, inside the frame.
    #[default]
    Contain,
    /// The middle of the picture, filling the frame.
    Cover,
}

impl FitWord {
    pub fn find(word: &str) -> Option<Self> {
        match word {
            "contain" => Some(Self::Contain),
            "cover" => Some(Self::Cover),
            _ => None,
        }
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Contain => "contain",
            Self::Cover => "cover",
        }
    }

    /// The fit into a frame of which one side may be missing.
    ///
    /// # Errors
    /// Says what is missing.
    pub fn frame(self, width: Option<u32>, height: Option<u32>) -> Result<Fit, &'static str> {
        match (self, width, height) {
            (_, None, None) => Err("needs a width or a height"),
            (Self::Contain, width, height) => Ok(Fit::Inside {
                width: width.unwrap_or(u32::MAX),
                height: height.unwrap_or(u32::MAX),
            }),
            (Self::Cover, Some(width), Some(height)) => Ok(Fit::Cover { width, height }),
            (Self::Cover, ..) => Err("needs both a width and a height to `cover`"),
        }
    }
}

impl NamedVariant {
    fn check(&self) -> Result<(), String> {
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
        let sound = (1..=LONGEST_NAME).contains(&self.name.len()) && self.name.bytes().all(plain);
        if !sound {
            return Err(format!("`{}` is not a name of a-z, 0-9 and _", self.name.escape_debug()));
        }
        if TAKEN.contains(&&*self.name) {
            return Err(format!("`{}` has a meaning already", self.name));
        }
        for side in [self.width, self.height].into_iter().flatten() {
            if !(16..=LONGEST_SIDE).contains(&side) {
                return Err(format!("`{}` must be 16 to {LONGEST_SIDE} pixels", self.name));
            }
        }
        if self.quality.is_some_and(|q| !(1..=100).contains(&q)) {
            return Err(format!("`{}` must have a quality from 1 to 100", self.name));
        }
        self.format.check().map_err(|why| format!("`{}` {why}", self.name))?;
        let framed = self.fit.frame(self.width, self.height);
        framed.map(|_| ()).map_err(|reason| format!("`{}` {reason}", self.name))
    }
}

/// A list of variants as an admin writes it.
pub(super) fn parse(key: &'static str, value: &serde_json::Value) -> Result<Vec<NamedVariant>> {
    let list: Vec<NamedVariant> =
        serde_json::from_value(value.clone()).map_err(|e| Error::invalid(key, e.to_string()))?;
    if list.len() > MOST {
        return Err(Error::invalid(key, format!("may have at most {MOST} variants")));
    }
    for (n, variant) in list.iter().enumerate() {
        variant.check().map_err(|reason| Error::invalid(key, reason))?;
        if list.iter().take(n).any(|other| other.name == variant.name) {
            return Err(Error::invalid(key, format!("names `{}` twice", variant.name)));
        }
    }
    Ok(list)
}

impl Settings {
    /// The variants that the site wants.
    pub fn variant_specs(&self) -> Vec<VariantSpec> {
        let pixels = |n: u64| u32::try_from(n).unwrap_or(u32::MAX);
        let quality = u8::try_from(self.variant_quality).unwrap_or(100);
        let output = self.variant_format;
        let usual = |name: &str, fit, animate| {
            let name = name.to_owned();
            VariantSpec { name, fit, quality, output, animate }
        };
        let (width, height) = (pixels(self.thumb_width), pixels(self.thumb_height));
        let mut specs = vec![
            usual("medium", Fit::Contain { longer_side: pixels(self.medium_side) }, true),
            usual("thumb", Fit::Cover { width, height }, false),
        ];
        specs.extend(self.more_variants.iter().filter_map(|more| {
            Some(VariantSpec {
                name: more.name.clone(),
                fit: more.fit.frame(more.width, more.height).ok()?,
                quality: more.quality.unwrap_or(quality),
                output: more.format,
                animate: more.animate,
            })
        }));
        specs
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn lists_of_variants_are_checked() {
        let list = json!([
            { "name": "large", "width": 2400 },
            { "name": "square", "fit": "cover", "width": 500, "height": 500, "format": "webp" },
        ]);
        let settings = Settings { more_variants: parse("v", &list).unwrap(), ..Default::default() };
        let specs = settings.variant_specs();
        assert_eq!(specs.len(), 4);
        assert_eq!(specs[2].fit, Fit::Inside { width: 2400, height: u32::MAX });
        assert_eq!(specs[3].output, Output::Webp);

        for wrong in [
            json!({}),
            json!([{ "name": "Large", "width": 100 }]),
            json!([{ "name": "", "width": 100 }]),
            json!([{ "name": "../x", "width": 100 }]),
            json!([{ "name": "thumb", "width": 100 }]),
            json!([{ "name": "a" }]),
            json!([{ "name": "a", "width": 1 }]),
            json!([{ "name": "a", "fit": "cover", "width": 100 }]),
            json!([{ "name": "a", "width": 100, "quality": 0 }]),
            json!([{ "name": "a", "width": 100, "format": "tiff" }]),
            json!([{ "name": "a", "width": 100, "wide": true }]),
            json!([{ "name": "a", "width": 100 }, { "name": "a", "width": 200 }]),
            json!(vec![json!({ "name": "a", "width": 100 }); 9]),
        ] {
            let error = parse("more_variants", &wrong).unwrap_err();
            assert!(matches!(error, Error::Invalid { field: "more_variants", .. }), "{wrong}");
        }
    }
}
