//! `wellfit prove`: whether techniques help, by pairs of runs.

use crate::args::ProveArgs;
use crate::error::CliError;
use crate::opening::source;
use crate::output::{Output, command_line};
use crate::progress::Progress;
use wellfit::base::Shown;
use wellfit::base::shown::shown;
use wellfit::base::words::plural;
use wellfit::proof::{Cost, Flips, Judged, Pairs, Verdict};
use wellfit::run::figures::duration;
use wellfit::run::{Ask, Destination, Options, Proof, RunError, Validation, prove};

/// Run the command.
pub fn run(args: &ProveArgs, out: Output) -> Result<(), CliError> {
    let mut progress = Progress::new(out, args.verbose);
    let source = source(&args.data, &args.place, Validation::Split);
    let place = Destination { dir: args.out.clone(), force: false, command: command_line() };
    let proof = prove(&ask(args)?, &source, &place, args.resume.is_some(), &mut progress);
    let proof = proof.map_err(|error| match error {
        RunError::Interrupted { reason, .. } => CliError::Interrupted(format!(
            "interrupted by {reason}; what was trained is saved: the same command with --resume auto goes on"
        )),
        other => other.into(),
    })?;
    report(&proof, out);
    Ok(())
}

fn ask(args: &ProveArgs) -> Result<Ask, CliError> {
    let baseline = args.settings.over_file(args.a.as_deref().or(args.config.as_deref()))?;
    let other = args.b.as_deref().map(|file| {
        let options = args.settings.0.clone().combine(Options::read(file)?);
        let name = file.file_stem().unwrap_or(file.as_os_str()).to_string_lossy().into_owned();
        Ok::<_, RunError>((name, options))
    });
    let until = args.until_sure.map(|at_most| Pairs::UntilSure { at_most });
    Ok(Ask {
        baseline,
        techniques: args.technique.clone(),
        other: other.transpose()?,
        pairs: until.or(args.seeds.map(|seeds| Pairs::Fixed { seeds, grown_to: None })),
        metric: args.metric.clone(),
        delta: args.delta,
        alpha: args.alpha,
    })
}

/// The table and the sentences, and the result for programs.
fn report(proof: &Proof, out: Output) {
    let Proof { design, outcome, .. } = proof;
    let shares = is_share(&design.metric);
    let head =
        ["technique", "verdict", "pairs", "difference", "interval", "with new images", "p", "e", "won"];
    let row = |one: &Judged| {
        [
            one.name.clone(),
            one.verdict.to_string(),
            one.pairs.to_string(),
            amount(one.mean_difference, shares),
            interval(one.interval, shares),
            interval(one.interval_new_images, shares),
            one.p.map_or_else(|| "–".to_owned(), |p| format!("{p:.4}")),
            format!("{:.3}", one.e),
            format!("{} of {}", one.won, one.pairs),
        ]
    };
    let rows: Vec<[String; 9]> =
        std::iter::once(head.map(str::to_owned)).chain(outcome.techniques.iter().map(row)).collect();
    out.say(format!("{}, treated minus baseline:", design.metric));
    out.fitting_table(&rows, 2..9, &[7, 8, 5]);
    for (one, flips) in outcome.techniques.iter().zip(&proof.flips) {
        out.say(format!("{}: {}", shown(&one.name), sentence(one, *flips, design.delta)));
    }
    out.say(format!("The trial with its runs, plan and pictures: {}", proof.dir.shown()));
    out.result(&proof.result);
}

/// What a verdict means, and what it is made of.
fn sentence(one: &Judged, flips: Option<Flips>, delta: f64) -> String {
    let mut parts = vec![match (one.verdict, one.more_seeds) {
        (Verdict::Helps, _) => "it helps".to_owned(),
        (Verdict::Hurts, _) => "it hurts".to_owned(),
        (Verdict::NoDifferenceThatMatters, _) => format!("whatever it does is less than {delta}"),
        (Verdict::IdenticalBits, _) => {
            "both arms are the same to the bit: the switch does nothing here".to_owned()
        }
        (Verdict::NoEvidence, None) => {
            "the pairs do not tell, nor would any number that can be trained".to_owned()
        }
        (Verdict::NoEvidence, Some(more)) => {
            format!(
                "the pairs do not tell; {} more would find a difference of {delta} in four of five cases",
                plural(more, "pair")
            )
        }
    }];
    if let Some(Flips { fixed, broken }) = flips.filter(|_| one.verdict != Verdict::IdenticalBits) {
        parts
            .push(format!("over all pairs it fixed {} and broke {broken}", plural(fixed as usize, "answer")));
    }
    parts.push(cost(&one.cost));
    if let Some((r, saving)) = one.correlation.zip(one.saving) {
        parts.push(format!("the arms correlate by {r:.2}, so pairing stood for {saving:.1} times the runs"));
    }
    parts.join("; ")
}

fn cost(cost: &Cost) -> String {
    let sign = |x: f64| if x < 0.0 { "less" } else { "more" };
    let Cost { epochs, seconds, images } = *cost;
    format!(
        "a run takes {:.1} epochs {}, {:.0} images {}, {} {}",
        epochs.abs(),
        sign(epochs),
        images.abs(),
        sign(images),
        duration(seconds.abs()),
        sign(seconds)
    )
}

/// Whether a metric is a share, which is shown in points of a hundred.
fn is_share(metric: &str) -> bool {
    !metric.ends_with("loss")
}

fn amount(x: f64, share: bool) -> String {
    if share { format!("{:+.2} pt", 100.0 * x) } else { format!("{x:+.4}") }
}

fn interval(ends: Option<[f64; 2]>, share: bool) -> String {
    let Some([low, high]) = ends else { return "–".to_owned() };
    if share {
        format!("{:+.2} to {:+.2}", 100.0 * low, 100.0 * high)
    } else {
        format!("{low:+.4} to {high:+.4}")
    }
}
