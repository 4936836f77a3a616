//! [`Members`]: the members of a JSON object, taken one by one with their constraints.

use std::ops::RangeInclusive;

use serde_json::{Map, Value};

use super::error::ServiceError;

/// The members of a request or of a structure inside it. Members that the model does not have are ignored, as the
/// service ignores them: newer SDKs send newer members.
pub(crate) struct Members {
    map: Map<String, Value>,
    /// Names of the structures around it, each with a full stop after it.
    path: String,
}

impl Members {
    /// Parses the body of a request. An empty body is an empty object.
    pub(crate) fn parse(body: &[u8]) -> Result<Self, ServiceError> {
        if body.is_empty() {
            return Ok(Self { map: Map::new(), path: String::new() });
        }
        match serde_json::from_slice(body) {
            Ok(Value::Object(map)) => Ok(Self { map, path: String::new() }),
            Ok(other) => Err(ServiceError::constraint("request body", "a JSON object", kind(&other))),
            Err(error) => Err(ServiceError::constraint("request body", "a JSON object", error)),
        }
    }

    /// Takes a member out. `null` counts as absent.
    pub(crate) fn take(&mut self, name: &str) -> Option<Value> {
        self.map.remove(name).filter(|value| !value.is_null())
    }

    /// The member's name with the structures around it, as messages have it.
    pub(crate) fn name_of(&self, name: &str) -> String {
        format!("{}{name}", self.path)
    }

    pub(crate) fn string(&mut self, name: &str) -> Result<Option<String>, ServiceError> {
        match self.take(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(other) => Err(self.mistyped(name, "a string", &other)),
        }
    }

    /// A string that a type of its own holds, or refuses in the words of the constraint that is broken.
    pub(crate) fn parsed<T>(
        &mut self,
        name: &str,
        parse: impl FnOnce(&str, String) -> Result<T, ServiceError>,
    ) -> Result<Option<T>, ServiceError> {
        let member = self.name_of(name);
        self.string(name)?.map(|text| parse(&member, text)).transpose()
    }

    pub(crate) fn integer(
        &mut self,
        name: &str,
        range: RangeInclusive<u64>,
    ) -> Result<Option<u64>, ServiceError> {
        let Some(value) = self.take(name) else { return Ok(None) };
        match value.as_u64() {
            Some(number) if range.contains(&number) => Ok(Some(number)),
            _ => {
                let expected = match *range.end() {
                    u64::MAX => format!("an integer of at least {}", range.start()),
                    end => format!("an integer from {} to {end}", range.start()),
                };
                let found = if value.is_number() { value.to_string() } else { kind(&value).into() };
                Err(ServiceError::constraint(&self.name_of(name), expected, found))
            }
        }
    }

    /// One of the values of an enumeration.
    pub(crate) fn choice<T: Copy>(
        &mut self,
        name: &str,
        choices: &[(&str, T)],
    ) -> Result<Option<T>, ServiceError> {
        let Some(text) = self.string(name)? else { return Ok(None) };
        match choices.iter().find(|(choice, _)| *choice == text) {
            Some((_, value)) => Ok(Some(*value)),
            None => {
                let names: Vec<_> = choices.iter().map(|(choice, _)| *choice).collect();
                let expected = format!("one of {}", names.join(", "));
                Err(ServiceError::constraint(&self.name_of(name), expected, shown(&text)))
            }
        }
    }

    pub(crate) fn structure(&mut self, name: &str) -> Result<Option<Self>, ServiceError> {
        match self.take(name) {
            None => Ok(None),
            Some(Value::Object(map)) => Ok(Some(Self { map, path: format!("{}.", self.name_of(name)) })),
            Some(other) => Err(self.mistyped(name, "an object", &other)),
        }
    }

    /// A list of strings.
    pub(crate) fn strings(
        &mut self,
        name: &str,
        count: RangeInclusive<usize>,
    ) -> Result<Option<Vec<String>>, ServiceError> {
        let values = match self.take(name) {
            None => return Ok(None),
            Some(Value::Array(values)) => values,
            Some(other) => return Err(self.mistyped(name, "an array", &other)),
        };
        self.check_count(name, values.len(), &count)?;
        let strings = values.into_iter().map(|value| match value {
            Value::String(text) => Ok(text),
            other => Err(self.mistyped(name, "an array of strings", &other)),
        });
        strings.collect::<Result<_, _>>().map(Some)
    }

