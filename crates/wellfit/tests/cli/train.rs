//! `wellfit train` and `wellfit lab transfer`: what a run prints and what it leaves.

use crate::bench::{Bench, Outcome};
use crate::material::{MLP, RESNET, picture};
use serde_json::Value;
use std::process::Stdio;

fn animals() -> Bench {
    let bench = Bench::new();
    bench.animals();
    bench
}

#[test]
fn a_run_leaves_its_record_plots_and_weights() {
    let bench = animals();
    let outcome = bench.run("train animals --model resnet18 --image-size 32 --epochs 2 --out run").succeeds();
    outcome
        .says("resnet18 for inputs [3, 32, 32]")
        .says("11,177,538 parameters (42.6 MiB in f32)")
        .says("12 training, 4 validation images, 2 classes")
        .says("Epoch 2 of 2")
        .says("TRAINING COMPLETE");
    let names = bench.names("run");
    let pictures = ["accuracy.png", "accuracy.svg", "augmentation.png"];
    let others = [
        "checkpoints",
        "confusion.png",
        "confusion.svg",
        "evaluation.json",
        "events.jsonl",
        "loss.png",
        "loss.svg",
        "model.safetensors",
        "pictures.json",
        "report.html",
        "run.toml",
        "statistics.jsonl",
        "steps.jsonl",
        "trained-on.txt",
    ];
    assert_eq!(names, [&pictures[..], &others].concat());
    for plot in ["run/accuracy.png", "run/loss.png", "run/augmentation.png"] {
        assert!(bench.bytes(plot).starts_with(b"\x89PNG"), "{plot}");
    }
    assert_eq!(bench.events("run", "epoch").len(), 2);
    assert_eq!(bench.events("run", "stop")[0]["reason"], "finished");
    assert_eq!(bench.lines("run/steps.jsonl").len(), 2, "12 images are one batch of at most 32");
    let info = bench.toml("run/run.toml");
    assert_eq!(info["classes"], toml::Value::from(vec!["cat", "dog"]));
    assert_eq!(info["model"]["parameters"].as_integer(), Some(11_177_538));
}

#[test]
fn the_result_for_programs() {
    let bench = animals();
    let outcome = bench.run(&format!("train animals {MLP} --epochs 3 --json")).succeeds();
    outcome.complains("TRAINING COMPLETE");
    let result = outcome.json();
    assert_eq!((&result["run"], &result["epochs"]), (&"runs/animals-mlp-1".into(), &3.into()));
    assert_eq!(result["stop_reason"], "finished");
    assert!(result["seconds"].as_f64().unwrap() > 0.0);
    let epochs = bench.events("runs/animals-mlp-1", "epoch");
    let best = best_of(&epochs, "val_accuracy");
    assert_eq!(result["best"]["by"], "val_accuracy");
    for key in ["epoch", "val_loss", "val_accuracy"] {
        assert_eq!(result["best"][key], best[key], "{key}");
    }
}

/// The best of these epochs by a metric; a lower validation loss decides between equals, then the order.
pub fn best_of<'e>(epochs: &'e [Value], by: &str) -> &'e Value {
    let sign = if by.ends_with("accuracy") { -1.0 } else { 1.0 };
    let key = |epoch: &Value| (sign * epoch[by].as_f64().unwrap(), epoch["val_loss"].as_f64().unwrap());
    epochs.iter().min_by(|a, b| key(a).partial_cmp(&key(b)).unwrap()).unwrap()
}

#[test]
fn quiet_prints_errors_only() {
    let bench = animals();
    // Without --quiet the last two are warned of.
    let options = "--freeze --optimizer sgd --lr 0.001";
    bench.run(&format!("train animals {MLP} --epochs 1 {options} --quiet")).succeeds().keeps_silent();
    assert!(bench.has("runs/animals-mlp-1/model.safetensors"));
    bench.run(&format!("train animals {MLP} --epochs 1 --quiet --json")).succeeds().json();
    bench.run("train nowhere --quiet").exits(3).complains("error: ");
}

#[test]
fn the_built_in_sample_needs_no_files() {
    let bench = Bench::new();
    let outcome = bench.run("train sample --model mlp --epochs 1 --json").succeeds();
    let accuracy = outcome.json()["best"]["val_accuracy"].as_f64().unwrap();
    // Ten classes: guessing gives 0.1. One epoch of these settings gives 0.7 or more for any seed tried.
    assert!(accuracy > 0.6, "{accuracy}");
    outcome.complains("test/ is untouched: wellfit evaluate");
}

