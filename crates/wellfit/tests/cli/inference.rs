//! `wellfit predict` and `wellfit evaluate`.

use crate::bench::Bench;
use crate::material::MLP;
use crate::train::best_of;

/// A run in `run/` on `pets/`, which has a validation part of its own.
fn trained() -> Bench {
    let bench = Bench::new();
    bench.pictures("pets/train", &["cat", "dog"], 0..8);
    bench.pictures("pets/val", &["cat", "dog"], 8..12);
    bench.run(&format!("train pets {MLP} --epochs 4 --out run --quiet")).succeeds();
    bench
}

#[test]
fn predictions_are_ranked_for_people_and_programs() {
    let bench = trained();
    let line = "predict run pets/val/cat/8.png pets/val/dog/9.png";
    bench.run(line).succeeds().says("pets/val/cat/8.png\n   1. cat ").says("pets/val/dog/9.png\n   1. dog ");
    let outcome = bench.run(&format!("{line} --json")).succeeds();
    let predictions = outcome.json()["predictions"].clone();
    for (place, class) in ["cat", "dog"].into_iter().enumerate() {
        let top = predictions[place]["top"].as_array().unwrap();
        let shares: Vec<f64> = top.iter().map(|row| row["probability"].as_f64().unwrap()).collect();
        assert_eq!(top[0]["class"], class);
        assert!(shares[0] > shares[1] && (shares.iter().sum::<f64>() - 1.0).abs() < 1e-6, "{shares:?}");
    }
    let top = bench.run(&format!("{line} --top 1 --json")).succeeds().json()["predictions"][0]["top"].clone();
    assert_eq!(top.as_array().unwrap().len(), 1);
}

#[test]
fn a_weight_file_predicts_as_its_run_does() {
    let bench = trained();
    let image = "pets/val/cat/8.png --json";
    let by_run = bench.run(&format!("predict run {image}")).succeeds().json();
    assert_eq!(bench.run(&format!("predict run/model.safetensors {image}")).succeeds().json(), by_run);
}

#[test]
fn the_model_of_a_weight_file_follows_from_its_arrays() {
    let bench = trained();
    bench.weights("bare.safetensors", "mlp", 2);
    let image = "pets/val/cat/8.png";
    let told = bench.run(&format!("predict bare.safetensors {image} --model mlp --image-size 16 --json"));
    let found = bench.run(&format!("predict bare.safetensors {image} --json"));
    assert_eq!(found.succeeds().json(), told.succeeds().json());
    let wrong = format!("predict bare.safetensors {image} --model resnet18");
    bench.refuses(&wrong, 4, &["do not fit resnet18", "looks like mlp: give --model mlp"]);
}

#[test]
fn evaluation_repeats_the_figures_of_the_best_epoch() {
    let bench = trained();
    let outcome = bench.run("evaluate run pets --json").succeeds();
    let found = outcome.json();
    let epochs = bench.events("run", "epoch");
    let best = best_of(&epochs, "val_accuracy");
    assert_eq!((&found["part"], &found["images"]), (&"val".into(), &8.into()));
    assert_eq!((&found["loss"], &found["accuracy"]), (&best["val_loss"], &best["val_accuracy"]));
    assert_eq!(found["classes"][1]["class"], "dog");
}

#[test]
fn evaluation_prefers_the_test_part() {
    let bench = trained();
    bench.pictures("pets/test", &["cat", "dog"], 12..15);
    bench.run("evaluate run pets").succeeds().says("pets (test, 6 images)").says("of 3 ");
}

/// A run in `run/` on `animals/`, a folder without parts.
fn trained_on_animals() -> Bench {
    let bench = Bench::new();
    bench.animals();
    bench.run(&format!("train animals {MLP} --epochs 3 --out run --quiet")).succeeds();
    bench
}

#[test]
fn the_training_folder_is_judged_by_what_the_run_validated_on() {
    let bench = trained_on_animals();
    let epochs = bench.events("run", "epoch");
    let best = best_of(&epochs, "val_accuracy");
    std::fs::create_dir(bench.path("moved")).unwrap();
    let judge = |data: &str, weights: &str| {
        let outcome = bench.run(&format!("evaluate {weights} {data} --json")).succeeds();
        outcome.complains("The run was trained on 12 of these images: the figures are of the other 4");
        let found = outcome.json();
        assert_eq!(
            (&found["part"], &found["images"], &found["trained_on"]),
            (&"val".into(), &4.into(), &0.into())
        );
        assert_eq!(
            (&found["loss"], &found["accuracy"]),
            (&best["val_loss"], &best["val_accuracy"]),
            "{data}"
        );
    };
    judge("animals", "run");
    judge("animals", "run/model.safetensors");
    std::fs::rename(bench.path("animals"), bench.path("moved/zoo")).unwrap();
    judge("moved/zoo", "run");
    std::fs::remove_file(bench.path("run/trained-on.txt")).unwrap();
    judge("moved/zoo", "run");
}

