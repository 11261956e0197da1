//! The web pages: a client of the public API that happens to run in the same process.
//! No rule, no table and no tenant is known here; what a page shows, any program can fetch.

mod albums;
mod api_client;
mod connect;
mod filters;
mod machine;
mod people;
mod placeholder;
mod public;
mod render;
mod statics;
mod studio;
mod visit;

use self::{
    api_client::ApiClient,
    render::Renderer,
    visit::{Pages, form, page, upload},
};
use poem::{Endpoint, EndpointExt, Response, Route, RouteMethod, get};
use std::sync::Arc;

/// Every page of the site. `api` is the public API itself and must answer paths that start
/// with `/api/v2`; it is called with the visitor's own credentials, address and host.
pub fn routes(
    api: impl Endpoint<Output = Response> + 'static,
) -> impl Endpoint<Output = Response> + 'static {
    let pages = Arc::new(Pages { api: ApiClient::new(api), renderer: Renderer::new() });
    let to = &pages;
    Route::new()
        .at("/explore", get(page(to, public::explore)))
        .at("/m/:id", get(page(to, public::media)).post(form(to, studio::edit)))
        .at("/m/:id/:slug", get(page(to, public::media)))
        .at("/setup", get(page(to, people::setup_page)).post(form(to, people::setup)))
        .at("/sign-in", get(page(to, people::sign_in_page)).post(form(to, people::sign_in)))
        .at(
            "/sign-in/link",
            get(page(to, people::link_page)).post(form(to, people::sign_in_with_link)),
        )
        .at("/sign-out", RouteMethod::new().post(form(to, people::sign_out)))
        .at("/upload", get(page(to, studio::upload_page)).post(upload(to, studio::upload)))
        .at("/library", get(page(to, studio::library)).post(form(to, studio::act)))
        .at("/albums", get(page(to, albums::index)).post(form(to, albums::create)))
        .at("/a/:id", get(page(to, albums::album)).post(form(to, albums::edit)))
        .at("/a/:id/:slug", get(page(to, albums::album)))
        .at("/upload/popup", get(page(to, connect::popup)))
        .at(
            "/account/connect",
            get(page(to, connect::connect)).post(form(to, connect::connect_with_token)),
        )
        .at("/oembed", get(page(to, machine::oembed)))
        .at("/oembed/", get(page(to, machine::oembed)))
        .at("/sdk/pup.js", get(statics::popup_script))
        .at("/account", get(page(to, people::account)))
        .at("/account/tokens", RouteMethod::new().post(form(to, people::create_token)))
        .at("/account/tokens/revoke", RouteMethod::new().post(form(to, people::revoke_token)))
        .at("/delete/:id/:key", delete_link(to))
        .at("/m/:id/delete/:key", delete_link(to))
        .at("/m/:id/:slug/delete/:key", delete_link(to))
        .at("/robots.txt", get(statics::robots))
        .at("/manifest.webmanifest", get(page(to, public::manifest)))
        .at("/favicon.ico", get(statics::favicon))
        .at("/favicon.svg", get(statics::favicon))
        .at("/_/:hash/*path", get(statics::asset))
        .at("/*path", get(page(to, public::front_or_nothing)))
        .catch_all_error(render::bare_problem)
        .map_to_response()
}

/// An item's delete link, which has the shapes that clients of other products know too.
fn delete_link(to: &Arc<Pages>) -> RouteMethod {
    get(page(to, studio::delete_link_page))
        .post(form(to, studio::delete_link))
        .delete(form(to, studio::delete_link))
}
