//! The `wellfit` command: parse the arguments, run the command, report the result or the error.

#[cfg(target_env = "musl")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[cfg(not(all(feature = "serve", feature = "tune")))]
mod absent;
mod args;
mod bar;
mod bench_args;
mod check_args;
mod cluster;
mod commands;
mod compare_args;
mod config;
mod data_args;
mod diagnose_args;
mod error;
mod explain_args;
mod improve_args;
mod lab_args;
mod labs;
mod lr_find_args;
mod memory;
mod opening;
mod output;
mod parent;
mod parser;
mod probe_args;
mod program;
mod progress;
mod prove_args;
mod replay_args;
mod report_args;
#[cfg(feature = "serve")]
mod serve_args;
mod settings;
mod several_args;
mod shell_args;
mod signals;
mod translate;
#[cfg(feature = "tune")]
mod tune_args;
mod verify_args;
#[cfg(feature = "serve")]
mod watch_args;

use args::{Cli, Command, Data, Lab};
use cluster::Cluster;
use config::{MOST_THREADS, require};
use error::CliError;
use output::Output;
use settings::in_flags;
use std::process::ExitCode;
use wellfit::base::shown::shown;
use wellfit::fetch::Settings;
use wellfit::run::Validation;
use wellfit::simd::{Bf16Unit, InstructionSet, Threads};

fn main() -> ExitCode {
    parent::end_with_it();
    let cli = match translate::translate(std::env::args_os(), &mut parser::parser()) {
        Ok(words) => parser::parse(words),
        Err(problem) => return failed(&CliError::Usage(in_flags(&problem))),
    };
    let cli = match cli {
        Ok(cli) => cli,
        Err(code) => return done(code),
    };
    let out = Output { json: cli.json, quiet: cli.quiet, rows: false };
    let cluster = match Cluster::begin(&cli.command) {
        Ok(cluster) => cluster,
        Err(error) => return failed(&error),
    };
    let work = || if cluster.follows() { cluster.follow() } else { command(&cli, &cluster, out) };
    let result = threads(&cli).and_then(|threads| threads.run(work));
    let (code, exit) = match result {
        Ok(()) => (0, done(0)),
        Err(error) => (error.exit_code(), failed(&error)),
    };
    cluster.end(code);
    exit
}

/// All was said, unless standard output did not take it.
fn done(code: u8) -> ExitCode {
    match output::loss() {
        None => ExitCode::from(code),
        Some(cause) => failed(&CliError::Output(format!("standard output could not be written: {cause}"))),
    }
}

/// Tell the user why a command failed.
fn failed(error: &CliError) -> ExitCode {
    output::error(error.to_string().trim_end());
    ExitCode::from(error.exit_code())
}

/// The threads of `--threads`, once it is clear that the environment says only what is understood.
fn threads(cli: &Cli) -> Result<Threads, CliError> {
    let environment = InstructionSet::asked_for().map(drop).and_then(|()| Bf16Unit::asked_for().map(drop));
    environment
        .and_then(|()| Settings::check_env())
        .map_err(|problem| CliError::Usage(shown(&problem).into_owned()))?;
    require(cli.threads <= MOST_THREADS, || {
        format!("--threads must be at most {MOST_THREADS}, not {}", cli.threads)
    })?;
    Threads::new(cli.threads).map_err(|cause| CliError::Usage(format!("--threads {}: {cause}", cli.threads)))
}

/// Run the command that was given.
fn command(cli: &Cli, cluster: &Cluster, out: Output) -> Result<(), CliError> {
    match &cli.command {
        Command::Train(args) => commands::train::run(args, Validation::Split, cluster, out),
        Command::Resume(args) => commands::resume::run(args, cluster, out),
        Command::Verify(args) => commands::verify::run(args, out),
        Command::VerifyResume(args) => commands::verify_resume::run(args, cli.threads, out),
        Command::Lab(Lab::Batchnorm(args)) => labs::batchnorm::run(args, out),
        Command::Lab(Lab::Dropout(args)) => labs::dropout::run(args, out),
        Command::Lab(Lab::Transfer(args)) => labs::transfer::run(args, out),
        Command::Prove(args) => commands::prove::run(args, out),
        Command::Improve(args) => commands::improve::run(args, out),
        #[cfg(feature = "tune")]
        Command::Tune(args) => commands::tune::run(args, cli.threads, out),
        #[cfg(not(feature = "tune"))]
        Command::Tune(_) => absent::refuse("`tune`", "tune"),
        Command::Predict(args) => commands::predict::run(args, out),
        Command::Evaluate(args) => commands::evaluate::run(args, out),
        Command::Explain(args) => commands::explain::run(args, out),
        #[cfg(feature = "serve")]
        Command::Serve(args) => commands::serve::run(args, out),
        #[cfg(feature = "serve")]
        Command::Watch(args) => commands::watch::run(args, out),
        #[cfg(not(feature = "serve"))]
        Command::Serve(_) | Command::Watch(_) => absent::refuse("`serve` and `watch`", "serve"),
        Command::Probe(args) => commands::probe::run(args, out),
        Command::Export(args) => commands::export::run(args, out),
        Command::Data(Data::Show(args)) => commands::data_show::run(args, out),
        Command::Data(Data::Split(args)) => commands::data_split::run(args, out),
        Command::Data(Data::Stats(args)) => commands::data_stats::run(args, out),
        Command::Data(Data::Dedupe(args)) => commands::data_dedupe::run(args, out),
        Command::Weights(command) => commands::weights::run(command, out),
        Command::Models => commands::models::run(out),
        Command::Runs(args) => commands::runs::run(args, out),
        Command::Plot(args) => commands::plot::run(args, out),
        Command::Check(args) => commands::check::run(args, out),
        Command::Compare(args) => commands::compare::run(args, out),
        Command::LrFind(args) => commands::lr_find::run(args, out),
        Command::Replay(args) => commands::replay::run(args, out),
        Command::Diagnose(args) => commands::diagnose::run(args, out),
        Command::Report(args) => commands::report::run(args, out),
        Command::Bench(args) => commands::bench::run(args, out),
        Command::Completions(args) => commands::completions::run(args, out),
        Command::Man(args) => commands::man::run(args, out),
    }
}
