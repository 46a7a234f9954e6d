//! `wellfit replay`: policies over recorded metrics.

use crate::bench::Bench;
use crate::material::MLP;
use serde_json::Value;

/// A bench with this file of losses, `losses.csv`.
fn bench(losses: &str) -> Bench {
    let bench = Bench::new();
    bench.write("losses.csv", losses);
    bench
}

/// A value of every epoch in the result of a replay.
#[track_caller]
fn each(bench: &Bench, options: &str, key: &str) -> Vec<Value> {
    let result = bench.run(&format!("replay --losses losses.csv --json {options}")).succeeds().json();
    result["epochs"].as_array().unwrap().iter().map(|epoch| epoch[key].clone()).collect()
}

/// `lr_next` of every epoch, from a rate of 1.
#[track_caller]
fn rates(losses: &str, options: &str) -> Vec<f64> {
    let rates = each(&bench(losses), &format!("--lr 1 {options}"), "lr_next");
    rates.iter().map(|rate| rate.as_f64().unwrap()).collect()
}

/// The epoch that stops, from 1, and the counters up to there.
#[track_caller]
fn stop(losses: &str, options: &str) -> (Option<usize>, Vec<u64>) {
    let bench = bench(losses);
    let stops = each(&bench, options, "stop");
    let counters = each(&bench, options, "counter").iter().map(|counter| counter.as_u64().unwrap()).collect();
    (stops.iter().position(|stop| stop == true).map(|index| index + 1), counters)
}

#[test]
fn torch_lowers_the_rate_one_epoch_later_than_keras() {
    let (losses, options) = ("1\n2\n2\n2\n2\n", "--lr-scheduler patience=2,factor=0.5");
    assert_eq!(rates(losses, options), [1.0, 1.0, 1.0, 0.5, 0.5]);
    assert_eq!(rates(losses, &format!("{options} --semantics keras")), [1.0, 1.0, 0.5, 0.5, 0.25]);
    assert_eq!(rates(losses, &format!("{options} --semantics lightning")), rates(losses, options));
}

#[test]
fn torch_takes_a_share_as_threshold_and_keras_a_difference() {
    // From 100 to 99.9: less than 1 %, but more than 0.01.
    let (losses, options) = ("100\n99.9\n", "--lr-scheduler patience=0,factor=0.5,cooldown=0");
    assert_eq!(rates(losses, &format!("{options},threshold=0.01")), [1.0, 0.5]);
    assert_eq!(rates(losses, &format!("{options},threshold=0.01,threshold_mode=abs")), [1.0, 1.0]);
    assert_eq!(rates(losses, &format!("{options},min_delta=0.01 --semantics keras")), [1.0, 1.0]);
}

#[test]
fn the_rate_cools_down_and_has_a_floor() {
    let options = "--lr-scheduler patience=0,factor=0.5,cooldown=2,min_lr=0.25";
    let losses = "1\n".repeat(9);
    assert_eq!(rates(&losses, options), [1.0, 0.5, 0.5, 0.5, 0.25, 0.25, 0.25, 0.25, 0.25]);
    let bench = bench(&losses);
    let outcome = bench.run(&format!("replay --losses losses.csv --lr 1 {options}")).succeeds();
    let outcome = outcome.says("1.0  improved\n").says("lr 1.0 -> 0.5\n").says("cooldown\n");
    outcome.says("lr cannot go lower\n").says("lowered 2 times from 1.0 to 0.25");
}

#[test]
fn a_tie_improves_in_the_book_only() {
    let losses = "0.5\n0.5\n0.5\n";
    for semantics in ["book", "torch"] {
        let options = format!("--early-stopping patience=2 --semantics {semantics}");
        assert_eq!(stop(losses, &options), (None, vec![0, 0, 0]), "{semantics}");
    }
    for semantics in ["keras", "lightning"] {
        let options = format!("--early-stopping patience=2 --semantics {semantics}");
        assert_eq!(stop(losses, &options), (Some(3), vec![0, 1, 2]), "{semantics}");
    }
}

#[test]
fn nan_never_improves_and_ends_a_lightning_run() {
    let losses = "0.5\nnan\nNaN\n0.4\n";
    for semantics in ["book", "keras"] {
        let options = format!("--early-stopping patience=3 --semantics {semantics}");
        assert_eq!(stop(losses, &options), (None, vec![0, 1, 2, 0]), "{semantics}");
    }
    let bench = bench(losses);
    let result =
        bench.run("replay --losses losses.csv --early-stopping --semantics lightning --json").succeeds();
    let result = result.json();
    let last = result["epochs"].as_array().unwrap().last().unwrap();
    assert_eq!((&last["epoch"], &last["metric"], &last["stop"]), (&2.into(), &Value::Null, &true.into()));
    assert_eq!(last["reason"], "the monitored metric is NaN, not a finite number");
    assert_eq!(result["left_out"], 2);
}

