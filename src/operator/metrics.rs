//! What monitoring reads: figures of the whole appliance in Prometheus' text format. Of single
//! sites it names those alone that have jobs.

use crate::{
    base::{Error, Result},
    cache::State,
    tenancy::Tenants,
};
use poem::http::StatusCode;
use prometheus_client::{
    encoding::{EncodeLabelSet, text::encode},
    metrics::{counter::Counter, family::Family, gauge::Gauge, info::Info},
    registry::Registry,
};
use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

/// The type of [`Metrics::text`].
pub(super) const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// What is counted as it happens.
pub struct Metrics {
    requests: Family<RequestLabels, Counter>,
    decoders_lost: Arc<AtomicU64>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    listener: &'static str,
    /// As in `2xx`.
    status: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct StatusLabel {
    status: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct JobsLabels {
    tenant: String,
    state: String,
}

impl Metrics {
    /// `decoders_lost` is counted elsewhere.
    pub fn new(decoders_lost: Arc<AtomicU64>) -> Self {
        Self { requests: Family::default(), decoders_lost }
    }

    /// Counts one request that `listener` answered.
    pub fn count(&self, listener: &'static str, status: StatusCode) {
        let status = match status.as_u16() / 100 {
            1 => "1xx",
            2 => "2xx",
            3 => "3xx",
            4 => "4xx",
            _ => "5xx",
        };
        self.requests.get_or_create(&RequestLabels { listener, status }).inc();
    }

    /// Every figure, as of now, in the OpenMetrics text format.
    pub async fn text(&self, tenants: &Tenants) -> Result<String> {
        let by_status = tenants.by_status().await?;
        let mut registry = Registry::with_prefix("vitrina");
        let version = vec![("version", env!("CARGO_PKG_VERSION"))];
        registry.register("build", "The version that is running", Info::new(version));

        let sites = Family::<StatusLabel, Gauge>::default();
        registry.register("tenants", "Tenants by their status", sites.clone());
        for status in ["active", "suspended", "deleting"] {
            let count = by_status.iter().find(|(name, _)| name == status).map_or(0, |(_, n)| *n);
            let label = StatusLabel { status: status.to_owned() };
            sites.get_or_create(&label).set(i64::try_from(count).unwrap_or(i64::MAX));
        }
        let open = Gauge::<i64>::default();
        open.set(i64::try_from(tenants.open_count()).unwrap_or(i64::MAX));
        registry.register("open_tenants", "Tenants whose files are open", open);

        let jobs = Family::<JobsLabels, Gauge>::default();
        let help = "Jobs that wait, run or failed, where there are any, when last looked at";
        registry.register("tenant_jobs", help, jobs.clone());
        for (tenant, state, count) in tenants.jobs_by_state().await? {
            jobs.get_or_create(&JobsLabels { tenant, state }).set(count);
        }

        if let Some(up) = is_up(tenants.redis()) {
            let redis = Gauge::<i64>::default();
            redis.set(up.into());
            registry.register("redis_up", "Whether Redis answers", redis);
        }
        let help = "Requests by listener and class of status";
        registry.register("requests", help, self.requests.clone());

        let lost = Counter::<u64>::default();
        lost.inc_by(self.decoders_lost.load(Ordering::Relaxed));
        let help = "Decoding processes that died or had to be killed";
        registry.register("decoders_lost", help, lost);

        let mut text = String::new();
        encode(&mut text, &registry).map_err(Error::internal)?;
        Ok(text)
    }
}

fn is_up(state: State) -> Option<bool> {
    match state {
        State::Off => None,
        State::Up => Some(true),
        State::Down => Some(false),
    }
}
