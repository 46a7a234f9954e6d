//! `wellfit man`: the manual pages, made from the options. Packages have them; nobody else needs the command.

use crate::error::CliError;
use crate::output::{self, Output};
use crate::parser::parser;
use crate::shell_args::ManArgs;
use clap::Command;
use clap_mangen::Man;
use serde_json::json;
use std::path::{Path, PathBuf};
use wellfit::base::words::plural;
use wellfit::base::{Shown, atomic};

/// Run the command.
pub fn run(args: &ManArgs, out: Output) -> Result<(), CliError> {
    std::fs::create_dir_all(&args.dir).map_err(CliError::write(args.dir.clone()))?;
    let (mut all, mut pages) = (parser(), Vec::new());
    all.build();
    write(&all, "wellfit", &args.dir, &mut pages)?;
    out.say(format!("{} in {}", plural(pages.len(), "page"), args.dir.shown()));
    let pages: Vec<_> = pages.iter().map(|page| output::path(page)).collect();
    out.result(&json!({ "pages": pages }));
    Ok(())
}

/// The page of a command and those of its own: `wellfit-data-show.1`.
fn write(command: &Command, name: &str, dir: &Path, pages: &mut Vec<PathBuf>) -> Result<(), CliError> {
    let mut page = Vec::new();
    let path = dir.join(format!("{name}.1"));
    let man = Man::new(command.clone().name(name.to_owned()).display_name(name.to_owned()));
    man.render(&mut page).map_err(CliError::write(path.clone()))?;
    atomic::replace(&path, &page).map_err(CliError::write(path.clone()))?;
    pages.push(path);
    let shown = |sub: &&Command| sub.get_name() != "help" && !sub.is_hide_set();
    command
        .get_subcommands()
        .filter(shown)
        .try_for_each(|sub| write(sub, &format!("{name}-{}", sub.get_name()), dir, pages))
}
