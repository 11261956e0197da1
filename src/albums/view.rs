//! How albums look to clients, and what clients send to make and change them.

use super::{Album, edit::Edit};
use crate::{
    accounts::Actor,
    base::{
        Error, Result,
        ids::PublicId,
        page::Page,
        text::{Description, Label},
        visibility::Visibility,
    },
    media::Media,
    site::Links,
};
use base64::{Engine, engine::general_purpose::STANDARD};
use poem_openapi::{
    Object,
    types::{Example, MaybeUndefined},
};

/// A title that items are put under. Albums lie in albums.
#[derive(Object)]
#[oai(rename = "Album", skip_serializing_if_is_none, example = true)]
pub(super) struct AlbumView {
    id: String,
    title: String,
    description: Option<String>,
    /// Who may see it and what is in it: `public`, `unlisted` or `private`. What its owner asked
    /// for, or what its parent has where that is stricter.
    visibility: String,
    /// What its owner asked for, where its parent is stricter. For the owner and managers alone.
    own_visibility: Option<String>,
    /// The album it lies in. One that is not public is shown to the owner and managers alone.
    parent: Option<ParentView>,
    owner: AlbumOwnerView,
    /// The item that stands for it: the one that was chosen, or else the newest in it.
    cover: Option<CoverView>,
    /// How many items are in it that the caller finds there.
    items: u64,
    created_at: String,
    updated_at: String,
    /// Whether the caller may change it.
    can_edit: bool,
    /// The page that shows it.
    url: String,
}

#[derive(Object)]
#[oai(rename = "AlbumParent")]
struct ParentView {
    id: String,
    title: String,
}

#[derive(Object)]
#[oai(rename = "AlbumOwner")]
struct AlbumOwnerView {
    username: String,
}

/// The item that stands for an album.
#[derive(Object)]
#[oai(rename = "AlbumCover")]
struct CoverView {
    id: String,
    /// The address of its thumbnail.
    thumb: String,
    /// Its average colour as `#rrggbb`.
    color: String,
    /// A ThumbHash of it, as base64.
    placeholder: String,
    nsfw: bool,
}

impl CoverView {
    fn new(media: &Media, links: &Links) -> Self {
        let thumb = media.variant("thumb").map_or(&media.file, |variant| &variant.file);
        Self {
            id: media.public_id.to_string(),
            thumb: links.to(&media.file_path(thumb)),
            color: format!("#{:06x}", media.color),
            placeholder: STANDARD.encode(&media.placeholder),
            nsfw: media.nsfw,
        }
    }
}

impl AlbumView {
    pub(super) fn new(album: Album, cover: Option<Media>, actor: &Actor, links: &Links) -> Self {
        let can_edit = album.may_edit(actor);
        let is_veiled = can_edit && album.own_visibility != album.visibility;
        let url = links.to(&album.page_path());
        let parent = album.parent.filter(|p| can_edit || p.visibility == Visibility::Public);
        Self {
            id: album.public_id.to_string(),
            title: album.title,
            description: album.description,
            visibility: album.visibility.as_str().to_owned(),
            own_visibility: is_veiled.then(|| album.own_visibility.as_str().to_owned()),
            parent: parent.map(|p| ParentView { id: p.public_id.to_string(), title: p.title }),
            owner: AlbumOwnerView { username: album.username },
            cover: cover.map(|media| CoverView::new(&media, links)),
            items: if can_edit { album.items } else { album.public_items },
            created_at: album.created_at.to_rfc3339(),
            updated_at: album.updated_at.to_rfc3339(),
            can_edit,
            url,
        }
    }
}

impl Example for AlbumView {
    fn example() -> Self {
        let at = |path: &str| format!("https://media.example{path}");
        Self {
            id: "5Nq3vWmT2c".to_owned(),
            title: "Summer".to_owned(),
            description: Some("Two weeks by the sea".to_owned()),
            visibility: "public".to_owned(),
            own_visibility: None,
            parent: None,
            owner: AlbumOwnerView { username: "ana".to_owned() },
            cover: Some(CoverView {
                id: "8fKq2ZtP9x".to_owned(),
                thumb: at("/f/8fKq2ZtP9x/beach.thumb.jpg"),
                color: "#7a9cb5".to_owned(),
                placeholder: "3OcRJYB4d3h/iIeHeEh3eIhw+j2w".to_owned(),
                nsfw: false,
            }),
            items: 48,
            created_at: "2026-01-31T09:30:00.000Z".to_owned(),
            updated_at: "2026-01-31T09:30:00.000Z".to_owned(),
            can_edit: true,
            url: at("/a/5Nq3vWmT2c/summer"),
        }
    }
}

