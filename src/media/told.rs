//! What a file says about itself, as words of the item: used where its uploader says nothing.

use super::upload::Details;
use crate::{
    base::{
        Result,
        text::{Description, Tag, Title},
    },
    db::Read,
    imaging::Metadata,
    tenancy::{Allowance, Site, limits::Limit, usage},
};

/// Captions that cameras write by themselves.
const EMPTY_WORDS: &[&str] = &[
    "default",
    "dcim",
    "digital camera",
    "exif_jpeg_picture",
    "exif-jpeg-picture",
    "jpeg picture",
    "kodak digital still camera",
    "lead technologies inc. v1.01",
    "minolta digital camera",
    "olympus digital camera",
    "samsung camera pictures",
    "screenshot",
    "sony dsc",
    "untitled",
    "user comments",
];

/// Gives the item the words of its file where it has none. Returns the tags of the file, if there
/// were no others: the site may have no place for all of them.
pub(super) fn fill_in(details: &mut Details, metadata: &Metadata) -> Vec<Tag> {
    if details.title.is_none() {
        details.title = words(metadata.title.as_deref(), 200, Title::parse);
    }
    if details.description.is_none() {
        details.description = words(metadata.description.as_deref(), 10_000, Description::parse);
    }
    if !details.tags.is_empty() {
        return Vec::new();
    }
    let mut tags: Vec<Tag> = Vec::new();
    for tag in metadata.tags.iter().filter_map(|text| Tag::parse(text).ok()) {
        if !tags.contains(&tag) {
            tags.push(tag);
        }
    }
    tags
}

fn words<T>(
    text: Option<&str>,
    most: usize,
    parse: impl Fn(&str) -> Result<Option<T>>,
) -> Option<T> {
    let text: String = text?.trim().chars().take(most).collect();
    let is_empty = EMPTY_WORDS.iter().any(|word| text.eq_ignore_ascii_case(word));
    if is_empty { None } else { parse(&text).ok().flatten() }
}

/// As many of the file's tags as the site has place for: nobody asked for them, so that a limit
/// is no reason to refuse the file.
pub(super) fn tags_that_fit(
    db: &Read<Site>,
    allowance: &Allowance,
    mut tags: Vec<Tag>,
) -> Result<Vec<Tag>> {
    let used = usage::used(db, Limit::MaxTags)?;
    let per_item = allowance.limit(Limit::MaxTagsPerItem).unwrap_or(u64::MAX);
    let in_all = allowance.limit(Limit::MaxTags).map_or(u64::MAX, |most| most.saturating_sub(used));
    tags.truncate(usize::try_from(per_item.min(in_all)).unwrap_or(usize::MAX));
    Ok(tags)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(title: &str, tags: &[&str]) -> Metadata {
        Metadata {
            title: Some(title.to_owned()),
            tags: tags.iter().map(|tag| (*tag).to_owned()).collect(),
            ..Metadata::default()
        }
    }

    #[test]
    fn what_the_uploader_says_counts() {
        let mut details = Details {
            title: Title::parse("Mine").unwrap(),
            tags: vec![Tag::parse("own").unwrap()],
            ..Details::default()
        };
        assert!(fill_in(&mut details, &told("Theirs", &["other"])).is_empty());
        assert_eq!(details.title.as_ref().map(Title::as_str), Some("Mine"));
    }

    #[test]
    fn words_of_the_file_are_made_to_fit() {
        let mut details = Details::default();
        let tags = fill_in(&mut details, &told(&"é".repeat(300), &["Sea", "sea", "a,b", ""]));
        assert_eq!(details.title.unwrap().as_str().chars().count(), 200);
        // A comma would part it in two wherever tags are typed.
        assert_eq!(tags.iter().map(Tag::as_str).collect::<Vec<_>>(), ["sea"]);
    }

    #[test]
    fn what_cameras_write_by_themselves_is_no_title() {
        let mut details = Details::default();
        fill_in(&mut details, &told("OLYMPUS DIGITAL CAMERA         ", &[]));
        assert!(details.title.is_none());
    }
}
