//! Other products' ways to upload, for the clients that people have: each is translated to the one
//! way there is here. A site says which of them it answers.

mod base64;
mod chevereto;
mod imgbb;
mod lsky;
mod lsky_lists;
mod receive;
mod shown;
mod zipline;

use crate::{
    accounts::{Actor, caller::holder},
    base::{Error, Result, secret::Secret},
    http::{Client, Problem},
    media::{
        Fields, Media, remote,
        spool::Sums,
        upload::{Details, Outcome, Uploads},
    },
    site::{ClientApi, Links, settings},
    tenancy::Tenant,
};
use poem::{Endpoint, Request, Response, Route, RouteMethod};
use receive::{Received, Source, Words};
use std::sync::Arc;
use tokio::sync::Semaphore;

/// Where all of it is found.
pub const PATHS: [&str; 7] = [
    "/api/1/upload",
    "/api/1/upload/",
    "/1/upload",
    "/1/upload/",
    "/api/v1/*path",
    "/api/upload",
    "/api/upload/partial",
];

/// Answers the paths of [`PATHS`]. Requests must be addressed to a site.
pub fn routes(uploads: &Arc<Uploads>) -> Route {
    let shared = &Shared {
        uploads: uploads.clone(),
        strangers: Arc::new(Semaphore::new(receive::STRANGERS)),
    };
    use ClientApi::{Chevereto, Imgbb, Lsky, Zipline};
    let method = RouteMethod::new;
    let chevereto = || {
        let answer = at(Chevereto, shared, chevereto::upload);
        method().get(at(Chevereto, shared, chevereto::upload)).post(answer)
    };
    let imgbb = || method().post(at(Imgbb, shared, imgbb::upload));
    let zipline = || method().post(at(Zipline, shared, zipline::upload));
    Route::new()
        .at("/api/1/upload", chevereto())
        .at("/api/1/upload/", chevereto())
        .at("/1/upload", imgbb())
        .at("/1/upload/", imgbb())
        .at("/api/upload", zipline())
        .at("/api/upload/partial", zipline())
        .at("/api/v1/upload", method().post(at(Lsky, shared, lsky::upload)))
        .at("/api/v1/tokens", method().post(at(Lsky, shared, lsky::sign_in)))
        .at("/api/v1/profile", method().get(at(Lsky, shared, lsky_lists::profile)))
        .at("/api/v1/strategies", method().get(at(Lsky, shared, lsky_lists::strategies)))
        .at("/api/v1/images", method().get(at(Lsky, shared, lsky_lists::images)))
        .at("/api/v1/albums", method().get(at(Lsky, shared, lsky_lists::albums)))
        .at("/api/v1/albums/:id", method().delete(at(Lsky, shared, lsky::delete_album)))
        .at("/api/v1/images/:key", method().delete(at(Lsky, shared, lsky::delete)))
}

/// What all requests share.
#[derive(Clone)]
struct Shared {
    uploads: Arc<Uploads>,
    strangers: Arc<Semaphore>,
}

/// One request of another product's client.
struct Call {
    tenant: Arc<Tenant>,
    client: Client,
    uploads: Arc<Uploads>,
    /// Lets only so many files be kept aside whose sender is not known yet.
    strangers: Arc<Semaphore>,
    links: Links,
    req: Request,
}

fn at<F, Fut>(
    api: ClientApi,
    shared: &Shared,
    answer: F,
) -> impl Endpoint<Output = Response> + use<F, Fut>
where
    F: Fn(Call) -> Fut + Copy + Send + Sync + 'static,
    Fut: Future<Output = Response> + Send,
{
    let shared = shared.clone();
    poem::endpoint::make(move |req: Request| {
        let shared = shared.clone();
        async move {
            let call = Call::open(api, shared, req).await.map_err(Problem::from)?;
            Ok::<_, poem::Error>(answer(call).await)
        }
    })
}

impl Call {
    /// # Errors
    /// `NotFound` where the site does not answer this.
    async fn open(api: ClientApi, shared: Shared, req: Request) -> Result<Self> {
        let tenant = req.data::<Arc<Tenant>>().cloned().ok_or(Error::NotFound("site"))?;
        let client = req.data::<Client>().cloned().ok_or(Error::NotFound("site"))?;
        let settings = tenant.read(settings::load).await?;
        if !settings.client_apis.contains(&api) {
            return Err(Error::NotFound("page"));
        }
        let links = Links::of(&tenant, &client);
        let Shared { uploads, strangers } = shared;
        Ok(Self { tenant, client, uploads, strangers, links, req })
    }

    /// Whoever holds the token; refused without one.
    async fn actor(&self, token: Option<&Secret>) -> Result<Actor> {
        holder(&self.tenant, token.ok_or(Error::Unauthenticated)?).await
    }

    /// Makes an item of what was received.
    async fn take_in(&self, received: Received, details: Details) -> Result<Taken> {
        let (actor, uploads) = (&received.actor, &self.uploads);
        let (outcome, sums) = match received.source {
            Source::Url(url) => {
                let outcome = remote::from_url(uploads, &self.tenant, actor, &url, details).await?;
                (outcome, None)
            }
            Source::File(spool, filename) => {
                let (outcome, sums) = spool.take_in(actor, uploads, filename, details).await?;
                (outcome, Some(sums))
            }
        };
        Ok(Taken::new(outcome, sums))
    }
}

/// What became of an upload.
struct Taken {
    media: Media,
    /// For the delete link. An item that was here before has one already, which only its uploader
    /// knows.
    secret: Option<Secret>,
    /// Of the file as it came, where it came along.
    sums: Option<Sums>,
}

impl Taken {
    fn new(outcome: Outcome, sums: Option<Sums>) -> Self {
        let (media, secret) = match outcome {
            Outcome::Created(media, secret) => (media, Some(secret)),
            Outcome::Duplicate(media) => (media, None),
        };
        Self { media, secret, sums }
    }

    /// The page that asks whether the item is to be deleted.
    fn delete_url(&self, links: &Links) -> Option<String> {
        let key = self.secret.as_ref()?.expose();
        Some(links.to(&format!("{}/delete/{key}", self.media.page_path())))
    }
}

/// What is said about an upload in `words`, where `names` has their names and ours for them.
fn details(words: &Words, names: &[(&str, &str)]) -> Result<Details> {
    let mut fields = Fields::default();
    for (theirs, ours) in names {
        for text in words.all(theirs) {
            fields.set(ours, text)?;
        }
    }
    fields.details()
}

/// A title out of one that is too long for one.
fn cut(title: &str) -> String {
    title.chars().take(200).collect()
}
