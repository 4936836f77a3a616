//! [`Tls`]: a certificate and its key.

use std::fmt;
use std::io;
use std::path::Path;
use std::sync::Arc;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::{self, PemObject};
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::server::TlsStream;

/// Encrypts connections with a certificate: TLS 1.2 and 1.3.
#[derive(Clone)]
pub struct Tls(TlsAcceptor);

/// Why a certificate cannot be used.
#[derive(Debug)]
pub struct TlsError {
    file: String,
    reason: String,
}

impl Tls {
    /// Reads a certificate chain and its private key, both in PEM.
    ///
    /// # Errors
    /// [`TlsError`] if a file cannot be read, holds none, or the two do not belong together.
    pub fn from_files(certificates: &Path, key: &Path) -> Result<Self, TlsError> {
        let fault = |file: &Path, reason: &dyn fmt::Display| TlsError {
            file: file.display().to_string(),
            reason: reason.to_string(),
        };
        let chain = CertificateDer::pem_file_iter(certificates)
            .and_then(|items| items.collect::<Result<Vec<_>, pem::Error>>())
            .map_err(|error| fault(certificates, &error))?;
        if chain.is_empty() {
            return Err(fault(certificates, &"expected a certificate in PEM, found none"));
        }
        let private = PrivateKeyDer::from_pem_file(key).map_err(|error| fault(key, &error))?;
        // Named, since the HTTP client of a store in a bucket brings another provider: rustls would not choose.
        let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|error| fault(certificates, &error))?
            .with_no_client_auth()
            .with_single_cert(chain, private)
            .map_err(|error| fault(key, &error))?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self(TlsAcceptor::from(Arc::new(config))))
    }

    pub(super) async fn accept<S: AsyncRead + AsyncWrite + Unpin>(
        &self,
        stream: S,
    ) -> io::Result<TlsStream<S>> {
        self.0.accept(stream).await
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tls")
    }
}

impl fmt::Display for TlsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.file, self.reason)
    }
}

impl std::error::Error for TlsError {}
