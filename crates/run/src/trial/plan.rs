//! From what is asked to the plan of a trial.

use super::techniques::technique;
use crate::error::RunError;
use crate::options::{DataKind, Options, entries};
use std::ffi::OsStr;
use wellfit_proof::{Design, Pairs, Settings, Technique};
use wellfit_record::{Metric, Phase};

/// The metric whose best epoch is judged image by image.
pub(super) const JUDGED: Metric = Metric::VAL_ACCURACY;

/// What a trial is to find out.
#[derive(Debug, Clone)]
pub struct Ask {
    /// The settings of all arms.
    pub baseline: Options,
    /// A finished or unfinished run whose settings these are over.
    pub run: Option<Options>,
    /// The techniques, by name or as `setting=value`.
    pub techniques: Vec<String>,
    /// A second configuration, with its name, which is compared with the baseline.
    pub other: Option<(String, Options)>,
    /// How many pairs; as few as can show anything, at least 6, if none is given.
    pub pairs: Option<Pairs>,
    /// The metric, such as `val_accuracy`.
    pub metric: String,
    /// The least difference that matters.
    pub delta: f64,
    /// The chance to find any technique that does nothing.
    pub alpha: f64,
    /// The epoch, counted from 1, at which the techniques begin; from the start if none.
    pub treat_at: Option<u32>,
    /// Whether the techniques race: the first that is proven to help ends the trial.
    pub race: bool,
    /// Whether all combinations of the techniques are trained, to judge effects and interactions of two.
    pub factorial: bool,
    /// Whether to look at the test part in the end.
    pub test: bool,
    /// Only make runs, and leave result and pictures to the process that began the trial.
    pub only_runs: bool,
}

impl Ask {
    /// The plan for data of that kind.
    ///
    /// # Errors
    /// If a technique, a setting or a number cannot be used.
    pub(crate) fn design(&self, kind: DataKind) -> Result<Design, RunError> {
        let metric = self.metric()?;
        self.refuse()?;
        let mut baseline = match &self.run {
            Some(run) => self.baseline.clone().combine(shortest(run, kind)),
            None => self.baseline.clone(),
        };
        let first_seed = baseline.seed.take().unwrap_or(0);
        // All pairs are judged on the same images, or no interval could speak of new ones.
        baseline.split_seed.get_or_insert(Some(first_seed));
        baseline.record_answers = None;
        if metric != JUDGED {
            baseline.best.get_or_insert_with(|| metric.name().to_owned());
        }
        let mut techniques: Vec<Technique> =
            self.techniques.iter().map(|name| technique(name, &baseline, kind)).collect::<Result<_, _>>()?;
        if let Some((name, other)) = &self.other {
            techniques.push(configuration(name, (&baseline, other), kind)?);
        }
        let mut design = Design::new(metric.name(), metric.mode(), techniques);
        (design.delta, design.alpha, design.first_seed) = (self.delta, self.alpha, first_seed);
        (design.treat_at, design.race) = (self.treat_at, self.race);
        if self.factorial {
            design.contrasts = Some(effects(&design.techniques));
        }
        let usual = || Pairs::Fixed { seeds: design.fewest_pairs().max(6), grown_to: None };
        design.pairs = self.pairs.unwrap_or_else(usual);
        design.baseline = settings(&baseline)?;
        design.validate()?;
        Ok(design)
    }

    /// Settings with which the data can be opened.
    pub(super) fn settings(&self) -> Options {
        match &self.run {
            Some(run) => self.baseline.clone().combine(run.clone()),
            None => self.baseline.clone(),
        }
    }

    fn metric(&self) -> Result<Metric, RunError> {
        let found = Metric::named(&self.metric).filter(|metric| metric.phase == Phase::Validate);
        found.ok_or_else(|| {
            let names: Vec<&str> = Metric::ALL
                .iter()
                .filter(|metric| metric.phase == Phase::Validate)
                .map(|metric| metric.name())
                .collect();
            RunError::Unusable(format!("metric {:?}: give one of {}", self.metric, names.join(", ")))
        })
    }

