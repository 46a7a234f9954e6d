//! `wellfit completions`: what makes a shell complete commands and options.

use crate::error::CliError;
use crate::output::{self, Output};
use crate::parser::parser;
use crate::shell_args::CompletionsArgs;
use clap_complete::generate;
use serde_json::json;

/// Run the command.
pub fn run(args: &CompletionsArgs, out: Output) -> Result<(), CliError> {
    let mut script = Vec::new();
    generate(args.shell, &mut parser(), "wellfit", &mut script);
    let script = String::from_utf8_lossy(&script);
    if out.json {
        out.result(&json!({ "shell": args.shell.to_string(), "script": script }));
    } else {
        output::print_text(&script);
    }
    Ok(())
}
