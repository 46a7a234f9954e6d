//! The parser of the command line: clap's, with errors in people's words.

use crate::args::Cli;
use crate::output;
use crate::program::program;
use clap::builder::ValueParser;
use clap::{Arg, Command, CommandFactory, FromArgMatches};
use std::any::TypeId;
use std::ffi::{OsStr, OsString};
use wellfit::run::options::Setting;

/// The command line that was typed, translated.
///
/// # Errors
/// The exit code, once what is wrong with it, or help, was shown.
pub fn parse(words: Vec<OsString>) -> Result<Cli, u8> {
    let mut parser = parser();
    let parsed = parser.try_get_matches_from_mut(words).and_then(|matches| Cli::from_arg_matches(&matches));
    parsed.map_err(|error| {
        let error = error.format(&mut parser);
        if !error.use_stderr() {
            output::note_loss(error.print());
            return 0;
        }
        let text = error.render().to_string();
        output::error(text.trim_end().trim_start_matches("error: "));
        u8::try_from(error.exit_code()).unwrap_or(2)
    })
}

/// All commands and options.
pub fn parser() -> Command {
    in_words(Cli::command()).bin_name(program())
}

/// Numbers are read as those of settings are, whose errors say what to give.
fn in_words(command: Command) -> Command {
    let names: Vec<String> = command.get_subcommands().map(|sub| sub.get_name().to_owned()).collect();
    let command = command.mut_args(number);
    let has = |long| command.get_arguments().any(|arg| arg.get_long() == Some(long));
    // `data show` has a number of images by that name.
    let is_free = has("image-dir") && !has("images");
    let command =
        if is_free { command.mut_arg("image_dir", |arg| arg.visible_alias("images")) } else { command };
    names.into_iter().fold(command, |command, name| command.mut_subcommand(name, in_words))
}

fn number(arg: Arg) -> Arg {
    let of = arg.get_value_parser().type_id();
    if of == TypeId::of::<usize>() {
        arg.value_parser(setting::<usize>())
    } else if of == TypeId::of::<u32>() {
        arg.value_parser(setting::<u32>())
    } else if of == TypeId::of::<f64>() {
        arg.value_parser(setting::<f64>())
    } else {
        arg
    }
}

fn setting<T: Setting + Clone + Send + Sync + 'static>() -> ValueParser {
    ValueParser::new(|text: &str| T::parse(OsStr::new(text)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::translate::translate;
    use wellfit::run::options::{DataKind, entries};
    use wellfit::run::{Options, RunError};

    /// What a library of Rust says, which tells a user nothing.
    const JARGON: [&str; 14] = [
        "invalid digit",
        "cannot parse integer",
        "float literal",
        "number too",
        "provided string was not",
        "invalid type",
        "invalid value: ",
        "missing field",
        "unknown variant",
        "unknown field",
        "TOML parse error",
        "ParseInt",
        "Utf8Error",
        "error:  ",
    ];

    /// Values that are wrong for some option or other.
    const WRONG: [&str; 14] = [
        "x1",
        "",
        "-1",
        "1.5",
        "0,5",
        "1e400",
        "99999999999999999999999",
        "nan",
        "☃",
        "a=b",
        "step",
        "step:x=1",
        "cosine:t_max=x",
        "5:6",
    ];

    #[track_caller]
    fn is_for_people(text: &str, line: &str) {
        for jargon in JARGON {
            assert!(!text.contains(jargon), "{line}: {text}");
        }
    }

    fn commands(command: &Command, path: &[String], found: &mut Vec<(Vec<String>, Command)>) {
        for sub in command.get_subcommands().filter(|sub| sub.get_name() != "help") {
            let path: Vec<String> = path.iter().cloned().chain([sub.get_name().to_owned()]).collect();
            if sub.has_subcommands() {
                commands(sub, &path, found);
            } else {
                found.push((path, sub.clone()));
            }
        }
    }

    #[test]
    fn every_option_answers_wrong_values_in_words() {
        let (mut found, mut refused) = (Vec::new(), 0);
        let mut all = parser();
        all.build();
        commands(&all, &[], &mut found);
        for (path, command) in &found {
            let valued = |arg: &&Arg| arg.get_num_args().is_some_and(|range| range.takes_values());
            for arg in command.get_arguments().filter(valued).filter(|arg| arg.get_long().is_some()) {
                for wrong in WRONG {
                    let option = format!("--{}={wrong}", arg.get_long().unwrap());
                    let words = ["wellfit".to_owned()].into_iter().chain(path.clone()).chain([option]);
                    let line = words.clone().collect::<Vec<_>>().join(" ");
                    let words = match translate(words.map(OsString::from), &mut all) {
                        Ok(words) => words,
                        Err(problem) => {
                            is_for_people(&problem, &line);
                            continue;
                        }
                    };
                    if let Err(error) = all.try_get_matches_from_mut(words) {
                        refused += 1;
                        is_for_people(&error.to_string(), &line);
                    }
                }
            }
        }
        assert!(found.len() > 12 && refused > 500, "{} {refused}", found.len());
    }

    #[test]
    fn every_setting_answers_wrong_values_in_words() {
        let mut refused = 0;
        for entry in entries() {
            for wrong in WRONG {
                let mut options = Options::default();
                let set = options.set(entry.name, OsStr::new(wrong));
                let result: Result<(), RunError> =
                    set.and_then(|()| options.decide(DataKind::Folder).map(drop));
                if let Err(error) = result {
                    refused += 1;
                    is_for_people(&error.to_string(), &format!("{} {wrong}", entry.name));
                }
            }
        }
        assert!(refused > 250, "{refused}");
    }

    #[test]
    fn numbers_are_asked_for() {
        for (line, part) in [
            ("train x --epochs ten", "give a whole number from 0 to 4294967295"),
            ("train x --lr 0,01", "write the number with a point: 0.01"),
            ("predict r i --top many", "give a whole number from 0 to"),
            ("lab dropout --noise loud", "give a number, such as 0.001"),
            ("lab dropout --seed -1", "give a whole number from 0 to 9223372036854775807"),
            ("bench --steps 1.5", "give a whole number"),
            ("replay --run r --lr fast", "give a number"),
        ] {
            let words = ["wellfit"].into_iter().chain(line.split(' '));
            let problem = parser().try_get_matches_from(words).unwrap_err().to_string();
            assert!(problem.contains(part), "{line}: {problem}");
        }
    }
}
