//! A trial from its plan to its verdicts.

use super::pair::Trial;
use super::picture::differences;
use super::plan::{Ask, arm};
use crate::error::RunError;
use crate::experiment::Experiment;
use crate::notice::Notice;
use crate::observer::Observer;
use crate::opening::DataSource;
use crate::plots::{PictureFormat, Plots};
use crate::resume::RUNS;
use crate::saved::SavedRun;
use crate::training::Destination;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;
use wellfit_base::Shown;
use wellfit_proof::trial::{Next, PairId, PairState, next_pair};
use wellfit_proof::{Design, Flips, Measured, Outcome, PairResult, ProofError, judge};
use wellfit_record::{RunDir, TRIAL_TOML, TrialDir, list_runs};

/// The file of the result.
const RESULT: &str = "trial.json";
/// How long to wait before looking again at what other processes do.
const PAUSE: Duration = Duration::from_millis(500);

/// A finished trial.
#[derive(Debug, Clone)]
pub struct Proof {
    /// Its directory.
    pub dir: PathBuf,
    /// Its plan.
    pub design: Design,
    /// The verdicts.
    pub outcome: Outcome,
    /// For each technique the images that its pairs fixed and broke together, where single images are judged.
    pub flips: Vec<Option<Flips>>,
    /// The same as `trial.json` holds it.
    pub result: Value,
}

/// Compare techniques with a baseline by pairs of runs: a directory with the plan `trial.toml`, in it `pair-SEED/baseline` and
/// `pair-SEED/TECHNIQUE`, and in the end `trial.json` and pictures. With `resume`, a trial of the same plan that is there goes on
/// (the one in `out`, or else the newest in `runs/`), to the same verdicts; several processes may work on one.
///
/// # Errors
/// If plan, settings or data cannot be used, if something cannot be written, if a run's loss is no longer a number, or if the
/// observer interrupts.
pub fn prove(
    ask: &Ask,
    source: &DataSource,
    out: &Destination,
    resume: bool,
    observer: &mut dyn Observer,
) -> Result<Proof, RunError> {
    let looked = Experiment::prepare(&ask.baseline, source, observer)?;
    let kind = source.kind(&looked.parts.train);
    let asked = ask.design(kind)?;
    let baseline = Experiment::prepare(&arm(&asked, None, asked.first_seed)?, source, &mut ())?;
    for technique in &asked.techniques {
        let treated = arm(&asked, Some(technique), asked.first_seed)?.decide(kind)?;
        if baseline.spec.differences(&treated).is_some_and(|found| found.is_empty()) {
            observer.notice(&Notice::NoTechnique { name: technique.name.clone() });
        }
    }
    let (dir, design) = place(&asked, &baseline, out, resume, observer)?;
    drop((looked, baseline));
    let trial = Trial { design: &design, dir: &dir, source, command: &out.command };
    let (measured, flips) = work(&trial, observer)?;
    finish(&trial, &measured, flips)
}

/// The directory of the trial, and its plan: that which is there may have grown.
fn place(
    asked: &Design,
    baseline: &Experiment,
    out: &Destination,
    resume: bool,
    observer: &mut dyn Observer,
) -> Result<(TrialDir, Design), RunError> {
    let plan = asked.to_toml()?;
    let names: Vec<&str> = asked.techniques.iter().map(|technique| technique.name.as_str()).collect();
    let hint = format!("{}-{}", baseline.parts.name, names.join("-"));
    let there = match (&out.dir, resume) {
        (Some(dir), _) => TrialDir::find(dir),
        (None, true) => newest(asked, baseline),
        (None, false) => None,
    };
    let found = match there {
        Some(there) => there,
        None => {
            if resume {
                let place = out.dir.clone().unwrap_or_else(|| RUNS.into());
                observer.notice(&Notice::NothingToResume { place });
            }
            match TrialDir::create(out.dir.as_deref(), &hint, &plan) {
                Ok(made) => {
                    observer.notice(&Notice::Run { path: made.path().to_owned() });
                    return Ok((made, asked.clone()));
                }
                // Another process may have begun it at the same time.
                Err(error) => match out.dir.as_deref().filter(|_| resume).and_then(begun) {
                    Some(other) => other,
                    None => return Err(error.into()),
                },
            }
        }
    };
    let name = found.path().shown();
    if !resume {
        return Err(RunError::Output(format!(
            "{name} holds a trial already: go on with it by `--resume auto`, or choose another directory"
        )));
    }
    let design = plan_of(&found)?;
    if design == *asked {
        return Ok((found, design));
    }
    match grown(&design, asked) {
        Some(design) => {
            found.write_file(TRIAL_TOML, design.to_toml()?.as_bytes())?;
            Ok((found, design))
        }
        None => Err(RunError::Unusable(format!(
            "{name} is a trial with another plan, see its trial.toml: give the options that it began with, or choose another \
             directory"
        ))),
    }
}

