//! Metrics in the text format of OpenMetrics, with the meaning of those that the service sends to CloudWatch.

use std::time::Duration;

use getclip_archive::Archive;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric};
use prometheus_client::metrics::counter::{ConstCounter, Counter};
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

use crate::http::Operation;
use crate::model::Exception;

/// What the server counts.
pub(crate) struct Metrics {
    registry: Registry,
    requests: Family<OperationLabel, Counter>,
    success: Family<OperationLabel, Counter>,
    errors: Family<ErrorLabel, Counter>,
    latency: Family<OperationLabel, Histogram, fn() -> Histogram>,
    outgoing: Family<OperationLabel, Counter>,
    pub(crate) in_flight: Gauge,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OperationLabel {
    operation: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ErrorLabel {
    operation: &'static str,
    exception: &'static str,
}

/// From 1 ms to half a minute: the first byte of a clip is due in 20 ms from a folder and 150 ms from a distant store.
const LATENCY_SECONDS: [f64; 14] =
    [0.001, 0.0025, 0.005, 0.01, 0.02, 0.05, 0.1, 0.15, 0.25, 0.5, 1.0, 2.5, 10.0, 30.0];

impl Metrics {
    pub(crate) fn new(archive: Archive) -> Self {
        let mut registry = Registry::with_prefix("getclip");
        let requests = Family::default();
        let success = Family::default();
        let errors = Family::default();
        let latency = Family::new_with_constructor((|| Histogram::new(LATENCY_SECONDS)) as fn() -> Histogram);
        let outgoing = Family::default();
        let in_flight = Gauge::default();
        registry.register("requests", "Requests (CloudWatch: OPERATION.Requests)", requests.clone());
        registry.register(
            "success",
            "Requests that succeeded, and whose response was taken whole (CloudWatch: OPERATION.Success)",
            success.clone(),
        );
        registry.register("errors", "Requests that failed, by exception", errors.clone());
        registry.register_with_unit(
            "latency",
            "Time from the head of the request to the head of the response (CloudWatch: OPERATION.Latency)",
            Unit::Seconds,
            latency.clone(),
        );
        registry.register_with_unit(
            "outgoing",
            "Bytes of responses (CloudWatch: OPERATION.OutgoingBytes)",
            Unit::Bytes,
            outgoing.clone(),
        );
        registry.register("requests_in_flight", "Requests whose response is not finished", in_flight.clone());
        registry.register_collector(Box::new(StoreCollector(archive)));
        Self { registry, requests, success, errors, latency, outgoing, in_flight }
    }

    /// The head of a response is there.
    pub(crate) fn responded(&self, operation: Operation, exception: Option<Exception>, latency: Duration) {
        let label = OperationLabel { operation: operation.name() };
        self.requests.get_or_create(&label).inc();
        self.latency.get_or_create(&label).observe(latency.as_secs_f64());
        if let Some(exception) = exception {
            let label = ErrorLabel { operation: operation.name(), exception: exception.name() };
            self.errors.get_or_create(&label).inc();
        }
    }

    /// The body of a response was sent, or dropped.
    pub(crate) fn ended(&self, operation: Operation, is_success: bool, bytes: u64) {
        let label = OperationLabel { operation: operation.name() };
        self.outgoing.get_or_create(&label).inc_by(bytes);
        if is_success {
            self.success.get_or_create(&label).inc();
        }
    }

    /// The text of all metrics.
    pub(crate) fn encode(&self) -> String {
        let mut text = String::new();
        // Writing to a String does not fail.
        let _ = prometheus_client::encoding::text::encode(&mut text, &self.registry);
        text
    }
}

/// What the archive asked of its store.
#[derive(Debug)]
struct StoreCollector(Archive);

impl Collector for StoreCollector {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        let requests = self.0.requests();
        for (name, help, unit, value) in [
            ("store_lists", "Listings of the store", None, requests.lists),
            ("store_gets", "Reads of the store", None, requests.gets),
            ("store_puts", "Writes to the store", None, requests.puts),
            ("store_deletes", "Deletions in the store", None, requests.deletes),
            ("store_failures", "Requests to the store that failed", None, requests.failures),
            ("store_read", "Bytes read from the store", Some(&Unit::Bytes), requests.bytes_read),
            ("store_written", "Bytes written to the store", Some(&Unit::Bytes), requests.bytes_written),
        ] {
            let counter = ConstCounter::new(value);
            let metric = encoder.encode_descriptor(name, help, unit, counter.metric_type())?;
            counter.encode(metric)?;
        }
        Ok(())
    }
}