#[test]
fn images_that_were_trained_on_are_left_out_whatever_they_are_called() {
    let bench = trained_on_animals();
    let prints = bench.text("run/trained-on.txt");
    assert_eq!(prints.lines().filter(|line| line.len() == 16 && !line.starts_with('#')).count(), 12);
    let epochs = bench.events("run", "epoch");
    let best = best_of(&epochs, "val_accuracy");
    // New images, copies of all old ones under new names, and a link to one.
    bench.pictures("mixed", &["cat", "dog"], 20..23);
    for class in ["cat", "dog"] {
        for (number, name) in bench.names(&format!("animals/{class}")).iter().enumerate() {
            let to = bench.path(&format!("mixed/{class}/copy-{number}.jpeg"));
            std::fs::copy(bench.path(&format!("animals/{class}/{name}")), to).unwrap();
        }
    }
    let outcome = bench.run("evaluate run mixed --json").succeeds();
    outcome.complains("12 of 22 images were trained on: they are left out of the figures");
    let found = outcome.json();
    assert_eq!(
        (&found["part"], &found["images"], &found["trained_on"]),
        (&"all".into(), &10.into(), &12.into())
    );
    assert_eq!(found["with_trained_on"]["images"], 22);
    // The ten are six new ones and the four that the run validated on.
    let right = |share: &serde_json::Value, of: f64| (share.as_f64().unwrap() * of).round();
    let new = {
        bench.pictures("new", &["cat", "dog"], 20..23);
        bench.run("evaluate run new --json").succeeds().json()
    };
    assert_eq!(
        (&new["images"], &new["trained_on"], new.get("with_trained_on")),
        (&6.into(), &0.into(), None)
    );
    assert_eq!(
        right(&found["accuracy"], 10.0),
        right(&new["accuracy"], 6.0) + right(&best["val_accuracy"], 4.0)
    );
    let loss = (6.0 * new["loss"].as_f64().unwrap() + 4.0 * best["val_loss"].as_f64().unwrap()) / 10.0;
    assert!(
        (found["loss"].as_f64().unwrap() - loss).abs() < 1e-6,
        "sums of f32 in another order: {found} {loss}"
    );
    bench.run("evaluate run mixed").succeeds().says("mixed (all, 10 images)");
}

#[test]
fn copies_in_a_test_part_links_and_images_saved_again_are_known() {
    let bench = trained_on_animals();
    bench.pictures("pets/train", &["cat", "dog"], 30..32);
    bench.pictures("pets/test", &["cat", "dog"], 40..42);
    for class in ["cat", "dog"] {
        for (number, name) in bench.names(&format!("animals/{class}")).iter().enumerate() {
            let (from, to) =
                (format!("animals/{class}/{name}"), format!("pets/test/{class}/old-{number}.png"));
            #[cfg(unix)]
            std::os::unix::fs::symlink(bench.path(&from), bench.path(&to)).unwrap();
            #[cfg(not(unix))]
            std::fs::copy(bench.path(&from), bench.path(&to)).unwrap();
        }
    }
    let found = bench.run("evaluate run pets --json").succeeds().json();
    assert_eq!(
        (&found["part"], &found["images"], &found["trained_on"]),
        (&"test".into(), &8.into(), &12.into())
    );
    // The same pixels in another format, which keeps them all.
    for class in ["cat", "dog"] {
        std::fs::create_dir_all(bench.path(&format!("again/{class}"))).unwrap();
        for name in bench.names(&format!("animals/{class}")) {
            let image = image::open(bench.path(&format!("animals/{class}/{name}"))).unwrap();
            image.save(bench.path(&format!("again/{class}/{name}.webp"))).unwrap();
        }
    }
    let found = bench.run("evaluate run again --json").succeeds().json();
    assert_eq!((&found["images"], &found["trained_on"]), (&4.into(), &12.into()));
}

