//! GetDataEndpoint: where the data of a stream is to be had.

use serde_json::{Value, json};

use super::error::ServiceError;
use super::members::Members;
use super::names::StreamReference;

/// An operation on a stream's data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ApiName {
    /// `PUT_MEDIA`
    PutMedia,
    /// `GET_MEDIA`
    GetMedia,
    /// `LIST_FRAGMENTS`
    ListFragments,
    /// `GET_MEDIA_FOR_FRAGMENT_LIST`
    GetMediaForFragmentList,
    /// `GET_HLS_STREAMING_SESSION_URL`
    GetHlsStreamingSessionUrl,
    /// `GET_DASH_STREAMING_SESSION_URL`
    GetDashStreamingSessionUrl,
    /// `GET_CLIP`
    GetClip,
    /// `GET_IMAGES`
    GetImages,
}

impl ApiName {
    /// Every value of the model.
    pub const ALL: [Self; 8] = [
        Self::PutMedia,
        Self::GetMedia,
        Self::ListFragments,
        Self::GetMediaForFragmentList,
        Self::GetHlsStreamingSessionUrl,
        Self::GetDashStreamingSessionUrl,
        Self::GetClip,
        Self::GetImages,
    ];

    /// Name in the model.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::PutMedia => "PUT_MEDIA",
            Self::GetMedia => "GET_MEDIA",
            Self::ListFragments => "LIST_FRAGMENTS",
            Self::GetMediaForFragmentList => "GET_MEDIA_FOR_FRAGMENT_LIST",
            Self::GetHlsStreamingSessionUrl => "GET_HLS_STREAMING_SESSION_URL",
            Self::GetDashStreamingSessionUrl => "GET_DASH_STREAMING_SESSION_URL",
            Self::GetClip => "GET_CLIP",
            Self::GetImages => "GET_IMAGES",
        }
    }
}

/// Request of GetDataEndpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GetDataEndpoint {
    /// The stream.
    pub stream: StreamReference,
    /// The operation that the endpoint is for.
    pub api: ApiName,
}

impl GetDataEndpoint {
    /// Parses the body of a request.
    ///
    /// # Errors
    /// [`InvalidArgument`](super::Exception::InvalidArgument) naming the member that breaks a constraint.
    pub fn parse(body: &[u8]) -> Result<Self, ServiceError> {
        let mut members = Members::parse(body)?;
        let api = members
            .choice("APIName", &ApiName::ALL.map(|api| (api.as_str(), api)))?
            .ok_or_else(|| members.missing("APIName"))?;
        Ok(Self { stream: StreamReference::take(&mut members)?, api })
    }

    /// The response that names `endpoint`.
    pub fn response(endpoint: &str) -> Value {
        json!({"DataEndpoint": endpoint})
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_api_of_the_model() {
        for api in ApiName::ALL {
            let body = format!(r#"{{"StreamName": "door", "APIName": "{}"}}"#, api.as_str());
            assert_eq!(GetDataEndpoint::parse(body.as_bytes()).unwrap().api, api);
        }
        let message = |body: &str| GetDataEndpoint::parse(body.as_bytes()).unwrap_err().message().to_owned();
        assert_eq!(message(r#"{"StreamName": "door"}"#), "APIName is required");
        assert!(
            message(r#"{"StreamName": "door", "APIName": "get_clip"}"#)
                .ends_with("GET_IMAGES, found \"get_clip\"")
        );
        assert_eq!(message(r#"{"APIName": "GET_CLIP"}"#), "StreamName or StreamARN is required");
    }
}
