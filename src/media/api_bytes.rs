//! `/media/bytes` over HTTP: a file as the whole body of a request, for clients and generators that
//! build no forms. What is said about it stands in the query.

use super::{
    api::{Tag, Uploaded},
    request::FromElsewhere,
    upload::{Outcome, Receiving, Uploads},
};
use crate::{
    accounts::{Caller, caller::WriteMedia},
    base::{Error, Result, text::Filename},
    http::{Problem, binary::LargeFile},
};
use futures_util::StreamExt;
use poem::{Request, web::Data};
use poem_openapi::{OpenApi, param::Query};
use std::sync::Arc;

pub struct BytesApi;

#[OpenApi(tag = "Tag::Media")]
impl BytesApi {
    /// Upload a file as the body
    ///
    /// The same as `upload_media`, without a form around the file. The body may also be sent as
    /// `image/*`, `video/*` or `audio/*`; what it is is found out from the bytes.
    #[oai(path = "/media/bytes", method = "post", operation_id = "upload_media_bytes")]
    #[allow(clippy::too_many_arguments)]
    async fn upload(
        &self,
        req: &Request,
        caller: Caller<WriteMedia>,
        uploads: Data<&Arc<Uploads>>,
        /// What the file is called.
        filename: Query<Option<String>>,
        /// A caption of up to 200 characters.
        title: Query<Option<String>>,
        /// Up to 10,000 characters.
        description: Query<Option<String>>,
        /// Several are parted by commas.
        tags: Query<Option<String>>,
        /// Not for every eye.
        nsfw: Query<Option<bool>>,
        /// `public`, `unlisted` or `private`; the site's default without it.
        visibility: Query<Option<String>>,
        /// The id of the album of yours to put it into.
        album: Query<Option<String>>,
        /// How long the item lives: milliseconds, or a duration like `PT1H` or `30d`.
        expires_in: Query<Option<String>>,
        /// Scale the picture down to this width, in pixels.
        width: Query<Option<u32>>,
        /// Keep a second copy of a file that you have here already.
        allow_duplicate: Query<Option<bool>>,
        file: LargeFile,
    ) -> Result<Uploaded, Problem> {
        check_names(req.uri().query().unwrap_or_default())?;
        let said = FromElsewhere {
            url: None,
            base64: None,
            filename: filename.0,
            title: title.0,
            description: description.0,
            tags: tags.0.map(|tags| vec![tags]),
            nsfw: nsfw.0,
            visibility: visibility.0,
            album: album.0,
            expires_in: expires_in.0,
            width: width.0,
            allow_duplicate: allow_duplicate.0,
        };
        Ok(Uploaded::new(take_in(&uploads, &caller, said, file).await?, &caller))
    }
}

async fn take_in(
    uploads: &Arc<Uploads>,
    caller: &Caller<WriteMedia>,
    said: FromElsewhere,
    file: LargeFile,
) -> Result<Outcome> {
    let details = said.details()?;
    let mut receiving = Receiving::begin(&caller.tenant, &caller.actor).await?;
    let mut pieces = std::pin::pin!(file.pieces());
    while let Some(piece) = pieces.next().await {
        receiving.write(&piece?).await?;
    }
    let filename = Filename::from_client(&said.filename.unwrap_or_default());
    receiving.finish(uploads, filename, details).await
}

const NAMES: [&str; 10] = [
    "filename",
    "title",
    "description",
    "tags",
    "nsfw",
    "visibility",
    "album",
    "expires_in",
    "width",
    "allow_duplicate",
];

/// A parameter that is not understood is refused: a misspelt `visibility` must not publish.
fn check_names(query: &str) -> Result<()> {
    let mut names = url::form_urlencoded::parse(query.as_bytes()).map(|(name, _)| name);
    match names.find(|name| !NAMES.contains(&name.as_ref())) {
        Some(name) => {
            let name: String = name.chars().take(64).collect();
            Err(Error::invalid("query", format!("has the unknown parameter `{name}`")))
        }
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_known_parameters_are_taken() {
        assert!(check_names("").is_ok());
        assert!(check_names("title=a%26b&tags=x&tags=y").is_ok());
        assert!(check_names("visiblity=private").is_err());
        assert!(check_names("title=a&%ff=b").is_err());
    }
}
