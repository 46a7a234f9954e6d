//! `wellfit lr-find`: which learning rate to begin with, by training a few steps with a rate that grows.

use crate::commands::folder;
use crate::config::{positive, require};
use crate::error::CliError;
use crate::lr_find_args::LrFindArgs;
use crate::opening::source;
use crate::output::{self, Output};
use crate::progress::Progress;
use std::path::PathBuf;
use wellfit::base::Shown;
use wellfit::policy::lr_finder::FEWEST_STEPS;
use wellfit::run::options::ScaleLr;
use wellfit::run::{Experiment, LrSetting, Validation};

/// What a suggestion is.
const WORDS: [(&str, &str); 3] = [
    ("valley", "in the longest fall of the loss (fastai); what train --lr auto takes"),
    ("steep", "where the loss falls most for a change of the rate (Lightning)"),
    ("minimum", "a tenth of where the loss is lowest (fastai)"),
];

/// Run the command.
pub fn run(args: &LrFindArgs, out: Output) -> Result<(), CliError> {
    positive("--start-lr", args.start_lr)?;
    positive("--end-lr", args.end_lr)?;
    require(args.end_lr > args.start_lr, || {
        format!("--end-lr {} must be above --start-lr {}", args.end_lr, args.start_lr)
    })?;
    require(args.steps >= FEWEST_STEPS, || {
        format!(
            "--steps must be at least {FEWEST_STEPS}, not {}: fewer say nothing of where the loss falls",
            args.steps
        )
    })?;
    let options = args.settings.over_file(args.config.as_deref())?;
    if let Some(LrSetting::Rate(lr)) = args.settings.0.lr {
        out.warn(format!(
            "--lr {lr} has no part in the search, which tries rates of its own: see --start-lr"
        ));
    }
    if options.scale_lr.is_some_and(|rule| rule != ScaleLr::None) {
        out.warn(
            "--scale-lr has no part in it: what is suggested is for steps of this size, so train without it",
        );
    }
    let mut progress = Progress::new(out, args.verbose);
    let source = source(&args.data, &args.place, Validation::Split);
    let search =
        Experiment::prepare(&options, &source, &mut progress)?.find_lr(args.range(), &mut progress)?;
    let files: Vec<(PathBuf, Vec<u8>)> =
        search.files()?.into_iter().map(|(name, bytes)| (args.out.join(name), bytes)).collect();
    let borrowed: Vec<(&PathBuf, &[u8])> = files.iter().map(|(path, bytes)| (path, &bytes[..])).collect();
    folder::write(&args.out, &borrowed, args.force)?;
    let mut rows = vec![["suggestion", "--lr", ""].map(str::to_owned)];
    for ((name, lr), (_, words)) in search.suggestions().into_iter().zip(WORDS) {
        let lr = lr.map_or_else(|| "none".to_owned(), |lr| format!("{lr:.2e}"));
        rows.push([name.to_owned(), lr, words.to_owned()]);
    }
    out.table(&rows, 1..2);
    if search.curve.valley().is_none() {
        out.say("The loss fell at no rate that was tried: look at the picture, and try others.");
    }
    out.say(format!("Picture and numbers: {}", args.out.shown()));
    let mut result = search.to_json();
    if let Some(result) = result.as_object_mut() {
        result.insert("out".to_owned(), output::path(&args.out));
    }
    out.result(&result);
    Ok(())
}