#[test]
fn the_first_metric_that_is_nan_is_the_best_in_keras() {
    let losses = "nan\n0.4\n0.3\n";
    assert_eq!(stop(losses, "--early-stopping patience=2 --semantics keras").0, Some(3));
    assert_eq!(stop(losses, "--early-stopping patience=2 --semantics book"), (None, vec![1, 0, 0]));
}

#[test]
fn a_bare_option_means_the_chapters_settings() {
    let losses = "1\n".to_owned() + &"2\n".repeat(7);
    for semantics in ["torch", "keras", "lightning", "book"] {
        let found = stop(&losses, &format!("--early-stopping --semantics {semantics}"));
        assert_eq!(found, (Some(6), vec![0, 1, 2, 3, 4, 5]), "{semantics}");
    }
    assert_eq!(rates(&losses, "--lr-scheduler"), [1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 0.5, 0.5]);
    let keras = rates(&losses, "--lr-scheduler --semantics keras");
    assert_eq!(keras, [1.0, 1.0, 1.0, 1.0, 1.0, 0.5, 0.5, 0.5]);
}

#[test]
fn options_stand_over_the_packages_defaults() {
    // Keras' own patience is 0, torch's own factor 0.1.
    assert_eq!(stop("1\n2\n", "--early-stopping min_delta=0 --semantics keras").0, Some(2));
    assert_eq!(rates("1\n2\n", "--lr-scheduler patience=0"), [1.0, 0.1]);
}

#[test]
fn both_policies_share_the_table() {
    let bench = bench("epoch,val_loss\n1,0.5\n2,0.6\n3,0.7\n4,0.1\n");
    let options = "--early-stopping patience=2 --lr-scheduler patience=0,factor=0.5 --lr 0.01";
    let outcome = bench.run(&format!("replay --losses losses.csv {options}")).succeeds();
    outcome
        .says("val_loss from losses.csv\n")
        .says("early stopping (torch): min_delta=0.0, mode=min, patience=2")
        .says("lr scheduler (torch): cooldown=0, eps=1e-8, factor=0.5")
        .says("epoch  val_loss     lr  counter  best  decision\n    1       0.5   0.01        0   0.5  improved\n")
        .says("    2       0.6   0.01        1   0.5  counter 1 of 2, lr 0.01 -> 0.005\n")
        .says("counter 2 of 2, lr 0.005 -> 0.0025, stop: no improvement in 2 epochs in a row; the best was 0.5 at")
        .says("Stopped after epoch 3 of 4. The 1 epoch after it would not have been trained. The rate was lowered")
        .never_says("    4  ");
    let result = bench.run(&format!("replay --losses losses.csv {options} --json")).succeeds().json();
    let scheduler: Value = serde_json::json!({ "counter": 0, "cooldown": 0, "best": 0.5 });
    assert_eq!(result["epochs"][1]["lr_scheduler"], scheduler);
    assert_eq!((&result["metric"], &result["left_out"]), (&"val_loss".into(), &1.into()));
    assert_eq!(result["early_stopping"]["patience"], 2);
}

#[test]
fn accuracies_should_rise_unless_told_otherwise() {
    let losses = "val_acc,train_accuracy,steepness\n0.5,0.5,1\n0.6,0.6,2\n0.7,0.7,3\n";
    let counters = |options: &str| stop(losses, &format!("--early-stopping {options}")).1;
    assert_eq!(counters("--column val_acc"), [0, 0, 0]);
    assert_eq!(counters("--column train_accuracy"), [0, 0, 0]);
    assert_eq!(counters("mode=min --column val_acc"), [0, 1, 2]);
    assert_eq!(counters("mode=min --column steepness"), [0, 1, 2]);
    assert_eq!(counters("mode=max --column steepness"), [0, 0, 0]);
    let bench = bench(losses);
    for (options, policy) in [
        ("--early-stopping", "--early-stopping"),
        ("--early-stopping patience=2", "--early-stopping"),
        ("--early-stopping mode=max --lr-scheduler factor=0.5", "--lr-scheduler"),
    ] {
        let line = format!("replay --losses losses.csv --column steepness {options}");
        let told = format!("{policy}: cannot tell whether \"steepness\" should fall or rise");
        bench.refuses(&line, 2, &[&told, "mode=min or mode=max"]);
    }
    // To say the direction changes nothing else: the patience of the option alone is 5, Keras' own is 0.
    let keras = "replay --losses losses.csv --semantics keras --column steepness --early-stopping mode=max";
    bench.run(keras).succeeds().says("early stopping (keras): min_delta=0.0, mode=max, patience=5");
    bench.run("replay --losses losses.csv --column steepness --schedule cosine").succeeds();
}

