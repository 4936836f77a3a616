//! [`NextToken`]: where a listing goes on.

use super::error::ServiceError;
use super::members::{Members, check_string};

/// Token of the next page of a listing. It means something to the archive only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NextToken(String);

impl NextToken {
    /// ListStreams and ListTagsForStream: `[a-zA-Z0-9+/=]*`, at most 1024 characters; an empty token is the first page.
    pub(crate) fn take_optional(members: &mut Members) -> Result<Option<Self>, ServiceError> {
        let token = members.parsed("NextToken", |member, text| {
            check_string(member, &text, 0..=1024, CHARACTERS, |c| is_base64(c) || c == '=')?;
            Ok(text)
        })?;
        Ok(token.filter(|text| !text.is_empty()).map(Self))
    }

    /// ListFragments: `[a-zA-Z0-9+/]+={0,2}`, 1 to 4096 characters.
    pub(crate) fn take(members: &mut Members) -> Result<Option<Self>, ServiceError> {
        members.parsed("NextToken", |member, text| {
            check_string(member, &text, 1..=4096, CHARACTERS, |c| is_base64(c) || c == '=')?;
            let data = text.trim_end_matches('=');
            let padding = text.len() - data.len();
            if data.is_empty() || data.contains('=') || padding > 2 {
                let expected = "at most two '=', at the end";
                return Err(ServiceError::constraint(member, expected, format!("{text:?}")));
            }
            Ok(Self(text))
        })
    }

    /// The token.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

const CHARACTERS: &str = "letters, digits, '+', '/' and '='";

fn is_base64(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '+' | '/')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn members(token: &str) -> Members {
        Members::parse(format!(r#"{{"NextToken": "{token}"}}"#).as_bytes()).unwrap()
    }

    #[test]
    fn tokens_of_fragments() {
        for token in ["a", "Az09+/", "ab==", "abc=", &"x".repeat(4096)] {
            assert_eq!(NextToken::take(&mut members(token)).unwrap().unwrap().as_str(), token);
        }
        for token in ["", "=", "a=b", "a===", "a-b", "a b", &"x".repeat(4097)] {
            assert!(NextToken::take(&mut members(token)).is_err(), "{token}");
        }
    }

    #[test]
    fn tokens_of_streams() {
        assert_eq!(NextToken::take_optional(&mut members("")), Ok(None));
        assert_eq!(NextToken::take_optional(&mut members("a=b")).unwrap().unwrap().as_str(), "a=b");
        for token in ["a-b", &"x".repeat(1025)] {
            assert!(NextToken::take_optional(&mut members(token)).is_err(), "{token}");
        }
    }
}