#[test]
fn what_the_first_weights_were_trained_on_counts_for_the_second_run() {
    let bench = trained_on_animals();
    let line = format!("train animals {MLP} --epochs 1 --weights run/model.safetensors --json");
    let same = bench.run(&format!("{line} --out same")).succeeds().to_string();
    assert!(!same.contains("validation will look better"), "{same}");
    let other = bench.run(&format!("{line} --seed 3 --out other")).succeeds();
    let prints = |run: &str| {
        let text = bench.text(&format!("{run}/trained-on.txt"));
        text.lines().skip(1).map(str::to_owned).collect::<std::collections::BTreeSet<_>>()
    };
    let (first, second) = (prints("run"), prints("other"));
    assert!(first.is_subset(&second) && second.len() > 12, "{second:?}");
    let leaked = second.len() - 12;
    // Of the four that the second run sets aside, those that the first one did not are known to the weights.
    let expected = format!("the weights were trained on {leaked} of the 4 validation images");
    other.complains(&expected);
}

#[test]
fn data_that_were_all_trained_on_have_no_figures_of_their_own() {
    let bench = Bench::new();
    bench.pictures("pets/train", &["cat", "dog"], 0..5);
    bench.pictures("pets/val", &["cat", "dog"], 5..7);
    bench.run(&format!("train pets {MLP} --epochs 2 --out run --quiet")).succeeds();
    let outcome = bench.run("evaluate run pets/train --json").succeeds();
    outcome.complains("all 10 images were trained on: these figures say nothing of new images");
    let found = outcome.json();
    assert_eq!(
        (&found["images"], &found["trained_on"], &found["accuracy"]),
        (&0.into(), &10.into(), &().into())
    );
    assert_eq!(found["with_trained_on"]["images"], 10);
    bench.run("evaluate run pets --json").succeeds();
    bench.write("run/trained-on.txt", "# head\n0123456789abcdef\nnonsense\n");
    bench.refuses("evaluate run pets", 5, &["trained-on.txt", "line 3: `nonsense` is no fingerprint"]);
}

#[test]
fn evaluation_on_other_classes_is_refused() {
    let bench = trained();
    bench.pictures("birds", &["owl", "rook"], 0..2);
    bench.refuses("evaluate run birds", 3, &["2 of the 2 classes", "owl, rook. It knows cat, dog"]);
}

#[test]
fn bad_images_are_refused_or_left_out() {
    let bench = trained();
    bench.write("pets/val/cat/bad.png", "no picture");
    bench.refuses("evaluate run pets", 3, &["pets/val/cat/bad.png", "--skip-bad"]);
    bench.run("evaluate run pets --skip-bad").succeeds().warns("pets/val/cat/bad.png");
    bench.refuses("predict run pets/val/cat/bad.png", 3, &["pets/val/cat/bad.png", "no image", "text"]);
    bench.refuses("predict run pets/none.png", 3, &["pets/none.png", "No such file"]);
}

/// The rows of a CSV file, as the text of each cell.
fn cells(text: &str) -> Vec<Vec<String>> {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(text.as_bytes());
    reader.records().map(|row| row.unwrap().iter().map(str::to_owned).collect()).collect()
}

#[test]
fn a_batch_goes_on_after_a_bad_file_and_says_so_by_its_exit_code() {
    let bench = trained();
    bench.write("pets/val/cat/bad.png", "no picture");
    let outcome =
        bench.run("predict run pets/val none.png pets/train/dog/*.png --csv out.csv --top 1").exits(8);
    for part in [
        "warning: cannot use pets/val/cat/bad.png: it is no image",
        "none.png: No such file",
        "2 of 18 files",
    ] {
        outcome.complains(part);
    }
    let rows = cells(&bench.text("out.csv"));
    assert_eq!(rows[0], ["image", "error", "class", "probability"]);
    assert_eq!(rows.len(), 19);
    let row =
        |image: &str| rows.iter().find(|row| row[0] == image).unwrap_or_else(|| panic!("{image} {rows:?}"));
    assert_eq!(row("pets/val/cat/8.png")[2], "cat");
    assert_eq!(row("pets/train/dog/0.png")[2], "dog");
    assert!(row("pets/val/cat/bad.png")[1].contains("no image") && row("none.png")[2].is_empty());
    bench.refuses("predict run pets/val/cat/8.png --csv out.csv", 5, &["out.csv exists", "--force"]);
    bench.run("predict run pets/val/cat/8.png --csv out.csv --force").succeeds();
    assert_eq!(cells(&bench.text("out.csv")).len(), 2);
    bench.refuses(
        "predict run none.png nothing*.png",
        3,
        &["none of 2 files could be classified", "matches the pattern"],
    );
}

