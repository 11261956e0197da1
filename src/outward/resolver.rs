//! Names to addresses that may be connected to. The HTTP client has no other way to learn an
//! address, so what is judged here is what is connected to.

use super::guard::Policy;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use std::net::SocketAddr;
use std::sync::Arc;

/// Resolves through the system and hands on only what the policy permits.
pub(super) struct GuardedResolver {
    policy: Arc<Policy>,
}

impl GuardedResolver {
    pub(super) fn new(policy: Arc<Policy>) -> Self {
        Self { policy }
    }
}

impl Resolve for GuardedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let policy = Arc::clone(&self.policy);
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await;
            let found = found.map_err(|_| Unreachable::Unknown)?.collect();
            let judged: Addrs = Box::new(judge(found, &policy)?.into_iter());
            Ok(judged)
        })
    }
}

/// One forbidden address spoils them all: a name that mixes them is up to no good.
fn judge(found: Vec<SocketAddr>, policy: &Policy) -> Result<Vec<SocketAddr>, Unreachable> {
    if found.is_empty() {
        return Err(Unreachable::Unknown);
    }
    if !found.iter().all(|addr| policy.permits(addr.ip())) {
        return Err(Unreachable::Refused);
    }
    Ok(found)
}

/// Why a name leads nowhere. Travels through the HTTP client as the cause of its error.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub(super) enum Unreachable {
    #[error("the host is not known")]
    Unknown,
    #[error("the address is not public")]
    Refused,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_forbidden_address_spoils_them_all() {
        let addresses = |texts: &[&str]| texts.iter().map(|t| t.parse().unwrap()).collect();
        let judge = |texts: &[&str]| judge(addresses(texts), &Policy::default());
        assert_eq!(judge(&["1.1.1.1:0", "[2606:4700::1]:0"]).unwrap().len(), 2);
        assert_eq!(judge(&["1.1.1.1:0", "10.0.0.1:0"]), Err(Unreachable::Refused));
        assert_eq!(judge(&["[::ffff:10.0.0.1]:0"]), Err(Unreachable::Refused));
        assert_eq!(judge(&[]), Err(Unreachable::Unknown));
    }
}