#[test]
fn schedules_step_once_an_epoch() {
    let losses = "1\n1\n1\n1\n";
    assert_eq!(rates(losses, "--schedule step:step_size=2,gamma=0.5"), [1.0, 0.5, 0.5, 0.25]);
    assert_eq!(rates(losses, "--schedule multi-step:milestones=[1,3],gamma=0.5"), [0.5, 0.5, 0.25, 0.25]);
    let cosine = rates(losses, "--schedule cosine");
    assert!(
        (cosine[1] - 0.5).abs() < 1e-15 && cosine[3].abs() < 1e-15,
        "half a cosine in 4 epochs: {cosine:?}"
    );
    let one_cycle = each(&bench(losses), "--lr 0.5 --schedule one-cycle:pct_start=0.5", "lr");
    let [first, peak] = [0, 1].map(|index: usize| one_cycle[index].as_f64().unwrap());
    // torch computes the ends of its curves through cos, so the last bits may differ.
    assert!((first - 0.02).abs() < 1e-15 && (peak - 0.5).abs() < 1e-15, "{one_cycle:?}");
    let bench = bench("1\n2\n3\n");
    let outcome =
        bench.run("replay --losses losses.csv --early-stopping patience=1 --schedule cosine").succeeds();
    outcome.says("schedule (cosine): eta_min=0.0, t_max=3").says("Stopped after epoch 2 of 3");
}

#[test]
fn quiet_says_nothing_and_warnings_name_the_rows_without_the_metric() {
    let bench = bench("step,train_loss,val_loss\n1,0.7,\n1,,0.6\n2,0.5,\n2,,0.5\n");
    let line = "replay --losses losses.csv --early-stopping";
    bench.run(&format!("{line} --quiet")).succeeds().keeps_silent();
    bench.run(line).succeeds().warns("losses.csv: 2 rows have no val_loss").says("No stop in 2 epochs.");
    bench.write("losses.csv", "step;val_loss\r\n1;0,7\r\n2;NA\r\nstep;val_loss\r\n3;0,6\r\n");
    let outcome = bench.run(line).succeeds().says("No stop in 2 epochs.");
    outcome.warns("1 row has no val_loss").warns("the names came again in 1 line");
    bench.write("losses.csv", "{\"epoch\": 1, \"val_loss\": 0.5}\n{\"epoch\": 2, \"val_loss\": NaN}\n");
    bench.run(line).succeeds().says("counter 1 of 5").says("No stop in 2 epochs.");
}

#[test]
fn a_run_is_replayed_from_its_record() {
    let bench = Bench::new();
    bench.animals();
    let training = "--epochs 4 --optimizer sgd --lr 4e-6 --lr-scheduler --lr-patience 0 --early-stopping";
    let patience = "--patience 3 --min-delta 100 --quiet --out run";
    bench.run(&format!("train animals {MLP} {training} {patience}")).succeeds();
    let policies =
        "--lr-scheduler patience=0,factor=0.5,min_lr=1e-6 --early-stopping patience=3,min_delta=100";
    let result = bench.run(&format!("replay --run run {policies} --json")).succeeds().json();
    let (recorded, replayed) = (bench.events("run", "epoch"), result["epochs"].as_array().unwrap());
    assert_eq!((recorded.len(), replayed.len()), (4, 4));
    for (record, epoch) in recorded.iter().zip(replayed) {
        assert_eq!((&record["val_loss"], &record["lr"]), (&epoch["metric"], &epoch["lr"]));
    }
    assert_eq!(replayed[3]["stop"], true, "as the run itself stopped");
    let accuracy = bench.run("replay --run run --column val_accuracy --early-stopping").succeeds();
    accuracy.says("val_accuracy from run").says("mode=max");
    bench.refuses(
        "replay --run run --column f1 --early-stopping",
        2,
        &["--column f1", "val_loss, val_accuracy"],
    );
    bench.refuses("replay --losses run --early-stopping", 3, &["run is a folder", "--run run"]);
    bench.refuses("replay --run animals --early-stopping", 5, &["animals"]);
    bench.write("run/events.jsonl", "");
    bench.refuses("replay --run run --early-stopping", 5, &["run has recorded no epoch"]);
}

