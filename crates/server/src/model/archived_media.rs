//! The operations of `kinesis-video-archived-media`: GetClip, ListFragments, GetMediaForFragmentList.

use getclip::{FragmentNumber, Timestamp};
use serde_json::{Value, json};

use super::error::ServiceError;
use super::members::{Members, check_string, shown};
use super::names::StreamReference;
use super::selector::FragmentSelector;
use super::time;
use super::token::NextToken;

/// Request of GetClip.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GetClip {
    /// The stream.
    pub stream: StreamReference,
    /// Which fragments the clip is made of.
    pub selector: FragmentSelector,
}

impl GetClip {
    /// Parses the body of a request.
    ///
    /// # Errors
    /// [`InvalidArgument`](super::Exception::InvalidArgument) naming the member that breaks a constraint.
    pub fn parse(body: &[u8]) -> Result<Self, ServiceError> {
        let mut members = Members::parse(body)?;
        let stream = StreamReference::take(&mut members)?;
        let selector = FragmentSelector::take(&mut members, "ClipFragmentSelector")?
            .ok_or_else(|| members.missing("ClipFragmentSelector"))?;
        Ok(Self { stream, selector })
    }
}

/// Request of ListFragments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListFragments {
    /// The stream.
    pub stream: StreamReference,
    /// Where the listing begins.
    pub start: ListFragmentsStart,
    /// The most fragments to list.
    pub max_results: usize,
}

/// Where ListFragments begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ListFragmentsStart {
    /// At the start of a range.
    Selector(FragmentSelector),
    /// Where the page before it ended. The token holds the selector, so that the request need not have it again.
    Token(NextToken),
}

impl ListFragments {
    /// Fragments listed where the request has no MaxResults.
    const DEFAULT_MAX_RESULTS: usize = 100;

    /// Parses the body of a request.
    ///
    /// # Errors
    /// [`InvalidArgument`](super::Exception::InvalidArgument) naming the member that breaks a constraint.
    pub fn parse(body: &[u8]) -> Result<Self, ServiceError> {
        let mut members = Members::parse(body)?;
        let stream = StreamReference::take(&mut members)?;
        let max_results = members.integer("MaxResults", 1..=1000)?;
        let token = NextToken::take(&mut members)?;
        let selector = FragmentSelector::take(&mut members, "FragmentSelector")?;
        let start = match (token, selector) {
            (Some(token), _) => ListFragmentsStart::Token(token),
            (None, Some(selector)) => ListFragmentsStart::Selector(selector),
            (None, None) => {
                return Err(ServiceError::invalid_argument("FragmentSelector or NextToken is required"));
            }
        };
        let max_results = max_results.and_then(|max| usize::try_from(max).ok());
        Ok(Self { stream, start, max_results: max_results.unwrap_or(Self::DEFAULT_MAX_RESULTS) })
    }

    /// The response that lists `fragments`.
    pub fn response(
        fragments: impl IntoIterator<Item = ListedFragment>,
        next_token: Option<String>,
    ) -> Value {
        let fragments: Vec<_> = fragments.into_iter().map(ListedFragment::into_json).collect();
        match next_token {
            Some(token) => json!({"Fragments": fragments, "NextToken": token}),
            None => json!({"Fragments": fragments}),
        }
    }
}

/// A fragment as ListFragments describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedFragment {
    /// Its number.
    pub number: String,
    /// Its size in bytes.
    pub size: u64,
    /// When the producer recorded it.
    pub producer_timestamp: Timestamp,
    /// When the server received it.
    pub server_timestamp: Timestamp,
    /// How long it plays, in milliseconds.
    pub length_ms: u64,
}

impl ListedFragment {
    fn into_json(self) -> Value {
        json!({
            "FragmentNumber": self.number,
            "FragmentSizeInBytes": self.size,
            "ProducerTimestamp": time::to_json(self.producer_timestamp),
            "ServerTimestamp": time::to_json(self.server_timestamp),
            "FragmentLengthInMilliseconds": self.length_ms,
        })
    }
}

/// Request of GetMediaForFragmentList.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GetMediaForFragmentList {
    /// The stream.
    pub stream: StreamReference,
    /// The fragments, in the order in which they are returned.
    pub fragments: Vec<FragmentNumber>,
}

impl GetMediaForFragmentList {
    /// Parses the body of a request.
    ///
    /// # Errors
    /// [`InvalidArgument`](super::Exception::InvalidArgument) naming the member that breaks a constraint.
    pub fn parse(body: &[u8]) -> Result<Self, ServiceError> {
        let mut members = Members::parse(body)?;
        let stream = StreamReference::take(&mut members)?;
        let fragments =
            members.strings("Fragments", 1..=1000)?.ok_or_else(|| members.missing("Fragments"))?;
        let fragments = fragments.into_iter().map(|text| parse_number("Fragments", &text));
        Ok(Self { stream, fragments: fragments.collect::<Result<_, _>>()? })
    }
}

