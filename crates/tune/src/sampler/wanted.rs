//! The parameters of many trials, found without a search in each.

use crate::distribution::Distribution;
use crate::trial::{Parameter, Trial};
use std::cmp::Ordering;
use std::ptr;
use std::sync::Arc;

/// Parameters that are looked for, by their names.
pub struct Wanted<'a>(Vec<One<'a>>);

struct One<'a> {
    /// Its place among those looked for.
    place: usize,
    name: &'a str,
    distribution: &'a Distribution,
    /// Where an equal one was last: all trials of a study share theirs.
    same: *const Distribution,
}

impl<'a> Wanted<'a> {
    pub fn new(parameters: &[(&'a str, &'a Distribution)]) -> Self {
        let mut all: Vec<One<'a>> = parameters
            .iter()
            .enumerate()
            .map(|(place, (name, distribution))| One { place, name, distribution, same: ptr::null() })
            .collect();
        all.sort_by_key(|one| one.name);
        Self(all)
    }

    /// Tell for each place what the trial has of that name, and whether its values could be the same.
    pub fn of<'t>(&mut self, trial: &'t Trial, mut tell: impl FnMut(usize, Option<(&'t Parameter, bool)>)) {
        // Both are in the order of their names.
        let mut own = trial.parameters.iter().peekable();
        for one in &mut self.0 {
            let found = loop {
                let Some((name, parameter)) = own.peek() else { break None };
                match name.as_str().cmp(one.name) {
                    Ordering::Less => own.next(),
                    Ordering::Equal => break Some(*parameter),
                    Ordering::Greater => break None,
                };
            };
            tell(one.place, found.map(|parameter| (parameter, one.is_same(&parameter.distribution))));
        }
    }
}

impl One<'_> {
    fn is_same(&mut self, other: &Arc<Distribution>) -> bool {
        let is_same = ptr::eq(self.same, Arc::as_ptr(other)) || **other == *self.distribution;
        if is_same {
            self.same = Arc::as_ptr(other);
        }
        is_same
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trial::State;

    /// Whatever a trial has besides, and in whatever order parameters are asked for.
    #[test]
    fn what_is_found_is_what_a_search_finds() {
        let float = |high| Distribution::Float { step: None, low: 0.0, high, log: false };
        let (unit, wider) = (float(1.0), float(2.0));
        let all = ["a", "lr", "m", "weight_decay", "z"];
        let asked = [("weight_decay", &unit), ("b", &unit), ("lr", &unit), ("zz", &unit), ("a", &wider)];
        for held in 0..1_u32 << all.len() {
            let mut trial = Trial::new(0, 0, State::Complete);
            for (i, name) in all.iter().enumerate().filter(|(i, _)| held >> i & 1 == 1) {
                let distribution = Arc::new(float(if *name == "lr" { 2.0 } else { 1.0 }));
                trial.parameters.insert((*name).to_owned(), Parameter { internal: i as f64, distribution });
            }
            let mut wanted = Wanted::new(&asked);
            let mut told = vec![None; asked.len()];
            // Twice, for equal ones are remembered.
            for _ in 0..2 {
                wanted.of(&trial, |place, found| {
                    told[place] = Some(found.map(|(parameter, same)| (parameter.internal, same)));
                });
                let expected = asked.map(|(name, one)| {
                    let found = trial.parameters.get(name);
                    Some(found.map(|found| (found.internal, *found.distribution == *one)))
                });
                assert_eq!(told, expected);
            }
        }
    }
}
