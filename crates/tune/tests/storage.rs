//! What every storage does alike: a journal, and the databases that this build has.

#![allow(clippy::unwrap_used, reason = "a test may panic, its helpers too")]

use serde_json::json;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use wellfit_tune::{Address, Change, Direction, Distribution, Parameter, State, open};

/// The kinds that this build has, each in a new place.
fn addresses(dir: &Path) -> Vec<Address> {
    let mut all = vec![Address::Journal(dir.join("study.log"))];
    if cfg!(feature = "sqlite") {
        all.push(Address::Sqlite(dir.join("study.db")));
    }
    if let (true, Ok(url)) = (cfg!(feature = "postgres"), std::env::var("WELLFIT_TEST_POSTGRES")) {
        all.push(url.parse().unwrap());
    }
    all
}

/// No two tests share a study, in a database that stays either.
fn study(address: &Address) -> String {
    if matches!(address, Address::Postgres(_)) { wellfit_base::id::random().unwrap() } else { "s".to_owned() }
}

fn rate(internal: f64) -> Change {
    let distribution = Distribution::Float { step: None, low: 1e-4, high: 0.1, log: true };
    Change::Parameter("lr".to_owned(), Parameter { internal, distribution: Arc::new(distribution) })
}

fn each(check: impl Fn(&Address, &str)) {
    let dir = tempfile::tempdir().unwrap();
    for address in addresses(dir.path()) {
        check(&address, &study(&address));
    }
}

#[test]
fn what_is_written_is_read_by_others() {
    each(|address, name| {
        let mut one = open(address, name, Direction::Maximize, true).unwrap();
        let mut other = open(address, name, Direction::Maximize, false).unwrap();
        let id = one.begin(9, &[Change::System("wellfit:worker".into(), json!("a"))]).unwrap().unwrap();
        let user = Change::User("note".into(), json!({ "a": [1, null, "é\"\n"] }));
        assert!(one.change(id, &[rate(0.003), user, Change::Report(1, 0.5)]).unwrap());
        assert!(
            one.change(id, &[Change::Report(2, f64::NAN), Change::Report(3, f64::NEG_INFINITY)]).unwrap()
        );
        other.note("metric", &json!("val_accuracy")).unwrap();
        let seen = other.trials().unwrap()[0].clone();
        assert_eq!((seen.id, seen.number, seen.state), (id, 0, State::Running));
        assert_eq!(seen.parameters["lr"].internal, 0.003);
        assert_eq!(seen.user["note"], json!({ "a": [1, null, "é\"\n"] }));
        assert_eq!(seen.system["wellfit:worker"], json!("a"));
        assert!(seen.reports[&2].is_nan());
        assert_eq!((seen.reports[&1], seen.reports[&3]), (0.5, f64::NEG_INFINITY));
        assert!(other.finish(id, State::Complete, Some(0.75), None).unwrap());
        let done = one.trials().unwrap()[0].clone();
        assert_eq!((done.state, done.value), (State::Complete, Some(0.75)));
        assert_eq!(one.notes().unwrap()["metric"], json!("val_accuracy"));
    });
}

#[test]
fn a_finished_trial_stays_as_it_is() {
    each(|address, name| {
        let mut one = open(address, name, Direction::Minimize, true).unwrap();
        let id = one.begin(9, &[]).unwrap().unwrap();
        assert!(one.finish(id, State::Complete, Some(1.0), None).unwrap());
        let again = one.trials().unwrap()[0].again();
        assert!(!one.change(id, &[Change::Report(1, 2.0)]).unwrap());
        assert!(!one.finish(id, State::Fail, None, Some(&again)).unwrap());
        assert!(!one.take(id, &[]).unwrap());
        let trials = one.trials().unwrap();
        assert_eq!(trials.len(), 1);
        assert_eq!(
            (trials[0].state, trials[0].value, trials[0].reports.len()),
            (State::Complete, Some(1.0), 0)
        );
    });
}

#[test]
fn a_failed_trial_waits_to_be_done_again_and_is_taken_once() {
    each(|address, name| {
        let mut one = open(address, name, Direction::Minimize, true).unwrap();
        let mut other = open(address, name, Direction::Minimize, false).unwrap();
        let id = one.begin(2, &[]).unwrap().unwrap();
        one.change(id, &[rate(0.01), Change::User("run".into(), json!("0")), Change::Report(1, 3.0)])
            .unwrap();
        let again = one.trials().unwrap()[0].again();
        assert!(one.finish(id, State::Fail, None, Some(&again)).unwrap());
        assert!(!other.finish(id, State::Fail, None, Some(&again)).unwrap());
        let trials = other.trials().unwrap().to_vec();
        assert_eq!(trials.len(), 2, "one failed, one waits");
        let waiting = &trials[1];
        assert_eq!((waiting.state, waiting.number, waiting.origin()), (State::Waiting, 1, 0));
        assert_eq!((waiting.retries(), waiting.parameters["lr"].internal), (1, 0.01));
        assert_eq!((waiting.user["run"].as_str(), waiting.reports.len()), (Some("0"), 0));
        assert!(other.take(waiting.id, &[]).unwrap());
        assert!(!one.take(waiting.id, &[]).unwrap());
        // The retried trial counts once.
        assert!(one.begin(1, &[]).unwrap().is_none());
        assert!(one.begin(2, &[]).unwrap().is_some());
        assert!(other.begin(2, &[]).unwrap().is_none());
        assert_eq!(one.trials().unwrap().iter().map(|trial| trial.number).collect::<Vec<_>>(), [0, 1, 2]);
    });
}