#[test]
fn idx_folders_bring_their_own_image_size_and_classes() {
    let bench = Bench::new();
    bench.digits("digits", 60, 20);
    let outcome = bench.run("train digits --epochs 1 --out run").succeeds();
    outcome
        .says("resnet20 for inputs [1, 8, 8]")
        .says("Data: digits, 50 training, 10 validation, 20 test images, 10 classes");
}

#[test]
fn runs_without_out_never_share_a_directory() {
    let bench = animals();
    let line = format!("train animals {MLP} --epochs 1 --json");
    let spawn = || bench.command(&line).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let both = [spawn(), spawn()].map(|child| Outcome::new(&line, &child.wait_with_output().unwrap()));
    let [first, second] = both.map(|outcome| outcome.succeeds().json()["run"].clone());
    assert_ne!(first, second);
    assert_eq!(bench.names("runs"), ["animals-mlp-1", "animals-mlp-2"]);
}

#[test]
fn a_configuration_file_fills_in_and_the_command_line_wins() {
    let bench = animals();
    bench.write(
        "c.toml",
        "model = \"mlp\"\nimage_size = 16\nepochs = 9\nbatch_size = 5\nlr = 1\nhflip = true\n",
    );
    bench.run("train animals --config c.toml --epochs 1 --lr 0.002 --hflip=false --out run").succeeds();
    let config = bench.toml("run/run.toml")["config"].clone();
    assert_eq!(config["epochs"].as_integer(), Some(1), "typed over the file");
    assert_eq!(config["lr"].as_float(), Some(0.002), "typed over the file");
    assert_eq!(config["hflip"].as_bool(), Some(false), "typed over the file");
    assert_eq!(config["batch_size"].as_integer(), Some(5), "from the file");
    assert_eq!(config["val_split"].as_float(), Some(0.2), "the default");
    assert_eq!(bench.lines("run/steps.jsonl").len(), 3, "12 images in batches of 5, 5 and 2");
}

#[test]
fn the_configuration_in_a_run_is_a_configuration_file() {
    let bench = animals();
    let options = "--epochs 2 --early-stopping --patience 4 --checkpoint {epoch:02d}.safetensors --seed 5";
    bench.run(&format!("train animals {MLP} {options} --out first")).succeeds();
    let config = bench.toml("first/run.toml")["config"].clone();
    bench.write("again.toml", toml_document(&config));
    bench.run("train animals --config again.toml --out second").succeeds();
    assert_eq!(bench.toml("second/run.toml")["config"], config);
    let model = |run: &str| bench.bytes(&format!("{run}/model.safetensors"));
    assert_eq!(model("first"), model("second"));
}

fn toml_document(table: &toml::Value) -> String {
    table.as_table().unwrap().to_string()
}

#[test]
fn a_last_batch_of_one_image_joins_the_one_before() {
    let bench = Bench::new();
    bench.pictures("pets/train", &["cat", "dog"], 0..4);
    bench.pictures("pets/train", &["cat"], 4..5);
    bench.pictures("pets/val", &["cat", "dog"], 5..7);
    // 9 images in batches of 4 leave one over, which BatchNorm could not learn from.
    bench.run(&format!("train pets {RESNET} --epochs 1 --batch-size 4 --out run")).succeeds();
    assert_eq!(bench.lines("run/steps.jsonl").len(), 2);
}

/// Ten images to train on, four to test on.
fn pets_with_test() -> Bench {
    let bench = Bench::new();
    bench.pictures("pets/train", &["cat", "dog"], 0..5);
    bench.pictures("pets/test", &["cat", "dog"], 5..7);
    bench
}

#[test]
fn without_val_a_part_of_train_is_set_aside_and_test_is_kept() {
    let bench = pets_with_test();
    let outcome = bench.run(&format!("train pets {MLP} --epochs 1 --out run")).succeeds();
    outcome
        .says("8 training, 2 validation, 4 test images")
        .says("test/ is untouched: wellfit evaluate run pets");
}

#[test]
fn the_transfer_lab_validates_on_test_and_calls_that_optimistic() {
    let bench = pets_with_test();
    let outcome = bench.run(&format!("lab transfer pets {MLP} --epochs 1 --out run")).succeeds();
    outcome.says("10 training, 4 validation images, 2 classes").says("optimistic").never_says("untouched");
    // Its pictures have the recipe's colours, and no others.
    for (picture, colors) in [("accuracy", ["#008000", "#0000ff"]), ("loss", ["#ffa500", "#ff0000"])] {
        let svg = bench.text(&format!("run/{picture}.svg"));
        assert!(colors.iter().all(|color| svg.contains(color)) && !svg.contains("#11588f"), "{svg}");
    }
}

