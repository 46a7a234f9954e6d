//! What a run lost although it had been on the disk, and from where the run is trained again to have it.
//!
//! Training is a pure function of settings and data, so whatever is lost can be had again. The checkpoint that is taken is
//! the newest one before the loss. Where there is none, the beginning: but only of a run that is over. One that is not goes
//! on first, since hours of training are worth more than lines of a record.

use crate::error::RunError;
use crate::resume::other_machine;
use crate::saved::SavedRun;
use std::fmt;
use wellfit_record::{CheckpointInfo, Event, FileEntry, NewestGood, RunDir, RunWriter, StopReason, Whole};
use wellfit_train::{LAST, is_over};

/// What becomes of what was lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Remedy {
    /// The run is trained again from before it.
    Now,
    /// Once the run is over, it can be trained again from its beginning.
    AtTheEnd,
    /// Training again would give other bits.
    None,
}

impl fmt::Display for Remedy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Now => "it is made again, to the same bits",
            Self::AtTheEnd => {
                "the run goes on to the same weights without it; once it has ended, `resume` trains it again from its \
                 beginning to have it"
            }
            Self::None => "it stays lost, the weights are the same without it",
        })
    }
}

/// From where a run goes on.
pub(crate) struct Start {
    /// The checkpoint, if there is one that can be taken, and those that are damaged.
    pub newest: NewestGood,
    /// What was lost, in words.
    pub lost: Vec<String>,
    /// What becomes of that.
    pub remedy: Remedy,
}

/// Which files of weights a run was asked for besides its own, and how long it is.
#[derive(Clone, Copy)]
pub(crate) struct Asked<'a> {
    /// The template of their names.
    pub copies: Option<&'a str>,
    /// The epochs of the run.
    pub epochs: u32,
}

impl Start {
    /// Chooses it. Files that a checkpoint has the bytes of are put back before.
    pub(crate) fn choose(run: &RunWriter, saved: &SavedRun, asked: Asked<'_>) -> Result<Self, RunError> {
        let dir = RunDir::open(run.path())?;
        let newest = dir.newest_good(Some(LAST))?;
        let at =
            |newest: &NewestGood| newest.found.as_ref().map(|found| found.checkpoint.manifest.info.clone());
        let over = newest.found.as_ref().is_some_and(|found| is_over(found, asked.epochs));
        // A name without the epoch may have been used again since, which the record knows once the checkpoint stands.
        let one_each = asked.copies.is_some_and(|name| name.contains("{epoch"));
        let copies = if over || one_each { put_back(run, &dir)? } else { Vec::new() };
        let left = Left { whole: dir.whole()?, copies };
        let lost = left.lacks_before(at(&newest).as_ref());
        if lost.is_empty() || !can_be_made_again(&dir, saved)? {
            return Ok(Self { newest, lost, remedy: Remedy::None });
        }
        let before =
            dir.newest_good_where(Some(LAST), |manifest| left.lacks_before(Some(&manifest.info)).is_empty())?;
        let again = NewestGood { skipped: newest.skipped, ..before };
        if over || again.found.is_some() {
            return Ok(Self { newest: again, lost, remedy: Remedy::Now });
        }
        let newest = NewestGood { found: newest.found, ..again };
        Ok(Self { newest, lost, remedy: Remedy::AtTheEnd })
    }
}

/// What a run that is over lost for good if it is not trained again. What a checkpoint has the bytes of is put back.
pub(crate) fn lost_in_the_end(run: &RunWriter, saved: &SavedRun) -> Result<(Vec<String>, Remedy), RunError> {
    let dir = RunDir::open(run.path())?;
    let newest = dir.newest_good(Some(LAST))?.found;
    let info = newest.map(|found| found.checkpoint.manifest.info);
    let left = Left { copies: put_back(run, &dir)?, whole: dir.whole()? };
    let lost = left.lacks_before(info.as_ref());
    let remedy = if can_be_made_again(&dir, saved)? { Remedy::Now } else { Remedy::None };
    Ok((lost, remedy))
}

/// The files of weights that are lost, but for those that a checkpoint has the bytes of.
fn put_back(run: &RunWriter, dir: &RunDir) -> Result<Vec<(u32, FileEntry)>, RunError> {
    let mut left = Vec::new();
    for (epoch, file) in dir.lost_copies()? {
        if !run.restore(&file)? {
            left.push((epoch, file));
        }
    }
    Ok(left)
}

/// What there is still of a run.
struct Left {
    whole: Whole,
    /// The files of weights that are lost.
    copies: Vec<(u32, FileEntry)>,
}

impl Left {
    /// What of the time before a checkpoint is lost, in words; without one, which of the files.
    fn lacks_before(&self, info: Option<&CheckpointInfo>) -> Vec<String> {
        let mut lost = info.map_or_else(Vec::new, |info| self.whole.lacks_before(info));
        let epochs = info.map_or(u32::MAX, |info| info.epoch);
        let before = self.copies.iter().filter(|(epoch, _)| *epoch <= epochs);
        lost.extend(before.map(|(_, file)| format!("{} is damaged or missing", file.name)));
        lost
    }
}

/// Whether the run's training from its beginning would have the same bits: not on another machine, and not where it went on
/// although it had ended, began with what another run had trained, or was ended by its caller. What was requested of it is
/// done again.
fn can_be_made_again(dir: &RunDir, saved: &SavedRun) -> Result<bool, RunError> {
    let events = dir.events()?.rows;
    // Without its first lines the record does not tell.
    let is_known = events.iter().any(|event| matches!(event, Event::Start { .. }));
    let requested = events.iter().any(|event| matches!(event, Event::Requested { .. }));
    let is_other = events.iter().any(|event| match event {
        Event::Branched { .. } => true,
        Event::Stop { reason, .. } => *reason == StopReason::Callback && !requested,
        _ => false,
    });
    Ok(is_known && !is_other && !saved.went_on && other_machine(dir)?.is_none())
}
