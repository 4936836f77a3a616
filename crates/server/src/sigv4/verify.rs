//! [`Verifier`]: whether a request was signed with one of the keys.

use std::fmt;
use std::sync::Arc;

use getclip::Timestamp;
use http::HeaderMap;
use http::request::Parts;
use subtle::{Choice, ConstantTimeEq};

use super::canonical::{
    canonical_headers, canonical_path, canonical_queries, canonical_request, parameters, percent_decode,
};
use super::credentials::{Credentials, Key};
use super::presign::LONGEST_EXPIRY;
use super::scope::{SERVICE, Scope, parse_credential, parse_datetime};
use super::signature::{ALGORITHM, EMPTY_SHA256, parse_signature, sha256_hex, sign};

/// How far the clocks of a client and this server may be apart.
const CLOCK_WINDOW_MS: i64 = 5 * 60 * 1000;

/// Headers that are parameters of an operation begin with one of these.
const PARAMETER_HEADERS: [&str; 3] = ["x-amzn-stream-", "x-amzn-fragment-", "x-amzn-producer-"];

/// Verifies signatures against a set of keys.
#[derive(Debug, Clone)]
pub struct Verifier {
    credentials: Credentials,
    service: &'static str,
}

/// What the signature covers of the body.
#[derive(Debug, Clone, Copy)]
pub enum Payload<'a> {
    /// All of it.
    Body(&'a [u8]),
    /// Nothing: there is none, or it is longer than what can be hashed before it is used.
    Unsigned,
}

/// Why a request is refused. For the log: a client is told nothing but that it is.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refusal {
    /// The request carries no signature.
    NotSigned,
    /// What it carries is no signature of this version.
    Malformed(&'static str),
    /// It was signed for another service.
    Service,
    /// Clocks differ by more than 5 minutes, or the request is that old.
    Skewed,
    /// The link has expired.
    Expired,
    /// The body is not the one whose hash is in `x-amz-content-sha256`.
    Body,
    /// No key has this ID.
    UnknownKey(String),
    /// The session token is not the key's.
    SessionToken(String),
    /// The key's secret makes another signature of this request.
    Signature(String),
}

/// What a request says about its own signature.
struct Claim<'a> {
    key: &'a str,
    scope: Scope<'a>,
    datetime: &'a str,
    signed_headers: &'a str,
    signature: [u8; 32],
    session_token: Option<&'a str>,
}

impl Verifier {
    /// Verifies against these keys.
    pub const fn new(credentials: Credentials) -> Self {
        Self { credentials, service: SERVICE }
    }

    /// The key that a request was signed with.
    ///
    /// Time and answer are the same for an unknown key and a wrong secret, and comparing takes the same time
    /// wherever signatures differ.
    ///
    /// # Errors
    /// [`Refusal`] unless the request is signed, for this service, at most 5 minutes from `now` or as a link that has
    /// not expired, with the secret of the key that it names.
    pub fn verify(
        &self,
        request: &Parts,
        payload: Payload<'_>,
        now: Timestamp,
    ) -> Result<&Arc<Key>, Refusal> {
        let query = request.uri.query().unwrap_or_default();
        // Parameters of a link are decoded into here.
        let link;
        let claim = match request.headers.get("authorization") {
            Some(header) => Claim::from_header(header.to_str().ok(), &request.headers, now)?,
            None => {
                link = Link::parse(query)?.ok_or(Refusal::NotSigned)?;
                link.claim(now)?
            }
        };
        if claim.scope.service != self.service {
            return Err(Refusal::Service);
        }
        let hashes = payload_hashes(&request.headers, payload)?;
        let headers = canonical_headers(&request.headers, claim.signed_headers)
            .ok_or(Refusal::Malformed("expected the signed headers, sorted"))?;
        let is_signed = |header: &str| claim.signed_headers.split(';').any(|name| name == header);
        if !is_signed("host") {
            return Err(Refusal::Malformed("expected host among the signed headers"));
        }
        // What PutMedia does is in its headers.
        let mut names = request.headers.keys().map(http::HeaderName::as_str);
        if names
            .any(|name| PARAMETER_HEADERS.iter().any(|prefix| name.starts_with(prefix)) && !is_signed(name))
        {
            return Err(Refusal::Malformed("expected the headers of PutMedia among the signed headers"));
        }

        let key = self.credentials.key(claim.key);
        let secret = key.map_or("", |key| key.secret());
        let (written, encoded) = canonical_queries(query);
        let path = canonical_path(request.uri.path());
        // Whoever may GET something may ask for its HEAD: a link is signed for one method.
        let methods: &[&str] = match request.method.as_str() {
            "HEAD" => &["HEAD", "GET"],
            other => &[other],
        };
        let mut is_right = Choice::from(0);
        for method in methods {
            for query in [&written, &encoded] {
                for hash in hashes.iter().flatten() {
                    let text = canonical_request(method, &path, query, &headers, claim.signed_headers, hash);
                    let signature = sign(secret, claim.datetime, &claim.scope, &text);
                    is_right |= signature.ct_eq(&claim.signature);
                }
            }
        }
        let key = key.ok_or_else(|| Refusal::UnknownKey(claim.key.to_owned()))?;
        if !bool::from(is_right) {
            return Err(Refusal::Signature(key.id().to_owned()));
        }
        if let Some(token) = key.session_token() {
            let found = claim.session_token.unwrap_or_default();
            if !bool::from(token.as_bytes().ct_eq(found.as_bytes())) {
                return Err(Refusal::SessionToken(key.id().to_owned()));
            }
        }
        Ok(key)
    }
}

