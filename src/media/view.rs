//! How an item looks to a client: the `Media` object of the API.

use super::{
    Media, Role, Variant, embed::Embed, poster, view_av::AvView, view_metadata::MetadataView,
};
use crate::{
    accounts::Actor,
    base::{page::Page, secret::Secret, visibility::Visibility},
    site::Links,
};
use base64::{Engine, engine::general_purpose::STANDARD};
use poem_openapi::{Object, types::Example};

/// One uploaded item.
#[derive(Object)]
#[oai(rename = "Media", skip_serializing_if_is_none, example = true)]
pub(super) struct MediaView {
    id: String,
    /// `image`, `video` or `audio`.
    kind: String,
    title: Option<String>,
    description: Option<String>,
    /// The name the file came with, its ending corrected.
    filename: String,
    mime: String,
    bytes: u64,
    /// In pixels, as a viewer sees it. Of a recording of sound: of its poster.
    width: u32,
    height: u32,
    /// Of an animation. A film counts as one.
    frames: u32,
    is_animated: bool,
    /// How long an animation, a film or a recording plays.
    duration_ms: Option<u64>,
    /// Whether the picture shows all around, and wants a viewer that turns.
    is_360: bool,
    nsfw: bool,
    /// Who may see it: `public`, `unlisted` or `private`. What its owner asked for, or what its
    /// album has where that is stricter.
    visibility: String,
    /// What its owner asked for, where its album is stricter. For the owner and managers alone.
    own_visibility: Option<String>,
    /// `active` or `trashed`.
    status: String,
    tags: Vec<String>,
    /// The album it lies in. One that is not public is shown to the owner and managers alone.
    album: Option<InAlbumView>,
    owner: OwnerView,
    created_at: String,
    updated_at: String,
    /// When the camera took it. Without an offset where the camera wrote none.
    taken_at: Option<String>,
    expires_at: Option<String>,
    trashed_at: Option<String>,
    /// The hash of the original as `sha256:` and hexadecimal digits.
    checksum: String,
    /// A ThumbHash of the picture, as base64.
    placeholder: String,
    /// The average colour as `#rrggbb`.
    color: String,
    /// What the camera wrote into the file. For the owner and managers alone.
    metadata: Option<MetadataView>,
    /// What only films and recordings have.
    av: Option<AvView>,
    /// Whether the caller may change this item.
    can_edit: bool,
    urls: Urls,
    variants: Vec<VariantView>,
    /// Lets whoever has it put the item into the trash. Only in the answer that creates the item.
    #[oai(read_only)]
    delete_url: Option<String>,
    /// The upload was a file that you have here already: this item.
    #[oai(read_only)]
    duplicate: Option<bool>,
}

#[derive(Object)]
#[oai(rename = "Owner")]
struct OwnerView {
    username: String,
}

/// The album that an item lies in.
#[derive(Object)]
#[oai(rename = "InAlbum")]
struct InAlbumView {
    id: String,
    title: String,
}

/// Absolute addresses.
#[derive(Object)]
#[oai(skip_serializing_if_is_none)]
struct Urls {
    /// The page that shows the item.
    view: String,
    /// The same page, in fewer characters.
    short: String,
    original: String,
    medium: String,
    thumb: String,
    /// The picture that stands for a film or a recording.
    #[oai(skip_serializing_if_is_none)]
    poster: Option<String>,
    /// The file as it was uploaded, where that is kept beside the original. For the owner and
    /// managers alone.
    #[oai(skip_serializing_if_is_none)]
    source: Option<String>,
}

/// A rendering of the item.
#[derive(Object)]
#[oai(rename = "Variant")]
struct VariantView {
    name: String,
    url: String,
    mime: String,
    width: u32,
    height: u32,
    bytes: u64,
}

impl MediaView {
    pub(super) fn new(media: Media, actor: &Actor, links: &Links) -> Self {
        let can_edit = media.facts().may_edit(actor);
        let pictures = media.variants.iter().filter(|v| v.role == Role::Picture);
        let metadata = MetadataView::new(&media.metadata).filter(|_| can_edit);
        let is_veiled = can_edit && media.own_visibility != media.visibility;
        let album = media.album.clone().filter(|a| can_edit || a.visibility == Visibility::Public);
        Self {
            urls: Urls::new(&media, can_edit, links),
            variants: pictures.map(|v| VariantView::new(&media, v, links)).collect(),
            av: media.av.as_ref().map(|av| AvView::new(&media, av, links)),
            id: media.public_id.to_string(),
            kind: media.kind.as_str().to_owned(),
            title: media.title,
            description: media.description,
            filename: media.filename,
            mime: media.mime,
            bytes: media.bytes,
            width: media.width,
            height: media.height,
            frames: media.frames,
            is_animated: media.is_animated,
            duration_ms: media.duration_ms,
            is_360: media.metadata.is_360(),
            nsfw: media.nsfw,
            visibility: media.visibility.as_str().to_owned(),
            own_visibility: is_veiled.then(|| media.own_visibility.as_str().to_owned()),
            album: album.map(|a| InAlbumView { id: a.public_id.to_string(), title: a.title }),
            status: if media.trashed_at.is_some() { "trashed" } else { "active" }.to_owned(),
            tags: media.tags,
            owner: OwnerView { username: media.owner.username },
            created_at: media.created_at.to_rfc3339(),
            updated_at: media.updated_at.to_rfc3339(),
            taken_at: media.taken_at,
            expires_at: media.expires_at.map(|at| at.to_rfc3339()),
            trashed_at: media.trashed_at.map(|at| at.to_rfc3339()),
            checksum: format!("sha256:{}", hex(&media.sha256)),
            placeholder: STANDARD.encode(&media.placeholder),
            color: format!("#{:06x}", media.color),
            metadata,
            can_edit,
            delete_url: None,
            duplicate: None,
        }
    }

