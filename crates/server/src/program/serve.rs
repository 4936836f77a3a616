//! The command `serve`.

use std::future::Future;
use std::path::Path;
use std::time::Duration;

use getclip_server::http::{Cors, Server, Settings};
use getclip_server::listener::{self, ConnectionLimits, Tls};
use getclip_server::sigv4::{Credentials, Verifier};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tracing::{info, warn};

use super::args::ServeArguments;
use super::care::{index_repeatedly, prune_repeatedly};
use super::failure::Failure;
use super::text::print;
use super::{logging, open, signals};

/// Serves until the process is told to stop.
pub(super) async fn run(arguments: ServeArguments) -> Result<(), Failure> {
    logging::start(arguments.log, arguments.log_level);
    let address = arguments.listen;
    if !address.ip().is_loopback() && arguments.credentials.is_none() && !arguments.no_auth {
        return Err(Failure::usage(format!(
            "{address} can be reached from other machines: give --credentials FILE, or --no-auth to ask nobody who they are"
        )));
    }
    let tls = match (&arguments.tls_cert, &arguments.tls_key) {
        (Some(certificate), Some(key)) => Some(Tls::from_files(certificate, key).map_err(Failure::usage)?),
        _ => None,
    };
    let settings = settings(&arguments)?;
    let archive = open(&arguments.archive).await?;
    archive.ready().await?;
    let listener = TcpListener::bind(address).await.map_err(|error| Failure::io(address, error))?;
    let address = listener.local_addr().map_err(|error| Failure::io(address, error))?;
    let scheme = if tls.is_some() { "https" } else { "http" };
    info!(archive = archive.location(), %address, signatures = settings.verifier.is_some(), "serving");
    if settings.public_url.is_none() && tls.is_some() {
        warn!("without --public-url GetDataEndpoint returns an address, which a certificate is rarely for");
    }
    print(&format!("getclip-server: listening on {scheme}://{address}\n"))?;

    let mut care = JoinSet::new();
    care.spawn(index_repeatedly(archive.clone()));
    if arguments.prune_interval > 0 {
        let interval = Duration::from_secs(arguments.prune_interval.saturating_mul(60));
        care.spawn(prune_repeatedly(archive.clone(), interval));
    }
    let mut limits = ConnectionLimits::default();
    limits.connections = arguments.max_connections;
    limits.stall_time = Duration::from_secs(arguments.stall_time);
    limits.shutdown_time = Duration::from_secs(arguments.shutdown_time);
    let server = Server::new(archive, settings);
    let stop = {
        let server = server.clone();
        async move {
            signals::stop().await;
            info!("stopping: responses under way are finished");
            server.close();
        }
    };
    let serving = listener::serve(listener, tls, server.router(), limits, stop);
    let served = until_told_twice(serving).await;
    care.abort_all();
    served?.map_err(|error| Failure::io(address, error))
}

/// The second signal does not wait.
async fn until_told_twice<T>(serving: impl Future<Output = T>) -> Result<T, Failure> {
    let twice = async {
        signals::stop().await;
        signals::stop().await;
    };
    tokio::select! {
        served = serving => Ok(served),
        () = twice => Err(Failure::Interrupted),
    }
}

fn settings(arguments: &ServeArguments) -> Result<Settings, Failure> {
    let mut settings = Settings::default();
    settings.public_url = arguments.public_url.as_deref().map(public_url).transpose()?;
    settings.region.clone_from(&arguments.region);
    settings.account.clone_from(&arguments.account);
    settings.verifier = arguments.credentials.as_deref().map(credentials).transpose()?.map(Verifier::new);
    settings.cors = Cors::new(arguments.cors_origins.iter().cloned());
    settings.profile = arguments.profile.into();
    settings.keep_damaged = arguments.keep_damaged;
    settings.limits.requests = arguments.max_requests;
    settings.limits.clips = arguments.max_clips;
    settings.limits.producers = arguments.max_producers;
    settings.limits.ingest_bytes = arguments.ingest_bytes;
    settings.limits.recent_bytes = arguments.recent_bytes;
    settings.limits.streams = arguments.max_streams;
    settings.limits.url_fragments = arguments.max_url_fragments;
    Ok(settings)
}

/// SDKs add paths to it.
fn public_url(url: &str) -> Result<String, Failure> {
    let rest = url.strip_prefix("http://").or_else(|| url.strip_prefix("https://"));
    match rest.map(|rest| rest.trim_end_matches('/')) {
        Some(host) if !host.is_empty() && !host.contains(['?', '#', ' ']) => {
            Ok(url.trim_end_matches('/').to_owned())
        }
        _ => Err(Failure::usage(format!(
            "--public-url: expected http:// or https:// with a host, found {url:?}"
        ))),
    }
}

/// The keys of a file.
pub(super) fn credentials(file: &Path) -> Result<Credentials, Failure> {
    let text = std::fs::read_to_string(file).map_err(|error| Failure::io(file.display(), error))?;
    Credentials::parse(&text).map_err(|error| Failure::usage(format!("{}: {error}", file.display())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn public_urls() {
        for (url, kept) in [
            ("https://clips.example.org/", Some("https://clips.example.org")),
            ("http://10.0.0.1:8080", Some("http://10.0.0.1:8080")),
            ("clips.example.org", None),
            ("https://", None),
            ("https:///", None),
            ("https://a?b", None),
        ] {
            assert_eq!(public_url(url).ok().as_deref(), kept, "{url}");
        }
    }
}