    /// A map of strings to strings.
    pub(crate) fn string_map(
        &mut self,
        name: &str,
        count: RangeInclusive<usize>,
    ) -> Result<Option<Vec<(String, String)>>, ServiceError> {
        let map = match self.take(name) {
            None => return Ok(None),
            Some(Value::Object(map)) => map,
            Some(other) => return Err(self.mistyped(name, "an object", &other)),
        };
        self.check_count(name, map.len(), &count)?;
        let pairs = map.into_iter().map(|(key, value)| match value {
            Value::String(text) => Ok((key, text)),
            other => Err(self.mistyped(name, "an object of strings", &other)),
        });
        pairs.collect::<Result<_, _>>().map(Some)
    }

    /// The error for a member that has to be there and is not.
    pub(crate) fn missing(&self, name: &str) -> ServiceError {
        ServiceError::invalid_argument(format!("{} is required", self.name_of(name)))
    }

    fn check_count(
        &self,
        name: &str,
        found: usize,
        count: &RangeInclusive<usize>,
    ) -> Result<(), ServiceError> {
        if count.contains(&found) {
            return Ok(());
        }
        let expected = format!("{} to {} entries", count.start(), count.end());
        Err(ServiceError::constraint(&self.name_of(name), expected, found))
    }

    pub(crate) fn mistyped(&self, name: &str, expected: &str, found: &Value) -> ServiceError {
        ServiceError::constraint(&self.name_of(name), expected, kind(found))
    }
}

/// Checks the length of a string in characters, then each of its characters.
pub(crate) fn check_string(
    member: &str,
    text: &str,
    length: RangeInclusive<usize>,
    characters: &str,
    is_valid: impl Fn(char) -> bool,
) -> Result<(), ServiceError> {
    let found = text.chars().count();
    if !length.contains(&found) {
        let expected = format!("{} to {} characters", length.start(), length.end());
        return Err(ServiceError::constraint(member, expected, found));
    }
    match text.chars().find(|c| !is_valid(*c)) {
        None => Ok(()),
        Some(c) => Err(ServiceError::constraint(member, format!("only {characters}"), format!("{c:?}"))),
    }
}

/// A text of a request as a message shows it: quoted, and cut where it is long.
pub(crate) fn shown(text: &str) -> String {
    const LONGEST: usize = 64;
    match text.char_indices().nth(LONGEST) {
        None => format!("{text:?}"),
        Some((end, _)) => format!("{:?}...", text.get(..end).unwrap_or_default()),
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message<T>(result: Result<T, ServiceError>) -> String {
        result.err().map(|error| error.message().to_owned()).unwrap_or_default()
    }

    #[test]
    fn a_body_is_an_object() {
        assert!(Members::parse(b"").is_ok());
        assert!(Members::parse(b" {} ").is_ok());
        assert_eq!(message(Members::parse(b"[]")), "request body: expected a JSON object, found an array");
        assert!(message(Members::parse(b"{")).starts_with("request body: expected a JSON object, found EOF"));
        assert!(message(Members::parse(b"\xff")).starts_with("request body: expected a JSON object, found"));
    }

    #[test]
    fn nesting_is_bounded() {
        let deep = [vec![b'['; 200_000], vec![b']'; 200_000]].concat();
        assert!(message(Members::parse(&deep)).contains("recursion limit"));
    }

    #[test]
    fn numbers_have_a_range() {
        let mut members =
            Members::parse(br#"{"a": 1000, "b": 0, "c": 1.5, "d": "7", "e": -1, "f": 1001}"#).unwrap();
        assert_eq!(members.integer("a", 1..=1000), Ok(Some(1000)));
        assert_eq!(members.integer("absent", 1..=1000), Ok(None));
        for (name, found) in [("b", "0"), ("c", "1.5"), ("d", "a string"), ("e", "-1"), ("f", "1001")] {
            assert_eq!(
                message(members.integer(name, 1..=1000)),
                format!("{name}: expected an integer from 1 to 1000, found {found}")
            );
        }
    }

    #[test]
    fn messages_name_the_whole_path() {
        let mut members = Members::parse(br#"{"Outer": {"Inner": {"Leaf": 1}}}"#).unwrap();
        let mut inner = members.structure("Outer").unwrap().unwrap().structure("Inner").unwrap().unwrap();
        assert_eq!(message(inner.string("Leaf")), "Outer.Inner.Leaf: expected a string, found a number");
        assert_eq!(inner.missing("Other").message(), "Outer.Inner.Other is required");
    }

    #[test]
    fn long_texts_are_cut_in_messages() {
        assert_eq!(shown("a\"b"), r#""a\"b""#);
        assert_eq!(shown(&"ä".repeat(65)), format!("\"{}\"...", "ä".repeat(64)));
    }
}
