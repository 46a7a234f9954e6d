//! What `wellfit probe` left beside a run's record: `probe.json`.

use super::curves::Curves;
use super::series::Series;
use serde::Deserialize;
use wellfit_base::Dir;

/// The file's name.
const PROBE: &str = "probe.json";
/// More than a probe of a million images with as many suspects and duplicates.
const MOST_BYTES: u64 = 1 << 30;
/// The parts that should have no image in common.
const APART: [&str; 2] = ["train", "val"];

#[derive(Deserialize)]
struct Probed {
    gap: Option<Gap>,
    labels: Labels,
    duplicates: Duplicates,
}

#[derive(Deserialize)]
struct Gap {
    epoch: u32,
    losses: Losses,
}

#[derive(Deserialize)]
struct Losses {
    val_reestimated: Option<f64>,
}

#[derive(Deserialize)]
struct Labels {
    part: String,
    suspects: Vec<serde::de::IgnoredAny>,
}

#[derive(Deserialize)]
struct Duplicates {
    across_parts: Vec<Across>,
}

#[derive(Deserialize)]
struct Across {
    parts: [String; 2],
    images: u64,
}

/// Adds what a probe found. A file that cannot be read is a note: the record is whole without it.
pub fn add(dir: &Dir, curves: &mut Curves) {
    if matches!(dir.kind(PROBE), Ok(None)) {
        return;
    }
    let read = || -> Result<Probed, String> {
        let bytes = dir.read(PROBE, MOST_BYTES).map_err(|error| error.to_string())?;
        serde_json::from_slice(&bytes).map_err(|error| error.to_string())
    };
    match read() {
        Ok(probed) => take(&probed, curves),
        Err(problem) => {
            curves.notes.push(format!("{PROBE} was left out: {problem}; `wellfit probe` writes it again"));
        }
    }
}

fn take(probed: &Probed, curves: &mut Curves) {
    let apart = |across: &&Across| APART.iter().all(|part| across.parts.iter().any(|other| other == part));
    let shared = probed.duplicates.across_parts.iter().filter(apart);
    curves.facts.duplicates = Some(shared.map(|across| across.images).sum());
    if probed.labels.part == "val" {
        curves.facts.label_suspects = Some(probed.labels.suspects.len() as u64);
    }
    let Some(gap) = &probed.gap else { return };
    if let Some(loss) = gap.losses.val_reestimated {
        let here = |epoch: &u32| (*epoch == gap.epoch).then_some(loss);
        let values = curves.epochs.iter().map(here).collect();
        curves.set(Series::ValLossReestimated, values);
    }
}
