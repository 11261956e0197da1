//! Whatever text is taken for a URL: what the guard lets through is a plain web address, is not
//! ours, and leads to no private address; and it is let through again as it was written back.
#![no_main]

use libfuzzer_sys::fuzz_target;
use std::net::IpAddr;
use vitrina::outward::guard::{Policy, check_url, is_public};

fuzz_target!(|text: &str| {
    let policy = Policy { allow: vec![], refuse_hosts: vec!["pictures.example".to_owned()] };
    let Ok(url) = check_url(text, &policy) else { return };

    assert!(matches!(url.scheme(), "http" | "https"), "{url}");
    assert!(url.username().is_empty() && url.password().is_none(), "{url}");
    let host = url.host_str().expect("a host");
    assert_ne!(host.trim_end_matches('.'), "pictures.example", "{url}");
    // The very parsing by which an HTTP client decides that there is no name to resolve.
    let literal = host.trim_matches(['[', ']']).parse::<IpAddr>();
    assert!(literal.map_or(true, is_public), "{url}");
    if url.as_str().len() <= 2_048 {
        assert_eq!(check_url(url.as_str(), &policy).expect("the same again"), url);
    }
});
