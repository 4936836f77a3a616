//! The arithmetic: hashes, the key of a day, the signature.

use hmac::{Hmac, Mac};
use sha2::{Digest, Sha256};

use super::scope::Scope;

/// Name of the algorithm, which the string to sign begins with.
pub(super) const ALGORITHM: &str = "AWS4-HMAC-SHA256";

/// SHA-256 of nothing, in hexadecimal: the payload hash of a request without a body.
pub(super) const EMPTY_SHA256: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

pub(super) fn sha256_hex(bytes: &[u8]) -> String {
    to_hex(&Sha256::digest(bytes))
}

/// Signature of a canonical request.
///
/// `datetime` is the request's `X-Amz-Date`, which the scope's date is the day of.
pub(super) fn sign(secret: &str, datetime: &str, scope: &Scope<'_>, canonical_request: &str) -> [u8; 32] {
    let hash = sha256_hex(canonical_request.as_bytes());
    let string_to_sign = format!("{ALGORITHM}\n{datetime}\n{scope}\n{hash}");
    hmac(&signing_key(secret, scope), string_to_sign.as_bytes())
}

fn signing_key(secret: &str, scope: &Scope<'_>) -> [u8; 32] {
    let date = hmac(format!("AWS4{secret}").as_bytes(), scope.date.as_bytes());
    let region = hmac(&date, scope.region.as_bytes());
    let service = hmac(&region, scope.service.as_bytes());
    hmac(&service, b"aws4_request")
}

fn hmac(key: &[u8], message: &[u8]) -> [u8; 32] {
    // HMAC takes a key of any length: RFC 2104 section 2.
    #[expect(clippy::expect_used, reason = "the error is for MACs whose keys have one length")]
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("any length is taken");
    mac.update(message);
    mac.finalize().into_bytes().into()
}

pub(super) fn to_hex(bytes: &[u8]) -> String {
    let digit = |nibble: u8| char::from_digit(nibble.into(), 16).unwrap_or_default();
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

/// 64 digits of lower-case hexadecimal, as every signer writes a signature.
pub(super) fn parse_signature(text: &str) -> Option<[u8; 32]> {
    let digits = text.as_bytes();
    if digits.len() != 64 {
        return None;
    }
    let mut bytes = [0; 32];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        let &[high, low] = pair else { return None };
        *byte = hex_digit(high)? << 4 | hex_digit(low)?;
    }
    Some(bytes)
}

fn hex_digit(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";

    #[test]
    fn hash_of_nothing() {
        assert_eq!(sha256_hex(b""), EMPTY_SHA256);
    }

    /// The example of "Create a signed AWS API request" in the IAM user guide.
    #[test]
    fn documented_signing_key() {
        let scope = Scope { date: "20150830", region: "us-east-1", service: "iam" };
        assert_eq!(
            to_hex(&signing_key(SECRET, &scope)),
            "c4afb1cc5771d871763a393e44b703571b55cc28424d1a5e86da6ed3c154a4b9"
        );
    }

    /// The same example, from the canonical request on.
    #[test]
    fn documented_signature() {
        let canonical = format!(
            "GET\n/\nAction=ListUsers&Version=2010-05-08\ncontent-type:application/x-www-form-urlencoded; \
             charset=utf-8\nhost:iam.amazonaws.com\nx-amz-date:20150830T123600Z\n\ncontent-type;host;x-amz-date\n\
             {EMPTY_SHA256}"
        );
        let scope = Scope { date: "20150830", region: "us-east-1", service: "iam" };
        let signature = sign(SECRET, "20150830T123600Z", &scope, &canonical);
        let text = "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7";
        assert_eq!(to_hex(&signature), text);
        assert_eq!(parse_signature(text), Some(signature));
    }

    #[test]
    fn signatures_are_64_digits() {
        for text in ["", "5d", &"A".repeat(64), &"g".repeat(64), &"a".repeat(65), &"ä".repeat(32)] {
            assert_eq!(parse_signature(text), None, "{text}");
        }
    }
}
