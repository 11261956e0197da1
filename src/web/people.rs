//! Pages about who is here: setting up, signing in and out, API tokens. What a password or a
//! token may be is the API's to say.

use super::{
    api_client::{Refusal, segment},
    visit::{Form, Outcome, Visit, local_path, redirect, redirect_with},
};
use poem::http::{Method, StatusCode};
use serde_json::{Map, Value, json};

const DAY_MS: u64 = 24 * 60 * 60 * 1000;

/// The fields of a form as an object, without those left empty.
fn filled<const N: usize>(fields: [(&str, &str); N]) -> Value {
    let kept = fields.into_iter().filter(|(_, value)| !value.is_empty());
    Value::Object(kept.map(|(name, value)| (name.to_owned(), json!(value))).collect::<Map<_, _>>())
}

/// A refusal that a person can mend in the form, as opposed to one that ends the matter.
fn mendable(refusal: &Refusal) -> bool {
    refusal.status.is_client_error()
}

/// `GET /setup?token=…`: the first administrator's form, or where to find its link.
pub(super) async fn setup_page(visit: Visit) -> Outcome {
    if !visit.needs_setup() {
        return Err(setup_is_closed());
    }
    let token = visit.query("token").unwrap_or_default();
    Ok(visit.show(
        "setup.html",
        json!({ "token": token, "form": blank_setup(), "errors": {},
        "problem": null }),
    ))
}

fn setup_is_closed() -> Refusal {
    Refusal::new(
        StatusCode::CONFLICT,
        "This site has its administrator already. Sign in with an account of this site.",
    )
}

fn blank_setup() -> Value {
    json!({ "username": "", "email": "", "site_name": "" })
}

pub(super) async fn setup(visit: Visit, form: Form) -> Outcome {
    let (username, email) = (form.text("username"), form.text("email"));
    let (password, token) = (form.raw("password"), form.text("token"));
    let site_name = form.text("site_name");
    let mut body = json!({ "token": token, "username": username, "email": email,
        "password": password });
    if !site_name.is_empty() {
        body["site_name"] = json!(site_name);
    }
    match visit.send(Method::POST, "/setup", body).await {
        Ok(answer) => Ok(redirect_with("/", answer)),
        Err(refusal) if refusal.status == StatusCode::CONFLICT => Err(setup_is_closed()),
        Err(refusal) if mendable(&refusal) => {
            let form = json!({ "username": username, "email": email, "site_name": site_name });
            let context = json!({ "token": token, "form": form, "errors": refusal.fields(),
                "problem": refusal.detail() });
            Ok(visit.show_as(refusal.status, "setup.html", context))
        }
        Err(refusal) => Err(refusal),
    }
}

/// `GET /sign-in?next=…`
pub(super) async fn sign_in_page(visit: Visit) -> Outcome {
    let next = local_path(&visit.query("next").unwrap_or_default());
    if !visit.is_guest() {
        return Ok(redirect(&next));
    }
    Ok(visit.show(
        "sign-in.html",
        json!({ "next": next, "login": "", "problem": null,
        "errors": {} }),
    ))
}

pub(super) async fn sign_in(visit: Visit, form: Form) -> Outcome {
    let (login, next) = (form.text("login"), local_path(form.text("next")));
    let body = json!({ "login": login, "password": form.raw("password") });
    match visit.send(Method::POST, "/session", body).await {
        Ok(answer) => Ok(redirect_with(&next, answer)),
        Err(refusal) if mendable(&refusal) => {
            let context = json!({ "next": next, "login": login, "problem": refusal.detail(),
                "errors": refusal.fields() });
            Ok(visit.show_as(refusal.status, "sign-in.html", context))
        }
        Err(refusal) => Err(refusal),
    }
}

/// `GET /sign-in/link?token=…`: asks before the link is used up, as whatever previews links
/// fetches this page too.
pub(super) async fn link_page(visit: Visit) -> Outcome {
    let token = visit.query("token").unwrap_or_default();
    Ok(visit.show("sign-in-link.html", json!({ "token": token, "problem": null })))
}

pub(super) async fn sign_in_with_link(visit: Visit, form: Form) -> Outcome {
    let body = json!({ "token": form.text("token") });
    match visit.send(Method::POST, "/session/link", body).await {
        Ok(answer) => Ok(redirect_with("/", answer)),
        Err(refusal) if mendable(&refusal) => {
            let context = json!({ "token": "", "problem": refusal.detail() });
            Ok(visit.show_as(refusal.status, "sign-in-link.html", context))
        }
        Err(refusal) => Err(refusal),
    }
}

pub(super) async fn sign_out(visit: Visit, _: Form) -> Outcome {
    match visit.send(Method::DELETE, "/session", Value::Null).await {
        Ok(answer) => Ok(redirect_with("/", answer)),
        // The session had ended by itself: signed out is what was asked for.
        Err(refusal) if refusal.status == StatusCode::UNAUTHORIZED => Ok(redirect("/")),
        Err(refusal) => Err(refusal),
    }
}

/// `GET /account`: the user and their API tokens.
pub(super) async fn account(visit: Visit) -> Outcome {
    if visit.is_guest() {
        return Ok(visit.to_sign_in());
    }
    show_account(&visit, StatusCode::OK, Value::Null, None).await
}

async fn show_account(
    visit: &Visit,
    status: StatusCode,
    created: Value,
    refusal: Option<&Refusal>,
) -> Outcome {
    let tokens = visit.get("/tokens").await?;
    let mut items = tokens["items"].as_array().cloned().unwrap_or_default();
    for token in items.iter_mut().filter_map(Value::as_object_mut) {
        for name in ["last_used_at", "expires_at"] {
            token.entry(name).or_insert(Value::Null);
        }
    }
    let errors = refusal.map_or_else(|| json!({}), Refusal::fields);
    let context = json!({ "tokens": items, "created": created, "errors": errors,
        "problem": refusal.map(Refusal::detail), "done": visit.query("done") });
    Ok(visit.show_as(status, "account.html", context))
}

pub(super) async fn create_token(visit: Visit, form: Form) -> Outcome {
    let scopes: Vec<&str> = form.all("scope").collect();
    let mut body = filled([("name", form.text("name"))]);
    body["scopes"] = json!(scopes);
    if let Some(days) = form.text("days").parse::<u64>().ok().filter(|days| *days > 0) {
        body["expires_in"] = json!(days.saturating_mul(DAY_MS));
    }
    match visit.send(Method::POST, "/tokens", body).await {
        Ok(answer) => show_account(&visit, StatusCode::CREATED, answer.json, None).await,
        Err(refusal) if mendable(&refusal) && refusal.status != StatusCode::UNAUTHORIZED => {
            show_account(&visit, refusal.status, Value::Null, Some(&refusal)).await
        }
        Err(refusal) => Err(refusal),
    }
}

pub(super) async fn revoke_token(visit: Visit, form: Form) -> Outcome {
    let path = format!("/tokens/{}", segment(form.text("id")));
    visit.send(Method::DELETE, &path, Value::Null).await?;
    Ok(redirect("/account?done=revoked"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_left_empty_is_not_sent() {
        assert_eq!(filled([("name", "laptop"), ("note", "")]), json!({ "name": "laptop" }));
    }
}
