//! A round: looks, the proof of the best, and what follows from it.

use super::super::account::Account;
use super::super::advised::{Treatment, advised, is_uneven};
use super::super::round::{Round, RoundPlan, WANTED, fewest_pairs, treated_runs, winner, without_network};
use super::super::step::{Step, Stop};
use super::super::usual::usual;
use super::{Looked, Session};
use crate::error::RunError;
use crate::notice::Notice;
use crate::observer::Observer;
use crate::options::Options;
use crate::training::Destination;
use crate::trial::{BASELINE, Proof, TOGETHER, plan_of, prove};
use std::ffi::OsStr;
use std::path::Path;
use wellfit_record::{RunDir, TrialDir};

impl Session<'_> {
    /// Make a round, or say why there is none.
    pub(super) fn round(&mut self, observer: &mut dyn Observer) -> Result<Option<Stop>, RunError> {
        let open = self.open()?;
        let findings =
            self.advised.findings.iter().map(|finding| (finding.name.name(), finding.sentence.clone()));
        observer.notice(&Notice::Improving(Step::Found { findings: findings.collect() }));
        let number = self.rounds.len() + 1;
        let trial = self.dir.path().join(format!("round-{number}"));
        let begun = TrialDir::find(&trial);
        // What is on the disk was decided: no look and no trial is added to it.
        let settled = begun.is_some() || self.stopped.is_some();
        let looks = self.looks_of(number, &open, settled, observer)?;
        if looks.is_empty() && begun.is_none() {
            return self.end(if open.is_empty() { self.all_tested() } else { Stop::Budget });
        }
        self.tested.extend(looks.iter().map(|one| one.treatment.technique.clone()));
        let best = self.to_prove(&looks);
        let account = self.account()?;
        let plan = match &begun {
            Some(there) => Some(RoundPlan::of(&plan_of(there)?)),
            None if settled => None,
            None => self.planned(number, &best, &account)?,
        };
        let treatments = Vec::new();
        let mut round = Round { looks, trial, treatments, proof: None, void: None, adopted: None };
        let Some(plan) = plan else {
            self.rounds.push(round);
            if best.is_empty() {
                observer.notice(&Notice::Improving(Step::NothingAhead));
                return Ok(None);
            }
            return self.end(Stop::Budget);
        };
        let why = |name: &String| {
            let known = best.iter().find(|one| one.technique == *name).cloned();
            known.unwrap_or_else(|| Treatment { technique: name.clone(), findings: Vec::new() })
        };
        round.treatments = plan.techniques.iter().map(why).collect();
        observer.notice(&Notice::Improving(Step::Round {
            number,
            techniques: plan.techniques.clone(),
            pairs: plan.pairs,
            spent: (account.words(account.spent()), account.words(account.left())),
        }));
        self.make(round, (begun.is_some(), &plan), observer)?;
        self.note()?;
        Ok(None)
    }

    /// The candidates: what the findings advise, then what often helps, without what was looked at.
    fn open(&mut self) -> Result<Vec<Treatment>, RunError> {
        self.advised = advised(&self.runs)?;
        let settings = Options { seed: Some(self.seed), ..self.settings.clone() };
        let spec = self.data.spec(&settings, self.kind)?;
        let often = usual(&spec, &self.advised.treatments, is_uneven(&self.compared)?);
        let all = self.advised.treatments.iter().cloned().chain(often);
        Ok(all.filter(|one| !self.tested.contains(&one.technique) && self.can(&one.technique)).collect())
    }

    fn looks_of(
        &mut self,
        number: usize,
        open: &[Treatment],
        settled: bool,
        observer: &mut dyn Observer,
    ) -> Result<Vec<Looked>, RunError> {
        if open.is_empty() {
            return Ok(Vec::new());
        }
        let account = self.account()?;
        let epochs = self.epochs()?;
        // What is left must also pay for a proof of the best, and for the final run.
        let kept = |pairs: usize| (2 * pairs + 1) as f64 * account.price(epochs);
        let wanted = kept(WANTED);
        let enough = account.left() - wanted >= account.price(epochs);
        let reserve = if enough { wanted } else { kept(fewest_pairs(self.alpha(number), 1)) };
        let may = move |session: &Self, one: &Treatment, run: &Path| {
            if settled || run.is_dir() {
                return Ok(run.is_dir());
            }
            let account = session.account()?;
            Ok(account.left() - reserve >= account.price(treated(one, epochs)))
        };
        let techniques = open.iter().map(|one| one.technique.clone()).collect();
        observer.notice(&Notice::Improving(Step::Looks { number, techniques }));
        self.look_at((number, open), &may, observer)
    }

    /// The best that was seen, and the best single technique beside a combination: to see whether the rest of it does anything.
    fn to_prove(&self, looks: &[Looked]) -> Vec<Treatment> {
        let ahead = self.ahead(looks);
        let single = ahead.iter().find(|one| !one.treatment.technique.contains(TOGETHER));
        let both = ahead.first().into_iter().chain(single);
        let mut chosen: Vec<Treatment> = both.map(|one| one.treatment.clone()).collect();
        chosen.dedup();
        chosen
    }

    /// The trial that the budget allows.
    fn planned(
        &self,
        number: usize,
        best: &[Treatment],
        account: &Account,
    ) -> Result<Option<RoundPlan>, RunError> {
        let epochs = self.epochs()?;
        let treated = |one: &Treatment| treated(one, epochs);
        let seeds = (self.alpha(number), self.next_seed);
        Ok(RoundPlan::affordable(best, account, epochs, treated, seeds))
    }

    /// A round's share of α: 1/2 + 1/6 + 1/12 + … = 1.
    fn alpha(&self, number: usize) -> f64 {
        self.ask.alpha / (number * (number + 1)) as f64
    }

    /// The epochs of a run of the settings as they are, on average.
    fn epochs(&self) -> Result<f64, RunError> {
        let mut all = 0.0;
        for run in &self.runs {
            all += f64::from(RunDir::open(run)?.outcome()?.epochs);
        }
        Ok(all / self.runs.len().max(1) as f64)
    }

    const fn all_tested(&self) -> Stop {
        if self.advised.findings.is_empty() { Stop::NoFindingLeft } else { Stop::AllTested }
    }

    /// Make no further round, for the reason that was noted first.
    fn end(&mut self, stop: Stop) -> Result<Option<Stop>, RunError> {
        let stop = *self.stopped.get_or_insert(stop);
        self.note()?;
        Ok(Some(stop))
    }

    /// The settings of a round's trial: all rounds are judged on the first run's validation images.
    fn trial_settings(&self) -> Options {
        Options { split_seed: self.settings.split_seed.or(Some(Some(self.seed))), ..self.settings.clone() }
    }

    fn make(
        &mut self,
        mut round: Round,
        (begun, plan): (bool, &RoundPlan),
        observer: &mut dyn Observer,
    ) -> Result<(), RunError> {
        let ask = plan.ask(self.trial_settings(), &self.ask.metric, self.ask.delta);
        let dir = Some(round.trial.clone());
        let out = Destination { dir, force: false, command: self.command.to_owned() };
        let found = prove(&ask, self.source, &out, begun, &mut |_| {}, observer);
        self.next_seed = plan.first_seed + plan.pairs as u64;
        match found {
            Ok(proof) => {
                round.adopted = winner(&proof);
                match round.adopted {
                    Some(place) => self.adopt(&round, &proof, place, observer)?,
                    None => observer.notice(&Notice::Improving(Step::NoWinner)),
                }
                round.proof = Some(proof);
                self.rounds.push(round);
                Ok(())
            }
            Err(RunError::Diverged(problem)) => self.void(round, problem, observer),
            Err(error) => Err(error),
        }
    }

    fn adopt(
        &mut self,
        round: &Round,
        proof: &Proof,
        place: usize,
        observer: &mut dyn Observer,
    ) -> Result<(), RunError> {
        let judged = &proof.outcome.techniques[place];
        for (name, value) in &proof.design.techniques[place].settings {
            self.settings.set(name, OsStr::new(value))?;
        }
        self.runs = treated_runs(proof, place);
        let looked = round.looks.iter().find(|one| one.treatment.technique == judged.name);
        if let Some(looked) = looked {
            self.compared.clone_from(&looked.run);
        }
        // Beside other settings what did nothing may help.
        self.tested.clear();
        observer.notice(&Notice::Improving(Step::Adopted {
            technique: judged.name.clone(),
            difference: judged.mean_difference,
            pairs: judged.pairs,
        }));
        Ok(())
    }

    /// A run of the round has no network: a technique that does that is out; settings that do are repaired.
    fn void(
        &mut self,
        mut round: Round,
        problem: String,
        observer: &mut dyn Observer,
    ) -> Result<(), RunError> {
        let Some(there) = TrialDir::find(&round.trial) else { return Err(RunError::Diverged(problem)) };
        let design = plan_of(&there)?;
        let Some((arm, run)) = without_network(&round.trial, &design)?.into_iter().next() else {
            return Err(RunError::Diverged(problem));
        };
        observer.notice(&Notice::Improving(Step::Void { arm: arm.clone() }));
        round.void = Some(arm.clone());
        self.rounds.push(round);
        if arm != BASELINE {
            return Ok(());
        }
        self.repair(run, problem, observer)?;
        self.tested.clear();
        self.establish(observer)
    }
}

/// The epochs of a run with a technique, where runs without it have so many.
fn treated(one: &Treatment, epochs: f64) -> f64 {
    let mut parts = one.technique.split(TOGETHER);
    parts.find_map(|part| part.strip_prefix("epochs=")?.parse().ok()).unwrap_or(epochs)
}
