//! Completions for shells, and the manual page.

use crate::cli::{self, CompletionsFlags, ManualFlags};
use crate::{Failure, output};
use std::io::Write as _;

pub(crate) fn completions(flags: &CompletionsFlags) -> Result<(), Failure> {
    let mut text = Vec::new();
    clap_complete::generate(flags.shell, &mut cli::command(), "nn", &mut text);
    output::write(|out| out.write_all(&text))
}

pub(crate) fn manual(flags: &ManualFlags) -> Result<(), Failure> {
    let mut all = cli::command();
    all.build();
    let command = match &flags.command {
        None => all,
        Some(name) => all
            .find_subcommand(name)
            .cloned()
            .ok_or_else(|| {
                Failure::misused(format!("expected a command, found `{name}`"), "`nn --help` lists the commands")
            })?
            .display_name(format!("nn-{name}")),
    };
    let mut page = Vec::new();
    clap_mangen::Man::new(command).render(&mut page).expect("a list of bytes takes what is written");
    output::write(|out| out.write_all(&page))
}
