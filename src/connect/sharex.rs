//! Settings for ShareX and its kin: a `.sxcu` file, which is a `CustomUploaderItem` in the syntax
//! of ShareX 14 (`{json:…}`).

use crate::base::{Error, Result};
use std::collections::BTreeMap;

/// The version whose syntax the file is written in; older ones refuse it.
pub(super) const VERSION: &str = "14.1.0";

/// The contract that the program is to speak.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// Our own API.
    Vitrina,
    /// That of Chevereto.
    Chevereto,
    /// That of Lsky Pro.
    Lsky,
    /// That of Chevereto, answered with nothing but the address.
    Text,
}

impl Style {
    /// # Errors
    /// `Invalid` for any other word.
    pub fn parse(word: Option<&str>) -> Result<Self> {
        match word {
            None | Some("vitrina") => Ok(Self::Vitrina),
            Some("chevereto") => Ok(Self::Chevereto),
            Some("lsky") => Ok(Self::Lsky),
            Some("text") => Ok(Self::Text),
            Some(_) => Err(Error::invalid("style", "must be vitrina, chevereto, lsky or text")),
        }
    }
}

/// What is copied after an upload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Link {
    /// The address of the page that shows the item.
    View,
    /// The address of the file.
    Direct,
}

impl Link {
    /// # Errors
    /// `Invalid` for any other word.
    pub fn parse(word: Option<&str>) -> Result<Self> {
        match word {
            None | Some("view") => Ok(Self::View),
            Some("direct") => Ok(Self::Direct),
            Some(_) => Err(Error::invalid("link", "must be view or direct")),
        }
    }
}

/// The fields of the file; those that are absent are left out of it.
#[derive(Debug, Default)]
pub struct Uploader {
    pub name: String,
    pub url_to_send_to: String,
    pub headers: BTreeMap<String, String>,
    pub arguments: Option<BTreeMap<String, String>>,
    pub file_field: &'static str,
    /// Where the answer has the address; without it the whole answer is one.
    pub url: Option<&'static str>,
    pub thumbnail_url: Option<&'static str>,
    pub deletion_url: Option<&'static str>,
    pub error_message: Option<&'static str>,
}

/// The settings for uploading to the site at `origin` with this token.
pub fn uploader(name: &str, origin: &str, token: &str, style: Style, link: Link) -> Uploader {
    let pick = |view, direct| Some(if link == Link::View { view } else { direct });
    let bearer = ("Authorization".to_owned(), format!("Bearer {token}"));
    let key = ("X-API-Key".to_owned(), token.to_owned());
    let json = ("Accept".to_owned(), "application/json".to_owned());
    let at = |path: &str| format!("{origin}{path}");
    let file = match style {
        Style::Vitrina => Uploader {
            url_to_send_to: at("/api/v2/media"),
            headers: BTreeMap::from([bearer]),
            file_field: "file",
            url: pick("{json:urls.view}", "{json:urls.original}"),
            thumbnail_url: Some("{json:urls.thumb}"),
            deletion_url: Some("{json:delete_url}"),
            error_message: Some("{json:detail}"),
            ..Uploader::default()
        },
        Style::Chevereto => Uploader {
            url_to_send_to: at("/api/1/upload"),
            headers: BTreeMap::from([key]),
            file_field: "source",
            url: pick("{json:image.url_viewer}", "{json:image.url}"),
            thumbnail_url: Some("{json:image.thumb.url}"),
            deletion_url: Some("{json:image.delete_url}"),
            error_message: Some("{json:error.message}"),
            ..Uploader::default()
        },
        Style::Lsky => Uploader {
            url_to_send_to: at("/api/v1/upload"),
            headers: BTreeMap::from([bearer, json]),
            file_field: "file",
            url: Some("{json:data.links.url}"),
            thumbnail_url: Some("{json:data.links.thumbnail_url}"),
            error_message: Some("{json:message}"),
            ..Uploader::default()
        },
        Style::Text => Uploader {
            url_to_send_to: at("/api/1/upload"),
            headers: BTreeMap::from([key]),
            arguments: Some(BTreeMap::from([("format".to_owned(), "txt".to_owned())])),
            file_field: "source",
            ..Uploader::default()
        },
    };
    Uploader { name: name.to_owned(), ..file }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_style_names_its_own_contract() {
        let of = |style, link| uploader("Site", "https://a.example", "vk_x", style, link);
        let own = of(Style::Vitrina, Link::Direct);
        assert_eq!(own.url_to_send_to, "https://a.example/api/v2/media");
        assert_eq!(own.url, Some("{json:urls.original}"));
        assert_eq!(of(Style::Chevereto, Link::View).url, Some("{json:image.url_viewer}"));
        assert_eq!(of(Style::Lsky, Link::View).headers["Accept"], "application/json");
        assert_eq!(of(Style::Text, Link::View).url, None);
        assert!(Style::parse(Some("other")).is_err() && Link::parse(Some("thumb")).is_err());
    }
}
