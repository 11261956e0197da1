//! The one place where an `Error` meets HTTP: RFC 9457 `application/problem+json`.

use crate::base::Error;
use poem::{IntoResponse, Response, http::StatusCode};
use poem_openapi::{ApiResponse, Object, payload::Json, types::Example};
use std::sync::LazyLock;

tokio::task_local! {
    /// The id of the request that this task is answering.
    pub static REQUEST_ID: String;
}

/// What went wrong, as RFC 9457 has it.
#[derive(Debug, Object)]
#[oai(rename = "Problem", skip_serializing_if_is_none, example = true)]
pub struct Body {
    /// A stable name for the kind of problem, as a URI.
    #[oai(rename = "type")]
    kind: String,
    /// The HTTP status in words.
    title: String,
    /// The HTTP status.
    status: u16,
    /// What went wrong this time, for people.
    detail: Option<String>,
    /// The same name as in `type`, short: switch on this.
    code: String,
    /// Names this request in the server's log.
    request_id: Option<String>,
    /// Which fields of the request are at fault.
    errors: Option<Vec<FieldError>>,
    /// With the codes `limit_reached` and `quota_reached`: which limit, and `feature_off`: which feature.
    limit: Option<String>,
    /// With the codes `limit_reached` and `quota_reached`: how many the limit allows.
    allowed: Option<u64>,
    /// Where more is to be had.
    upgrade_url: Option<String>,
}

/// One field of the request that cannot be accepted.
#[derive(Debug, Object)]
pub struct FieldError {
    /// The name of the field.
    field: String,
    /// What is wrong with it, for people.
    message: String,
}

impl Example for Body {
    fn example() -> Self {
        Self::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "invalid",
            Some("title is over 200 characters".to_owned()),
            Some(("title", "is over 200 characters".to_owned())),
        )
    }
}

#[derive(Debug, ApiResponse)]
pub enum Problem {
    /// The request cannot be served as it stands.
    #[oai(status_range = "4XX", content_type = "application/problem+json")]
    Client(
        StatusCode,
        Json<Body>,
        /// Seconds to wait before the next try.
        #[oai(header = "Retry-After")]
        Option<u64>,
    ),
    /// The server failed. The answer says nothing about why; the log does.
    #[oai(status_range = "5XX", content_type = "application/problem+json")]
    Server(StatusCode, Json<Body>),
}

/// `460 Checksum Mismatch`, as the tus protocol (1.0.0, extension `checksum`) has it.
static WRONG_CHECKSUM: LazyLock<StatusCode> =
    LazyLock::new(|| StatusCode::from_u16(460).unwrap_or(StatusCode::BAD_REQUEST));

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        use Error as E;
        let (status, code, field) = match &error {
            E::NotFound(_) => (StatusCode::NOT_FOUND, "not_found", None),
            E::Gone(_) => (StatusCode::GONE, "gone", None),
            E::Unauthenticated => (StatusCode::UNAUTHORIZED, "unauthenticated", None),
            E::WrongCredentials => (StatusCode::UNAUTHORIZED, "wrong_credentials", None),
            E::Forbidden(_) => (StatusCode::FORBIDDEN, "forbidden", None),
            E::MissingScope(_) => (StatusCode::FORBIDDEN, "missing_scope", None),
            E::CrossSite => (StatusCode::FORBIDDEN, "cross_site", None),
            E::BadSignature => (StatusCode::FORBIDDEN, "bad_signature", None),
            E::SignatureRequired => (StatusCode::FORBIDDEN, "signature_required", None),
            E::Invalid { field, reason } => {
                (StatusCode::UNPROCESSABLE_ENTITY, "invalid", Some((*field, reason.clone())))
            }
            E::Malformed(_) => (StatusCode::BAD_REQUEST, "malformed", None),
            E::Conflict { code, .. } => (StatusCode::CONFLICT, *code, None),
            E::Stale => (StatusCode::PRECONDITION_FAILED, "stale", None),
            E::Locked(_) => (StatusCode::LOCKED, "locked", None),
            E::WrongChecksum => (*WRONG_CHECKSUM, "wrong_checksum", None),
            E::WrongVersion(_) => (StatusCode::PRECONDITION_FAILED, "wrong_version", None),
            E::TooLarge { field, allowed } => {
                let reason = format!("may have {allowed} bytes at most");
                (StatusCode::PAYLOAD_TOO_LARGE, "too_large", Some((*field, reason)))
            }
            E::Unsupported(reason) => {
                let fault = Some(("file", reason.clone()));
                (StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media", fault)
            }
            E::Rejected { code, reason } => {
                (StatusCode::UNPROCESSABLE_ENTITY, *code, Some(("file", reason.clone())))
            }
            E::Fetch { code, reason } => {
                (StatusCode::UNPROCESSABLE_ENTITY, *code, Some(("url", reason.clone())))
            }
            E::TooMany { .. } => (StatusCode::TOO_MANY_REQUESTS, "too_many_requests", None),
            E::LimitReached { retry_after_s: Some(_), .. } => {
                (StatusCode::TOO_MANY_REQUESTS, "limit_reached", None)
            }
            E::LimitReached { .. } => (StatusCode::FORBIDDEN, "limit_reached", None),
            E::QuotaReached { .. } => (StatusCode::FORBIDDEN, "quota_reached", None),
            E::FeatureOff { .. } => (StatusCode::FORBIDDEN, "feature_off", None),
            E::Suspended { .. } => (StatusCode::FORBIDDEN, "suspended", None),
            E::DiskFull => (StatusCode::INSUFFICIENT_STORAGE, "disk_full", None),
            E::Unavailable(_) => (StatusCode::SERVICE_UNAVAILABLE, "unavailable", None),
            E::Internal(cause) => {
                tracing::error!(%cause, "request failed");
                (StatusCode::INTERNAL_SERVER_ERROR, "internal", None)
            }
        };
        let wait = match &error {
            E::TooMany { retry_after_s } => Some(*retry_after_s),
            E::LimitReached { retry_after_s, .. } => *retry_after_s,
            _ => None,
        };
        let body = Body::new(status, code, Some(error.to_string()), field);
        Self::new(status, body.with_limit(error), wait)
    }
}

