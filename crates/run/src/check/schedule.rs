//! Schedules against the length of the run.

use super::Concern;
use crate::options::RunSpec;
use wellfit_base::words::plural;
use wellfit_policy::schedule::Schedule;

/// Runs of so few steps learn next to nothing where an epoch is one step.
const FEW_STEPS: u64 = 100;

/// The schedule, and how many of its own steps the run has.
struct Span<'a> {
    schedule: &'a Schedule,
    length: u64,
    unit: &'static str,
}

/// What is wrong with the schedule and with the number of steps; an epoch has `steps`.
pub(super) fn concerns(spec: &RunSpec, steps: u64) -> Vec<Concern> {
    let epochs = u64::from(spec.epochs.saturating_sub(spec.freeze_epochs).saturating_sub(spec.warmup));
    let built = spec.schedule.build(spec.rate(), u32::try_from(epochs).unwrap_or(u32::MAX), steps);
    let span = built.ok().flatten();
    let span = span.as_ref().map(|schedule| match schedule {
        Schedule::PerEpoch(per_epoch) => {
            Span { schedule: &per_epoch.schedule, length: epochs, unit: "epoch" }
        }
        other => Span { schedule: other, length: epochs * steps, unit: "step" },
    });
    let found = span.and_then(|span| of_schedule(spec, &span));
    found.into_iter().chain(one_step_epochs(spec, steps)).collect()
}

fn of_schedule(spec: &RunSpec, span: &Span<'_>) -> Option<Concern> {
    let &Span { schedule, length, unit } = span;
    let (text, values) =
        (&spec.schedule, |what, count: u64| [(what, count as f64), ("length", length as f64)]);
    let has = format!("the schedule has {length} {unit}s of this run");
    match schedule {
        Schedule::LinearWarmup(ramp) if ramp.total_iters >= length && ramp.start_factor < ramp.end_factor => {
            let sentence = format!(
                "`schedule` {text} rises over {} {unit}s, but {has}: it never ends",
                ramp.total_iters
            );
            let advice = format!("give total_iters={} or less, or more `epochs`", (length / 10).max(1));
            Some(
                Concern::new("warmup-too-long", sentence)
                    .of(&values("total_iters", ramp.total_iters))
                    .advise(advice),
            )
        }
        Schedule::MultiStep(steps) if steps.milestones.iter().any(|&at| at >= length) => {
            let late: Vec<String> =
                steps.milestones.iter().filter(|&&at| at >= length).map(u64::to_string).collect();
            let latest = steps.milestones.iter().copied().max().unwrap_or(0);
            let sentence =
                format!("`schedule` {text}: {has}, so milestone {} is never reached", late.join(", "));
            let advice = format!("give milestones below {length}, or more `epochs`");
            Some(
                Concern::new("milestones-beyond-end", sentence)
                    .of(&values("milestone", latest))
                    .advise(advice),
            )
        }
        Schedule::Cosine(cosine) if cosine.t_max < length => {
            let sentence = format!(
                "`schedule` {text}: the rate is lowest after {} {unit}s and rises again, since {has}",
                cosine.t_max
            );
            let advice = "leave t_max out: then it is the length of the run".to_owned();
            Some(
                Concern::new("schedule-rises-again", sentence)
                    .of(&values("t_max", cosine.t_max))
                    .advise(advice),
            )
        }
        Schedule::Cosine(cosine) if cosine.t_max > length => {
            Some(unfinished(spec, span, "t_max", cosine.t_max))
        }
        Schedule::OneCycle(cycle) if cycle.total_steps > length => {
            Some(unfinished(spec, span, "total_steps", cycle.total_steps))
        }
        Schedule::Polynomial(polynomial) if polynomial.total_iters > length => {
            Some(unfinished(spec, span, "total_iters", polynomial.total_iters))
        }
        other => never_acts(spec, other, length).then(|| {
            let sentence = format!("`schedule` {text} never changes the rate: {has}");
            let advice = "give it smaller steps, or more `epochs`; cosine fits any length".to_owned();
            Concern::new("schedule-never-acts", sentence).of(&[("length", length as f64)]).advise(advice)
        }),
    }
}

fn unfinished(spec: &RunSpec, span: &Span<'_>, option: &'static str, count: u64) -> Concern {
    let &Span { length, unit, .. } = span;
    let sentence = format!(
        "`schedule` {} takes {count} {unit}s, of which this run has {length}: it ends before the rate is low",
        spec.schedule
    );
    Concern::new("schedule-unfinished", sentence)
        .of(&[(option, count as f64), ("length", length as f64)])
        .advise(format!("give {option}={length}, or more `epochs`"))
}

/// Whether the rate stays where it begins in all of the run.
fn never_acts(spec: &RunSpec, schedule: &Schedule, length: u64) -> bool {
    let lr = spec.rate();
    let mut rates = schedule.rates(lr).take(usize::try_from(length).unwrap_or(usize::MAX));
    let first = rates.next();
    length > 0 && rates.all(|rate| Some(rate) == first)
}

fn one_step_epochs(spec: &RunSpec, steps: u64) -> Option<Concern> {
    let all = u64::from(spec.epochs) * steps;
    (steps == 1 && all < FEW_STEPS).then(|| {
        let sentence = format!(
            "a step takes all training images (`batch_size` {} × `accumulate` {}), so the run has {} in all",
            spec.batch_size,
            spec.accumulate,
            plural(usize::try_from(all).unwrap_or(usize::MAX), "step")
        );
        Concern::new("one-step-epochs", sentence)
            .of(&[("batch_size", spec.batch_size as f64), ("steps", all as f64)])
            .advise("give a smaller `batch_size` or more `epochs`")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(schedule: &str) -> Vec<&'static str> {
        let spec = RunSpec { epochs: 10, schedule: schedule.parse().unwrap(), ..RunSpec::for_folder() };
        concerns(&spec, 7).into_iter().map(|concern| concern.name).collect()
    }

    #[test]
    fn schedules_are_compared_with_the_length_of_the_run() {
        for (schedule, name) in [
            ("step:step_size=10", "schedule-never-acts"),
            ("step:step_size=100,by=steps", "schedule-never-acts"),
            ("multi-step:milestones=[5,10]", "milestones-beyond-end"),
            ("multi-step:milestones=[30,60]", "milestones-beyond-end"),
            ("cosine:t_max=5", "schedule-rises-again"),
            ("cosine:t_max=20", "schedule-unfinished"),
            ("polynomial:total_iters=20", "schedule-unfinished"),
            ("one-cycle:total_steps=100", "schedule-unfinished"),
            ("linear-warmup:total_iters=10", "warmup-too-long"),
            ("exponential:gamma=1", "schedule-never-acts"),
            ("cosine-restarts:t_0=100", ""),
            ("constant", ""),
            ("cosine", ""),
            ("one-cycle", ""),
            ("step:step_size=9", ""),
            ("step:step_size=69,by=steps", ""),
            ("multi-step:milestones=[5,9]", ""),
            ("cosine:t_max=10", ""),
            ("polynomial:total_iters=10", ""),
            ("linear-warmup:total_iters=5", ""),
        ] {
            let expected: Vec<&str> = Some(name).filter(|name| !name.is_empty()).into_iter().collect();
            assert_eq!(names(schedule), expected, "{schedule}");
        }
    }

    #[test]
    fn one_step_an_epoch_is_little() {
        let of = |epochs, steps| {
            let spec = RunSpec { epochs, ..RunSpec::for_folder() };
            concerns(&spec, steps).len()
        };
        assert_eq!((of(10, 1), of(10, 2), of(100, 1)), (1, 0, 0));
    }
}
