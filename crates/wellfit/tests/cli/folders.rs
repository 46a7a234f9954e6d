//! Folders as people have them: what `train`, `evaluate` and `data show` say of them.

use crate::bench::Bench;
use crate::material::{MLP, picture};

/// Parts of other names, a copy across them, a class that is not validated, and what lies about.
fn photos() -> Bench {
    let bench = Bench::new();
    bench.pictures("photos/data/Training", &["cat", "dog", "eel"], 0..6);
    bench.pictures("photos/data/valid", &["cat", "dog"], 6..8);
    bench.write("photos/data/valid/cat/copy.png", picture(0, 3));
    bench.write("photos/data/Training/dog/copy.png", picture(0, 4));
    bench.write("photos/data/test/unsorted.png", picture(0, 9));
    bench.write("photos/data/Training/cat/phone.heic", "?");
    bench.write("photos/data/Training/cat/._0.png", "?");
    bench.write("photos/__MACOSX/data/._0.png", "?");
    bench.write("photos/runs/old/run.toml", "?");
    bench.write("photos/runs/old/loss.png", picture(1, 9));
    bench
}

#[test]
fn train_tells_what_it_found_before_it_trains() {
    let bench = photos();
    let outcome = bench.run(&format!("train photos {MLP} --epochs 1 --out run")).succeeds();
    let outcome = outcome
        .says("training part: photos/data/Training")
        .says("validation part: photos/data/valid")
        .says("photos/runs holds runs of Wellfit and is no class")
        .says("       training  validation")
        .says("  dog         7           2")
        .says("Chance level: 40.0 % by always answering ‘dog’")
        .says_before("Chance level", "Epoch 1 of 1");
    for warning in [
        "there is no test part to use: photos/data/test: it holds 1 image but no folders of classes",
        "1 .heic file is left out, such as photos/data/Training/cat/phone.heic",
        "no validation image of eel",
        "1 of 5 validation images are training images, too",
        "1 picture stands in more than one class, such as photos/data/Training/cat/4.png and",
    ] {
        outcome.complains(warning);
    }
    assert_eq!(bench.toml("run/run.toml")["classes"].as_array().unwrap().len(), 3);
}

#[test]
fn evaluate_needs_the_test_part_that_train_does_not() {
    let bench = photos();
    bench.run(&format!("train photos {MLP} --epochs 1 --out run --quiet")).succeeds();
    let outcome = bench.run("evaluate run photos").exits(3);
    outcome.complains("photos/data/test: it holds 1 image but no folders of classes");
    outcome.complains("`predict` takes images without classes");
}

#[test]
fn data_show_reports_the_same_and_an_empty_class_does_not_end_it() {
    let bench = photos();
    std::fs::create_dir(bench.path("photos/data/Training/fox")).unwrap();
    bench.refuses_to_train("photos", 3, &["photos/data/Training/fox holds no images"]);
    let outcome = bench.run("data show photos --json --images 4").succeeds();
    for warning in [
        "photos/data/Training/fox holds no images",
        "train has no image of fox",
        "val has no image of eel, fox",
        "1 of 5 val images are train images, too",
    ] {
        outcome.complains(warning);
    }
    let result = outcome.json();
    assert_eq!(result["parts"][0]["counts"], serde_json::json!([6, 7, 6, 0]));
    assert_eq!(result["parts"][0]["chance"], serde_json::json!(7.0 / 19.0));
    let kinds: Vec<&str> =
        result["remarks"].as_array().unwrap().iter().map(|remark| remark["kind"].as_str().unwrap()).collect();
    for kind in ["run", "part_in", "part_unused", "unread_images", "empty_class"] {
        assert!(kinds.contains(&kind), "{kind} not in {kinds:?}");
    }
    let copies = &result["copies"];
    assert_eq!((&copies["within"], &copies["across_classes"]), (&0.into(), &1.into()));
    assert_eq!(copies["across_parts"], serde_json::json!([{ "parts": ["train", "val"], "images": 1 }]));
    assert_eq!(copies["sets"].as_array().unwrap().len(), 2);
}

#[test]
fn flat_files_are_refused_with_the_way_out() {
    let bench = Bench::new();
    for (class, name) in ["cat", "dog"].iter().enumerate() {
        for number in 0..3 {
            bench.write(&format!("train/{name}.{number}.png"), picture(class, number));
        }
    }
    bench.write("test1/1.png", picture(0, 7));
    let words = ["train: it holds 6 images", "begin with ‘cat’, ‘dog’", "mv cat* cat/"];
    bench.refuses_to_train(".", 3, &words);
}
