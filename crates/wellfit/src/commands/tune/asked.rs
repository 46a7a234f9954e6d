//! From the options to a plan.

use super::told;
use crate::error::CliError;
use crate::tune_args::{SamplerName, TuneArgs};
use std::path::Path;
use std::time::Duration;
use wellfit::record::Metric;
use wellfit::run::{DataSource, Experiment, Observer, Options};
use wellfit::tune::{Address, Place, Plan, Sampler, Space, SpaceError, Tpe};

/// What is searched, on what, and where.
pub struct Asked {
    pub plan: Plan,
    pub source: DataSource,
    pub place: Place,
    /// The space as it is written.
    pub space_text: String,
}

impl Asked {
    /// What the options say. The data are looked at once, so that nothing is begun that cannot work.
    pub fn of(args: &TuneArgs, observer: &mut dyn Observer) -> Result<Self, CliError> {
        let source = args.several.source(&args.data);
        let given = args.several.options()?;
        let (mut space, mut space_text) = (None, String::new());
        if let Some(file) = &args.space {
            let (read, fixed) = Space::read(file).map_err(|error| told(error.into()))?;
            space = Some((read, given.clone().combine(fixed)));
            let text = wellfit::base::file::read_text(file, 1 << 20);
            space_text = text.map_err(|error| CliError::Usage(format!("--space: {error}")))?;
        }
        let options = space.as_ref().map_or(&given, |(_, options)| options);
        let looked = Experiment::prepare(options, &source, observer)?;
        let (space, fixed) = match space {
            Some(read) => read,
            None => {
                space_text = Space::ready(looked.spec.recipe).to_owned();
                let read = Space::parse(&space_text);
                let (read, fixed) =
                    read.map_err(|problem| told(SpaceError { path: None, problem }.into()))?;
                (without_given(read, &given), given.combine(fixed))
            }
        };
        let name = args.study.clone().unwrap_or_else(|| format!("{}-tune", looked.parts.name));
        let dir = args.out.clone().unwrap_or_else(|| Path::new("runs").join(&name));
        let storage = match &args.storage {
            // What was typed may hold a password, and is not repeated.
            Some(url) => url.parse().map_err(|problem| CliError::Usage(format!("--storage: {problem}")))?,
            None => Address::Journal(dir.join("study.log")),
        };
        let plan = Plan {
            space,
            metric: metric(args, &looked.spec.best)?,
            sampler: match args.search {
                SamplerName::Tpe => Sampler::Tpe(Tpe::default()),
                SamplerName::Random => Sampler::Random,
                SamplerName::Grid => Sampler::Grid,
            },
            pruner: args.pruner,
            trials: args.trials,
            retries: args.retries,
            grace: Duration::from_secs_f64(args.grace.seconds()),
            seed: looked.spec.seed,
            fixed,
        };
        plan.check().map_err(told)?;
        let place = Place { storage, study: name, dir, command: command() };
        Ok(Self { plan, source, place, space_text })
    }
}

/// Of a ready space, what was not given.
fn without_given(mut space: Space, given: &Options) -> Space {
    let given = toml::Table::try_from(given).unwrap_or_default();
    space.parameters.retain(|one| {
        let waits = one.when.as_ref().is_some_and(|when| given.contains_key(&when.name));
        !given.contains_key(&one.name) && !waits
    });
    space
}

fn metric(args: &TuneArgs, best: &str) -> Result<Metric, CliError> {
    let name = args.metric.as_deref().unwrap_or(best);
    Metric::named(name).ok_or_else(|| {
        CliError::Usage(format!("--metric: there is no `{name}`; known are {}", Metric::names()))
    })
}

/// The command as typed, but for passwords: it is kept in each run.
fn command() -> String {
    let plain = |word: String| {
        let (option, value) =
            word.split_once('=').map_or((None, word.as_str()), |(name, value)| (Some(name), value));
        match value.parse::<Address>() {
            Ok(address @ Address::Postgres(_)) => {
                option.map_or(address.to_string(), |name| format!("{name}={address}"))
            }
            _ => word,
        }
    };
    std::env::args_os().map(|word| plain(word.to_string_lossy().into_owned())).collect::<Vec<_>>().join(" ")
}
