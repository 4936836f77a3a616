//! The configuration file: options by their long names, which the environment and the command line override.

use std::collections::HashSet;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clap::builder::OsStr;
use clap::{ArgMatches, Command, CommandFactory, FromArgMatches};
use toml::{Table, Value};

use super::args::Arguments;
use super::failure::Failure;

/// Parses the command line. What it and the environment leave out is taken from the configuration file.
pub(super) fn parse_arguments() -> Result<Arguments, Failure> {
    let arguments: Vec<OsString> = std::env::args_os().collect();
    let mut command = Arguments::command();
    if let Some(file) = config_path(&arguments) {
        let text = std::fs::read_to_string(&file).map_err(|error| Failure::io(file.display(), error))?;
        command = with_defaults(command, &text)
            .map_err(|reason| Failure::usage(format!("{}: {reason}", file.display())))?;
    }
    let matches: ArgMatches = command.get_matches_from(arguments);
    Arguments::from_arg_matches(&matches).map_err(|error| error.exit())
}

/// The file, which has to be known before the command line can be parsed with its defaults.
fn config_path(arguments: &[OsString]) -> Option<PathBuf> {
    let mut arguments = arguments.iter().skip(1).take_while(|argument| *argument != "--");
    while let Some(argument) = arguments.next() {
        if argument == "--config" {
            return arguments.next().map(PathBuf::from);
        }
        if let Some(path) = argument.to_str().and_then(|text| text.strip_prefix("--config=")) {
            return Some(Path::new(path).to_owned());
        }
    }
    std::env::var_os("GETCLIP_CONFIG").filter(|path| !path.is_empty()).map(PathBuf::from)
}

/// The command with the file's values as defaults: each is parsed and refused as on the command line.
fn with_defaults(command: Command, text: &str) -> Result<Command, String> {
    let table: Table = text.parse().map_err(|error: toml::de::Error| error.message().to_owned())?;
    let mut known = HashSet::new();
    let mut command = command;
    let names: Vec<String> = command.get_subcommands().map(|sub| sub.get_name().to_owned()).collect();
    let values: Vec<(String, Vec<String>)> = table
        .iter()
        .map(|(key, value)| Ok((key.clone(), as_text(key, value)?)))
        .collect::<Result<_, String>>()?;
    for name in names {
        command = command.mut_subcommand(name, |mut sub| {
            for (key, value) in &values {
                let argument = sub.get_arguments().find(|argument| argument.get_long() == Some(key));
                let Some(id) = argument.map(|argument| argument.get_id().clone()) else { continue };
                known.insert(key.clone());
                sub = sub.mut_arg(id, |argument| {
                    argument
                        .required(false)
                        .default_values(value.iter().map(|text| OsStr::from(text.clone())))
                });
            }
            sub
        });
    }
    match values.iter().find(|(key, _)| !known.contains(key)) {
        Some((key, _)) => Err(format!("expected names of options, found {key:?}")),
        None => Ok(command),
    }
}

/// A value as it would stand on the command line.
fn as_text(key: &str, value: &Value) -> Result<Vec<String>, String> {
    match value {
        Value::String(text) => Ok(vec![text.clone()]),
        Value::Integer(number) => Ok(vec![number.to_string()]),
        Value::Boolean(is_set) => Ok(vec![is_set.to_string()]),
        Value::Array(values) if !values.iter().any(Value::is_array) => {
            let texts = values.iter().map(|value| as_text(key, value));
            Ok(texts.collect::<Result<Vec<_>, _>>()?.concat())
        }
        other => Err(format!("{key}: expected text, a number, true or false, found {}", other.type_str())),
    }
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use super::super::args::{Command as Chosen, ServeArguments};
    use super::*;

    fn serve(text: &str, arguments: &[&str]) -> Result<ServeArguments, String> {
        let command = with_defaults(Arguments::command(), text)?;
        let line = ["getclip-server", "serve"].iter().chain(arguments);
        let matches = command.try_get_matches_from(line).map_err(|error| error.to_string())?;
        match Arguments::from_arg_matches(&matches).map_err(|error| error.to_string())?.command {
            Chosen::Serve(serve) => Ok(*serve),
            other => Err(format!("{other:?}")),
        }
    }

    #[test]
    fn a_file_has_defaults_for_options() {
        let text = "archive = 's3://bucket/x'\nlisten = '127.0.0.1:9000'\nmax-clips = 7\nkeep-damaged = true\n\
                    cors-origins = ['https://a.example', 'https://b.example']\nstream = 'for-import'";
        let arguments = serve(text, &["--listen", "127.0.0.1:9001"]).unwrap();
        assert_eq!(arguments.archive.archive, "s3://bucket/x");
        assert_eq!(arguments.listen, SocketAddr::from(([127, 0, 0, 1], 9001)));
        assert_eq!((arguments.max_clips.get(), arguments.keep_damaged), (7, true));
        assert_eq!(arguments.cors_origins, ["https://a.example", "https://b.example"]);
        assert!(!serve("", &[]).unwrap().keep_damaged);
    }

    #[test]
    fn mistakes_in_a_file_are_named() {
        assert_eq!(serve("lisen = 'x'", &[]).unwrap_err(), "expected names of options, found \"lisen\"");
        assert_eq!(
            serve("listen = 1.5", &[]).unwrap_err(),
            "listen: expected text, a number, true or false, found float"
        );
        assert!(serve("listen = ", &[]).is_err());
        assert!(serve("max-clips = 0", &[]).unwrap_err().contains("--max-clips"));
    }

    #[test]
    fn the_file_is_named_anywhere_on_the_command_line() {
        let path = |line: &[&str]| config_path(&line.iter().map(OsString::from).collect::<Vec<_>>());
        assert_eq!(path(&["x", "serve", "--config", "a.toml"]), Some("a.toml".into()));
        assert_eq!(path(&["x", "--config=b.toml", "serve"]), Some("b.toml".into()));
        assert_eq!(path(&["x", "import", "--", "--config", "a.toml"]), None);
    }
}