/// The trial that another process is putting there.
fn begun(dir: &Path) -> Option<TrialDir> {
    (0..20).find_map(|attempt| {
        if attempt > 0 {
            std::thread::sleep(PAUSE / 5);
        }
        TrialDir::find(dir)
    })
}

fn plan_of(dir: &TrialDir) -> Result<Design, RunError> {
    let plan = dir.plan()?;
    Design::from_toml(&plan)
        .map_err(|error| RunError::Output(format!("{}: {error}", dir.path().join(TRIAL_TOML).shown())))
}

/// A plan with the pairs that are asked for now, if nothing else is asked for and they are no fewer.
fn grown(design: &Design, asked: &Design) -> Option<Design> {
    let same = Design { pairs: asked.pairs, ..design.clone() } == *asked
        && std::mem::discriminant(&design.pairs) == std::mem::discriminant(&asked.pairs);
    let mut grown = design.clone();
    let more = same && grown.grow(asked.last_pair()).is_ok();
    more.then_some(grown)
}

/// The newest trial in `runs/` with that plan and these data.
fn newest(asked: &Design, baseline: &Experiment) -> Option<TrialDir> {
    let fits = |dir: &TrialDir| {
        let Ok(plan) = plan_of(dir) else { return false };
        let run = RunDir::open(dir.run(plan.first_seed, wellfit_proof::BASELINE)).ok();
        let other = run.and_then(|run| SavedRun::read(&run).ok()).is_some_and(|saved| !saved.is_of(baseline));
        (plan == *asked || grown(&plan, asked).is_some()) && !other
    };
    let runs = list_runs(Path::new(RUNS)).ok()?;
    let mut trials: Vec<TrialDir> = runs.iter().filter_map(|run| TrialDir::find(&run.path)).collect();
    let planned =
        |dir: &TrialDir| std::fs::metadata(dir.path().join(TRIAL_TOML)).and_then(|file| file.modified()).ok();
    trials.sort_by_cached_key(planned);
    trials.into_iter().rev().find(fits)
}

type Flipped = Vec<Option<Flips>>;

/// Make pairs until every verdict stands.
fn work(trial: &Trial<'_>, observer: &mut dyn Observer) -> Result<(Vec<Measured>, Flipped), RunError> {
    let (mut known, mut waited) = (BTreeMap::new(), false);
    loop {
        let states = states(trial, &mut known)?;
        let measured = in_order(trial.design, &known);
        match next_pair(trial.design, &states, &measured)? {
            Next::Done => return Ok((measured, flips(trial.design, &known))),
            Next::Wait => {
                if !waited {
                    observer.notice(&Notice::OtherProcess);
                }
                waited = true;
                if let Some(reason) = observer.interrupted() {
                    return Err(RunError::Interrupted { reason, run: trial.dir.path().to_owned() });
                }
                std::thread::sleep(PAUSE);
            }
            Next::Pair(id) => {
                // Taken by another process since it was looked at: that is seen the next time round.
                let Some(_lock) = trial.dir.claim(trial.seed(id.pair))? else { continue };
                if !trial.is_finished(id)? {
                    trial.make(id, observer)?;
                }
            }
        }
    }
}

