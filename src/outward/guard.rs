//! Which URLs and which addresses may be fetched on a user's behalf: pure, opens nothing.
//!
//! A server that fetches what it is told reaches places its users cannot: its own services, the
//! neighbours in its network, the metadata service of its cloud. Names are judged by the addresses
//! they resolve to, so the rules for addresses are the ones that carry the weight.

use crate::base::{Error, Result};
use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use url::{Host, Url};

/// What is refused and what is excepted, beyond the rules that hold for everybody.
#[derive(Debug, Clone, Default)]
pub struct Policy {
    /// Networks that may be fetched from although they are not public, such as the operator's own.
    pub allow: Vec<IpNet>,
    /// Our own host names, without a port. Fetching from ourselves could run in circles.
    pub refuse_hosts: Vec<String>,
}

impl Policy {
    /// Whether a connection to the address is fine: it is public, or the operator excepted it.
    pub fn permits(&self, addr: IpAddr) -> bool {
        let addr = addr.to_canonical();
        is_public(addr) || self.allow.iter().any(|net| net.contains(&addr))
    }

    fn refuses_host(&self, host: &Host<&str>) -> bool {
        let plain = host.to_string();
        let plain = plain.trim_end_matches('.');
        self.refuse_hosts.iter().any(|ours| {
            let ours = ours.trim_end_matches('.');
            Host::parse(ours).map_or_else(
                |_| ours.eq_ignore_ascii_case(plain),
                |ours| ours.to_string().eq_ignore_ascii_case(plain),
            )
        })
    }
}

/// Characters that a URL may have at most.
const LONGEST: usize = 2_048;

/// Ports where other protocols listen that can be made to take an HTTP request for their own:
/// the "bad ports" of the WHATWG Fetch standard. Every other port is fine, since picture servers
/// on 8080 or 9000 are common and a port number protects nothing that the address does not.
const REFUSED_PORTS: &[u16] = &[
    0, 1, 7, 9, 11, 13, 15, 17, 19, 20, 21, 22, 23, 25, 37, 42, 43, 53, 69, 77, 79, 87, 95, 101,
    102, 103, 104, 109, 110, 111, 113, 115, 117, 119, 123, 135, 137, 139, 143, 161, 179, 389, 427,
    465, 512, 513, 514, 515, 526, 530, 531, 532, 540, 548, 554, 556, 563, 587, 601, 636, 989, 990,
    993, 995, 1719, 1720, 1723, 2049, 3659, 4045, 4190, 5060, 5061, 6000, 6566, 6665, 6666, 6667,
    6668, 6669, 6679, 6697, 10080,
];

/// The URL that the text spells, if it may be asked for. Host names pass unresolved: whoever
/// connects has to ask [`Policy::permits`] about each address.
///
/// # Errors
/// `Fetch` with the code `url_refused` and the rule that was broken.
pub fn check_url(text: &str, policy: &Policy) -> Result<Url> {
    if text.len() > LONGEST {
        return Err(refused("is longer than 2,048 characters"));
    }
    let mut url = Url::parse(text).map_err(|cause| refused(format!("cannot be read: {cause}")))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(refused("must begin with http:// or https://"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(refused("must not carry a user name or a password"));
    }
    if url.port().is_some_and(|port| REFUSED_PORTS.contains(&port)) {
        return Err(refused("names a port that belongs to another protocol"));
    }
    let Some(host) = url.host() else { return Err(refused("names no host")) };
    if policy.refuses_host(&host) {
        return Err(refused("points back to this site"));
    }
    // The parser has already turned every spelling of an address (0x7f.1, 2130706433, ...) into one.
    let literal = match host {
        Host::Ipv4(addr) => Some(IpAddr::V4(addr)),
        Host::Ipv6(addr) => Some(IpAddr::V6(addr)),
        Host::Domain(_) => None,
    };
    if literal.is_some_and(|addr| !policy.permits(addr)) {
        return Err(address_refused());
    }
    url.set_fragment(None);
    Ok(url)
}

/// The answer for every address that may not be fetched from, in whatever way it was found.
pub(super) fn address_refused() -> Error {
    refused("leads to an address that is not public")
}

fn refused(reason: impl Into<String>) -> Error {
    Error::Fetch { code: "url_refused", reason: reason.into() }
}

/// Whether the address is one that anybody on the internet could connect to.
///
/// What the IANA special-purpose registries (RFC 6890) reserve is not, and neither is an address
/// of a translation or tunnel, which could hide a private one inside.
pub fn is_public(addr: IpAddr) -> bool {
    match addr.to_canonical() {
        IpAddr::V4(addr) => !RESERVED_V4.iter().any(|net| net.contains(&addr)),
        IpAddr::V6(addr) => {
            GLOBAL_V6.contains(&addr)
                && !RESERVED_V6.iter().any(|net| net.contains(&addr))
                && !is_isatap(addr)
        }
    }
}

const fn v4(a: u8, b: u8, c: u8, d: u8, prefix: u8) -> Ipv4Net {
    Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), prefix)
}