#[test]
fn paths_that_are_no_unicode_do_no_harm() {
    #[cfg(unix)]
    {
        use std::os::unix::ffi::OsStrExt as _;
        let bench = animals();
        let out = std::ffi::OsStr::from_bytes(b"caf\xe9");
        let line = format!("train animals {MLP} --epochs 1 --json --out");
        let output = bench.command(&line).arg(out).output().unwrap();
        let outcome = Outcome::new(&line, &output).succeeds();
        assert_eq!(outcome.json()["run"], "caf\u{fffd}");
    }
}

/// Both ways of summing give nearly the same figures, and not the same bits: the option does something.
#[test]
fn convolutions_can_be_summed_directly() {
    let bench = Bench::new();
    bench.animals();
    let line = "train animals --model resnet18 --image-size 32 --epochs 1 --batch-size 8 --lr 0.0001";
    bench.run(&format!("{line} --out fast")).succeeds();
    bench.run(&format!("{line} --exact-conv --out exact")).succeeds();
    let loss = |run: &str| bench.events(run, "epoch")[0]["train_loss"].as_f64().unwrap();
    let (fast, exact) = (loss("fast"), loss("exact"));
    assert!((fast - exact).abs() < 1e-3, "{fast} {exact}");
    assert_ne!(bench.bytes("fast/model.safetensors"), bench.bytes("exact/model.safetensors"));
}

/// Runs of the first version named their files by the techniques that were on, and knew fewer settings.
#[test]
fn a_run_of_the_first_version_is_read_and_resumed() {
    let bench = animals();
    let best = "--best val_loss";
    let line =
        format!("train animals {MLP} --epochs 3 --batch-size 4 --early-stopping --lr-scheduler {best}");
    bench.run(&format!("{line} --out run")).succeeds();
    let model = bench.bytes("run/model.safetensors");
    let mut info = bench.toml("run/run.toml");
    assert_eq!(info.remove("model_file"), Some("model.safetensors".into()));
    let config = info["config"].as_table_mut().unwrap();
    assert_eq!(config.remove("scaling"), Some("imagenet".into()));
    assert_eq!(config.remove("best"), Some("val_loss".into()));
    std::fs::remove_file(bench.path("run/trained-on.txt")).unwrap();
    bench.write("run/run.toml", info.to_string());
    bench.forget_identity("run");
    let old = "run/model_lr_scheduler_early_stopping.safetensors";
    std::fs::rename(bench.path("run/model.safetensors"), bench.path(old)).unwrap();
    bench.run("predict run animals/cat/0.png").succeeds().says("1. ");
    bench.run("evaluate run animals").succeeds().says("animals (val, 4 images)");
    bench.pictures("others", &["cat", "dog"], 20..22);
    let other = bench.run("evaluate run others").succeeds().says("others (all, 4 images)");
    other.warns("run was made by a version that did not write down its training images");
    bench.run("resume run").succeeds().says("is finished");
    std::fs::remove_file(bench.path(old)).unwrap();
    let again = bench.run(&format!("{line} --out run --resume auto")).succeeds();
    again.says("Resuming run from ").says("TRAINING COMPLETE");
    assert_eq!(bench.bytes(old), model, "under its old name");
    assert!(!bench.has("run/model.safetensors"));
    assert!(bench.has("run/trained-on.txt"), "a resumed run knows what it was trained on");
}

/// An old run kept the weights with the lowest loss even where it monitored another metric; so does what resumes it.
#[test]
fn an_old_run_keeps_the_lowest_loss_when_it_is_resumed() {
    let bench = alike();
    bench
        .run(&format!("train alike {MLP} {GUESSES} --monitor val_accuracy --best val_loss --out run"))
        .succeeds();
    let model = bench.bytes("run/model.safetensors");
    let mut info = bench.toml("run/run.toml");
    assert_eq!(info["config"].as_table_mut().unwrap().remove("best"), Some("val_loss".into()));
    bench.write("run/run.toml", info.to_string());
    std::fs::remove_file(bench.path("run/model.safetensors")).unwrap();
    let result = bench.run("resume run --json").succeeds().json();
    assert_eq!(result["best"]["by"], "val_loss");
    assert_eq!(bench.bytes("run/model.safetensors"), model);
}