#[test]
fn rows_on_standard_output_are_all_that_is_there() {
    let bench = trained();
    let lines = bench.run("predict run pets/val --jsonl --top 1").succeeds().to_string();
    let rows: Vec<serde_json::Value> = lines
        .lines()
        .filter(|line| line.starts_with('{'))
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(rows.len(), 8);
    assert_eq!(rows[0]["image"], "pets/val/cat/10.png");
    assert_eq!(rows[0]["top"][0]["class"], "cat");
    bench
        .run("predict run pets/val --csv")
        .succeeds()
        .says("image,error,class,probability,class_2,probability_2\n");
    bench.refuses("predict run pets/val --csv --json", 2, &["both go to standard output"]);
    bench.refuses("predict run pets/val --csv a --jsonl b", 2, &["choose one"]);
}

#[test]
fn names_come_from_standard_input() {
    let bench = trained();
    for list in ["pets/val/cat/8.png\n\npets/val/dog/9.png\n", "pets/val/cat/8.png\0pets/val/dog/9.png\0"] {
        let mut child = bench.command("predict run - --jsonl");
        child.stdin(std::process::Stdio::piped()).stdout(std::process::Stdio::piped());
        let mut child = child.spawn().unwrap();
        std::io::Write::write_all(&mut child.stdin.take().unwrap(), list.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success() && text.lines().count() == 2, "{text}");
        assert!(text.contains("pets/val/dog/9.png"), "{text}");
    }
}

#[test]
fn a_batch_of_many_files_has_the_predictions_of_each_alone() {
    let bench = trained();
    bench.pictures("many", &["a", "b"], 0..40);
    let together = bench.run("predict run many --json").succeeds().json();
    let predictions = together["predictions"].as_array().unwrap();
    assert_eq!(predictions.len(), 80);
    for place in [0, 31, 32, 79] {
        let image = predictions[place]["image"].as_str().unwrap();
        let alone = bench.run(&format!("predict run {image} --json")).succeeds().json();
        assert_eq!(alone["predictions"][0], predictions[place]);
    }
}

#[test]
fn a_directory_that_is_no_run() {
    let bench = trained();
    for command in ["predict pets pets/val/cat/8.png", "evaluate pets pets"] {
        bench.refuses(command, 5, &["pets is not a run", "run.toml"]);
    }
    bench.refuses("predict nowhere pets/val/cat/8.png", 5, &["cannot open nowhere", "No such file"]);
}

#[test]
fn the_run_of_a_lab_has_no_weights() {
    let bench = trained();
    bench.run("lab dropout --epochs 1 --out lab").succeeds();
    bench.refuses("predict lab pets/val/cat/8.png", 5, &["lab is the run of a lab", "wellfit train"]);
}

#[test]
fn a_run_that_was_tampered_with() {
    let bench = trained();
    let whole = bench.text("run/run.toml");
    let (predict, file) = ("predict run pets/val/cat/8.png", "run/run.toml");
    for (from, to, part) in [
        ("channels = 3", "channels = 2", "channels"),
        ("size = [16, 16]", "size = [0, 16]", "size"),
        ("size = [16, 16]", "size = [100000, 100000]", "100000"),
        ("name = \"mlp\"", "name = 7", "string"),
        ("format = 1", "format = 2", "update Wellfit"),
    ] {
        assert!(whole.contains(from), "{from} is not in {whole}");
        bench.write(file, whole.replace(from, to));
        bench.refuses(predict, 5, &[file, part]);
    }
    bench.write(file, whole);
    let model = bench.bytes("run/model.safetensors");
    bench.write("run/model.safetensors", &model[..model.len() / 2]);
    let again = bench.run(predict).succeeds();
    again.warns("run/model.safetensors is damaged").warns("the best checkpoint's weights are taken");
    assert!(bench.bytes("run/model.safetensors") == model, "the file is made again");
}

/// Files of a kilobyte whose networks would take gigabytes.
#[test]
fn what_a_file_says_of_its_network_must_fit_its_weights() {
    let bench = trained();
    let image = "pets/val/cat/8.png";
    let whole = bench.text("run/run.toml");
    let classes = format!("classes = [{}]", "\"x\", ".repeat(100_000));
    let start = whole.find("classes = [").unwrap();
    let end = start + whole[start..].find(']').unwrap() + 1;
    bench.write("run/run.toml", format!("{}{classes}{}", &whole[..start], &whole[end..]));
    bench.refuses(&format!("predict run {image}"), 4, &["100000 classes", "model.safetensors"]);
    let vast = whole.replace("size = [16, 16]", "size = [4096, 4096]");
    assert_ne!(vast, whole);
    bench.write("run/run.toml", vast);
    bench.refuses(&format!("predict run {image}"), 4, &["this image size", "at least 24159"]);
}