impl<'a> Claim<'a> {
    /// `AWS4-HMAC-SHA256 Credential=KEY/SCOPE, SignedHeaders=a;b, Signature=HEX`, in any order, with or without spaces
    /// after the commas.
    fn from_header(header: Option<&'a str>, headers: &'a HeaderMap, now: Timestamp) -> Result<Self, Refusal> {
        let fields = header
            .and_then(|text| text.strip_prefix(ALGORITHM)?.strip_prefix(' '))
            .ok_or(Refusal::Malformed("expected AWS4-HMAC-SHA256 in Authorization"))?;
        let field = |name| {
            let mut found =
                fields.split(',').filter_map(|field| field.trim().strip_prefix(name)?.strip_prefix('='));
            // A field that is there twice is as bad as none.
            found.next().filter(|_| found.next().is_none())
        };
        let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
        let credential = field("Credential").and_then(parse_credential);
        let (key, scope) = credential.ok_or(Refusal::Malformed("expected Credential=KEY/SCOPE"))?;
        let datetime = text("x-amz-date").ok_or(Refusal::Malformed("expected the header X-Amz-Date"))?;
        let signed_at = signed_at(datetime, &scope)?;
        if (now.as_millis() - signed_at.as_millis()).abs() > CLOCK_WINDOW_MS {
            return Err(Refusal::Skewed);
        }
        let signed_headers = field("SignedHeaders").ok_or(Refusal::Malformed("expected SignedHeaders"))?;
        // The date is in the string to sign, so that it is covered whether its header is signed or not.
        Ok(Self {
            key,
            scope,
            datetime,
            signed_headers,
            signature: field("Signature")
                .and_then(parse_signature)
                .ok_or(Refusal::Malformed("expected Signature"))?,
            session_token: text("x-amz-security-token"),
        })
    }
}

/// The parameters of a presigned URL, decoded.
#[derive(Default)]
struct Link {
    algorithm: Option<String>,
    credential: Option<String>,
    datetime: Option<String>,
    expires: Option<String>,
    signed_headers: Option<String>,
    signature: Option<String>,
    session_token: Option<String>,
}

impl Link {
    fn parse(query: &str) -> Result<Option<Self>, Refusal> {
        let mut link = Self::default();
        for (name, value) in parameters(query) {
            let field = match name {
                "X-Amz-Algorithm" => &mut link.algorithm,
                "X-Amz-Credential" => &mut link.credential,
                "X-Amz-Date" => &mut link.datetime,
                "X-Amz-Expires" => &mut link.expires,
                "X-Amz-SignedHeaders" => &mut link.signed_headers,
                "X-Amz-Signature" => &mut link.signature,
                "X-Amz-Security-Token" => &mut link.session_token,
                _ => continue,
            };
            let value = String::from_utf8(percent_decode(value))
                .map_err(|_| Refusal::Malformed("expected parameters in UTF-8"))?;
            if field.replace(value).is_some() {
                return Err(Refusal::Malformed("expected each parameter once"));
            }
        }
        Ok(link.signature.is_some().then_some(link))
    }

    fn claim(&self, now: Timestamp) -> Result<Claim<'_>, Refusal> {
        if self.algorithm.as_deref() != Some(ALGORITHM) {
            return Err(Refusal::Malformed("expected AWS4-HMAC-SHA256 as X-Amz-Algorithm"));
        }
        let credential = self.credential.as_deref().and_then(parse_credential);
        let (key, scope) = credential.ok_or(Refusal::Malformed("expected X-Amz-Credential=KEY/SCOPE"))?;
        let datetime = self.datetime.as_deref().ok_or(Refusal::Malformed("expected X-Amz-Date"))?;
        let signed_at = signed_at(datetime, &scope)?;
        let expires_ms = self
            .expires
            .as_deref()
            .and_then(|seconds| seconds.parse::<u32>().ok())
            .filter(|seconds| (1..=LONGEST_EXPIRY.as_secs()).contains(&u64::from(*seconds)))
            .map(|seconds| i64::from(seconds) * 1000)
            .ok_or(Refusal::Malformed("expected X-Amz-Expires from 1 to 604800"))?;
        let age = now.as_millis() - signed_at.as_millis();
        if age < -CLOCK_WINDOW_MS {
            return Err(Refusal::Skewed);
        }
        if age > expires_ms {
            return Err(Refusal::Expired);
        }
        Ok(Claim {
            key,
            scope,
            datetime,
            signed_headers: self
                .signed_headers
                .as_deref()
                .ok_or(Refusal::Malformed("expected X-Amz-SignedHeaders"))?,
            signature: self
                .signature
                .as_deref()
                .and_then(parse_signature)
                .ok_or(Refusal::Malformed("expected X-Amz-Signature"))?,
            session_token: self.session_token.as_deref(),
        })
    }
}

