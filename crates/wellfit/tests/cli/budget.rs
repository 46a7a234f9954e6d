//! What a run may take: `--time`, `--memory`.

use crate::bench::Bench;
use crate::material::MLP;

fn animals() -> Bench {
    let bench = Bench::new();
    bench.animals();
    bench
}

#[test]
fn all_epochs_are_trained_where_there_is_time_enough() {
    let bench = animals();
    let line = format!("train animals {MLP} --epochs 3 --time 2h");
    bench
        .run(&format!("{line} --out timed"))
        .succeeds()
        .says("All 3 epochs fit into 2 h 0 min: they take about");
    assert_eq!(bench.events("timed", "epoch").len(), 3);
    let settings = bench.toml("timed/run.toml");
    assert_eq!(settings["config"]["time"].as_str(), Some("2h"));
    // The measured steps leave no trace in what is learned.
    bench.run(&format!("train animals {MLP} --epochs 3 --out plain")).succeeds();
    assert_eq!(bench.bytes("timed/model.safetensors"), bench.bytes("plain/model.safetensors"));
}

#[test]
fn a_time_too_short_for_an_epoch_is_refused_before_anything_is_written() {
    let bench = Bench::new();
    let line = "train sample --model resnet20 --epochs 2 --time 1s --out short";
    bench.refuses(line, 2, &["--time 1.0 s: one epoch takes about", "smaller --image-size"]);
}

#[test]
fn times_that_are_none_are_refused_in_words() {
    let bench = animals();
    for time in ["10", "soon", "0s"] {
        bench.refuses(&format!("train animals {MLP} --time {time} --out bad"), 2, &["--time"]);
    }
    bench.refuses(
        &format!("train animals {MLP} --time 10min --folds 3 --out bad"),
        2,
        &["which --folds needs before: give --epochs"],
    );
}

#[test]
fn memory_that_is_told_takes_the_place_of_what_is_free() {
    let bench = animals();
    let line = "train sample --model resnet18 --image-size 96 --epochs 1 --batch-size 64";
    bench.refuses(
        &format!("{line} --memory 500 --out small"),
        2,
        &[
            "training resnet18 on images [3, 96, 96] in batches of 64 takes about",
            "but only 500 MiB of memory are free (--memory)",
            "the largest batch that fits is --batch-size",
        ],
    );
    bench.refuses(&format!("{line} --memory 1 --out small"), 2, &["not even a batch of 2 fits"]);
    bench.run(&format!("train animals {MLP} --epochs 1 --memory 300 --out small")).succeeds();
}