type Known = BTreeMap<PairId, (PairResult, Option<Flips>)>;

/// What is known of each pair; results of finished ones are added to `known`.
fn states(trial: &Trial<'_>, known: &mut Known) -> Result<BTreeMap<PairId, PairState>, RunError> {
    let mut states = BTreeMap::new();
    for pair in 0..trial.design.last_pair() {
        let claimed = trial.dir.is_claimed(trial.seed(pair));
        let mut begun = claimed;
        for technique in 0..trial.design.techniques.len() {
            let id = PairId { pair, technique };
            if !known.contains_key(&id) && trial.is_finished(id)? {
                known.insert(id, trial.measure(id)?);
            }
            let started = trial.run(pair, Some(technique)).is_dir();
            begun |= started;
            if known.contains_key(&id) {
                states.insert(id, PairState::Finished);
            } else if claimed {
                states.insert(id, PairState::Running);
            } else if started {
                states.insert(id, PairState::Interrupted);
            }
        }
        // Pairs are begun in the order of their seeds.
        if !begun && !trial.run(pair, None).is_dir() {
            break;
        }
    }
    Ok(states)
}

/// The results of each technique, up to its first gap.
fn in_order(design: &Design, known: &Known) -> Vec<Measured> {
    let of = |(technique, name): (usize, String)| Measured {
        name,
        pairs: (0..)
            .map_while(|pair| known.get(&PairId { pair, technique }))
            .map(|(result, _)| result.clone())
            .collect(),
    };
    design.judged().into_iter().enumerate().map(of).collect()
}

fn flips(design: &Design, known: &Known) -> Flipped {
    let of = |technique: usize| {
        let pairs = (0..).map_while(|pair| known.get(&PairId { pair, technique }));
        pairs.map(|(_, flips)| *flips).reduce(|sum, next| {
            sum.zip(next)
                .map(|(sum, next)| Flips { fixed: sum.fixed + next.fixed, broken: sum.broken + next.broken })
        })?
    };
    (0..design.techniques.len()).map(of).collect()
}

/// The verdicts, and the files that hold them.
fn finish(trial: &Trial<'_>, measured: &[Measured], flips: Flipped) -> Result<Proof, RunError> {
    let (design, path) = (trial.design, trial.dir.path());
    let outcome = judge(&path.to_string_lossy(), design, measured)?;
    let mut result = serde_json::to_value(&outcome).map_err(|error| RunError::Output(error.to_string()))?;
    for (place, (one, flips)) in measured.iter().zip(&flips).enumerate() {
        let pairs =
            one.pairs.iter().map(|pair| json!({ "baseline": pair.baseline, "treated": pair.treated }));
        let entry = &mut result["techniques"][place];
        entry["results"] = pairs.collect();
        entry["images"] =
            flips.map_or(Value::Null, |flips| json!({ "fixed": flips.fixed, "broken": flips.broken }));
    }
    result["metric"] = json!(design.metric);
    result["test_looks"] = json!(0);
    let charts = vec![("differences".to_owned(), differences(design, measured, &outcome))];
    let pictures = Plots { charts, problems: Vec::new() };
    for (name, bytes) in pictures.files(&[PictureFormat::Png, PictureFormat::Svg], false)? {
        trial.dir.write_file(&name, &bytes)?;
    }
    trial.dir.write_file(RESULT, format!("{result:#}\n").as_bytes())?;
    Ok(Proof { dir: path.to_owned(), design: design.clone(), outcome, flips, result })
}

impl From<ProofError> for RunError {
    fn from(error: ProofError) -> Self {
        match error {
            ProofError::NotFinite { .. } => Self::Diverged(error.to_string()),
            _ => Self::Unusable(error.to_string()),
        }
    }
}