/// The time of a request, which has to be on the day of its scope.
fn signed_at(datetime: &str, scope: &Scope<'_>) -> Result<Timestamp, Refusal> {
    parse_datetime(datetime)
        .filter(|_| datetime.starts_with(scope.date))
        .ok_or(Refusal::Malformed("expected X-Amz-Date on the day of the scope"))
}

/// The hashes that the canonical request may have.
fn payload_hashes(headers: &HeaderMap, payload: Payload<'_>) -> Result<[Option<String>; 2], Refusal> {
    match payload {
        Payload::Body(body) => {
            let hash = sha256_hex(body);
            match headers.get("x-amz-content-sha256") {
                Some(declared) if declared.as_bytes() != hash.as_bytes() => Err(Refusal::Body),
                _ => Ok([Some(hash), None]),
            }
        }
        Payload::Unsigned => Ok([Some(EMPTY_SHA256.into()), Some("UNSIGNED-PAYLOAD".into())]),
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotSigned => f.write_str("not signed"),
            Self::Malformed(reason) => write!(f, "malformed signature: {reason}"),
            Self::Service => f.write_str("signed for another service"),
            Self::Skewed => f.write_str("signed more than 5 minutes from now"),
            Self::Expired => f.write_str("the link has expired"),
            Self::Body => f.write_str("the body is not the one of x-amz-content-sha256"),
            Self::UnknownKey(key) => write!(f, "unknown key {key:?}"),
            Self::SessionToken(key) => write!(f, "wrong session token of key {key:?}"),
            Self::Signature(key) => write!(f, "wrong signature of key {key:?}"),
        }
    }
}

impl std::error::Error for Refusal {}

#[cfg(test)]
mod tests {
    use super::*;

    /// Vectors of AWS's published test suite for signature version 4.
    #[test]
    fn published_vectors() {
        let key = "[[key]]\naccess_key_id = 'AKIDEXAMPLE'\n\
                   secret_access_key = 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY'";
        let verifier = Verifier { credentials: Credentials::parse(key).unwrap(), service: "service" };
        let now = parse_datetime("20150830T123600Z").unwrap();
        type Headers = &'static [(&'static str, &'static str)];
        let vectors: [(&str, &str, Headers, &str, &str); 7] = [
            // get-vanilla
            ("GET", "/", &[], "", "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"),
            // get-vanilla-query-order-key-case
            (
                "GET",
                "/?Param2=value2&Param1=value1",
                &[],
                "",
                "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
            ),
            // get-unreserved
            (
                "GET",
                "/-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
                &[],
                "",
                "07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f",
            ),
            // get-header-key-duplicate
            (
                "GET",
                "/",
                &[("my-header1", "value2"), ("my-header1", "value2"), ("my-header1", "value1")],
                "",
                "c9d5ea9f3f72853aea855b47ea873832890dbdd183b4468f858259531a5138ea",
            ),
            // get-header-value-trim
            (
                "GET",
                "/",
                &[("my-header1", " value1"), ("my-header2", " \"a   b   c\"")],
                "",
                "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736",
            ),
            // post-vanilla
            ("POST", "/", &[], "", "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"),
            // post-x-www-form-urlencoded
            (
                "POST",
                "/",
                &[("content-type", "application/x-www-form-urlencoded")],
                "Param1=value1",
                "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a",
            ),
        ];
        for (method, uri, headers, body, signature) in vectors {
            let mut names: Vec<_> =
                headers.iter().map(|(name, _)| *name).chain(["host", "x-amz-date"]).collect();
            names.sort_unstable();
            names.dedup();
            let authorization = format!(
                "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, \
                 SignedHeaders={}, Signature={signature}",
                names.join(";")
            );
            let mut request = http::Request::builder()
                .method(method)
                .uri(uri)
                .header("host", "example.amazonaws.com")
                .header("x-amz-date", "20150830T123600Z")
                .header("authorization", authorization);
            for (name, value) in headers {
                request = request.header(*name, *value);
            }
            let (parts, ()) = request.body(()).unwrap().into_parts();
            let payload = Payload::Body(body.as_bytes());
            assert_eq!(
                verifier.verify(&parts, payload, now).map(|key| key.id()),
                Ok("AKIDEXAMPLE"),
                "{uri} {headers:?}"
            );
        }
    }
}
