//! [`ServiceError`]: what the service refuses, by the name that the SDKs have a class for.

use std::fmt;

/// An exception of the service model, or one of those that every AWS service has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Exception {
    /// The stream does not exist, or has no fragment in the range.
    ResourceNotFound,
    /// A member of the request is missing, breaks a constraint, or contradicts another one.
    InvalidArgument,
    /// A limit of this server is reached. SDKs do not retry it.
    ClientLimitExceeded,
    /// As many producers send as this server takes. SDKs do not retry it.
    ConnectionLimitExceeded,
    /// The request is not signed as it should be, or its key may not do this.
    NotAuthorized,
    /// The stream has changed since the version that the request names.
    VersionMismatch,
    /// A stream of that name exists, or the stream is being changed by another request.
    ResourceInUse,
    /// The media has codecs, or a combination of tracks, that a clip cannot carry.
    UnsupportedStreamMediaType,
    /// A track has no codec private data.
    MissingCodecPrivateData,
    /// The codec private data of a track cannot be used.
    InvalidCodecPrivateData,
    /// A frame cannot be parsed as its codec.
    InvalidMediaFrame,
    /// The stream keeps nothing: its retention is 0.
    NoDataRetention,
    /// A stream would have more than 50 tags.
    TagsPerResourceExceededLimit,
    /// The server holds as many streams as it was told to.
    AccountStreamLimitExceeded,
    /// There is no such operation.
    UnknownOperation,
    /// The server is overloaded or shutting down. SDKs retry it.
    ServiceUnavailable,
    /// The server or its store has failed. SDKs retry it.
    InternalFailure,
}

impl Exception {
    /// Name as in the header `x-amzn-ErrorType`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::ResourceNotFound => "ResourceNotFoundException",
            Self::InvalidArgument => "InvalidArgumentException",
            Self::ClientLimitExceeded => "ClientLimitExceededException",
            Self::ConnectionLimitExceeded => "ConnectionLimitExceededException",
            Self::NotAuthorized => "NotAuthorizedException",
            Self::VersionMismatch => "VersionMismatchException",
            Self::ResourceInUse => "ResourceInUseException",
            Self::UnsupportedStreamMediaType => "UnsupportedStreamMediaTypeException",
            Self::MissingCodecPrivateData => "MissingCodecPrivateDataException",
            Self::InvalidCodecPrivateData => "InvalidCodecPrivateDataException",
            Self::InvalidMediaFrame => "InvalidMediaFrameException",
            Self::NoDataRetention => "NoDataRetentionException",
            Self::TagsPerResourceExceededLimit => "TagsPerResourceExceededLimitException",
            Self::AccountStreamLimitExceeded => "AccountStreamLimitExceededException",
            Self::UnknownOperation => "UnknownOperationException",
            Self::ServiceUnavailable => "ServiceUnavailableException",
            Self::InternalFailure => "InternalFailure",
        }
    }

    /// HTTP status.
    pub const fn status(self) -> u16 {
        match self {
            Self::NotAuthorized => 401,
            Self::ResourceNotFound | Self::UnknownOperation => 404,
            Self::InternalFailure => 500,
            Self::ServiceUnavailable => 503,
            _ => 400,
        }
    }
}

/// What a client is told when its request fails: an exception and a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceError {
    exception: Exception,
    message: String,
}

impl ServiceError {
    /// An exception with its message.
    pub fn new(exception: Exception, message: impl Into<String>) -> Self {
        Self { exception, message: message.into() }
    }

    /// [`Exception::InvalidArgument`] with a message.
    pub fn invalid_argument(message: impl Into<String>) -> Self {
        Self::new(Exception::InvalidArgument, message)
    }

    /// The stream that a request names does not exist. The text is the service's.
    pub fn stream_not_found() -> Self {
        Self::new(Exception::ResourceNotFound, "The requested stream is not found or not active.")
    }

    /// A member breaks a constraint.
    pub(crate) fn constraint(member: &str, expected: impl fmt::Display, found: impl fmt::Display) -> Self {
        Self::invalid_argument(format!("{member}: expected {expected}, found {found}"))
    }

    /// The exception.
    pub const fn exception(&self) -> Exception {
        self.exception
    }

    /// The message.
    pub fn message(&self) -> &str {
        &self.message
    }
}

impl fmt::Display for ServiceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.exception.name(), self.message)
    }
}

impl std::error::Error for ServiceError {}

/// The exception that GetClip raises for what the core refuses, with AWS's own text where it is known.
impl From<getclip::Error> for ServiceError {
    fn from(error: getclip::Error) -> Self {
        use getclip::Exception as Core;
        let exception = match error.exception() {
            Core::InvalidArgument => Exception::InvalidArgument,
            Core::ResourceNotFound => Exception::ResourceNotFound,
            Core::UnsupportedStreamMediaType => Exception::UnsupportedStreamMediaType,
            Core::MissingCodecPrivateData => Exception::MissingCodecPrivateData,
            Core::InvalidCodecPrivateData => Exception::InvalidCodecPrivateData,
            Core::InvalidMediaFrame => Exception::InvalidMediaFrame,
            _ => Exception::InternalFailure,
        };
        Self::new(exception, error.aws_message())
    }
}

#[cfg(test)]
mod tests {
    use getclip::ErrorKind;

    use super::*;

    #[test]
    fn exceptions_of_the_core_keep_their_name_and_status() {
        for kind in [
            ErrorKind::NoFragments { offered: 3 },
            ErrorKind::MissingCodecPrivateData,
            ErrorKind::AacCodecPrivateLength { found: 18 },
            ErrorKind::UnsupportedMediaType { reason: "x".into() },
            ErrorKind::InvalidRange { reason: "x".into() },
            ErrorKind::Service { code: "5000".into(), message: "x".into() },
        ] {
            let core = getclip::Error::from(kind);
            let error = ServiceError::from(core.clone());
            assert_eq!(error.exception().name(), core.exception().name());
            assert_eq!(error.exception().status(), core.exception().http_status());
        }
    }

    #[test]
    fn the_text_of_an_empty_range_is_the_services() {
        let error = ServiceError::from(getclip::Error::from(ErrorKind::NoFragments { offered: 0 }));
        assert_eq!(error.message(), "No fragments found in the stream for the clip request.");
    }
}
