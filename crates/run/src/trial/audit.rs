//! Training a pair of a finished trial again, to see whether it ends with the same bits.

use super::arms::arms;
use super::data::Data;
use super::pair::Trial;
use super::place::plan_of;
use crate::error::RunError;
use crate::observer::Observer;
use crate::opening::DataSource;
use crate::options::Options;
use crate::resume::{Changes, source_of};
use crate::saved::SavedRun;
use crate::sharing::trained;
use std::path::{Path, PathBuf};
use wellfit_base::{Shown, id};
use wellfit_proof::trial::PairId;
use wellfit_record::{Event, RunDir, TrialDir};

/// A pair that was trained again.
#[derive(Debug, Clone)]
pub struct Audit {
    /// Where its runs are.
    pub dir: PathBuf,
    /// The seed of the pair.
    pub seed: u64,
    /// Its runs.
    pub runs: Vec<AuditedRun>,
}

/// A run of it.
#[derive(Debug, Clone)]
pub struct AuditedRun {
    /// The baseline or a technique.
    pub arm: String,
    /// SHA-256 of the best weights' file, of the trial's run and of the one that was trained now.
    pub sha256: [String; 2],
    /// Whether the figures and answers of all epochs are the same.
    pub same_figures: bool,
}

impl Audit {
    /// Whether everything is the same, to the bit.
    #[must_use]
    pub fn is_same(&self) -> bool {
        self.runs.iter().all(|run| run.same_figures && run.sha256[0] == run.sha256[1])
    }
}

/// Where a run's data are, and its settings without those that follow from its own course.
///
/// # Errors
/// If it is no run that could be trained again.
pub fn origin(run: &Path) -> Result<(Options, DataSource), RunError> {
    let dir = RunDir::open(run)?;
    let saved = SavedRun::read(&dir)?;
    // How many epochs fitted into the time is in `epochs`.
    let options = Options { time: None, ..saved.options(&dir)? };
    Ok((options, source_of(&saved, &Changes::default())))
}

/// Train one finished pair of the trial in `dir` again, chosen at random, each of its runs from the beginning, in a new
/// directory `audit-N` of the trial. `data` is where the data are now, if they have moved.
///
/// # Errors
/// If there is no trial or no finished pair, if the data are gone or others, or as [`prove`](super::prove).
pub fn audit(
    dir: &Path,
    data: Option<&str>,
    command: &str,
    observer: &mut dyn Observer,
) -> Result<Audit, RunError> {
    let no = |problem: &str| RunError::Unusable(format!("{}: {problem}", dir.shown()));
    let found = TrialDir::find(dir).ok_or_else(|| no("there is no trial (trial.toml)"))?;
    let design = plan_of(&found)?;
    let arms = arms(&design);
    let baseline = found.run(design.first_seed, &arms[0].directory);
    let (_, mut source) = origin(&baseline)?;
    if let Some(data) = data {
        data.clone_into(&mut source.data);
    }
    let opened = Data::new(&source);
    let trial = Trial { design: &design, arms: &arms, dir: &found, data: &opened, command, whole: true };
    let mut pairs = Vec::new();
    for pair in 0..design.last_pair() {
        for technique in 0..arms.len() - 1 {
            let id = PairId { pair, technique };
            if trial.is_finished(id)? {
                pairs.push(id);
            }
        }
    }
    let drawn = id::random().map_err(|error| RunError::Output(error.to_string()))?;
    let drawn = u64::from_str_radix(&drawn[..15], 16).unwrap_or(0) as usize;
    let &id = pairs.get(drawn % pairs.len().max(1)).ok_or_else(|| no("no pair of it is finished"))?;
    let place = (1..).map(|number| dir.join(format!("audit-{number}"))).find(|place| !place.exists());
    let again = TrialDir::create(place.as_deref(), "audit", &design.to_toml()?)?;
    let _lock = again.claim(trial.seed(id.pair))?;
    let anew = Trial { dir: &again, ..trial };
    anew.make(id, observer)?;
    let runs = [0, id.technique + 1].map(|arm| {
        Ok::<_, RunError>(AuditedRun {
            arm: arms[arm].name.clone(),
            sha256: [weights(&trial.run(id.pair, arm))?, weights(&anew.run(id.pair, arm))?],
            same_figures: figures(&trial.run(id.pair, arm))? == figures(&anew.run(id.pair, arm))?,
        })
    });
    let runs = runs.into_iter().collect::<Result<_, _>>()?;
    Ok(Audit { dir: again.path().to_owned(), seed: trial.seed(id.pair), runs })
}

/// The checksum of a run's best weights, as they are on the disk.
fn weights(run: &Path) -> Result<String, RunError> {
    let dir = RunDir::open(run)?;
    let name = SavedRun::read(&dir)?.info.model_file();
    let entry = dir.entry(&name)?;
    Ok(entry.sha256)
}

/// What a run measured, without what depends on how busy the machine was.
fn figures(run: &Path) -> Result<(Vec<String>, Vec<Event>), RunError> {
    let dir = RunDir::open(run)?;
    let figure = |(metric, value): (wellfit_record::Metric, f64)| {
        format!("{} {:016x}", metric.name(), value.to_bits())
    };
    let epochs =
        trained(&dir)?.into_iter().flat_map(|epoch| epoch.metrics.iter().map(figure).collect::<Vec<_>>());
    let mut answers = dir.events()?.rows;
    answers.retain(|event| matches!(event, Event::Answers { .. }));
    Ok((epochs.collect(), answers))
}