/// Options for [`alike`].
const GUESSES: &str = "--epochs 8 --batch-size 8 --checkpoint e{epoch}.safetensors";

/// Two classes in `alike/` that nobody can tell apart, so that accuracy and loss are best in different epochs.
fn alike() -> Bench {
    let bench = Bench::new();
    for (class, numbers) in [("cat", 0..40), ("dog", 40..80)] {
        for number in numbers {
            bench.write(&format!("alike/{class}/{number}.png"), picture(0, number));
        }
    }
    bench
}

#[test]
fn the_weights_that_are_kept_are_those_of_the_best_epoch_by_the_chosen_metric() {
    let bench = alike();
    let mut kept = Vec::new();
    for (number, (options, by)) in [
        ("", "val_accuracy"),
        ("--early-stopping --patience 99", "val_accuracy"),
        ("--monitor val_loss", "val_loss"),
        ("--monitor train_loss", "train_loss"),
        ("--best val_loss --monitor val_accuracy", "val_loss"),
        ("--best train_accuracy", "train_accuracy"),
    ]
    .into_iter()
    .enumerate()
    {
        let run = format!("run{number}");
        let outcome =
            bench.run(&format!("train alike {MLP} {GUESSES} {options} --out {run} --json")).succeeds();
        let epochs = bench.events(&run, "epoch");
        let (best, result) = (best_of(&epochs, by), outcome.json()["best"].clone());
        assert_eq!((&result["epoch"], &result["by"]), (&best["epoch"], &by.into()), "{options}");
        outcome.complains(&format!("Best epoch {} of 8 by {by}", best["epoch"]));
        let model = bench.bytes(&format!("{run}/model.safetensors"));
        assert!(model == bench.bytes(&format!("{run}/e{}.safetensors", best["epoch"])), "{options}");
        let stop = &bench.events(&run, "stop")[0];
        assert_eq!((&stop["best_epoch"], &stop["best_value"]), (&best["epoch"], &best[by]), "{options}");
        let shown = bench.run("runs . --json").succeeds().json();
        let listed = shown["runs"]
            .as_array()
            .unwrap()
            .iter()
            .find(|listed| listed["run"].as_str().is_some_and(|path| path.ends_with(&run)));
        assert_eq!(listed.unwrap()["best"]["epoch"], best["epoch"], "{options}");
        kept.push(best["epoch"].as_u64().unwrap());
    }
    assert_ne!(kept[0], kept[2], "the test needs a run in which accuracy and loss disagree: {kept:?}");
}

#[test]
fn a_large_network_from_random_weights_is_warned_of_first_of_all() {
    let bench = animals();
    let line = "train animals --model resnet18 --image-size 32 --epochs 3 --out run";
    let outcome = bench.run(&format!("{line} --json")).succeeds();
    let text = outcome.to_string();
    let place = |part: &str| text.find(part).unwrap_or_else(|| panic!("{part} is not in {text}"));
    assert!(
        place("resnet18 starts from random weights, with 12 images") < place("Network: resnet18"),
        "{text}"
    );
    outcome.complains("gives 50.0 %");
    outcome.complains("3 × 1 steps take about");
    outcome.complains("--weights resnet18-f37072fd.pth");
    for options in [
        format!("{MLP} --epochs 1"),
        "--model resnet18 --image-size 32 --epochs 1 --weights run/model.safetensors".to_owned(),
    ] {
        let outcome = bench.run(&format!("train animals {options} --json")).succeeds().to_string();
        assert!(!outcome.contains("random weights"), "{outcome}");
    }
}

#[test]
fn schedules_and_scalings_have_names() {
    let bench = animals();
    let line = format!("train animals {MLP} --epochs 3 --batch-size 12");
    bench.run(&format!("{line} --schedule step:step_size=1,gamma=0.5 --lr 0.004 --out steps")).succeeds();
    let rates: Vec<_> =
        bench.events("steps", "epoch").iter().map(|epoch| epoch["lr"].as_f64().unwrap()).collect();
    assert_eq!(rates, [0.004, 0.002, 0.001]);
    for scaling in ["minmax", "zscore", "imagenet"] {
        bench.run(&format!("{line} --scaling {scaling} --out {scaling}")).succeeds();
        assert_eq!(bench.toml(&format!("{scaling}/run.toml"))["config"]["scaling"].as_str(), Some(scaling));
    }
    let model = |run: &str| bench.bytes(&format!("{run}/model.safetensors"));
    assert!(model("minmax") != model("zscore") && model("zscore") != model("imagenet"));
}