/// A page of albums, newest first.
#[derive(Object)]
#[oai(rename = "AlbumPage", skip_serializing_if_is_none, example = true)]
pub(super) struct AlbumPageView {
    items: Vec<AlbumView>,
    /// For `after`: the cursor of the next page; absent on the last.
    next: Option<String>,
    /// For `before`: the cursor of the previous page; absent on the first.
    prev: Option<String>,
}

impl AlbumPageView {
    pub(super) fn new(page: Page<(Album, Option<Media>)>, actor: &Actor, links: &Links) -> Self {
        let view = |(album, cover)| AlbumView::new(album, cover, actor, links);
        Self {
            next: page.next.map(|c| c.encode()),
            prev: page.prev.map(|c| c.encode()),
            items: page.items.into_iter().map(view).collect(),
        }
    }
}

impl Example for AlbumPageView {
    fn example() -> Self {
        Self { items: vec![AlbumView::example()], next: Some("AAAAAAAAABc".to_owned()), prev: None }
    }
}

/// An album to be made.
#[derive(Object)]
#[oai(rename = "AlbumRequest", deny_unknown_fields, example = true)]
pub(super) struct NewAlbumView {
    /// 1 to 100 characters.
    title: String,
    description: Option<String>,
    /// `public`, `unlisted` or `private`; `public` without it.
    visibility: Option<String>,
    /// The id of the album of yours to put it into.
    parent: Option<String>,
}

impl NewAlbumView {
    pub(super) fn parse(self) -> Result<(Label, Edit)> {
        let title = Label::parse("title", &self.title)?;
        let edit = Edit {
            description: self.description.map(|d| Description::parse(&d)).transpose()?,
            visibility: visibility(self.visibility)?,
            parent: self.parent.map(|id| parse_id("parent", &id)).transpose()?.map(Some),
            ..Edit::default()
        };
        Ok((title, edit))
    }
}

impl Example for NewAlbumView {
    fn example() -> Self {
        Self {
            title: "Summer".to_owned(),
            description: None,
            visibility: Some("unlisted".to_owned()),
            parent: None,
        }
    }
}

/// What to change about an album.
#[derive(Object)]
#[oai(deny_unknown_fields, example = true)]
pub(super) struct AlbumPatch {
    /// 1 to 100 characters.
    title: Option<String>,
    description: MaybeUndefined<String>,
    /// `public`, `unlisted` or `private`.
    visibility: Option<String>,
    /// The id of the album of the same owner to put it into; `null` takes it out.
    parent: MaybeUndefined<String>,
    /// The id of the item in it that is to stand for it; `null` leaves that to the newest.
    cover: MaybeUndefined<String>,
}

impl AlbumPatch {
    pub(super) fn parse(self) -> Result<Edit> {
        Ok(Edit {
            title: self.title.map(|t| Label::parse("title", &t)).transpose()?,
            description: match self.description {
                MaybeUndefined::Undefined => None,
                MaybeUndefined::Null => Some(None),
                MaybeUndefined::Value(text) => Some(Description::parse(&text)?),
            },
            visibility: visibility(self.visibility)?,
            parent: reference("parent", self.parent)?,
            cover: reference("cover", self.cover)?,
            ..Edit::default()
        })
    }
}

fn visibility(word: Option<String>) -> Result<Option<Visibility>> {
    word.map(|word| Visibility::parse("visibility", &word)).transpose()
}

fn reference(field: &'static str, id: MaybeUndefined<String>) -> Result<Option<Option<PublicId>>> {
    match id {
        MaybeUndefined::Undefined => Ok(None),
        MaybeUndefined::Null => Ok(Some(None)),
        MaybeUndefined::Value(id) => Ok(Some(Some(parse_id(field, &id)?))),
    }
}

fn parse_id(field: &'static str, id: &str) -> Result<PublicId> {
    PublicId::parse(id).ok_or_else(|| Error::invalid(field, "is no id"))
}

impl Example for AlbumPatch {
    fn example() -> Self {
        Self {
            title: Some("Summer by the sea".to_owned()),
            description: MaybeUndefined::Undefined,
            visibility: None,
            parent: MaybeUndefined::Null,
            cover: MaybeUndefined::Value("8fKq2ZtP9x".to_owned()),
        }
    }
}