/// Several at once: every number once, and no more trials than are wanted.
#[test]
fn workers_make_no_trial_twice() {
    each(|address, name| {
        open(address, name, Direction::Minimize, true).unwrap();
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    let mut own = open(address, name, Direction::Minimize, false).unwrap();
                    while let Some(id) = own.begin(20, &[]).unwrap() {
                        assert!(own.change(id, &[Change::Report(1, 1.0)]).unwrap());
                        assert!(own.finish(id, State::Complete, Some(id as f64), None).unwrap());
                    }
                });
            }
        });
        let mut own = open(address, name, Direction::Minimize, false).unwrap();
        let trials = own.trials().unwrap();
        assert_eq!(trials.iter().map(|trial| trial.number).collect::<Vec<_>>(), (0..20).collect::<Vec<_>>());
        assert!(trials.iter().all(|trial| trial.value == Some(trial.id as f64)));
    });
}

#[test]
fn a_silent_worker_is_noticed() {
    each(|address, name| {
        let mut one = open(address, name, Direction::Minimize, true).unwrap();
        let (quiet, lively) = (one.begin(9, &[]).unwrap().unwrap(), one.begin(9, &[]).unwrap().unwrap());
        assert_eq!(one.silent(Duration::ZERO).unwrap(), [0; 0], "neither ever said that it is alive");
        one.beat(quiet).unwrap();
        assert_eq!(one.silent(Duration::from_secs(60)).unwrap(), [0; 0]);
        // The databases' clocks count whole seconds.
        std::thread::sleep(Duration::from_millis(if matches!(address, Address::Journal(_)) {
            10
        } else {
            2100
        }));
        one.beat(lively).unwrap();
        let grace = if matches!(address, Address::Journal(_)) {
            Duration::from_millis(5)
        } else {
            Duration::from_secs(1)
        };
        assert_eq!(one.silent(grace).unwrap(), [quiet]);
    });
}

#[test]
fn another_direction_or_no_study_is_told() {
    each(|address, name| {
        let missing = open(address, name, Direction::Minimize, false);
        assert!(missing.is_err());
        open(address, name, Direction::Minimize, true).unwrap();
        let problem = open(address, name, Direction::Maximize, true).err().unwrap().to_string();
        assert!(problem.contains("is to minimize, not to maximize"), "{problem}");
        let problem = open(address, "other", Direction::Minimize, false).err().unwrap().to_string();
        assert!(problem.contains("there is no study other") && problem.contains(name), "{problem}");
    });
}

/// A worker that died within a line said nothing with it; the line goes when the next one writes.
#[test]
fn a_line_that_was_cut_short_goes() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("study.log");
    let mut one = open(&Address::Journal(path.clone()), "s", Direction::Minimize, true).unwrap();
    one.begin(9, &[]).unwrap().unwrap();
    let whole = std::fs::read(&path).unwrap();
    std::fs::write(&path, [&whole[..], b"{\"op_code\":4,\"wor"].concat()).unwrap();
    assert_eq!(one.trials().unwrap().len(), 1);
    one.begin(9, &[]).unwrap().unwrap();
    let text = std::fs::read_to_string(&path).unwrap();
    assert_eq!((text.lines().count(), text.contains("wor{")), (3, false));
    assert_eq!(one.trials().unwrap().len(), 2);
}

#[test]
fn damage_in_a_journal_is_told_with_its_line() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("study.log");
    let address = Address::Journal(path.clone());
    open(&address, "s", Direction::Minimize, true).unwrap();
    let whole = std::fs::read_to_string(&path).unwrap();
    for (bad, told) in [
        ("{\"op_code\":4}\n", "line 2: it has no study_id"),
        ("nonsense\n", "line 2: it is not JSON"),
        ("{\"op_code\":99}\n", "line 2: op_code 99"),
    ] {
        std::fs::write(&path, format!("{whole}{bad}")).unwrap();
        let problem = open(&address, "s", Direction::Minimize, true).err().unwrap().to_string();
        assert!(problem.contains(told), "{problem}");
    }
}