const fn v6(a: u16, b: u16, c: u16, prefix: u8) -> Ipv6Net {
    Ipv6Net::new_assert(Ipv6Addr::new(a, b, c, 0, 0, 0, 0, 0), prefix)
}

const RESERVED_V4: &[Ipv4Net] = &[
    v4(0, 0, 0, 0, 8),        // this host; Linux takes 0.0.0.0 for loopback
    v4(10, 0, 0, 0, 8),       // private
    v4(100, 64, 0, 0, 10),    // carrier-grade NAT
    v4(127, 0, 0, 0, 8),      // loopback
    v4(168, 63, 129, 16, 32), // the inside of Azure, on a public address
    v4(169, 254, 0, 0, 16),   // link-local, where clouds keep their metadata
    v4(172, 16, 0, 0, 12),    // private
    v4(192, 0, 0, 0, 24),     // protocol assignments
    v4(192, 0, 2, 0, 24),     // documentation
    v4(192, 88, 99, 0, 24),   // 6to4 relays
    v4(192, 168, 0, 0, 16),   // private
    v4(198, 18, 0, 0, 15),    // benchmarks
    v4(198, 51, 100, 0, 24),  // documentation
    v4(203, 0, 113, 0, 24),   // documentation
    v4(224, 0, 0, 0, 4),      // multicast
    v4(240, 0, 0, 0, 4),      // reserved, and broadcast at its end
];

/// All of IPv6 that is handed out for global unicast. Unspecified, loopback, IPv4-compatible and
/// translated addresses, NAT64 (64:ff9b::/96, 64:ff9b:1::/48), discard-only, segment routing,
/// unique local, link-local, site-local and multicast all lie outside.
const GLOBAL_V6: Ipv6Net = v6(0x2000, 0, 0, 3);

const RESERVED_V6: &[Ipv6Net] = &[
    v6(0x2001, 0, 0, 23), // protocol assignments: Teredo, benchmarks, ORCHID, ...
    v6(0x2001, 0xdb8, 0, 32), // documentation
    v6(0x2002, 0, 0, 16), // 6to4
    v6(0x3ffe, 0, 0, 16), // the 6bone, given back
    v6(0x3fff, 0, 0, 20), // documentation
];

/// ISATAP (RFC 5214) can use any prefix and shows in the interface identifier: 0:5efe or 200:5efe,
/// followed by an IPv4 address.
fn is_isatap(addr: Ipv6Addr) -> bool {
    let words = addr.segments();
    words[4] & !0x0200 == 0 && words[5] == 0x5efe
}

#[cfg(test)]
mod tests {
    use super::*;

    fn public(text: &str) -> bool {
        is_public(text.parse().unwrap())
    }

    #[test]
    fn addresses_of_the_internet_are_public() {
        for text in [
            "1.1.1.1",
            "9.255.255.255",
            "11.0.0.0",
            "100.63.255.255",
            "100.128.0.0",
            "172.15.255.255",
            "172.32.0.0",
            "192.0.1.1",
            "198.17.255.255",
            "198.20.0.0",
            "223.255.255.255",
            "::ffff:1.1.1.1",
            "2001:200::1",
            "2606:4700:4700::1111",
            "2a00:1450::1",
        ] {
            assert!(public(text), "{text}");
        }
    }

    #[test]
    fn reserved_ipv4_is_not_public() {
        for text in [
            "0.0.0.0",
            "0.1.2.3",
            "10.0.0.1",
            "10.255.255.255",
            "100.64.0.1",
            "100.100.100.200",
            "100.127.255.255",
            "127.0.0.1",
            "127.255.255.254",
            "168.63.129.16",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.1",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.1.1",
            "198.18.0.1",
            "198.19.255.255",
            "198.51.100.7",
            "203.0.113.7",
            "224.0.0.1",
            "239.255.255.250",
            "240.0.0.1",
            "255.255.255.255",
        ] {
            assert!(!public(text), "{text}");
        }
    }

