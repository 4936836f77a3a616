//! Links that expire: a signature in the query.

use std::time::Duration;

use getclip::Timestamp;

use super::canonical::{canonical_path, canonical_queries, canonical_request, encode};
use super::credentials::Key;
use super::scope::{SERVICE, Scope, format_datetime};
use super::signature::{ALGORITHM, EMPTY_SHA256, sign, to_hex};

/// The longest that a link is good for: 7 days, as everywhere at AWS.
pub const LONGEST_EXPIRY: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// The query that makes `path` and `query` at `host` a link that anyone can GET until `expires` after `now`.
///
/// `expires` is cut to [`LONGEST_EXPIRY`], and to whole seconds. The key's session token is part of the link, as a
/// link with none would be refused.
pub fn presign(
    key: &Key,
    region: &str,
    host: &str,
    path: &str,
    query: &str,
    now: Timestamp,
    expires: Duration,
) -> String {
    let datetime = format_datetime(now);
    let date = datetime.split('T').next().unwrap_or_default();
    let scope = Scope { date, region, service: SERVICE };
    let credential = encode(&format!("{}/{scope}", key.id()));
    let seconds = expires.min(LONGEST_EXPIRY).as_secs().max(1);
    let mut signed = format!(
        "{query}{}X-Amz-Algorithm={ALGORITHM}&X-Amz-Credential={credential}&X-Amz-Date={datetime}\
         &X-Amz-Expires={seconds}&X-Amz-SignedHeaders=host",
        if query.is_empty() { "" } else { "&" }
    );
    if let Some(token) = key.session_token() {
        signed.push_str("&X-Amz-Security-Token=");
        signed.push_str(&encode(token));
    }
    let (_, canonical_query) = canonical_queries(&signed);
    let headers = format!("host:{host}\n");
    let request =
        canonical_request("GET", &canonical_path(path), &canonical_query, &headers, "host", EMPTY_SHA256);
    let signature = sign(key.secret(), &datetime, &scope, &request);
    format!("{signed}&X-Amz-Signature={}", to_hex(&signature))
}
