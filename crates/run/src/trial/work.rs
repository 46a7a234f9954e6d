//! A trial from its plan to its verdicts.

use super::arms::{arms, options};
use super::data::Data;
use super::measure::Found;
use super::pair::Trial;
use super::place::place;
use super::plan::Ask;
use super::result::{Proof, finish};
use super::sharing::refuse_late;
use crate::error::RunError;
use crate::memory;
use crate::notice::Notice;
use crate::observer::Observer;
use crate::opening::DataSource;
use crate::training::Destination;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;
use wellfit_proof::trial::{Next, PairId, PairState, next_pair};
use wellfit_proof::{Design, Measured, PairResult, ProofError, contrast_arms, contrasts};

/// How long to wait before looking again at what other processes do.
const PAUSE: Duration = Duration::from_millis(500);

/// A trial whose directory stands and whose pairs are about to be made.
#[derive(Debug, Clone)]
pub struct Begun {
    /// Its directory.
    pub dir: PathBuf,
    /// The bytes that a run takes, and those that are free; none where the system does not say.
    pub memory: Option<(u64, u64)>,
}

/// Compare techniques with a baseline by pairs of runs: a directory with the plan `trial.toml`, in it `pair-SEED/baseline` and
/// `pair-SEED/TECHNIQUE`, and in the end `trial.json` and pictures. What both runs of a pair do alike is trained once. With
/// `resume`, a trial of the same plan that is there goes on (the one in `out`, or else the newest in `runs/`), to the same
/// verdicts; several processes may work on one. `begun` is called before the first pair.
///
/// # Errors
/// If plan, settings or data cannot be used, if something cannot be written, if a run's loss is no longer a number, or if the
/// observer interrupts.
pub fn prove(
    ask: &Ask,
    source: &DataSource,
    out: &Destination,
    resume: bool,
    (begun, observer): (&mut dyn FnMut(&Begun), &mut dyn Observer),
) -> Result<Proof, RunError> {
    let data = Data::new(source);
    let looked = data.prepare(&ask.settings(), observer)?;
    let kind = data.kind(&looked);
    drop(looked);
    let asked = ask.design(kind)?;
    let all = arms(&asked);
    let baseline = data.prepare(&options(&asked, &all[0], asked.first_seed)?, observer)?;
    for arm in &all[1..] {
        let treated = data.spec(&options(&asked, arm, asked.first_seed)?, kind)?;
        if asked.treat_at.is_some_and(|epoch| epoch > 1) {
            refuse_late(&baseline.spec, &treated, &arm.name)?;
        }
        if baseline.spec.differences(&treated).is_some_and(|found| found.is_empty()) {
            observer.notice(&Notice::NoTechnique { name: arm.name.clone() });
        }
    }
    let memory = memory::of_run(&baseline)?;
    let (dir, design) = place(&asked, &baseline, out, resume, observer)?;
    drop(baseline);
    begun(&Begun { dir: dir.path().to_owned(), memory });
    let trial = Trial {
        design: &design,
        arms: &arms(&design),
        dir: &dir,
        data: &data,
        command: &out.command,
        whole: false,
    };
    let known = work(&trial, observer)?;
    finish(&trial, &known, (ask.test, !ask.only_runs), observer)
}

/// The finished pairs.
pub(super) type Known = BTreeMap<PairId, Found>;

/// Make pairs until every verdict stands.
fn work(trial: &Trial<'_>, observer: &mut dyn Observer) -> Result<Known, RunError> {
    let (mut known, mut waited) = (BTreeMap::new(), false);
    loop {
        let states = states(trial, &mut known)?;
        let measured = in_order(trial.design, &known)?;
        match next_pair(trial.design, &states, &measured)? {
            Next::Done => return Ok(known),
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

/// What is known of each pair; results of finished ones are added to `known`.
fn states(trial: &Trial<'_>, known: &mut Known) -> Result<BTreeMap<PairId, PairState>, RunError> {
    let mut states = BTreeMap::new();
    for pair in 0..trial.design.last_pair() {
        let claimed = trial.dir.is_claimed(trial.seed(pair));
        let mut begun = claimed;
        for technique in 0..trial.arms.len() - 1 {
            let id = PairId { pair, technique };
            if !known.contains_key(&id) && trial.is_finished(id)? {
                known.insert(id, trial.measure(id)?);
            }
            let started = trial.run(pair, technique + 1).is_dir();
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
        if !begun && !trial.run(pair, 0).is_dir() {
            break;
        }
    }
    Ok(states)
}

/// The results of each technique, or of each declared contrast, up to its first gap.
pub(super) fn in_order(design: &Design, known: &Known) -> Result<Vec<Measured>, RunError> {
    let pairs = |place: usize, names: Option<&Vec<String>>| match names {
        None => {
            let found = (0..).map_while(|pair| known.get(&PairId { pair, technique: place }));
            Ok(found.map(|found| found.result.clone()).collect())
        }
        Some(names) => contrast(design, known, names),
    };
    let contrasts = design.contrasts.as_ref();
    let judged = design.judged().into_iter().enumerate();
    judged
        .map(|(place, name)| {
            let names = contrasts.and_then(|all| all.get(place));
            Ok(Measured { name, pairs: pairs(place, names)? })
        })
        .collect()
}

/// The pairs of an effect of a factorial trial: each seed whose 2ᵏ runs are all there is one.
fn contrast(design: &Design, known: &Known, names: &[String]) -> Result<Vec<PairResult>, RunError> {
    let bit = |name: &String| design.techniques.iter().position(|technique| technique.name == *name);
    let mask = names.iter().filter_map(bit).fold(0, |mask, place| mask | (1 << place));
    let cells = (1 << design.techniques.len()) - 1;
    let mut pairs = Vec::new();
    for pair in 0.. {
        let found = (0..cells).map(|technique| known.get(&PairId { pair, technique }));
        let Some(found) = found.collect::<Option<Vec<&Found>>>() else { break };
        pairs.push(effect(&found, mask)?);
    }
    Ok(pairs)
}

/// An effect at one seed, from what each combination of techniques gave.
fn effect(cells: &[&Found], mask: usize) -> Result<PairResult, ProofError> {
    let all = || std::iter::once(&cells[0].arms[0]).chain(cells.iter().map(|cell| &cell.arms[1]));
    let of = |values: Vec<f64>| contrasts(&values).map(|found| found[mask]);
    let arms = contrast_arms(&all().map(|worth| worth.value).collect::<Vec<_>>(), mask)?;
    let (baseline, treated) = arms.unwrap_or_default();
    let images: Option<Vec<&Vec<f64>>> = all().map(|worth| worth.per_image.as_ref()).collect();
    let per_image = images.map(|rows| {
        let image = |place: usize| of(rows.iter().map(|row| row[place]).collect());
        (0..rows[0].len()).map(image).collect::<Result<Vec<_>, _>>()
    });
    Ok(PairResult {
        baseline,
        treated,
        same_bits: cells.iter().all(|cell| cell.result.same_bits),
        per_image: per_image.transpose()?,
        cost: wellfit_proof::Cost {
            epochs: of(all().map(|worth| worth.cost.epochs).collect())?,
            seconds: of(all().map(|worth| worth.cost.seconds).collect())?,
            images: of(all().map(|worth| worth.cost.images).collect())?,
        },
    })
}

impl From<ProofError> for RunError {
    fn from(error: ProofError) -> Self {
        match error {
            ProofError::NotFinite { .. } => Self::Diverged(error.to_string()),
            _ => Self::Unusable(error.to_string()),
        }
    }
}
