//! Tags of a stream: TagStream, UntagStream, ListTagsForStream.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::error::ServiceError;
use super::members::{Members, check_string};
use super::names::StreamReference;
use super::token::NextToken;

/// 1 to 50 tags: keys of 1 to 128 characters, values of at most 256.
pub type Tags = BTreeMap<String, String>;

/// The most tags that a stream or a request has.
pub const MAX_TAGS: usize = 50;

const CHARACTERS: &str = "letters, digits, spaces and '_.:/=+-@'";

/// `[\p{L}\p{Z}\p{N}_.:/=+\-@]`: letters, separators and numbers of any script. Vowel signs, which some scripts write
/// words with, count as letters here.
fn is_tag_character(c: char) -> bool {
    c.is_alphanumeric()
        || (c.is_whitespace() && !c.is_control())
        || matches!(c, '_' | '.' | ':' | '/' | '=' | '+' | '-' | '@')
}

fn check_key(key: &str) -> Result<(), ServiceError> {
    check_string("tag key", key, 1..=128, CHARACTERS, is_tag_character)
}

/// The member `Tags`.
pub(crate) fn take_tags(members: &mut Members) -> Result<Option<Tags>, ServiceError> {
    let Some(pairs) = members.string_map("Tags", 1..=MAX_TAGS)? else { return Ok(None) };
    for (key, value) in &pairs {
        check_key(key)?;
        check_string("tag value", value, 0..=256, CHARACTERS, is_tag_character)?;
    }
    Ok(Some(pairs.into_iter().collect()))
}

/// Request of TagStream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TagStream {
    /// The stream.
    pub stream: StreamReference,
    /// Tags to add, or to give another value.
    pub tags: Tags,
}

impl TagStream {
    /// Parses the body of a request.
    ///
    /// # Errors
    /// [`InvalidArgument`](super::Exception::InvalidArgument) naming the member that breaks a constraint.
    pub fn parse(body: &[u8]) -> Result<Self, ServiceError> {
        let mut members = Members::parse(body)?;
        let stream = StreamReference::take(&mut members)?;
        let tags = take_tags(&mut members)?.ok_or_else(|| members.missing("Tags"))?;
        Ok(Self { stream, tags })
    }
}

/// Request of UntagStream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UntagStream {
    /// The stream.
    pub stream: StreamReference,
    /// Keys of the tags to remove.
    pub keys: Vec<String>,
}

impl UntagStream {
    /// Parses the body of a request.
    ///
    /// # Errors
    /// [`InvalidArgument`](super::Exception::InvalidArgument) naming the member that breaks a constraint.
    pub fn parse(body: &[u8]) -> Result<Self, ServiceError> {
        let mut members = Members::parse(body)?;
        let stream = StreamReference::take(&mut members)?;
        let keys =
            members.strings("TagKeyList", 1..=MAX_TAGS)?.ok_or_else(|| members.missing("TagKeyList"))?;
        keys.iter().try_for_each(|key| check_key(key))?;
        Ok(Self { stream, keys })
    }
}

/// Request of ListTagsForStream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListTagsForStream {
    /// The stream.
    pub stream: StreamReference,
}

impl ListTagsForStream {
    /// Parses the body of a request. All tags fit on one page: no token was ever given out, and none is taken.
    ///
    /// # Errors
    /// [`InvalidArgument`](super::Exception::InvalidArgument) naming the member that breaks a constraint.
    pub fn parse(body: &[u8]) -> Result<Self, ServiceError> {
        let mut members = Members::parse(body)?;
        let stream = StreamReference::take(&mut members)?;
        match NextToken::take_optional(&mut members)? {
            None => Ok(Self { stream }),
            Some(_) => Err(ServiceError::invalid_argument("NextToken: not a token of this operation")),
        }
    }

    /// The response that lists `tags`.
    pub fn response(tags: &Tags) -> Value {
        json!({"Tags": tags})
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tags(tags: &str) -> Result<Tags, String> {
        let body = format!(r#"{{"StreamName": "door", "Tags": {tags}}}"#);
        TagStream::parse(body.as_bytes())
            .map(|request| request.tags)
            .map_err(|error| error.message().to_owned())
    }

    #[test]
    fn tag_stream() {
        let parsed = tags(r#"{"site": "Zürich 東京", "a.b:c/d=e+f-g@h_": ""}"#).unwrap();
        assert_eq!(parsed.get("site").map(String::as_str), Some("Zürich 東京"));
        assert_eq!(parsed.len(), 2);
        for (text, message) in [
            ("{}", "Tags: expected 1 to 50 entries, found 0"),
            ("null", "Tags is required"),
            (r#"{"a": 1}"#, "Tags: expected an object of strings, found a number"),
            (r#"{"": "x"}"#, "tag key: expected 1 to 128 characters, found 0"),
            (r#"{"a#": "x"}"#, "tag key: expected only letters, digits, spaces and '_.:/=+-@', found '#'"),
            (
                r#"{"a": "x\ny"}"#,
                "tag value: expected only letters, digits, spaces and '_.:/=+-@', found '\\n'",
            ),
        ] {
            assert_eq!(tags(text), Err(message.into()));
        }
        assert_eq!(
            tags(&format!(r#"{{"a": "{}"}}"#, "x".repeat(257))),
            Err("tag value: expected 0 to 256 characters, found 257".into())
        );
        let many: Vec<_> = (0..51).map(|i| format!(r#""k{i}": "v""#)).collect();
        assert_eq!(
            tags(&format!("{{{}}}", many.join(","))),
            Err("Tags: expected 1 to 50 entries, found 51".into())
        );
    }

    #[test]
    fn untag_stream() {
        let parse = |keys: &str| {
            let body = format!(r#"{{"StreamName": "door", "TagKeyList": {keys}}}"#);
            UntagStream::parse(body.as_bytes()).map_err(|error| error.message().to_owned())
        };
        assert_eq!(parse(r#"["a", "b"]"#).unwrap().keys, ["a", "b"]);
        assert_eq!(parse("[]"), Err("TagKeyList: expected 1 to 50 entries, found 0".into()));
        assert_eq!(parse(r#"[""]"#), Err("tag key: expected 1 to 128 characters, found 0".into()));
    }

    #[test]
    fn list_tags() {
        assert!(ListTagsForStream::parse(br#"{"StreamName": "door", "NextToken": ""}"#).is_ok());
        assert!(ListTagsForStream::parse(br#"{"StreamName": "door", "NextToken": "a"}"#).is_err());
        let tags = Tags::from([("b".into(), "2".into()), ("a".into(), "1".into())]);
        assert_eq!(ListTagsForStream::response(&tags).to_string(), r#"{"Tags":{"a":"1","b":"2"}}"#);
    }
}
