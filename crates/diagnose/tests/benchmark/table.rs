//! The figures as the documentation has them, and as findings quote them.

use crate::score::Scores;
use std::fmt::Write as _;
use wellfit_diagnose::Name;

/// A place in a file that holds figures: the file, the lines before and after them.
struct Place {
    file: &'static str,
    begin: &'static str,
    end: &'static str,
}

const DOCUMENT: Place = Place {
    file: concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/diagnose-benchmark.md"),
    begin: "<!-- figures: begin -->\n",
    end: "<!-- figures: end -->\n",
};
const CONFIDENCE: Place = Place {
    file: concat!(env!("CARGO_MANIFEST_DIR"), "/src/confidence.rs"),
    begin: "    // Counts: begin\n",
    end: "    // Counts: end\n",
};

const HEAD: &str =
    "| finding | has it | has it not | dropped | precision | recall | others: precision, recall |
|---|---|---|---|---|---|---|
";

/// A table of one view.
pub fn text(view: &str, scores: &Scores) -> String {
    let (healthy, alarms) = scores.healthy;
    let mut text = format!(
        "### As {view}\n\n{} trainings, {} cases. Healthy ones: {healthy}, with {alarms} false findings.\n\n{HEAD}",
        scores.trainings, scores.cases
    );
    for &name in Name::ALL {
        let Some(score) = scores.ours.get(&name) else { continue };
        let others = scores.others.iter().filter(|((_, other), _)| *other == name);
        let others: Vec<String> = others
            .map(|((baseline, _), score)| {
                format!("{baseline} {}, {}", short(&score.precision()), short(&score.recall()))
            })
            .collect();
        let _ = writeln!(
            text,
            "| `{name}` | {} | {} | {} | {} | {} | {} |",
            score.positives(),
            score.quiet + score.false_alarms,
            score.dropped,
            score.precision(),
            score.recall(),
            others.join("; ")
        );
    }
    text
}

/// A share without its interval.
fn short(share: &str) -> &str {
    share.split(' ').next().unwrap_or_default()
}

/// Of how many cases with each finding it was right, as the source has it: of the first view, of the second.
fn counts(scores: &[(&str, Scores)]) -> String {
    let of = |scores: &Scores, name: &Name| {
        let score = scores.ours.get(name).copied().unwrap_or_default();
        format!("({}, {})", score.right, score.right + score.false_alarms)
    };
    let [(_, run), (_, table)] = scores else { return String::new() };
    let line = |name: &Name| {
        format!(
            "    Measured {{ name: Name::{name:?}, run: {}, table: {} }},\n",
            of(run, name),
            of(table, name)
        )
    };
    run.ours.keys().map(line).collect()
}

impl Place {
    /// Compares what stands there with the figures, or writes them there.
    fn check_or_write(&self, figures: &str) {
        let text = std::fs::read_to_string(self.file).unwrap();
        let (before, rest) = text.split_once(self.begin).unwrap();
        let (found, after) = rest.split_once(self.end).unwrap();
        if std::env::var_os("WELLFIT_BENCHMARK").is_some() {
            let text = format!("{before}{}{figures}{}{after}", self.begin, self.end);
            std::fs::write(self.file, text).unwrap();
        } else {
            assert_eq!(found, figures, "{}: write it again with `just curves-benchmark`", self.file);
        }
    }
}

/// The figures of the documentation and of the source are these.
pub fn check_or_write(scores: &[(&str, Scores)]) {
    let figures: String = scores.iter().map(|(view, scores)| text(view, scores) + "\n").collect();
    DOCUMENT.check_or_write(&figures);
    CONFIDENCE.check_or_write(&counts(scores));
}