    /// The answer to the upload that made the item.
    pub(super) fn created(media: Media, secret: &Secret, actor: &Actor, links: &Links) -> Self {
        let delete_url = links.to(&format!("/delete/{}/{}", media.public_id, secret.expose()));
        Self { delete_url: Some(delete_url), ..Self::new(media, actor, links) }
    }

    /// The answer to an upload that brought nothing new.
    pub(super) fn duplicate(media: Media, actor: &Actor, links: &Links) -> Self {
        Self { duplicate: Some(true), ..Self::new(media, actor, links) }
    }
}

impl Urls {
    fn new(media: &Media, can_edit: bool, links: &Links) -> Self {
        let file = |file: &str| links.to(&media.file_path(file));
        let variant = |name| file(media.variant(name).map_or(&media.file, |v| &v.file));
        Self {
            view: links.to(&media.page_path()),
            short: links.to(&format!("/m/{}", media.public_id)),
            original: file(&media.file),
            medium: variant("medium"),
            thumb: variant("thumb"),
            poster: media.variant(poster::NAME).map(|v| file(&v.file)),
            source: media.source_file.as_deref().filter(|_| can_edit).map(file),
        }
    }
}

impl VariantView {
    fn new(media: &Media, variant: &Variant, links: &Links) -> Self {
        Self {
            name: variant.name.clone(),
            url: links.to(&media.file_path(&variant.file)),
            mime: variant.mime.clone(),
            width: variant.width,
            height: variant.height,
            bytes: variant.bytes,
        }
    }
}

pub(super) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::new(), |mut text, b| {
        let _ = write!(text, "{b:02x}");
        text
    })
}

impl Example for MediaView {
    fn example() -> Self {
        let at = |path: &str| format!("https://media.example{path}");
        Self {
            id: "8fKq2ZtP9x".to_owned(),
            kind: "image".to_owned(),
            title: Some("At the beach".to_owned()),
            description: None,
            filename: "beach.jpg".to_owned(),
            mime: "image/jpeg".to_owned(),
            bytes: 2_671_234,
            width: 4_000,
            height: 3_000,
            frames: 1,
            is_animated: false,
            duration_ms: None,
            is_360: false,
            nsfw: false,
            visibility: "public".to_owned(),
            own_visibility: None,
            album: None,
            status: "active".to_owned(),
            tags: vec!["sea".to_owned()],
            owner: OwnerView { username: "ana".to_owned() },
            created_at: "2026-01-31T09:30:00.000Z".to_owned(),
            updated_at: "2026-01-31T09:30:00.000Z".to_owned(),
            taken_at: Some("2026-01-30T17:12:45+01:00".to_owned()),
            expires_at: None,
            trashed_at: None,
            checksum: format!("sha256:{}", "0".repeat(64)),
            placeholder: "3OcRJYB4d3h/iIeHeEh3eIhw+j2w".to_owned(),
            color: "#7a9cb5".to_owned(),
            metadata: None,
            av: None,
            can_edit: true,
            urls: Urls {
                view: at("/m/8fKq2ZtP9x/at-the-beach"),
                short: at("/m/8fKq2ZtP9x"),
                original: at("/f/8fKq2ZtP9x/beach.jpg"),
                medium: at("/f/8fKq2ZtP9x/beach.medium.jpg"),
                thumb: at("/f/8fKq2ZtP9x/beach.thumb.jpg"),
                poster: None,
                source: None,
            },
            variants: vec![VariantView {
                name: "thumb".to_owned(),
                url: at("/f/8fKq2ZtP9x/beach.thumb.jpg"),
                mime: "image/jpeg".to_owned(),
                width: 320,
                height: 320,
                bytes: 21_034,
            }],
            delete_url: None,
            duplicate: None,
        }
    }
}

/// A page of items, newest first.
#[derive(Object)]
#[oai(rename = "MediaPage", skip_serializing_if_is_none, example = true)]
pub(super) struct MediaPageView {
    items: Vec<MediaView>,
    /// For `after`: the cursor of the next page; absent on the last.
    next: Option<String>,
    /// For `before`: the cursor of the previous page; absent on the first.
    prev: Option<String>,
}

impl MediaPageView {
    pub(super) fn new(page: Page<Media>, actor: &Actor, links: &Links) -> Self {
        Self {
            next: page.next.map(|c| c.encode()),
            prev: page.prev.map(|c| c.encode()),
            items: page.items.into_iter().map(|m| MediaView::new(m, actor, links)).collect(),
        }
    }
}

impl Example for MediaPageView {
    fn example() -> Self {
        Self { items: vec![MediaView::example()], next: Some("AAAAAAAAABc".to_owned()), prev: None }
    }
}

/// A code that puts the item into somebody else's page.
#[derive(Object)]
#[oai(rename = "Embed")]
struct EmbedView {
    name: String,
    label: String,
    group: String,
    code: String,
}

#[derive(Object)]
#[oai(rename = "EmbedList", example = true)]
pub(super) struct EmbedListView {
    items: Vec<EmbedView>,
}

impl EmbedListView {
    pub(super) fn new(codes: Vec<Embed>) -> Self {
        let view = |e: Embed| EmbedView {
            name: e.name.to_owned(),
            label: e.label.to_owned(),
            group: e.group.to_owned(),
            code: e.code,
        };
        Self { items: codes.into_iter().map(view).collect() }
    }
}

impl Example for EmbedListView {
    fn example() -> Self {
        Self::new(vec![Embed {
            name: "viewer_link",
            label: "Viewer link",
            group: "Links",
            code: "https://media.example/m/8fKq2ZtP9x/at-the-beach".to_owned(),
        }])
    }
}
