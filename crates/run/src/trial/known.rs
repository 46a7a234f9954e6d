//! The finished pairs of a trial, as its techniques or its declared contrasts are judged by them.

use super::measure::Found;
use crate::error::RunError;
use std::collections::BTreeMap;
use wellfit_proof::trial::PairId;
use wellfit_proof::{Cost, Design, Measured, PairResult, ProofError, contrast_arms, contrasts};

/// The finished pairs.
pub(super) type Known = BTreeMap<PairId, Found>;

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
        cost: Cost {
            epochs: of(all().map(|worth| worth.cost.epochs).collect())?,
            seconds: of(all().map(|worth| worth.cost.seconds).collect())?,
            images: of(all().map(|worth| worth.cost.images).collect())?,
        },
    })
}
