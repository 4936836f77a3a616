//! [`Query`]: the parameters of a URL, each taken once.

use crate::model::ServiceError;
use crate::sigv4::percent_decode;

/// Parameters of a query, decoded. A plus sign stands for itself, as in `+02:00`.
pub(crate) struct Query {
    parameters: Vec<(String, String)>,
}

impl Query {
    /// Parses a query. The parameters of a signature are left out.
    pub(crate) fn parse(query: &str) -> Result<Self, ServiceError> {
        let mut parameters: Vec<(String, String)> = Vec::new();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let (name, value) = (decode(name)?, decode(value)?);
            if name.starts_with("X-Amz-") {
                continue;
            }
            if parameters.iter().any(|(known, _)| *known == name) {
                return Err(ServiceError::invalid_argument(format!("query: {name} is there twice")));
            }
            parameters.push((name, value));
        }
        Ok(Self { parameters })
    }

    /// Takes a parameter out.
    pub(crate) fn take(&mut self, name: &str) -> Option<String> {
        let index = self.parameters.iter().position(|(known, _)| known == name)?;
        Some(self.parameters.swap_remove(index).1)
    }

    /// Takes a parameter out and parses it.
    pub(crate) fn parsed<T: std::str::FromStr>(
        &mut self,
        name: &str,
        expected: &str,
    ) -> Result<Option<T>, ServiceError> {
        let parse = |text: String| {
            text.parse().map_err(|_| ServiceError::constraint(name, expected, format!("{text:?}")))
        };
        self.take(name).map(parse).transpose()
    }

    /// Refuses what nothing has taken: a misspelt parameter must not pass for an absent one.
    pub(crate) fn finish(self, known: &str) -> Result<(), ServiceError> {
        match self.parameters.first() {
            None => Ok(()),
            Some((name, _)) => {
                Err(ServiceError::constraint("query", format!("only {known}"), format!("{name:?}")))
            }
        }
    }
}

fn decode(text: &str) -> Result<String, ServiceError> {
    String::from_utf8(percent_decode(text))
        .map_err(|_| ServiceError::constraint("query", "UTF-8", format!("{text:?}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message<T>(result: Result<T, ServiceError>) -> String {
        result.err().map(|error| error.message().to_owned()).unwrap_or_default()
    }

    #[test]
    fn parameters_are_taken_once() {
        let mut query = Query::parse("start=2024-05-01T12:00:00%2B02:00&n=7&flag&X-Amz-Date=x").unwrap();
        assert_eq!(query.take("start").as_deref(), Some("2024-05-01T12:00:00+02:00"));
        assert_eq!(query.take("start"), None);
        assert_eq!(query.parsed::<u32>("n", "a number"), Ok(Some(7)));
        assert_eq!(query.take("flag").as_deref(), Some(""));
        assert_eq!(query.finish("start, n, flag"), Ok(()));
    }

    #[test]
    fn mistakes_are_named() {
        assert_eq!(message(Query::parse("a=1&a=2")), "query: a is there twice");
        assert_eq!(message(Query::parse("a=%ff")), "query: expected UTF-8, found \"%ff\"");
        let mut query = Query::parse("n=x&other=1").unwrap();
        assert_eq!(message(query.parsed::<u32>("n", "a number")), "n: expected a number, found \"x\"");
        assert_eq!(message(query.finish("n")), "query: expected only n, found \"other\"");
    }
}
