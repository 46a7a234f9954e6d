//! `wellfit watch`: the pages of runs while these go on.

#[cfg(feature = "tui")]
mod tui;

use crate::error::CliError;
use crate::output::Output;
use crate::signals::Signals;
use crate::watch_args::WatchArgs;
use serde_json::json;
use wellfit::base::Shown;
use wellfit::serve::watch::Watch;

/// Run the command.
pub fn run(args: &WatchArgs, out: Output) -> Result<(), CliError> {
    let port = u16::try_from(args.port)
        .map_err(|_| CliError::Usage(format!("--port must be at most 65535, not {}", args.port)))?;
    if args.dir.exists() && !args.dir.is_dir() {
        return Err(CliError::Usage(format!(
            "{} is a file: give a folder of runs, or a run",
            args.dir.shown()
        )));
    }
    let signals = Signals::install()?;
    #[cfg(feature = "tui")]
    if args.tui {
        return tui::run(args.dir.clone(), &signals);
    }
    let watch = Watch::bind(port, args.dir.clone())?;
    out.say(format!("{} is shown at {} (Ctrl-C ends)", args.dir.shown(), watch.url()));
    out.result(&json!({ "url": watch.url() }));
    watch.run(&|| signals.caught().is_some())?;
    Ok(())
}
