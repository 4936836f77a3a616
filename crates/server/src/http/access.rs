//! Who asks, and whether they may.

use std::sync::Arc;

use getclip::Timestamp;
use http::request::Parts;

use crate::model::{Exception, ServiceError};
use crate::sigv4::{Key, Payload, Permission, Refusal, Verifier};

/// Who a request comes from.
#[derive(Debug, Clone)]
pub(crate) enum Caller {
    /// The server asks nobody who they are.
    Anyone,
    /// The holder of a key.
    Key(Arc<Key>),
}

impl Caller {
    /// The caller of a request, whose signature is verified if there are keys.
    pub(crate) fn of(
        verifier: Option<&Verifier>,
        request: &Parts,
        payload: Payload<'_>,
        now: Timestamp,
    ) -> Result<Self, Refusal> {
        match verifier {
            None => Ok(Self::Anyone),
            Some(verifier) => verifier.verify(request, payload, now).cloned().map(Self::Key),
        }
    }

    /// Whether the caller may do something to a stream, whether that exists or not.
    ///
    /// # Errors
    /// [`Exception::NotAuthorized`] unless they may.
    pub(crate) fn check(&self, permission: Permission, stream: &str) -> Result<(), ServiceError> {
        match self {
            Self::Key(key) if !key.may(permission, stream) => Err(not_authorized()),
            _ => Ok(()),
        }
    }

    /// Whether a list shows the caller this stream.
    pub(crate) fn sees(&self, stream: &str) -> bool {
        self.check(Permission::Read, stream).is_ok()
    }

    /// Whether the caller may do something at all.
    ///
    /// # Errors
    /// [`Exception::NotAuthorized`] unless they may.
    pub(crate) fn check_any(&self, permission: Permission) -> Result<(), ServiceError> {
        match self {
            Self::Key(key) if !key.has(permission) => Err(not_authorized()),
            _ => Ok(()),
        }
    }

    /// The key's ID, for the log.
    pub(crate) fn key_id(&self) -> Option<&str> {
        match self {
            Self::Anyone => None,
            Self::Key(key) => Some(key.id()),
        }
    }
}

/// The same for every reason: an error teaches nothing about keys and streams.
pub(crate) fn not_authorized() -> ServiceError {
    ServiceError::new(Exception::NotAuthorized, "The request is not authorized.")
}
