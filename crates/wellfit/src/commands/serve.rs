//! `wellfit serve`: predictions over HTTP.

use crate::commands::int8;
use crate::config::require;
use crate::error::CliError;
use crate::output::Output;
use crate::progress::Progress;
use crate::serve_args::ServeArgs;
use crate::signals::Signals;
use serde_json::json;
use std::path::Path;
use std::time::Duration;
use wellfit::base::Shown;
use wellfit::base::file::read_text;
use wellfit::base::words::either;
use wellfit::run::{Classifier, RunError};
use wellfit::serve::{Event, ServeError, Server, Settings};

/// Where the token is if no file has it.
const TOKEN: &str = "WELLFIT_SERVE_TOKEN";
/// The most bytes of a file with a token.
const MOST_TOKEN: u64 = 4096;
/// The longest time that a request may take to arrive, in seconds.
const MOST_SECONDS: f64 = 3600.0;

/// Run the command.
pub fn run(args: &ServeArgs, out: Output) -> Result<(), CliError> {
    let settings = settings(args)?;
    let classifier = open(args, out)?;
    let (model, classes) = (classifier.network.name.clone(), classifier.classes.len());
    let signals = Signals::install()?;
    let without_token = settings.token.is_none();
    let server = Server::bind(classifier, settings)?;
    let again = args.clone();
    let server = server.watching(args.run.clone(), move || {
        open(&again, Output { quiet: true, ..out }).map_err(|problem| RunError::Model(problem.to_string()))
    });
    let address = format!("http://{}", server.address());
    out.say(format!(
        "{model} with {classes} {} answers at {address} (Ctrl-C ends)",
        either(classes, "class", "classes")
    ));
    if without_token && !server.address().ip().is_loopback() {
        out.warn("everybody who reaches this machine may ask: give --token-file to prevent that");
    }
    out.result(&json!({ "url": address, "model": model, "classes": classes }));
    server.run(&|| signals.caught().is_some(), &mut |event| match event {
        Event::Reloaded => out.say(format!("{} has new weights: they answer now", args.run.shown())),
        Event::NotReloaded(problem) => {
            out.warn(format!("{} has new weights that cannot be used: {problem}", args.run.shown()));
        }
    })?;
    out.say("All requests are answered; ended.");
    Ok(())
}

fn open(args: &ServeArgs, out: Output) -> Result<Classifier, CliError> {
    let mut progress = Progress::new(out, false);
    int8::classifier(&args.run, &args.file, &args.numbers, &args.device, &mut progress)
}

fn settings(args: &ServeArgs) -> Result<Settings, CliError> {
    int8::check(&args.numbers, &args.device)?;
    for (option, value) in [
        ("batch-size", args.batch_size),
        ("queue", args.queue),
        ("max-request", args.max_request),
        ("connections", args.connections),
    ] {
        require((1..=1 << 16).contains(&value), || {
            format!("--{option} must be from 1 to 65536, not {value}")
        })?;
    }
    require(args.batch_wait <= 10_000, || "--batch-wait must be at most 10000 milliseconds".to_owned())?;
    require(args.timeout > 0.0 && args.timeout <= MOST_SECONDS, || {
        format!("--timeout must be above 0 and at most {MOST_SECONDS} seconds, not {}", args.timeout)
    })?;
    let port = u16::try_from(args.port)
        .map_err(|_| CliError::Usage(format!("--port must be at most 65535, not {}", args.port)))?;
    let request_bytes = args.max_request << 20;
    let default = Settings::default();
    Ok(Settings {
        address: (args.host, port).into(),
        token: token(args.token_file.as_deref())?,
        batch: args.batch_size,
        batch_wait: Duration::from_millis(args.batch_wait.into()),
        queue: args.queue,
        request_bytes,
        all_bytes: default.all_bytes.max(request_bytes.saturating_mul(2)),
        connections: args.connections,
        timeout: Duration::from_secs_f64(args.timeout),
        reload: default.reload.filter(|_| !args.no_reload),
        ..default
    })
}

/// The token of the file, or of the environment. On the command line all users of the machine would see it.
fn token(file: Option<&Path>) -> Result<Option<String>, CliError> {
    let (text, place) = match file {
        Some(path) => {
            let text = read_text(path, MOST_TOKEN)
                .map_err(|cause| CliError::Usage(format!("--token-file {}: {cause}", path.shown())))?;
            (text, format!("--token-file {}", path.shown()))
        }
        None => match std::env::var(TOKEN) {
            Ok(text) => (text, TOKEN.to_owned()),
            Err(std::env::VarError::NotPresent) => return Ok(None),
            Err(_) => return Err(CliError::Usage(format!("{TOKEN} is not UTF-8 text"))),
        },
    };
    let token = text.lines().next().unwrap_or_default().trim();
    let usable = !token.is_empty() && token.chars().all(|c| c.is_ascii_graphic());
    require(usable, || format!("{place} must begin with a line of visible ASCII characters without spaces"))?;
    Ok(Some(token.to_owned()))
}

impl From<ServeError> for CliError {
    fn from(error: ServeError) -> Self {
        match error {
            ServeError::Listen { .. } => Self::Usage(format!("{error}: choose another --port or --host")),
            ServeError::Machine(_) => Self::Output(error.to_string()),
        }
    }
}
