//! What streams are called: names, ARNs, versions.

use std::fmt;

use super::error::ServiceError;
use super::members::{Members, check_string, shown};

/// Name of a stream: 1 to 256 letters, digits, `_`, `.` and `-`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StreamName(String);

impl StreamName {
    /// Parses a name that `member` of a request holds.
    ///
    /// # Errors
    /// [`InvalidArgument`](super::Exception::InvalidArgument) naming the constraint that is broken.
    pub fn parse(member: &str, text: String) -> Result<Self, ServiceError> {
        check_string(member, &text, 1..=256, "letters, digits, '_', '.' and '-'", is_name_character)?;
        Ok(Self(text))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for StreamName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// `[a-zA-Z0-9_.-]`
pub(crate) fn is_name_character(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-')
}

/// ARN of a stream: `arn:aws:kinesisvideo:REGION:ACCOUNT:stream/NAME/CREATED_MS`.
///
/// Only the name and the time of creation tell streams apart; partition, region and account are whatever the client
/// was configured with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arn {
    text: String,
    name: StreamName,
    created_ms: i64,
}

impl Arn {
    /// Parses an ARN that `member` of a request holds.
    ///
    /// # Errors
    /// [`InvalidArgument`](super::Exception::InvalidArgument) where it breaks the model's pattern or length, or is
    /// that of something other than a stream.
    pub fn parse(member: &str, text: String) -> Result<Self, ServiceError> {
        check_string(member, &text, 1..=1024, "ASCII characters", |c| c.is_ascii_graphic())?;
        match Self::split(&text) {
            Some((name, created_ms)) => Ok(Self { name, created_ms, text }),
            None => {
                let expected = "arn:PARTITION:kinesisvideo:REGION:ACCOUNT:stream/NAME/NUMBER";
                Err(ServiceError::constraint(member, expected, shown(&text)))
            }
        }
    }

    /// The ARN of a stream of this server.
    pub fn new(region: &str, account: &str, name: StreamName, created_ms: i64) -> Self {
        let text = format!("arn:aws:kinesisvideo:{region}:{account}:stream/{name}/{created_ms}");
        Self { text, name, created_ms }
    }

    /// `arn:[a-z\d-]+:kinesisvideo:[a-z0-9-]+:[0-9]+:[a-z]+/[a-zA-Z0-9_.-]+/[0-9]+`
    fn split(text: &str) -> Option<(StreamName, i64)> {
        let lower = |part: &str| {
            !part.is_empty() && part.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
        };
        let digits = |part: &str| !part.is_empty() && part.chars().all(|c| c.is_ascii_digit());
        let mut parts = text.splitn(6, ':');
        let is_service = parts.next() == Some("arn")
            && parts.next().is_some_and(lower)
            && parts.next() == Some("kinesisvideo")
            && parts.next().is_some_and(lower)
            && parts.next().is_some_and(digits);
        let mut resource = parts.next()?.split('/');
        let (kind, name, created) = (resource.next()?, resource.next()?, resource.next()?);
        if !is_service || kind != "stream" || !digits(created) || resource.next().is_some() {
            return None;
        }
        let name = StreamName::parse("StreamARN", name.to_owned()).ok()?;
        Some((name, created.parse().ok()?))
    }

    /// The stream's name.
    pub fn name(&self) -> &StreamName {
        &self.name
    }

    /// When the stream was created, in milliseconds since the Unix epoch.
    pub const fn created_ms(&self) -> i64 {
        self.created_ms
    }
}

impl fmt::Display for Arn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Which stream a request is about. A name means the stream that has it now, an ARN one stream for good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamReference {
    name: StreamName,
    created_ms: Option<i64>,
}

impl StreamReference {
    /// The stream that has this name now.
    pub const fn by_name(name: StreamName) -> Self {
        Self { name, created_ms: None }
    }

    /// The stream of this ARN.
    pub fn by_arn(arn: Arn) -> Self {
        Self { created_ms: Some(arn.created_ms), name: arn.name }
    }

    /// `StreamName` or `StreamARN`. Both are taken where they mean the same stream.
    pub(crate) fn take(members: &mut Members) -> Result<Self, ServiceError> {
        let name = members.parsed("StreamName", StreamName::parse)?;
        let arn = members.parsed("StreamARN", Arn::parse)?;
        match (name, arn) {
            (None, None) => Err(ServiceError::invalid_argument("StreamName or StreamARN is required")),
            (Some(name), Some(arn)) if name != arn.name => {
                let expected = format!("the ARN of the stream {name}");
                Err(ServiceError::constraint("StreamARN", expected, arn))
            }
            (_, Some(arn)) => Ok(Self::by_arn(arn)),
            (Some(name), None) => Ok(Self::by_name(name)),
        }
    }

