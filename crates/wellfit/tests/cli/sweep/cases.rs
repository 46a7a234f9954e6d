//! The sweeps.

use super::calls::Call;
use super::scenarios::{ALL, Sweep, Wanted};
use super::tracer::{self, Fault, What, When};
use nix::errno::Errno;
use std::time::Instant;

/// A kind of fault, swept over all calls that count.
struct Kind {
    name: &'static str,
    what: What,
    which: fn(&Call) -> bool,
    /// From there on, instead of there only.
    lasts: bool,
}

const KINDS: [Kind; 6] = [
    Kind { name: "kill", what: What::Kill, which: tracer::any, lasts: false },
    Kind { name: "EIO", what: What::Fail(Errno::EIO), which: tracer::any, lasts: false },
    Kind { name: "EINTR", what: What::Fail(Errno::EINTR), which: tracer::any, lasts: false },
    Kind { name: "ENOSPC", what: What::Fail(Errno::ENOSPC), which: tracer::fills, lasts: false },
    Kind { name: "full disk", what: What::Fail(Errno::ENOSPC), which: tracer::fills, lasts: true },
    Kind { name: "short write", what: What::Short, which: tracer::writes, lasts: false },
];

/// One sweep: every `stride`th call that counts, from `first`. How often something was wrong afterwards.
fn over_calls(sweep: &mut Sweep, kind: &Kind, (first, stride): (usize, usize)) -> usize {
    let (begun, before) = (Instant::now(), sweep.states());
    let count = sweep.calls.iter().filter(|call| (kind.which)(call)).count();
    let (mut hits, mut wrong) = (0, 0);
    for number in (first..).step_by(stride) {
        let when = if kind.lasts { When::From(number) } else { When::Nth(number) };
        let (seen, judged) = sweep.suffer(&Fault { what: kind.what, when, which: kind.which });
        let Some(hit) = seen.hit.first() else {
            // Which thread is first differs from run to run, and with it the number of calls.
            if number >= count {
                break;
            }
            if seen.code != Some(0) {
                wrong += 1;
                println!(
                    "WRONG {} {} {number}: not hit, but {:?}\n{}",
                    sweep.scenario.name, kind.name, seen.code, seen.stderr
                );
            }
            continue;
        };
        hits += 1;
        if let Err(problem) = judged {
            wrong += 1;
            println!(
                "WRONG {} {} {number}, {hit}: {problem}\n{}",
                sweep.scenario.name, kind.name, seen.stderr
            );
        }
    }
    println!(
        "{:14} {:12} {hits:5} of {count:5} calls hit, {:4} new states, {wrong:3} wrong, {:.0} s",
        sweep.scenario.name,
        kind.name,
        sweep.states() - before,
        begun.elapsed().as_secs_f64()
    );
    wrong
}

/// `WELLFIT_SWEEP=STRIDE[,SCENARIO[,KIND]]` chooses; without it a sample.
#[test]
fn a_fault_at_any_system_call_leaves_all_files_whole() {
    if let Err(reason) = tracer::available() {
        println!("SKIPPED: {reason}");
        return;
    }
    let wanted = Wanted::read();
    let (mut wrong, mut number) = (0, 0);
    for scenario in ALL.iter().filter(|scenario| wanted.has(scenario.name)) {
        let mut sweep = Sweep::begin(scenario);
        for kind in KINDS.iter().filter(|kind| wanted.has_kind(kind.name)) {
            // Other calls in each, so that all together meet many.
            number += 1;
            let at = wanted.stride.map_or((number * 7 % 41, 401), |stride| (number % stride, stride));
            wrong += over_calls(&mut sweep, kind, at);
        }
    }
    assert_eq!(wrong, 0, "see above");
}