/// 1 to 128 digits.
pub(super) fn parse_number(member: &str, text: &str) -> Result<FragmentNumber, ServiceError> {
    check_string(member, text, 1..=128, "digits", |c| c.is_ascii_digit())?;
    text.parse().map_err(|_| ServiceError::constraint(member, "a fragment number", shown(text)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SELECTOR: &str = r#"{"FragmentSelectorType": "PRODUCER_TIMESTAMP",
        "TimestampRange": {"StartTimestamp": 1511852109.126, "EndTimestamp": 1511852110}}"#;

    fn message<T: std::fmt::Debug>(result: Result<T, ServiceError>) -> String {
        result.unwrap_err().message().to_owned()
    }

    #[test]
    fn get_clip() {
        let body = format!(r#"{{"StreamName": "door", "ClipFragmentSelector": {SELECTOR}}}"#);
        let request = GetClip::parse(body.as_bytes()).unwrap();
        assert_eq!(request.stream.name().as_str(), "door");
        assert_eq!(request.selector.start(), Timestamp::from_millis(1_511_852_109_126));
        let body = r#"{"StreamName": "door"}"#;
        assert_eq!(message(GetClip::parse(body.as_bytes())), "ClipFragmentSelector is required");
    }

    #[test]
    fn list_fragments_begins_at_a_selector_or_a_token() {
        let parse =
            |members: &str| ListFragments::parse(format!(r#"{{"StreamName": "door"{members}}}"#).as_bytes());
        let request = parse(&format!(r#", "FragmentSelector": {SELECTOR}"#)).unwrap();
        assert!(matches!(request.start, ListFragmentsStart::Selector(_)));
        assert_eq!(request.max_results, 100);
        let request =
            parse(&format!(r#", "FragmentSelector": {SELECTOR}, "NextToken": "ab", "MaxResults": 7"#))
                .unwrap();
        assert!(matches!(request.start, ListFragmentsStart::Token(token) if token.as_str() == "ab"));
        assert_eq!(request.max_results, 7);
        assert_eq!(message(parse("")), "FragmentSelector or NextToken is required");
        assert_eq!(
            message(parse(r#", "MaxResults": 1001"#)),
            "MaxResults: expected an integer from 1 to 1000, found 1001"
        );
    }

    #[test]
    fn a_page_of_fragments() {
        let fragment = ListedFragment {
            number: "91343852333181432392682062607743920146264094899".into(),
            size: 1234,
            producer_timestamp: Timestamp::from_millis(1_511_852_109_126),
            server_timestamp: Timestamp::from_millis(1_511_852_110_000),
            length_ms: 2000,
        };
        assert_eq!(
            ListFragments::response([fragment], Some("ab".into())).to_string(),
            r#"{"Fragments":[{"FragmentLengthInMilliseconds":2000,"FragmentNumber":"91343852333181432392682062607743920146264094899","FragmentSizeInBytes":1234,"ProducerTimestamp":1511852109.126,"ServerTimestamp":1511852110}],"NextToken":"ab"}"#
        );
        assert_eq!(ListFragments::response([], None).to_string(), r#"{"Fragments":[]}"#);
    }

    #[test]
    fn numbers_are_1_to_128_digits() {
        let parse = |list: &str| {
            GetMediaForFragmentList::parse(
                format!(r#"{{"StreamName": "door", "Fragments": {list}}}"#).as_bytes(),
            )
        };
        let request = parse(&format!(r#"["7", "{}"]"#, "9".repeat(128))).unwrap();
        assert_eq!(request.fragments.len(), 2);
        assert_eq!(message(parse("[]")), "Fragments: expected 1 to 1000 entries, found 0");
        assert_eq!(message(parse("null")), "Fragments is required");
        assert_eq!(message(parse("[7]")), "Fragments: expected an array of strings, found a number");
        assert_eq!(message(parse(r#"["7a"]"#)), "Fragments: expected only digits, found 'a'");
        assert_eq!(message(parse(r#"[""]"#)), "Fragments: expected 1 to 128 characters, found 0");
        let long = format!(r#"["{}"]"#, "9".repeat(129));
        assert_eq!(message(parse(&long)), "Fragments: expected 1 to 128 characters, found 129");
        let many = format!("[{}]", vec![r#""1""#; 1001].join(","));
        assert_eq!(message(parse(&many)), "Fragments: expected 1 to 1000 entries, found 1001");
    }
}