    /// The stream's name.
    pub const fn name(&self) -> &StreamName {
        &self.name
    }

    /// When the stream was created, in milliseconds since the Unix epoch, if the request tells.
    pub const fn created_ms(&self) -> Option<i64> {
        self.created_ms
    }
}

/// Version of a stream's description: 1 to 64 letters and digits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamVersion(String);

impl StreamVersion {
    /// Parses a version that `member` of a request holds.
    ///
    /// # Errors
    /// [`InvalidArgument`](super::Exception::InvalidArgument) naming the constraint that is broken.
    pub fn parse(member: &str, text: String) -> Result<Self, ServiceError> {
        check_string(member, &text, 1..=64, "letters and digits", |c| c.is_ascii_alphanumeric())?;
        Ok(Self(text))
    }

    /// The version.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> Result<StreamName, ServiceError> {
        StreamName::parse("StreamName", text.into())
    }

    fn arn(text: &str) -> Result<Arn, ServiceError> {
        Arn::parse("StreamARN", text.into())
    }

    fn reference(body: &str) -> Result<StreamReference, ServiceError> {
        StreamReference::take(&mut Members::parse(body.as_bytes())?)
    }

    #[test]
    fn names() {
        for text in ["a", "..", "front-door_2.main", &"x".repeat(256)] {
            assert_eq!(name(text).unwrap().as_str(), text);
        }
        for (text, message) in [
            ("", "StreamName: expected 1 to 256 characters, found 0"),
            (&*"x".repeat(257), "StreamName: expected 1 to 256 characters, found 257"),
            ("a/b", "StreamName: expected only letters, digits, '_', '.' and '-', found '/'"),
            ("ä", "StreamName: expected only letters, digits, '_', '.' and '-', found 'ä'"),
            ("a\n", "StreamName: expected only letters, digits, '_', '.' and '-', found '\\n'"),
        ] {
            assert_eq!(name(text).unwrap_err().message(), message);
        }
    }

    #[test]
    fn arns() {
        let text = "arn:aws:kinesisvideo:us-west-2:123456789012:stream/front-door/1700000000000";
        let parsed = arn(text).unwrap();
        assert_eq!((parsed.name().as_str(), parsed.created_ms()), ("front-door", 1_700_000_000_000));
        assert_eq!(parsed.to_string(), text);
        assert_eq!(
            Arn::new("us-west-2", "123456789012", name("front-door").unwrap(), 1_700_000_000_000),
            parsed
        );
        assert!(arn("arn:aws-cn:kinesisvideo:cn-north-1:1:stream/a/0").is_ok());
        for text in [
            "",
            "arn:aws:kinesisvideo:us-west-2:123456789012:stream/front-door",
            "arn:aws:kinesisvideo:us-west-2:123456789012:stream/front-door/",
            "arn:aws:kinesisvideo:us-west-2:123456789012:stream/front-door/1/2",
            "arn:aws:kinesisvideo:us-west-2:123456789012:channel/front-door/1",
            "arn:aws:kinesisvideo:us-west-2:12345678901a:stream/front-door/1",
            "arn:aws:kinesisvideo:US-WEST-2:123456789012:stream/front-door/1",
            "arn:aws:kinesis:us-west-2:123456789012:stream/front-door/1",
            "arn:aws:kinesisvideo::123456789012:stream/front-door/1",
            "arn:aws:kinesisvideo:us-west-2:123456789012:stream/front door/1",
            "arn:aws:kinesisvideo:us-west-2:123456789012:stream/a/99999999999999999999",
            &format!("arn:aws:kinesisvideo:us-west-2:123456789012:stream/a/{}", "0".repeat(1024)),
        ] {
            assert!(arn(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_stream_by_name_or_arn() {
        let arn = "arn:aws:kinesisvideo:us-west-2:123456789012:stream/door/17";
        assert_eq!(reference(r#"{"StreamName": "door"}"#).unwrap().created_ms(), None);
        assert_eq!(reference(&format!(r#"{{"StreamARN": "{arn}"}}"#)).unwrap().created_ms(), Some(17));
        let both = reference(&format!(r#"{{"StreamName": "door", "StreamARN": "{arn}"}}"#)).unwrap();
        assert_eq!((both.name().as_str(), both.created_ms()), ("door", Some(17)));
        assert_eq!(
            reference(&format!(r#"{{"StreamName": "gate", "StreamARN": "{arn}"}}"#)).unwrap_err().message(),
            format!("StreamARN: expected the ARN of the stream gate, found {arn}")
        );
        for neither in ["{}", r#"{"StreamName": null}"#] {
            assert_eq!(reference(neither).unwrap_err().message(), "StreamName or StreamARN is required");
        }
    }
}
