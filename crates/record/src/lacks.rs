//! What of a run is no longer on the disk, although it was there before a checkpoint stood: the work of a damaged file
//! system, or of somebody's hand.

use crate::epoch::epochs;
use crate::error::Result;
use crate::event::Event;
use crate::manifest::{CheckpointInfo, FileEntry, read_exactly};
use crate::run::{EVENTS, RunDir, STATISTICS, STEPS};
use crate::slots;
use crate::statistics::Statistics;
use crate::writer::RunWriter;
use std::collections::BTreeSet;
use wellfit_base::Dir;
use wellfit_base::hash::sha256;

/// The time up to which a run's record has everything: see [`RunDir::whole`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Whole {
    /// Of `events.jsonl`.
    epoch: u32,
    /// Of `statistics.jsonl`, if there is one.
    judged: u32,
    /// Of `steps.jsonl`.
    step: u64,
}

impl Whole {
    /// What the record lacks of the time before a checkpoint, in words. A run has all of it on the disk before the
    /// checkpoint stands, so it was damaged since.
    #[must_use]
    pub fn lacks_before(&self, info: &CheckpointInfo) -> Vec<String> {
        let (epoch, step) = (info.epoch, info.step);
        let mut lacks = Vec::new();
        if self.step < step {
            lacks.push(format!("{STEPS} ends at step {} or lacks the next one, {step} were done", self.step));
        }
        for (name, known) in [(EVENTS, self.epoch), (STATISTICS, self.judged)] {
            if known < epoch {
                lacks.push(format!("{name} lacks epoch {}, {epoch} were done", known + 1));
            }
        }
        lacks
    }
}

impl RunDir {
    /// Up to where the record has everything. It is read from beginning to end, so ask once for many checkpoints.
    ///
    /// # Errors
    /// If the record cannot be read.
    pub fn whole(&self) -> Result<Whole> {
        let judged = self.statistics()?.map(|log| {
            let epoch =
                |row: &Statistics| if let Statistics::Epoch(row) = row { Some(row.epoch) } else { None };
            log.rows.iter().filter_map(epoch).collect()
        });
        Ok(Whole {
            // As readers see them: one that stands behind later ones replaces these.
            epoch: up_to(&epochs(&self.events()?.rows).iter().map(|row| row.epoch).collect()),
            judged: judged.as_ref().map_or(u32::MAX, up_to),
            step: up_to(&self.steps()?.rows.iter().map(|row| row.step).collect()),
        })
    }

    /// The files of weights that the run was asked for besides its own (each with its epoch) and that are missing or not as
    /// they were written. Of a name that was used more than once the last one counts.
    ///
    /// # Errors
    /// If the record or a file cannot be read.
    pub fn lost_copies(&self) -> Result<Vec<(u32, FileEntry)>> {
        let dir = self.dir()?;
        let mut seen = BTreeSet::new();
        let copies = self.events()?.rows.into_iter().rev().filter_map(|event| match event {
            Event::File { epoch, file } => seen.insert(file.name.clone()).then_some((epoch, file)),
            _ => None,
        });
        Ok(copies.filter(|(_, file)| file.check(&dir).is_err()).collect())
    }
}

impl RunWriter {
    /// Puts a file of weights that was lost back, if one of the run's checkpoints has the same bytes. Whether it has.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn restore(&self, lost: &FileEntry) -> Result<bool> {
        let run = RunDir::open(self.path())?;
        let root = run.checkpoint_dir()?;
        for checkpoint in slots::manifests(&root, run.id()?.as_deref())? {
            let same = |file: &&FileEntry| (file.length, &file.sha256) == (lost.length, &lost.sha256);
            let Some(file) = checkpoint.manifest.files.iter().find(same) else { continue };
            let bytes = root.open_dir(checkpoint.name()).ok().and_then(|dir| same_bytes(&dir, file));
            if let Some(bytes) = bytes {
                self.write_file(&lost.name, &bytes)?;
                return Ok(true);
            }
        }
        Ok(false)
    }
}

fn same_bytes(dir: &Dir, file: &FileEntry) -> Option<Vec<u8>> {
    read_exactly(dir, &file.name, file.length).ok().filter(|bytes| sha256(bytes) == file.sha256)
}

/// The last of the numbers from 1 that are there without a gap.
fn up_to<N: Copy + Ord + From<u8> + std::ops::Add<Output = N>>(found: &BTreeSet<N>) -> N {
    let one = N::from(1);
    found.iter().fold(N::from(0), |last, &next| if next == last + one { next } else { last })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gap_ends_it() {
        assert_eq!(up_to(&BTreeSet::from([1_u64, 2, 4])), 2);
        assert_eq!(up_to(&BTreeSet::from([2_u64])), 0);
        assert_eq!(up_to(&BTreeSet::<u32>::new()), 0);
    }
}
