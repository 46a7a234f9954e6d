//! The arms of a trial's pairs: without any technique, with one, in a factorial trial with several.

use super::plan::JUDGED;
use crate::error::RunError;
use crate::options::Options;
use std::ffi::OsStr;
use wellfit_proof::{BASELINE, Design, Settings};

/// An arm.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Arm {
    /// Its techniques' names.
    pub name: String,
    /// The directory of its runs within their pair.
    pub directory: String,
    /// What it does otherwise than the baseline.
    pub settings: Settings,
}

/// The baseline, and all that is trained beside it: each technique, or in a factorial trial each of the 2ᵏ - 1 combinations; bit
/// i of an arm's place says whether it has technique i.
pub(crate) fn arms(design: &Design) -> Vec<Arm> {
    let count = design.techniques.len();
    let baseline =
        Arm { name: BASELINE.to_owned(), directory: BASELINE.to_owned(), settings: Settings::new() };
    let treated: Vec<Vec<usize>> = match design.contrasts {
        None => (0..count).map(|place| vec![place]).collect(),
        Some(_) => {
            let of = |mask: usize| (0..count).filter(|place| mask & (1 << place) != 0).collect();
            (1..1 << count).map(of).collect()
        }
    };
    let arm = |places: Vec<usize>| {
        let techniques = || places.iter().map(|&place| &design.techniques[place]);
        let names: Vec<&str> = techniques().map(|technique| technique.name.as_str()).collect();
        Arm {
            name: names.join(" + "),
            directory: places.iter().map(|&place| directory(design, place)).collect::<Vec<_>>().join("+"),
            settings: techniques().flat_map(|technique| technique.settings.clone()).collect(),
        }
    };
    std::iter::once(baseline).chain(treated.into_iter().map(arm)).collect()
}

/// The settings of an arm's run.
pub(super) fn options(design: &Design, arm: &Arm, seed: u64) -> Result<Options, RunError> {
    let mut options = Options::default();
    for (name, value) in design.baseline.iter().chain(&arm.settings) {
        options.set(name, OsStr::new(value))?;
    }
    options.seed = Some(seed);
    options.record_answers = Some(design.metric == JUDGED.name());
    Ok(options)
}

/// A technique's name where file systems take it, and a number with it where they do not.
fn directory(design: &Design, place: usize) -> String {
    let name = &design.techniques[place].name;
    let usual = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    let plain: String = name.chars().map(|c| if usual(c) { c } else { '-' }).collect();
    if plain == *name && !plain.starts_with('.') {
        plain
    } else {
        format!("{}-{}", place + 1, plain.trim_matches(['.', '-']))
    }
}
