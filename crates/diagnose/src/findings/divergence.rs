//! `diverged`: the loss became NaN or infinite, or lost what it had gained.

use super::advice::Flag;
use super::decay::usual_decay;
use super::finding::{Finding, Ruled};
use super::look::{Look, level, noise_of, percent, short};
use super::name::Name;
use crate::log::Series;
use crate::statistics::median;
use crate::thresholds::{ERRORS, LEAST_EPOCHS, LOST_PROGRESS, OURS};
use wellfit_record::StopReason;

/// The rule. A single wild epoch is no divergence: the curve is smoothed, and counts as it ended.
pub fn diverged(look: &Look<'_>) -> Ruled {
    let advice =
        || usual_decay(look).into_iter().chain([look.rate(1.0 / 3.0), look.advise(Flag::ClipNorm, "1")]);
    let mut losses = [Series::TrainLoss, Series::ValLoss].into_iter();
    let wild = losses.find_map(|series| {
        let place = look
            .curves
            .values(series)
            .iter()
            .position(|value| value.is_some_and(|value| !value.is_finite()))?;
        Some((series, look.curves.epochs[place]))
    });
    if let Some((series, epoch)) = wild {
        let sentence = format!("The training diverged: {series} is no finite number from epoch {epoch} on.");
        let finding = Finding::new(Name::Diverged, Some(epoch), sentence);
        return Ok(Some(
            finding
                .evident_by(series.to_string(), f64::NAN, f64::INFINITY, "a finite number")
                .advise(advice()),
        ));
    }
    if look.facts().stop == Some(StopReason::Diverged) {
        let epoch = look.curves.last_epoch();
        let sentence = format!("The training diverged after epoch {epoch}: its loss became NaN or infinite.");
        return Ok(Some(Finding::new(Name::Diverged, Some(epoch), sentence).advise(advice())));
    }
    let u = look.need(Series::TrainLoss, LEAST_EPOCHS)?;
    let smooth: Vec<(u32, f64)> = u
        .windows(3)
        .filter_map(|three| Some((three[1].0, median(three.iter().map(|(_, value)| *value))?)))
        .collect();
    let Some(&(lowest_at, lowest)) = smooth.iter().min_by(|a, b| a.1.total_cmp(&b.1)) else {
        return Ok(None);
    };
    let (first, last) = (u[0].1.max(smooth[0].1), level(&u).median);
    // What was gained is what an answer without looking does not have: a first epoch may be far above that.
    let progress = look.facts().entropy().map_or(first, |entropy| first.min(entropy)) - lowest;
    let lost = (last - lowest) / progress;
    // Without progress there is none to lose, but a loss can still explode.
    let exploded = last > 2.0 * first;
    let real = progress > ERRORS * noise_of(&u) && progress > LOST_PROGRESS.value * 0.1 * first;
    if !exploded && (!real || lost < LOST_PROGRESS.value) {
        return Ok(None);
    }
    let sentence = if exploded {
        format!("The training diverged: its loss went from {} to {}.", short(first), short(last))
    } else {
        format!(
            "The training diverged: its loss lost {} of what it had gained by epoch {lowest_at} (from {} down to {}, now {}).",
            percent(lost.min(9.99)),
            short(first),
            short(lowest),
            short(last)
        )
    };
    let finding = Finding::new(Name::Diverged, Some(lowest_at), sentence);
    let finding = if exploded {
        finding.evident_by("train_loss, now over the first", last / first, 2.0, OURS)
    } else {
        finding.evident("train_loss, share of its progress that was lost", lost, LOST_PROGRESS)
    };
    Ok(Some(finding.excluding("not one spike: the smoothed curve ends there").advise(advice())))
}