impl Body {
    fn new(
        status: StatusCode,
        code: &str,
        detail: Option<String>,
        field: Option<(&str, String)>,
    ) -> Self {
        Self {
            kind: format!("urn:vitrina:problem:{code}"),
            title: status.canonical_reason().unwrap_or("Problem").to_owned(),
            status: status.as_u16(),
            detail,
            code: code.to_owned(),
            request_id: REQUEST_ID.try_with(Clone::clone).ok(),
            errors: field.map(|(field, message)| vec![FieldError { field: field.into(), message }]),
            limit: None,
            allowed: None,
            upgrade_url: None,
        }
    }

    /// Adds what a client needs to explain a limit.
    fn with_limit(self, error: Error) -> Self {
        match error {
            Error::LimitReached { limit, allowed, upgrade_url, .. } => {
                Self { limit: Some(limit.to_owned()), allowed: Some(allowed), upgrade_url, ..self }
            }
            Error::QuotaReached { limit, allowed } => {
                Self { limit: Some(limit.to_owned()), allowed: Some(allowed), ..self }
            }
            Error::FeatureOff { feature, upgrade_url } => {
                Self { limit: Some(feature.to_owned()), upgrade_url, ..self }
            }
            _ => self,
        }
    }
}

impl Problem {
    fn new(status: StatusCode, body: Body, wait: Option<u64>) -> Self {
        if status.is_server_error() {
            Self::Server(status, Json(body))
        } else {
            Self::Client(status, Json(body), wait)
        }
    }

    /// What the framework refuses (a body that does not parse, an unknown path or method), in the
    /// same dress.
    pub fn from_framework(error: poem::Error) -> Response {
        use poem_openapi::error::{ContentTypeError, ParseParamError, ParsePathError};
        if error.is_from_response() {
            return error.into_response();
        }
        let detail = error.to_string();
        let (status, code, field) = if let Some(e) = error.downcast_ref::<ParseParamError>() {
            (StatusCode::UNPROCESSABLE_ENTITY, "invalid", Some((e.name, e.reason.clone())))
        } else if let Some(e) = error.downcast_ref::<ParsePathError>() {
            (StatusCode::NOT_FOUND, "not_found", Some((e.name, e.reason.clone())))
        } else if error.is::<ContentTypeError>() {
            (StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_content_type", None)
        } else {
            match error.status() {
                StatusCode::NOT_FOUND => (StatusCode::NOT_FOUND, "not_found", None),
                s @ StatusCode::METHOD_NOT_ALLOWED => (s, "method_not_allowed", None),
                s if s.is_client_error() => (s, "malformed", field_in(&detail)),
                _ => return Self::from(Error::internal(detail)).into_response(),
            }
        };
        let body = Body::new(status, code, Some(detail.clone()), field);
        Self::new(status, body, None).into_response()
    }

    /// A request whose handler panicked. The panic itself is in the log.
    pub fn from_panic() -> Response {
        Self::from(Error::internal("a handler panicked")).into_response()
    }
}

/// The framework names the field of a JSON body only inside its message, as ``field `name` ``.
fn field_in(message: &str) -> Option<(&str, String)> {
    let (_, rest) = message.split_once("field `")?;
    let (name, _) = rest.split_once('`')?;
    Some((name, message.to_owned()))
}
