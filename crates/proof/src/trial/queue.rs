//! Which pair to do next.

use crate::design::Design;
use crate::error::ProofError;
use crate::verdict::{Measured, settled_after, won_after};
use std::collections::BTreeMap;

/// A pair of runs: a technique and a seed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PairId {
    /// The pair's place among those of its technique, from 0; its seed is this many behind
    /// [`Design::first_seed`].
    pub pair: usize,
    /// The place of the technique in [`Design::techniques`].
    pub technique: usize,
}

/// What is known of a pair. One that is not known waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PairState {
    /// A process that is alive works on it.
    Running,
    /// A process that worked on it is gone: it goes on where that stopped.
    Interrupted,
    /// Its result is there.
    Finished,
}

/// What a process should do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// This pair.
    Pair(PairId),
    /// Nothing until one of the running pairs ends, which may settle the trial or fail.
    Wait,
    /// Nothing any more: every verdict stands.
    Done,
}

/// The next pair of a trial, from what is known of its pairs and the results so far; `measured` as for
/// [`judge`](crate::judge), but a technique may have none.
///
/// Pairs go seed by seed, so that all techniques share a seed's baseline while it is at hand, and an interrupted one comes
/// before a new one of the same seed. A technique whose verdict stands gets no further pair. Which pairs a verdict is of
/// depends on results only, never on which process was faster ([`settled_after`]); so a killed trial ends as one that
/// was not.
///
/// In a factorial trial a "technique" here is one of the 2ᵏ - 1 combinations that are not the baseline, numbered from 0; every
/// contrast needs them all, so they go on until all contrasts are settled.
///
/// # Errors
/// If a result is not finite.
pub fn next_pair(
    design: &Design,
    states: &BTreeMap<PairId, PairState>,
    measured: &[Measured],
) -> Result<Next, ProofError> {
    let open = open_techniques(design, measured)?;
    let mut running = false;
    for pair in 0..design.last_pair() {
        let ids = open.iter().map(|&technique| PairId { pair, technique });
        let mut new = None;
        for id in ids {
            match states.get(&id) {
                Some(PairState::Finished) => {}
                Some(PairState::Running) => running = true,
                Some(PairState::Interrupted) => return Ok(Next::Pair(id)),
                None => new = new.or(Some(id)),
            }
        }
        if let Some(id) = new {
            return Ok(Next::Pair(id));
        }
    }
    Ok(if running { Next::Wait } else { Next::Done })
}

/// The techniques that need pairs.
fn open_techniques(design: &Design, measured: &[Measured]) -> Result<Vec<usize>, ProofError> {
    let mut open = Vec::new();
    let won = won_after(design, measured)?;
    for place in 0..design.judged().len() {
        let pairs = measured.get(place).map_or(&[][..], |one| &one.pairs);
        // The others of a race go on as far as the winner did.
        let over = won.is_some_and(|won| pairs.len() >= won);
        if !over && settled_after(design, pairs)?.is_none() {
            open.push(place);
        }
    }
    Ok(match design.contrasts {
        None => open,
        Some(_) if open.is_empty() => open,
        Some(_) => (0..(1 << design.techniques.len()) - 1).collect(),
    })
}
