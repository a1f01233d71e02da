//! `completions` and `man`, made from the definitions of the arguments.

use clap::{Command, CommandFactory as _};

use crate::args::{Cli, CompletionsArgs, ManArgs};
use crate::exit::{Exit, Fault};
use crate::output::Terminal;
use crate::suggest::nearest;

const NAME: &str = "gatewright";

/// `gatewright completions`.
pub(crate) fn completions(args: &CompletionsArgs) -> Result<Exit, Fault> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), NAME, &mut script);
    Terminal::data(&String::from_utf8_lossy(&script))?;
    Ok(Exit::Done)
}

/// `gatewright man`.
pub(crate) fn man(args: &ManArgs) -> Result<Exit, Fault> {
    let mut page = Vec::new();
    clap_mangen::Man::new(subject(args.command.as_deref())?)
        .render(&mut page)
        .map_err(|error| Fault::new(format!("cannot make the page: {error}")))?;
    Terminal::data(&String::from_utf8_lossy(&page))?;
    Ok(Exit::Done)
}

/// The definition of a command, complete with the name of its page, such as
/// `gatewright-convert`.
fn subject(command: Option<&str>) -> Result<Command, Fault> {
    let mut all = Cli::command().disable_help_subcommand(true);
    all.build();
    let Some(command) = command else {
        return Ok(all);
    };
    if let Some(found) = all.find_subcommand(command) {
        return Ok(found.clone());
    }
    let names: Vec<_> = all.get_subcommands().map(Command::get_name).collect();
    let fault = Fault::new(format!("there is no command `{command}`"));
    Err(match nearest(command, names.iter().copied()) {
        Some(name) => fault.help(format!("did you mean `{name}`?")),
        None => fault.help(format!("the commands are {}", names.join(", "))),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_has_a_page() {
        for command in Cli::command().get_subcommands() {
            let page = subject(Some(command.get_name())).unwrap();
            assert!(page.get_about().is_some(), "{}", command.get_name());
        }
        assert!(subject(Some("convrt")).is_err());
    }
}