    /// What would make the arms of a pair, or the pairs, something else than comparable.
    fn refuse(&self) -> Result<(), RunError> {
        let refused =
            |name: &'static str, problem: &str| Err(RunError::setting(name, format!("`{name}` {problem}")));
        let all = [Some(&self.baseline), self.other.as_ref().map(|(_, other)| other)];
        for options in all.into_iter().flatten() {
            if options.time.flatten().is_some() {
                return refused(
                    "time",
                    "depends on how busy the machine is, so the arms of a pair could differ by that alone: give `epochs`",
                );
            }
            if options.folds.flatten().is_some() && options.fold.flatten().is_none() {
                return refused(
                    "folds",
                    "are several runs, an arm of a pair is one: leave them out, or choose one with `fold`",
                );
            }
        }
        if self.techniques.is_empty() && self.other.is_none() {
            return Err(RunError::Unusable("there is nothing to compare: give a technique".to_owned()));
        }
        Ok(())
    }
}

/// The settings of a run without those that it would have had anyway, so that a technique such as a recipe can move them.
fn shortest(run: &Options, kind: DataKind) -> Options {
    let decided = |options: &Options| options.decide(kind).ok();
    let Some(whole) = decided(run) else { return run.clone() };
    let Ok(mut table) = toml::Table::try_from(run) else { return run.clone() };
    let mut shortest = run.clone();
    for entry in entries() {
        let Some(value) = table.remove(entry.name) else { continue };
        match table.clone().try_into::<Options>() {
            Ok(shorter) if decided(&shorter).as_ref() == Some(&whole) => shortest = shorter,
            _ => drop(table.insert(entry.name.to_owned(), value)),
        }
    }
    shortest
}

/// The effects of a factorial trial: each technique, and each two together.
fn effects(techniques: &[Technique]) -> Vec<Vec<String>> {
    let names: Vec<&String> = techniques.iter().map(|technique| &technique.name).collect();
    let single = names.iter().map(|name| vec![(*name).clone()]);
    let pairs = names.iter().enumerate().flat_map(|(place, name)| {
        names[place + 1..].iter().map(move |other| vec![(*name).clone(), (*other).clone()])
    });
    single.chain(pairs).collect()
}

/// The given settings as text. An arm's options are read back from it.
pub(crate) fn settings(options: &Options) -> Result<Settings, RunError> {
    let table =
        toml::Table::try_from(options).map_err(|error| RunError::Output(format!("settings: {error}")))?;
    let text = |value: toml::Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let settings: Settings = table.into_iter().map(|(name, value)| (name, text(value))).collect();
    let mut again = Options::default();
    for (name, value) in &settings {
        again.set(name, OsStr::new(value))?;
    }
    let lost = entries().iter().find(|entry| {
        let [given, read] = [options, &again].map(|options| {
            toml::Table::try_from(options).ok().and_then(|table| table.get(entry.name).cloned())
        });
        given != read
    });
    match lost {
        None => Ok(settings),
        Some(entry) => {
            Err(RunError::setting(entry.name, format!("`{}` cannot be part of a trial's plan", entry.name)))
        }
    }
}

/// A second configuration as a technique: all settings in which its runs differ.
fn configuration(
    name: &str,
    (baseline, other): (&Options, &Options),
    kind: DataKind,
) -> Result<Technique, RunError> {
    let mut other = other.clone();
    (other.seed, other.split_seed, other.record_answers) = (None, baseline.split_seed, None);
    other.best = other.best.or_else(|| baseline.best.clone());
    let [own, theirs] = [baseline, &other].map(|options| options.decide(kind));
    let (own, theirs) = (own?, theirs?);
    let differences = own.differences(&theirs).unwrap_or_default();
    let setting = |difference: crate::spec::Difference| match difference.theirs {
        Some(value) => Ok((difference.name.to_owned(), value)),
        None => Err(RunError::setting(
            difference.name,
            format!(
                "`{}` is set in the first configuration and not in {name}: set it in both, or in the second only",
                difference.name
            ),
        )),
    };
    let settings = differences.into_iter().map(setting).collect::<Result<Settings, _>>()?;
    Ok(Technique { name: name.to_owned(), settings })
}
