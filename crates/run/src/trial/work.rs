//! A trial from its plan to its verdicts.

use super::arms::{arms, options};
use super::data::Data;
use super::known::{Known, in_order};
use super::pair::Trial;
use super::place::place;
use super::plan::Ask;
use super::result::{Proof, finish};
use crate::error::RunError;
use crate::memory;
use crate::notice::Notice;
use crate::observer::Observer;
use crate::opening::DataSource;
use crate::sharing::refuse_late;
use crate::training::Destination;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;
use wellfit_proof::ProofError;
use wellfit_proof::trial::{Next, PairId, PairState, next_pair};

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
    begun: &mut dyn FnMut(&Begun),
    observer: &mut dyn Observer,
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

impl From<ProofError> for RunError {
    fn from(error: ProofError) -> Self {
        match error {
            ProofError::NotFinite { .. } => Self::Diverged(error.to_string()),
            _ => Self::Unusable(error.to_string()),
        }
    }
}