#[test]
fn files_that_hold_no_metrics() {
    for (content, problem) in [
        ("", "losses.csv holds no metrics"),
        ("val_loss\n", "losses.csv holds no metrics"),
        ("0.5\n0,4x\n", "losses.csv, line 2: 2 fields, but the first line has 1"),
        ("0.5\nhalf\n", "losses.csv, line 2: `half` is not a number"),
        ("0.5o\n0.4\n", "losses.csv, line 1: `0.5o` is not a number"),
        ("0.5,0.4\n", "losses.csv has 2 columns without names"),
    ] {
        bench(content).refuses("replay --losses losses.csv --early-stopping", 3, &[problem]);
    }
    let bench = Bench::new();
    bench.refuses("replay --losses none.csv --early-stopping", 3, &["none.csv", "No such file"]);
    bench.write("latin1.csv", b"caf\xe9\n0.5\n");
    bench.refuses("replay --losses latin1.csv --early-stopping", 3, &["latin1.csv: not a text in UTF-8"]);
    bench.write("utf16.csv", b"\xff\xfe0\0.\x005\0");
    bench.run("replay --losses utf16.csv --early-stopping").succeeds().says("No stop in 1 epoch.");
}

#[test]
fn options_that_cannot_be_replayed() {
    let bench = bench("epoch,loss\n1,0.5\n");
    for (options, parts) in [
        ("", &["give --early-stopping, --lr-scheduler, --schedule or --family"][..]),
        ("--early-stopping", &["losses.csv has no column val_loss", "--column", "epoch, loss"]),
        ("--early-stopping --column los", &["losses.csv has no column `los`; it has epoch, loss"]),
        (
            "--early-stopping patiense=3",
            &["--early-stopping: unknown option \"patiense\"", "patience, min_delta"],
        ),
        ("--early-stopping patience=-1", &["--early-stopping: patience = -1: expected a whole number"]),
        ("--early-stopping min_delta=nan", &["--early-stopping: min_delta = NaN: expected a finite number"]),
        ("--early-stopping patience", &["--early-stopping: cannot read \"patience\"", "key=value"]),
        ("--lr-scheduler factor=1", &["--lr-scheduler: factor = 1: expected a number above 0 and below 1"]),
        ("--lr-scheduler min_delta=1", &["--lr-scheduler: unknown option \"min_delta\"", "threshold"]),
        ("--lr-scheduler threshold_mode=rel --semantics keras", &["threshold_mode = rel", "absolute"]),
        ("--lr-scheduler --lr 0", &["--lr must be a positive number, not 0"]),
        ("--lr-scheduler --lr -1", &["--lr must be a positive number, not -1"]),
        ("--lr-scheduler --lr nan", &["--lr must be a positive number, not NaN"]),
        ("--lr-scheduler --schedule cosine", &["--lr-scheduler and --schedule", "choose one"]),
        ("--column loss --schedule stairs", &["--schedule stairs", "`stairs`", "`one-cycle`"]),
        ("--column loss --schedule step:step_size=0", &["step_size = 0: expected a whole number"]),
        ("--column loss --schedule step:step_size", &["--schedule step:step_size: "]),
        ("--early-stopping --semantics caffe", &["caffe", "lightning"]),
        ("--early-stopping --run run", &["--losses", "--run"]),
    ] {
        bench.refuses(&format!("replay --losses losses.csv {options}"), 2, parts);
    }
    bench.refuses("replay --early-stopping", 2, &["--losses", "--run"]);
}

/// One noisy curve with ties, a NaN and an infinity, under the real packages (`parity/replay.py`).
#[test]
fn the_packages_do_the_same_at_every_epoch() {
    let fixture: Value = serde_json::from_str(include_str!("../fixtures/replay.json")).unwrap();
    let losses: Vec<&str> =
        fixture["losses"].as_array().unwrap().iter().map(|loss| loss.as_str().unwrap()).collect();
    let bench = bench(&losses.join("\n"));
    let cases = fixture["cases"].as_object().unwrap();
    assert_eq!((cases.len(), losses.len()), (5, 60));
    for (options, expected) in cases {
        let result =
            bench.run(&format!("replay --losses losses.csv --lr 0.1 {options} --json")).succeeds().json();
        let (found, expected) = (result["epochs"].as_array().unwrap(), expected.as_array().unwrap());
        assert_eq!(found.len(), expected.len(), "{options}");
        for (found, expected) in found.iter().zip(expected) {
            for (key, value) in expected.as_object().unwrap() {
                assert_eq!(&found[key], value, "{options}: {key} of epoch {}", found["epoch"]);
            }
        }
    }
}

