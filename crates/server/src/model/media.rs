//! GetMedia, the operation of `kinesis-video-media`.

use getclip::{FragmentNumber, Timestamp};

use super::archived_media::parse_number;
use super::error::ServiceError;
use super::members::{Members, check_string};
use super::names::{StreamReference, is_name_character};
use super::time::{self, Rounding};

/// Request of GetMedia.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GetMedia {
    /// The stream.
    pub stream: StreamReference,
    /// Where to begin.
    pub start: StartSelector,
}

/// `StartSelector`, with the one member that each type needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StartSelector {
    /// `NOW`
    Now,
    /// `EARLIEST`
    Earliest,
    /// `FRAGMENT_NUMBER` with `AfterFragmentNumber`
    AfterFragment(FragmentNumber),
    /// `SERVER_TIMESTAMP` with `StartTimestamp`
    ServerTimestamp(Timestamp),
    /// `PRODUCER_TIMESTAMP` with `StartTimestamp`
    ProducerTimestamp(Timestamp),
    /// `CONTINUATION_TOKEN` with `ContinuationToken`
    Continuation(String),
}

#[derive(Debug, Clone, Copy)]
enum StartType {
    FragmentNumber,
    ServerTimestamp,
    ProducerTimestamp,
    Now,
    Earliest,
    ContinuationToken,
}

impl GetMedia {
    /// Parses the body of a request.
    ///
    /// # Errors
    /// [`InvalidArgument`](super::Exception::InvalidArgument) naming the member that breaks a constraint.
    pub fn parse(body: &[u8]) -> Result<Self, ServiceError> {
        let mut members = Members::parse(body)?;
        let stream = StreamReference::take(&mut members)?;
        let selector = members.structure("StartSelector")?.ok_or_else(|| members.missing("StartSelector"))?;
        Ok(Self { stream, start: StartSelector::take(selector)? })
    }
}

impl StartSelector {
    fn take(mut members: Members) -> Result<Self, ServiceError> {
        let start_type = members
            .choice(
                "StartSelectorType",
                &[
                    ("FRAGMENT_NUMBER", StartType::FragmentNumber),
                    ("SERVER_TIMESTAMP", StartType::ServerTimestamp),
                    ("PRODUCER_TIMESTAMP", StartType::ProducerTimestamp),
                    ("NOW", StartType::Now),
                    ("EARLIEST", StartType::Earliest),
                    ("CONTINUATION_TOKEN", StartType::ContinuationToken),
                ],
            )?
            .ok_or_else(|| members.missing("StartSelectorType"))?;
        let number = members.parsed("AfterFragmentNumber", |member, text| parse_number(member, &text))?;
        let token = members.parsed("ContinuationToken", |member, text| {
            check_string(member, &text, 1..=128, "letters, digits, '_', '.' and '-'", is_name_character)?;
            Ok(text)
        })?;
        let start = time::take_optional(&mut members, "StartTimestamp", Rounding::Up)?;
        Ok(match start_type {
            StartType::Now => Self::Now,
            StartType::Earliest => Self::Earliest,
            StartType::FragmentNumber => {
                Self::AfterFragment(number.ok_or_else(|| members.missing("AfterFragmentNumber"))?)
            }
            StartType::ServerTimestamp => {
                Self::ServerTimestamp(start.ok_or_else(|| members.missing("StartTimestamp"))?)
            }
            StartType::ProducerTimestamp => {
                Self::ProducerTimestamp(start.ok_or_else(|| members.missing("StartTimestamp"))?)
            }
            StartType::ContinuationToken => {
                Self::Continuation(token.ok_or_else(|| members.missing("ContinuationToken"))?)
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(selector: &str) -> Result<StartSelector, String> {
        let body = format!(r#"{{"StreamName": "door", "StartSelector": {{{selector}}}}}"#);
        GetMedia::parse(body.as_bytes())
            .map(|request| request.start)
            .map_err(|error| error.message().to_owned())
    }

    #[test]
    fn every_type_has_its_member() {
        let time = Timestamp::from_millis(1500);
        for (selector, start) in [
            (r#""StartSelectorType": "NOW""#, StartSelector::Now),
            (r#""StartSelectorType": "EARLIEST", "StartTimestamp": 7"#, StartSelector::Earliest),
            (
                r#""StartSelectorType": "FRAGMENT_NUMBER", "AfterFragmentNumber": "42""#,
                StartSelector::AfterFragment("42".parse().unwrap()),
            ),
            (
                r#""StartSelectorType": "SERVER_TIMESTAMP", "StartTimestamp": 1.5"#,
                StartSelector::ServerTimestamp(time),
            ),
            (
                r#""StartSelectorType": "PRODUCER_TIMESTAMP", "StartTimestamp": 1.5"#,
                StartSelector::ProducerTimestamp(time),
            ),
            (
                r#""StartSelectorType": "CONTINUATION_TOKEN", "ContinuationToken": "a-b""#,
                StartSelector::Continuation("a-b".into()),
            ),
        ] {
            assert_eq!(parse(selector), Ok(start));
        }
    }

    #[test]
    fn a_member_that_is_missing_or_wrong_is_named() {
        for (selector, message) in [
            ("", "StartSelector.StartSelectorType is required"),
            (r#""StartSelectorType": "FRAGMENT_NUMBER""#, "StartSelector.AfterFragmentNumber is required"),
            (r#""StartSelectorType": "SERVER_TIMESTAMP""#, "StartSelector.StartTimestamp is required"),
            (r#""StartSelectorType": "PRODUCER_TIMESTAMP""#, "StartSelector.StartTimestamp is required"),
            (r#""StartSelectorType": "CONTINUATION_TOKEN""#, "StartSelector.ContinuationToken is required"),
            (
                r#""StartSelectorType": "NOW", "AfterFragmentNumber": "x""#,
                "StartSelector.AfterFragmentNumber: expected only digits, found 'x'",
            ),
            (
                r#""StartSelectorType": "NOW", "ContinuationToken": "+""#,
                "StartSelector.ContinuationToken: expected only letters, digits, '_', '.' and '-', found '+'",
            ),
        ] {
            assert_eq!(parse(selector), Err(message.into()));
        }
        let error = GetMedia::parse(br#"{"StreamName": "door"}"#).unwrap_err();
        assert_eq!(error.message(), "StartSelector is required");
    }
}
