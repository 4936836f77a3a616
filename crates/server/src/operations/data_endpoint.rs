//! GetDataEndpoint.

use std::net::SocketAddr;

use http::request::Parts;
use serde_json::Value;

use crate::http::State;
use crate::listener::Connection;
use crate::model::{ApiName, GetDataEndpoint, ServiceError};

/// What has an endpoint here.
const OFFERED: [ApiName; 5] = [
    ApiName::PutMedia,
    ApiName::GetMedia,
    ApiName::ListFragments,
    ApiName::GetMediaForFragmentList,
    ApiName::GetClip,
];

impl State {
    /// This server, for every stream and every operation that it has.
    pub(super) async fn get_data_endpoint(
        &self,
        asked: GetDataEndpoint,
        request: &Parts,
    ) -> Result<Value, ServiceError> {
        self.stream(&asked.stream).await?;
        if !OFFERED.contains(&asked.api) {
            let offered = OFFERED.map(ApiName::as_str).join(", ");
            let found = asked.api.as_str();
            return Err(ServiceError::constraint(
                "APIName",
                format!("one of those offered here, {offered}"),
                found,
            ));
        }
        let endpoint = match (&self.settings.public_url, request.extensions.get::<Connection>()) {
            (Some(url), _) => url.clone(),
            (None, Some(connection)) => address_url(connection.is_tls, connection.local),
            (None, None) => {
                return Err(ServiceError::invalid_argument("This server was not told its public URL."));
            }
        };
        Ok(GetDataEndpoint::response(&endpoint))
    }
}

/// The address that a client connected to. Its Host header is no source: it may have no port.
fn address_url(is_tls: bool, address: SocketAddr) -> String {
    let scheme = if is_tls { "https" } else { "http" };
    format!("{scheme}://{address}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_as_urls() {
        assert_eq!(address_url(false, "127.0.0.1:9000".parse().unwrap()), "http://127.0.0.1:9000");
        assert_eq!(address_url(true, "[::1]:9000".parse().unwrap()), "https://[::1]:9000");
    }
}
