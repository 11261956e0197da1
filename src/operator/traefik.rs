//! What Traefik's HTTP provider asks for: a router for each tenant, all to this server. Pure.

use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// What Traefik is told about this server.
#[derive(Debug, Clone)]
pub struct Traefik {
    pub entry_point: String,
    /// The certificate resolver, if there is one.
    pub resolver: Option<String>,
    /// Where Traefik finds this server.
    pub service: String,
    /// The networks that are let in; none means everybody.
    pub allow: Vec<String>,
}

const SERVICE: &str = "vitrina";
const ALLOW: &str = "vitrina-allow";

impl Traefik {
    /// The dynamic configuration (Traefik 3) for these hostnames and the tenants they lead to.
    pub fn configuration(&self, hosts: &[(String, String)]) -> Value {
        let mut by_tenant: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for (host, tenant) in hosts {
            by_tenant.entry(tenant).or_default().push(host);
        }
        let routers: Map<_, _> = by_tenant
            .into_iter()
            .map(|(tenant, hosts)| (format!("{SERVICE}-{tenant}"), self.router(&hosts)))
            .collect();
        let mut http = Map::new();
        // Traefik takes no section that is empty.
        if !routers.is_empty() {
            http.insert("routers".to_owned(), routers.into());
        }
        let servers = json!([{ "url": self.service }]);
        let services = json!({ SERVICE: { "loadBalancer": { "servers": servers } } });
        http.insert("services".to_owned(), services);
        if !self.allow.is_empty() {
            let allow = json!({ ALLOW: { "ipAllowList": { "sourceRange": self.allow } } });
            http.insert("middlewares".to_owned(), allow);
        }
        json!({ "http": http })
    }

    fn router(&self, hosts: &[&str]) -> Value {
        let rule: Vec<_> = hosts.iter().map(|host| format!("Host(`{host}`)")).collect();
        let mut router = json!({
            "rule": rule.join(" || "),
            "service": SERVICE,
            "entryPoints": [self.entry_point],
        });
        if let Some(resolver) = &self.resolver {
            router["tls"] = json!({ "certResolver": resolver });
        }
        if !self.allow.is_empty() {
            router["middlewares"] = json!([ALLOW]);
        }
        router
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn traefik() -> Traefik {
        Traefik {
            entry_point: "websecure".to_owned(),
            resolver: None,
            service: "http://127.0.0.1:8080".to_owned(),
            allow: Vec::new(),
        }
    }

    #[test]
    fn every_tenant_has_a_router_for_all_its_names() {
        let hosts = [("a.example", "alice"), ("b.example", "bob"), ("www.a.example", "alice")];
        let hosts = hosts.map(|(host, tenant)| (host.to_owned(), tenant.to_owned()));
        let servers = json!([{ "url": "http://127.0.0.1:8080" }]);
        let router = |rule: &str| json!({ "rule": rule, "service": "vitrina", "entryPoints": ["websecure"] });
        let expected = json!({ "http": {
            "routers": {
                "vitrina-alice": router("Host(`a.example`) || Host(`www.a.example`)"),
                "vitrina-bob": router("Host(`b.example`)"),
            },
            "services": { "vitrina": { "loadBalancer": { "servers": servers } } },
        } });
        assert_eq!(traefik().configuration(&hosts), expected);
        assert!(traefik().configuration(&[])["http"].get("routers").is_none());
    }

    #[test]
    fn certificates_and_networks_are_asked_for_where_they_are_set() {
        let resolver = Some("letsencrypt".to_owned());
        let one = Traefik { resolver, allow: vec!["10.0.0.0/8".to_owned()], ..traefik() };
        let all = one.configuration(&[("a.example".to_owned(), "alice".to_owned())]);
        let router = &all["http"]["routers"]["vitrina-alice"];
        assert_eq!(router["tls"], json!({ "certResolver": "letsencrypt" }));
        assert_eq!(router["middlewares"], json!(["vitrina-allow"]));
        let allow = &all["http"]["middlewares"]["vitrina-allow"]["ipAllowList"];
        assert_eq!(allow["sourceRange"], json!(["10.0.0.0/8"]));
    }
}
