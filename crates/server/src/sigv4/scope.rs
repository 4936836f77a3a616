//! [`Scope`]: what a signing key is good for, and the date that a request was signed at.

use std::fmt;

use getclip::Timestamp;

/// The service name that the SDKs sign all three services with.
pub(super) const SERVICE: &str = "kinesisvideo";

/// `DATE/REGION/SERVICE/aws4_request`
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Scope<'a> {
    /// `YYYYMMDD`
    pub(super) date: &'a str,
    pub(super) region: &'a str,
    pub(super) service: &'a str,
}

impl fmt::Display for Scope<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}/aws4_request", self.date, self.region, self.service)
    }
}

/// `KEY/DATE/REGION/SERVICE/aws4_request`: the key's ID and the scope. IDs of keys may have slashes.
pub(super) fn parse_credential(text: &str) -> Option<(&str, Scope<'_>)> {
    let mut parts = text.rsplitn(5, '/');
    let terminator = parts.next()?;
    let (service, region, date) = (parts.next()?, parts.next()?, parts.next()?);
    let key = parts.next()?;
    let is_date = date.len() == 8 && date.bytes().all(|byte| byte.is_ascii_digit());
    let is_whole = terminator == "aws4_request" && is_date && !region.is_empty() && !key.is_empty();
    is_whole.then_some((key, Scope { date, region, service }))
}

/// The time of `X-Amz-Date`: `YYYYMMDDTHHMMSSZ`.
pub(super) fn parse_datetime(text: &str) -> Option<Timestamp> {
    let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let (date, time) = text.strip_suffix('Z')?.split_once('T')?;
    if date.len() != 8 || time.len() != 6 || !is_digits(date) || !is_digits(time) {
        return None;
    }
    let (year, month, day) = (date.get(..4)?, date.get(4..6)?, date.get(6..)?);
    let (hour, minute, second) = (time.get(..2)?, time.get(2..4)?, time.get(4..)?);
    format!("{year}-{month}-{day}T{hour}:{minute}:{second}Z").parse().ok()
}

/// A time as `X-Amz-Date` has it.
pub(super) fn format_datetime(time: Timestamp) -> String {
    // RFC 3339 up to the seconds, without its separators.
    time.to_string().chars().take(19).filter(|c| !matches!(c, '-' | ':')).chain(['Z']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_end_in_a_scope() {
        let scope = Scope { date: "20150830", region: "us-east-1", service: "kinesisvideo" };
        let text = "AKID/20150830/us-east-1/kinesisvideo/aws4_request";
        assert_eq!(parse_credential(text), Some(("AKID", scope)));
        assert_eq!(parse_credential(&format!("team/{text}")), Some(("team/AKID", scope)));
        assert_eq!(scope.to_string(), "20150830/us-east-1/kinesisvideo/aws4_request");
        for text in [
            "",
            "AKID",
            "20150830/us-east-1/kinesisvideo/aws4_request",
            "/20150830/us-east-1/kinesisvideo/aws4_request",
            "AKID/2015083/us-east-1/kinesisvideo/aws4_request",
            "AKID/2015083x/us-east-1/kinesisvideo/aws4_request",
            "AKID/20150830//kinesisvideo/aws4_request",
            "AKID/20150830/us-east-1/kinesisvideo/aws3_request",
        ] {
            assert_eq!(parse_credential(text), None, "{text}");
        }
    }

    #[test]
    fn dates() {
        let time = parse_datetime("20150830T123600Z").unwrap();
        assert_eq!(time.to_string(), "2015-08-30T12:36:00.000Z");
        assert_eq!(format_datetime(time), "20150830T123600Z");
        assert_eq!(format_datetime(Timestamp::from_millis(1_440_938_160_999)), "20150830T123600Z");
        for text in [
            "",
            "20150830T123600",
            "20151330T123600Z",
            "2015-8-3T123600Z",
            "20150830T12360Z",
            "20150830T1236000Z",
        ] {
            assert_eq!(parse_datetime(text), None, "{text}");
        }
    }
}
