//! The settings of a training run as options of the command line, built from the table in `wellfit::run::options`.

use crate::error::CliError;
use clap::builder::{PossibleValuesParser, TypedValueParser, ValueParser};
use clap::error::ErrorKind;
use clap::{Arg, ArgMatches, Args, Command, Error, FromArgMatches};
use std::ffi::OsStr;
use std::path::Path;
use std::str::FromStr;
use wellfit::run::Options;
use wellfit::run::options::{Entry, Kind, entries};

/// The settings that were typed. Unset ones follow the data: see the README.
#[derive(Debug, Clone)]
pub struct Settings(pub Options);

impl Settings {
    /// These over those of a `--config` file.
    pub fn over_file(&self, file: Option<&Path>) -> Result<Options, CliError> {
        let Some(path) = file else { return Ok(self.0.clone()) };
        Ok(self.0.clone().combine(Options::read(path)?))
    }
}

impl Args for Settings {
    fn augment_args(command: Command) -> Command {
        command.args(entries().iter().map(arg))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for Settings {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
        let mut options = Options::default();
        for entry in entries() {
            if let Some(text) = matches.get_raw(entry.name).and_then(Iterator::last) {
                let bad = |error: wellfit::run::RunError| {
                    Error::raw(ErrorKind::InvalidValue, format!("{}\n", in_flags(&error.to_string())))
                };
                options.set(entry.name, text).map_err(bad)?;
            }
        }
        Ok(Self(options))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        self.0 = Self::from_arg_matches(matches)?.0.combine(std::mem::take(&mut self.0));
        Ok(())
    }
}

/// The option of a setting.
fn arg(entry: &'static Entry) -> Arg {
    let arg = Arg::new(entry.name)
        .long(entry.option())
        .help(in_flags(&entry.help()))
        .help_heading(entry.group.title())
        .value_name(entry.value_name)
        .hide_short_help(!entry.common);
    let arg = match entry.long_help() {
        Some(text) => arg.long_help(in_flags(&text)),
        None => arg,
    };
    match entry.kind {
        Kind::Switch => arg
            .num_args(0..=1)
            .require_equals(true)
            .default_missing_value("true")
            .value_parser(PossibleValuesParser::new(["true", "false"]))
            .hide_possible_values(true),
        Kind::Choice(names) => arg.value_parser(PossibleValuesParser::new(names)).ignore_case(true),
        Kind::Path => arg.value_parser(ValueParser::path_buf()),
        Kind::Number => arg.allow_negative_numbers(true).value_parser(checked(entry)),
        Kind::Text => arg.value_parser(checked(entry)),
    }
}

/// A text of the setting's type.
fn checked(entry: &'static Entry) -> ValueParser {
    ValueParser::new(move |text: &str| entry.parse(OsStr::new(text)).map(|()| text.to_owned()))
}

/// One of these names.
pub fn one_of<T>(names: &'static [&'static str]) -> impl TypedValueParser<Value = T>
where
    T: FromStr<Err = String> + Clone + Send + Sync + 'static,
{
    PossibleValuesParser::new(names).try_map(|name| name.parse::<T>())
}

/// A text in which settings stand in backquotes, as the library writes it, with the options of the command line in their
/// place: `batch_size` in backquotes becomes `--batch-size`.
pub fn in_flags(text: &str) -> String {
    let settings = entries().iter().map(|entry| (entry.name, entry.option()));
    // Where a run goes is no setting of it, and neither is what calibrates its numbers, names its outputs or a study.
    let others =
        ["force", "out", "calibrate", "classes", "data", "study"].map(|name| (name, name.to_owned()));
    settings.chain(others).fold(text.to_owned(), |text, (name, option)| {
        text.replace(&format!("`{name}`"), &format!("--{option}"))
    })
}

/// Seeds are written to TOML, whose integers end at 2⁶³ − 1.
pub fn seed() -> ValueParser {
    ValueParser::new(|text: &str| {
        let seed = text.parse().ok().filter(|seed: &u64| i64::try_from(*seed).is_ok());
        seed.ok_or_else(|| format!("give a whole number from 0 to {}", i64::MAX))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_in_backquotes_become_options() {
        for (text, flags) in [
            ("`batch_size` must be at least 1", "--batch-size must be at least 1"),
            ("with `patience` 5 and `lr_patience` 5", "with --patience 5 and --lr-patience 5"),
            ("there is no model `resnet51`; see `model`", "there is no model `resnet51`; see --model"),
            ("`lr``lr`", "--lr--lr"),
            ("replace that run with `force`", "replace that run with --force"),
            ("no setting", "no setting"),
            ("a lone ` stays", "a lone ` stays"),
        ] {
            assert_eq!(in_flags(text), flags);
        }
    }
}
