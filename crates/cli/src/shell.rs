//! What a shell and `man` know of the program: made from the definition of the command line.

use clap::CommandFactory;

use crate::args::{Arguments, CompletionsArguments, ManArguments};
use crate::failure::Failure;
use crate::stdout;

/// Prints a completion script.
pub(crate) fn completions(arguments: &CompletionsArguments) -> Result<(), Failure> {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut Arguments::command(), "getclip", &mut script);
    stdout::write_with(|mut file| std::io::Write::write_all(&mut file, &script))
}

/// Prints a manual page: of the program, or of one of its commands.
pub(crate) fn man(arguments: &ManArguments) -> Result<(), Failure> {
    let mut program = Arguments::command().disable_help_subcommand(true);
    program.build();
    let command = match &arguments.command {
        None => program,
        Some(name) => match program.find_subcommand(name) {
            // The page is named as git names its own: getclip-clip(1).
            Some(command) => command.clone().name(format!("getclip-{name}")),
            None => {
                let names: Vec<&str> = program.get_subcommands().map(clap::Command::get_name).collect();
                let text = format!("man: expected one of {}, found {name:?}", names.join(", "));
                return Err(Failure::usage(text));
            }
        },
    };
    let mut page = Vec::new();
    stdout::write_with(|mut file| {
        clap_mangen::Man::new(command).render(&mut page)?;
        std::io::Write::write_all(&mut file, &page)
    })
}
