//! Asynchronous successive halving (Li et al. 2020).

use super::Judgement;
use crate::trial::{Direction, Trial};
use serde_json::Value;

/// Lets a share of the trials go on at each rung; the rungs are `factor` times as far apart each time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Halving {
    /// The epoch of the first rung.
    pub first: u64,
    /// One of so many goes on.
    pub factor: u64,
    /// As many rungs are left out.
    pub skipped: u32,
}

impl Default for Halving {
    fn default() -> Self {
        Self { first: 1, factor: 4, skipped: 0 }
    }
}

/// Optuna's name of what a trial had at a rung.
fn key(rung: u32) -> String {
    format!("completed_rung_{rung}")
}

impl Halving {
    pub(super) fn judge<'a>(
        &self,
        direction: Direction,
        field: &(impl Iterator<Item = &'a Trial> + Clone),
        trial: &Trial,
    ) -> Judgement {
        let mut judgement = Judgement::default();
        let Some((step, value)) = trial.reports.last_key_value() else { return judgement };
        let first = (0..).find(|rung| !trial.system.contains_key(&key(*rung))).unwrap_or(0);
        for rung in first.. {
            let promotion =
                self.factor.checked_pow(self.skipped + rung).and_then(|far| far.checked_mul(self.first));
            if promotion.is_none_or(|promotion| *step < promotion as i64) {
                break;
            }
            if value.is_nan() {
                judgement.prune = true;
                break;
            }
            judgement.notes.push((key(rung), *value));
            let at_rung = |one: &Trial| one.system.get(&key(rung)).and_then(Value::as_f64);
            let others = field.clone().filter(|one| one.id != trial.id).filter_map(at_rung);
            let mut costs: Vec<f64> = others.chain([*value]).map(|value| direction.cost(value)).collect();
            costs.sort_by(f64::total_cmp);
            // Of fewer than `factor`, the best goes on.
            let place = (costs.len() / self.factor as usize).saturating_sub(1);
            if direction.cost(*value) > costs[place] {
                judgement.prune = true;
                break;
            }
        }
        judgement
    }
}
