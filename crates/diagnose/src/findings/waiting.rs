//! `waiting-for-data`: the network waits for images.

use super::advice::Flag;
use super::finding::{Finding, Ruled};
use super::look::{Look, percent};
use super::name::Name;
use crate::log::Series;
use crate::statistics::median;
use crate::thresholds::WAITING;

/// The rule: after the first epoch, which fills caches, more than a fifth of the training pass waits.
pub fn waiting(look: &Look<'_>) -> Ruled {
    let waits = look.need(Series::DataWaitShare, 2)?;
    let Some(share) = median(waits.iter().skip(1).map(|(_, share)| *share)) else { return Ok(None) };
    if share <= WAITING.value {
        return Ok(None);
    }
    let sentence = format!("{} of the training time is spent waiting for images.", percent(share));
    Ok(Some(
        Finding::new(Name::WaitingForData, Some(waits[1].0), sentence)
            .evident("data_wait_share, median after the first epoch", share, WAITING)
            .excluding("not the first epoch, which fills caches")
            .advise([look.advise(Flag::Cache, "ram"), look.scale(Flag::Workers, 2.0, "4")]),
    ))
}