/// Every member of a family is what the same command says of it alone.
#[test]
fn a_family_is_all_single_replays_at_once() {
    let bench = bench("val_loss\n0.92\n0.75\n0.66\n0.66\n0.67\n0.65\n0.71\n0.70\n0.69\n0.80\n");
    let line = "--json replay --losses losses.csv";
    let result =
        bench.run(&format!("{line} --family --min-deltas 0,0.05 --patiences 1-4,6")).succeeds().json();
    let record = &result["records"][0];
    let members = record["early_stopping"].as_array().unwrap();
    assert_eq!(members.len(), 3 * 2 * 5);
    for member in members {
        let text = |name: &str| member[name].to_string().replace('"', "");
        let (semantics, patience, delta) = (text("semantics"), text("patience"), text("min_delta"));
        let alone =
            format!("{line} --semantics {semantics} --early-stopping patience={patience},min_delta={delta}");
        let alone = bench.run(&alone).succeeds().json();
        let last = alone["epochs"].as_array().unwrap().last().unwrap().clone();
        let stop = if last["stop"] == true { last["epoch"].clone() } else { Value::Null };
        assert_eq!(member["stop_epoch"], stop, "{member}");
        assert_eq!(member["epochs_saved"], alone["left_out"], "{member}");
        let known = if stop.is_null() { "bound" } else { "exact" };
        assert_eq!(member["known"], known, "a file does not say whether more was planned");
        assert_eq!(member["tied"], delta == "0.0", "epochs 3 and 4 are equal as printed: {member}");
    }
    assert_eq!(bench.names("replay").len(), 4);
    let best = &result["best"];
    assert_eq!(best["in_sample"]["regret"], 0.0);
    bench
        .run("replay --losses losses.csv --family --force")
        .succeeds()
        .says("chosen after the fact")
        .says("tied");
}

#[test]
fn the_best_of_one_seed_is_judged_on_the_others() {
    let bench = Bench::new();
    bench.animals();
    for seed in 0..3 {
        let line = format!("train animals {MLP} --epochs 6 --batch-size 4 --lr 0.02 --seed {seed}");
        bench.run(&format!("{line} --out seed{seed}")).succeeds();
    }
    let result = bench
        .run("--json replay --run seed0 --run seed1 --run seed2 --family --patiences 1-4 --min-deltas 0")
        .succeeds()
        .json();
    let records = result["records"].as_array().unwrap();
    assert_eq!(records.len(), 3);
    let best = &result["best"];
    for (record, other) in records[1..].iter().zip(best["others"].as_array().unwrap()) {
        let same = record["early_stopping"].as_array().unwrap().iter().find(|member| {
            ["semantics", "patience", "min_delta"].iter().all(|name| member[name] == best[name])
        });
        assert_eq!(same.unwrap()["given_up"], other["regret"]);
    }
    for record in records {
        assert_eq!(record["whole"], true);
        assert!(record["early_stopping"].as_array().unwrap().iter().all(|member| member["known"] == "exact"));
        // A constant rate: a scheduler is known until it would first have lowered it.
        for member in record["lr_scheduler"].as_array().unwrap() {
            let lowered = member["lowered_after"].as_array().unwrap();
            assert_eq!(member["known"] == "unknown", !member["known_until"].is_null(), "{member}");
            assert!(
                lowered.len() <= 1
                    && lowered.first().is_none_or(|epoch| { *epoch == member["known_until"] || *epoch == 6 }),
                "{member}"
            );
        }
    }
    bench
        .run("replay --run seed0 --run seed1 --family --force")
        .succeeds()
        .says("Mean regret on the 1 other record");
}

#[test]
fn wrong_families_are_refused() {
    let bench = bench("0.5\n0.4\n");
    for (options, part) in [
        ("--family --patiences x", "--patiences x"),
        ("--family --patiences 5-3", "--patiences 5-3"),
        ("--family --min-deltas -1", "--min-deltas -1"),
        ("--family --early-stopping", "--family tries all"),
        ("--patiences 3", "--family"),
        ("--losses losses.csv --early-stopping", "--family takes several"),
    ] {
        bench.refuses(&format!("replay --losses losses.csv {options}"), 2, &[part]);
    }
}
