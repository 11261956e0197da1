//! Who is really calling, and under which address they see this server, behind which proxies.

use ipnet::IpNet;
use poem::{Request, http::HeaderMap};
use std::net::IpAddr;

/// The proxies whose `X-Forwarded-*` headers are believed. Nobody else's are.
#[derive(Debug, Clone, Default)]
pub struct Proxies(pub Vec<IpNet>);

/// The caller, as far as the connection tells.
#[derive(Debug, Clone)]
pub struct Client {
    pub address: Option<IpAddr>,
    /// `http` or `https`.
    pub scheme: &'static str,
    /// The host and port that the client asked for, checked to be no more than that.
    pub host: String,
}

impl Proxies {
    fn trust(&self, address: IpAddr) -> bool {
        self.0.iter().any(|net| net.contains(&address))
    }

    /// Reads the connection and, where it comes from a trusted proxy, what the proxy says of it.
    pub fn client(&self, req: &Request) -> Client {
        let peer = req.remote_addr().as_socket_addr().map(|a| a.ip().to_canonical());
        self.judge(peer, req.headers(), req.original_uri().authority().map(|a| a.as_str()))
    }

    fn judge(&self, peer: Option<IpAddr>, headers: &HeaderMap, authority: Option<&str>) -> Client {
        let trusted = peer.is_some_and(|p| self.trust(p));
        let forwarded = |name| if trusted { first(headers, name) } else { None };
        let scheme = match forwarded("x-forwarded-proto") {
            Some("https") => "https",
            _ => "http",
        };
        let host = forwarded("x-forwarded-host")
            .or_else(|| first(headers, "host"))
            .or(authority)
            .filter(|host| is_authority(host))
            .unwrap_or("localhost");
        Client {
            address: if trusted { self.nearest_stranger(headers).or(peer) } else { peer },
            scheme,
            host: host.to_ascii_lowercase(),
        }
    }

    /// The last address in `X-Forwarded-For` that is not one of our proxies: everything before
    /// it was written by the client itself.
    fn nearest_stranger(&self, headers: &HeaderMap) -> Option<IpAddr> {
        let lists = headers.get_all("x-forwarded-for").into_iter().filter_map(|v| v.to_str().ok());
        let hops: Vec<&str> = lists.flat_map(|list| list.split(',')).collect();
        let addresses = hops.iter().rev().map_while(|hop| parse_hop(hop.trim()));
        addresses.into_iter().find(|address| !self.trust(*address))
    }
}

impl Client {
    /// How the client sees this server, as in `http://localhost:8080`.
    pub fn origin(&self) -> String {
        format!("{}://{}", self.scheme, self.host)
    }
}

fn first<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()?.split(',').next().map(str::trim)
}

fn parse_hop(hop: &str) -> Option<IpAddr> {
    let bare = hop.strip_prefix('[').and_then(|h| h.split(']').next()).unwrap_or(hop);
    let address =
        bare.parse().ok().or_else(|| hop.parse::<std::net::SocketAddr>().ok().map(|a| a.ip()));
    address.map(|a: IpAddr| a.to_canonical())
}

/// Whether the text is a host with an optional port, and nothing that could turn a link into
/// another link.
fn is_authority(text: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b".-_:[]".contains(&b);
    !text.is_empty() && text.len() <= 255 && text.bytes().all(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(peer: &str, headers: &[(&'static str, &str)]) -> Client {
        let headers = headers.iter().map(|(name, value)| {
            (poem::http::HeaderName::from_static(name), value.parse().unwrap())
        });
        let proxies = Proxies(vec!["10.0.0.0/8".parse().unwrap()]);
        proxies.judge(Some(peer.parse().unwrap()), &headers.collect(), None)
    }

    #[test]
    fn a_stranger_cannot_say_who_they_are() {
        let headers = [
            ("host", "media.example:8080"),
            ("x-forwarded-for", "1.2.3.4"),
            ("x-forwarded-proto", "https"),
            ("x-forwarded-host", "evil.example"),
        ];
        let seen = client("203.0.113.9", &headers);
        assert_eq!(seen.address.unwrap().to_string(), "203.0.113.9");
        assert_eq!(seen.origin(), "http://media.example:8080");
    }

    #[test]
    fn a_trusted_proxy_is_believed_about_its_own_hop_only() {
        let headers = [
            ("host", "inner"),
            ("x-forwarded-for", "6.6.6.6, 198.51.100.7, 10.0.0.2"),
            ("x-forwarded-proto", "https"),
            ("x-forwarded-host", "Media.Example"),
        ];
        let seen = client("10.0.0.1", &headers);
        assert_eq!(seen.address.unwrap().to_string(), "198.51.100.7");
        assert_eq!(seen.origin(), "https://media.example");
    }

    #[test]
    fn a_host_that_is_no_host_names_nothing() {
        for host in ["", "a/b", "a\"b", "a@b", "a b", "<x>"] {
            assert_eq!(client("203.0.113.9", &[("host", host)]).host, "localhost", "{host}");
        }
    }
}