    #[test]
    fn reserved_ipv6_is_not_public() {
        for text in [
            "::",
            "::1",
            "::127.0.0.1",
            "::1.1.1.1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "::ffff:0:127.0.0.1",
            "64:ff9b::7f00:1",
            "64:ff9b::1.1.1.1",
            "64:ff9b:1::a00:1",
            "100::1",
            "2001::1",
            "2001:0:4136:e378:8000:63bf:3fff:fdd2",
            "2001:2::1",
            "2001:10::1",
            "2001:20::1",
            "2001:db8::1",
            "2002:7f00:1::",
            "2002:101:101::1",
            "2a00::5efe:10.0.0.1",
            "2a00::200:5efe:10.0.0.1",
            "3ffe::1",
            "3fff::1",
            "5f00::1",
            "fc00::1",
            "fd00:ec2::254",
            "fe80::1",
            "fe80::5efe:192.168.0.1",
            "fec0::1",
            "ff02::1",
        ] {
            assert!(!public(text), "{text}");
        }
    }

    fn check(text: &str) -> Result<Url> {
        let ours = vec!["pictures.example".to_owned(), "ÜBER.example".to_owned()];
        check_url(text, &Policy { allow: vec![], refuse_hosts: ours })
    }

    #[test]
    fn plain_urls_pass_and_lose_their_fragment() {
        assert_eq!(check("https://example.org").unwrap().as_str(), "https://example.org/");
        let url = check("HTTP://EXAMPLE.org:8080/a%20b.jpg?x=1#part").unwrap();
        assert_eq!(url.as_str(), "http://example.org:8080/a%20b.jpg?x=1");
        assert!(check("http://1.1.1.1/").is_ok());
        assert!(check("http://[2606:4700:4700::1111]/").is_ok());
    }

    #[test]
    fn what_is_no_plain_web_address_is_refused() {
        for text in [
            "",
            "example.org/a.jpg",
            "//example.org/",
            "file:///etc/passwd",
            "ftp://example.org/",
            "gopher://example.org/",
            "data:image/png;base64,AAAA",
            "javascript:alert(1)",
            "http://",
            "http://user@example.org/",
            "http://user:word@example.org/",
            "http://:word@example.org/",
            "http://example.org:22/",
            "http://example.org:0/",
            "http://example.org:99999/",
            "http://exa mple.org/",
        ] {
            let refusal = check(text).unwrap_err();
            assert!(matches!(refusal, Error::Fetch { code: "url_refused", .. }), "{text}");
        }
        assert!(check(&format!("http://example.org/{}", "a".repeat(LONGEST))).is_err());
    }

    #[test]
    fn an_address_is_judged_in_every_spelling() {
        for text in [
            "http://127.0.0.1/",
            "http://127.1/",
            "http://127.0.0.1./",
            "http://2130706433/",
            "http://0x7f000001/",
            "http://0x7f.1/",
            "http://0177.0.0.1/",
            "http://%31%32%37.0.0.1/",
            "http://１２７.0.0.1/",
            "http://127。0。0。1/",
            "http:\\\\127.0.0.1\\",
            "http:127.0.0.1/",
            "http://0/",
            "http://[::]/",
            "http://[::1]/",
            "http://[::ffff:127.0.0.1]/",
            "http://[::ffff:7f00:1]/",
            "http://169.254.169.254/latest/meta-data/",
        ] {
            assert!(check(text).is_err(), "{text}");
        }
    }

    #[test]
    fn our_own_hosts_are_refused() {
        for host in [
            "pictures.example",
            "PICTURES.example.",
            "pictures.example:8080",
            "xn--ber-goa.example",
        ] {
            assert!(check(&format!("http://{host}/f/x.jpg")).is_err(), "{host}");
        }
        assert!(check("http://other.pictures.example/").is_ok());
    }

    #[test]
    fn the_operator_can_except_a_network_but_not_our_hosts() {
        let policy = Policy {
            allow: vec!["10.1.0.0/16".parse().unwrap(), "fd12::/16".parse().unwrap()],
            refuse_hosts: vec!["10.1.0.9".to_owned()],
        };
        assert!(check_url("http://10.1.2.3/", &policy).is_ok());
        assert!(check_url("http://[::ffff:10.1.2.3]/", &policy).is_ok());
        assert!(check_url("http://[fd12::1]/", &policy).is_ok());
        assert!(check_url("http://10.2.0.1/", &policy).is_err());
        assert!(check_url("http://10.1.0.9/", &policy).is_err());
    }
}
