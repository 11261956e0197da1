//! What can go wrong, in the product's own words. No HTTP status lives here; `http/problem.rs`
//! gives every variant its status and its stable code.

pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why something was refused, or failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no such thing, or the caller may not know that there is.
    #[error("{0} not found")]
    NotFound(&'static str),
    /// It was there and will not come back.
    #[error("{0} is gone")]
    Gone(&'static str),
    #[error("sign in to continue")]
    Unauthenticated,
    /// One message for every way to fail, so that it tells nobody which accounts exist.
    #[error("the name or the password is wrong")]
    WrongCredentials,
    #[error("{0}")]
    Forbidden(&'static str),
    /// The token is good, but was not made for this.
    #[error("this token lacks the scope `{0}`")]
    MissingScope(&'static str),
    /// A write with a session cookie that does not prove where it came from.
    #[error(
        "a request with a session cookie must come from this site: send a matching `Origin` \
         header, or use an API token"
    )]
    CrossSite,
    #[error("the signature is wrong or has expired")]
    BadSignature,
    #[error("requests must be signed here")]
    SignatureRequired,
    /// One field has a value that cannot be accepted.
    #[error("{field} {reason}")]
    Invalid { field: &'static str, reason: String },
    /// The request cannot be read at all.
    #[error("{0}")]
    Malformed(String),
    /// The state of things does not allow it (any more).
    #[error("{reason}")]
    Conflict { code: &'static str, reason: &'static str },
    /// The change was made against an older state than the current one.
    #[error("this was changed by someone else: read it again, then retry")]
    Stale,
    /// Somebody else works on it just now; it will be free again.
    #[error("{0}")]
    Locked(&'static str),
    /// What came is not what its sender says it is.
    #[error("the bytes do not have the checksum that was sent with them")]
    WrongChecksum,
    /// A protocol in a version that is not spoken here.
    #[error("{0}")]
    WrongVersion(&'static str),
    #[error("{field} may have {allowed} bytes at most")]
    TooLarge { field: &'static str, allowed: u64 },
    /// A kind of file that this site, or this build, does not take.
    #[error("{0}")]
    Unsupported(String),
    /// A file that is of a known kind and is still refused.
    #[error("file {reason}")]
    Rejected { code: &'static str, reason: String },
    /// A URL that may not be fetched, or could not be.
    #[error("url {reason}")]
    Fetch { code: &'static str, reason: String },
    #[error("too many requests: try again in {retry_after_s} s")]
    TooMany { retry_after_s: u64 },
    /// What the site's plan allows is used up.
    #[error("this site has reached its limit `{limit}` of {allowed}")]
    LimitReached {
        limit: &'static str,
        allowed: u64,
        /// Where more is to be had.
        upgrade_url: Option<String>,
        /// Where waiting helps: how long.
        retry_after_s: Option<u64>,
    },
    /// What the site allows each person is used up.
    #[error("you have reached your limit `{limit}` of {allowed}")]
    QuotaReached { limit: &'static str, allowed: u64 },
    /// The site's plan does not include it.
    #[error("`{feature}` is switched off for this site")]
    FeatureOff { feature: &'static str, upgrade_url: Option<String> },
    /// The whole site is closed by the operator.
    #[error("this site is suspended: {reason}")]
    Suspended { reason: String },
    /// The operator's disk has no room left.
    #[error("the server has no room left")]
    DiskFull,
    /// Not now, and not for a reason that the caller could mend.
    #[error("{0}")]
    Unavailable(&'static str),
    /// A fault of ours. Logged in full, shown to nobody.
    #[error("internal error")]
    Internal(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl Error {
    pub fn internal(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Internal(cause.into())
    }

    pub fn invalid(field: &'static str, reason: impl Into<String>) -> Self {
        Self::Invalid { field, reason: reason.into() }
    }

    /// The error with the cause that the outside is not shown: for logs and the command line.
    pub fn in_full(&self) -> String {
        match self {
            Self::Internal(cause) => format!("{self}: {cause}"),
            other => other.to_string(),
        }
    }
}

macro_rules! internal {
    ($($foreign:ty),* $(,)?) => {
        $(impl From<$foreign> for Error {
            fn from(cause: $foreign) -> Self {
                Self::internal(cause)
            }
        })*
    };
}

impl From<std::io::Error> for Error {
    fn from(cause: std::io::Error) -> Self {
        use std::io::ErrorKind as Kind;
        match cause.kind() {
            Kind::StorageFull | Kind::QuotaExceeded => Self::DiskFull,
            Kind::ReadOnlyFilesystem => Self::Unavailable("the server's disk is read-only"),
            _ => Self::internal(cause),
        }
    }
}

impl From<rusqlite::Error> for Error {
    fn from(cause: rusqlite::Error) -> Self {
        match cause.sqlite_error_code() {
            Some(rusqlite::ErrorCode::DiskFull) => Self::DiskFull,
            _ => Self::internal(cause),
        }
    }
}

internal!(
    r2d2::Error,
    serde_json::Error,
    tokio::task::JoinError,
    tokio::sync::AcquireError,
    tokio::sync::oneshot::error::RecvError,
);
