//! Weights of other programs and spoilt ones, at every command that takes them. The files are PyTorch's and Lightning's
//! (`parity/checkpoints.py`).

use crate::bench::Bench;
use crate::material::MLP;
use serde_json::Value;
use std::path::PathBuf;
use wellfit::base::hash::sha256;
use wellfit::weights::{Array, Data, WeightFile, read, write_safetensors};

fn fixture(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/checkpoints").join(name)
}

/// The files in that folder of the fixtures.
fn fixtures(folder: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(fixture(folder)).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<PathBuf> = entries
        .filter(|path| {
            path.is_file() && !["png", "json"].iter().any(|end| path.extension() == Some(end.as_ref()))
        })
        .collect();
    files.sort();
    files
}

fn logits(outcome: &Value) -> Vec<f64> {
    outcome["predictions"][0]["logits"].as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).collect()
}

/// Every wrapping gives torch's logits, without `--model` or `--image-size`. The weights are exact in bfloat16; torch
/// computed in float64 and we in f32, so the logits, of up to 2 here, differ by rounding only.
#[test]
fn every_wrapping_of_a_network_computes_what_torch_does() {
    let bench = Bench::new();
    let expected: Value = serde_json::from_slice(&std::fs::read(fixture("logits.json")).unwrap()).unwrap();
    let expected: Vec<f64> =
        expected["logits"].as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).collect();
    let files = fixtures("");
    assert!(files.len() > 50, "{files:?}");
    for file in files {
        let line = format!("predict {} {} --json", file.display(), fixture("picture.png").display());
        let found = logits(&bench.run(&line).succeeds().json());
        let off = found.iter().zip(&expected).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        assert!(found.len() == 3 && off < 1e-5, "{}: {found:?}, not {expected:?}", file.display());
    }
}

#[test]
fn what_is_no_state_dict_is_refused_by_what_it_is() {
    let bench = Bench::new();
    let picture = fixture("picture.png").display().to_string();
    let cases: &[(&str, &[&str])] = &[
        ("module.pth", &["`__main__.Mlp`", "torch.load(path, weights_only=False).state_dict()"]),
        ("old_module.pth", &["`__main__.Mlp`", "torch.load(path, weights_only=False).state_dict()"]),
        (
            "module_in_dict.pt",
            &["`__main__.Mlp`", "torch.load(path, weights_only=False)[\"model\"].state_dict()"],
        ),
        ("script.pt", &["a TorchScript archive", "torch.jit.load(path).state_dict()"]),
        ("trace.pt", &["a TorchScript archive", "torch.jit.load(path).state_dict()"]),
        ("exported.pt2", &["a program of torch.export", "torch.export.load(path).state_dict"]),
        ("attack.pth", &["asks to run `__builtin__.eval`; refused", "do not load it there"]),
        ("no_tensors.pth", &["no tensors", "‘epoch’, ‘best’"]),
        ("number.pth", &["does not hold a dict of weights"]),
        ("only_optimizer.pth", &["no tensors", "‘optimizer’"]),
        ("model.onnx", &["an ONNX model"]),
        ("model.h5", &["an HDF5 file, as Keras"]),
        ("model.keras", &["a Keras model"]),
        ("arrays.npz", &["an archive of NumPy arrays"]),
        ("array.npy", &["a NumPy array"]),
        ("numpy.pkl", &["it is a pickle, but not one that PyTorch wrote"]),
        ("model.safetensors.index.json", &["cut into several files", "torch.save(model.state_dict()"]),
        ("weights.pth.gz", &["a gzip archive", "Unpack it"]),
        ("pointer.pth", &["Git LFS", "git lfs pull"]),
        ("page.pth", &["a web page", "Download it again"]),
        ("zipped.zip", &["a zip archive", "Unpack it"]),
    ];
    for (name, parts) in cases {
        let file = fixture("refused").join(name).display().to_string();
        bench.refuses(&format!("predict {file} {picture}"), 4, &[&[*name][..], parts].concat());
    }
    let all = std::fs::read_dir(fixture("refused")).unwrap().count();
    assert_eq!(all, cases.len(), "every file of the folder is tried");
}

/// Pictures of `cat` and `dog`, and weights of an mlp for two classes.
fn pets() -> Bench {
    let bench = Bench::new();
    bench.pictures("pets/train", &["cat", "dog"], 0..8);
    bench.pictures("pets/val", &["cat", "dog"], 8..12);
    bench.weights("plain.safetensors", "mlp", 2);
    bench
}

fn rewrite(bench: &Bench, to: &str, change: impl Fn(&mut WeightFile)) {
    let mut file = read(&bench.path("plain.safetensors")).unwrap();
    change(&mut file);
    write_safetensors(&bench.path(to), &file).unwrap();
}

fn rename(file: &mut WeightFile, change: impl Fn(&str) -> String) {
    file.arrays.iter_mut().for_each(|(name, _)| *name = change(name));
}

#[test]
fn training_starts_from_a_file_and_takes_its_architecture() {
    let bench = pets();
    rewrite(&bench, "prefixed.safetensors", |file| rename(file, |name| format!("model.{name}")));
    let outcome = bench.run("train pets --image-size 16 --epochs 1 --weights prefixed.safetensors --out run");
    outcome.succeeds().says("prefixed.safetensors does not name its architecture; it is that of mlp");
    assert_eq!(bench.toml("run/run.toml")["model"]["name"].as_str(), Some("mlp"));
    let line = "pets --image-size 16 --epochs 1 --model resnet20 --weights prefixed.safetensors";
    bench.refuses_to_train(line, 4, &["do not fit resnet20", "looks like mlp: give --model mlp"]);
    // The file of a run says what it is for.
    let line = "pets --image-size 16 --epochs 1 --model resnet20 --weights run/model.safetensors";
    bench.refuses_to_train(line, 4, &["looks like mlp: give --model mlp"]);
    let line = "predict run/model.safetensors pets/val/cat/8.png --model resnet18";
    bench.refuses(line, 4, &["says that it is for mlp, not resnet18", "leave --model out"]);
}

/// The first step of a run from another run's weights is that from its model file.
#[test]
fn a_run_gives_its_kept_weights() {
    let bench = pets();
    bench.run(&format!("train pets {MLP} --epochs 2 --out first --quiet")).succeeds();
    for (weights, out) in [("first", "of_run"), ("first/model.safetensors", "of_file")] {
        let line = format!("train pets --image-size 16 --epochs 1 --weights {weights} --out {out}");
        bench.run(&line).succeeds().says("Weights from ").says("first/model.safetensors");
    }
    assert_eq!(bench.bytes("of_run/model.safetensors"), bench.bytes("of_file/model.safetensors"));
    bench.refuses_to_train(
        &format!("pets {MLP} --weights pets"),
        4,
        &["no weights to start from", "pets is not a run"],
    );
    bench.run("lab dropout --epochs 1 --out lab").succeeds();
    bench.refuses_to_train(&format!("pets {MLP} --weights lab"), 4, &["no weights"]);
}

#[test]
fn heads_and_extra_arrays_are_told_of() {
    let bench = pets();
    rewrite(&bench, "head.safetensors", |file| rename(file, |name| name.replace("classifier.4", "head.fc")));
    let train = |file: &str| format!("train pets {MLP} --epochs 1 --force --out run --weights {file}");
    let evaluate = |file: &str| format!("evaluate {file} pets --classes cat,dog");
    bench.run(&train("head.safetensors")).succeeds().says("Their head `head.fc` has 2 classes: replaced");
    bench
        .run(&evaluate("head.safetensors"))
        .succeeds()
        .says("Their head `head.fc` is taken for `classifier.4`");
    rewrite(&bench, "none.safetensors", |file| file.arrays.retain(|(name, _)| !name.contains(".4.")));
    bench.run(&train("none.safetensors")).succeeds().says("no head that fits: a new one with 2 classes");
    bench.refuses(&evaluate("none.safetensors"), 4, &["`classifier.4.weight` [2, 24]", "missing"]);
    let extra = |name: &str| (name.to_owned(), Array { shape: vec![2], data: Data::F32(vec![1.0; 2]) });
    rewrite(&bench, "extra.safetensors", |file| {
        file.arrays.extend(["aux.weight", "loss.a", "loss.b", "loss.c", "loss.d"].map(extra));
    });
    for line in [train("extra.safetensors"), evaluate("extra.safetensors")] {
        bench.run(&line).succeeds().warns("5 arrays of the file have no use here: ‘aux.weight’, ‘loss.a’");
    }
}

fn spoil(file: &mut WeightFile, value: f32) {
    let (_, array) = file.arrays.iter_mut().find(|(name, _)| name == "classifier.2.weight").unwrap();
    let Data::F32(values) = &mut array.data else { panic!("whole numbers") };
    values[..3].fill(value);
}

const SPOILT: [&str; 1] = ["`classifier.2.weight` holds 3 NaN or infinite numbers among 1152"];

#[test]
fn weights_that_are_no_numbers_end_every_command_with_4() {
    let bench = pets();
    rewrite(&bench, "nan.safetensors", |file| spoil(file, f32::NAN));
    rewrite(&bench, "inf.safetensors", |file| spoil(file, f32::NEG_INFINITY));
    for file in ["nan.safetensors", "inf.safetensors"] {
        for line in [
            format!("predict {file} pets/val/cat/8.png"),
            format!("predict {file} pets/val/cat/8.png --precision int8 --calibrate pets"),
            format!("evaluate {file} pets --classes cat,dog"),
            format!("export {file} --format onnx"),
            format!("export {file} --format pth"),
            format!("export {file} --format safetensors --out other"),
            format!("export {file} --int8 --calibrate pets"),
        ] {
            bench.refuses(&line, 4, &[&[file][..], &SPOILT].concat());
        }
        bench.refuses_to_train(&format!("pets {MLP} --weights {file}"), 4, &[&[file][..], &SPOILT].concat());
    }
    bench.refuses(
        &format!("verify-resume pets {MLP} --epochs 1 --kills 1 --weights nan.safetensors"),
        4,
        &SPOILT,
    );
}

#[test]
fn a_run_whose_weights_are_no_numbers_ends_every_command_with_4() {
    let bench = pets();
    bench.run(&format!("train pets {MLP} --epochs 1 --out run --quiet")).succeeds();
    let path = bench.path("run/model.safetensors");
    let mut file = read(&path).unwrap();
    spoil(&mut file, f32::NAN);
    write_safetensors(&path, &file).unwrap();
    // Else they would be made again from the best checkpoint.
    bench.forget_checksums("run");
    for line in [
        "predict run pets/val/cat/8.png",
        "evaluate run pets",
        "evaluate run pets --precision int8",
        "export run --format onnx",
        "export run --int8",
    ] {
        bench.refuses(line, 4, &SPOILT);
    }
    bench.refuses_to_train(&format!("pets {MLP} --weights run"), 4, &SPOILT);
}

/// A checkpoint that is whole, but was written with weights or moments that are no numbers.
#[test]
fn resuming_from_numbers_that_are_none_ends_with_4() {
    for (part, array, told) in [
        ("model.safetensors", "classifier.2.weight", "`classifier.2.weight` holds 3"),
        ("optimizer.safetensors", "0.classifier.2.weight", "`0.classifier.2.weight` holds 3"),
    ] {
        let bench = pets();
        bench.run(&format!("train pets {MLP} --epochs 1 --out run --quiet")).succeeds();
        std::fs::remove_file(bench.path("run/model.safetensors")).unwrap();
        let checkpoints = bench.path("run/checkpoints");
        let entries = std::fs::read_dir(&checkpoints).unwrap().map(|entry| entry.unwrap().path());
        let newest = entries.filter(|path| path.to_string_lossy().ends_with("-last")).max().unwrap();
        let mut file = read(&newest.join(part)).unwrap();
        let (_, found) = file.arrays.iter_mut().find(|(name, _)| name == array).unwrap();
        let Data::F32(values) = &mut found.data else { panic!("whole numbers") };
        values[..3].fill(f32::NAN);
        write_safetensors(&newest.join(part), &file).unwrap();
        let manifest = newest.join("manifest.json");
        let mut json: Value = serde_json::from_slice(&std::fs::read(&manifest).unwrap()).unwrap();
        let entries = json["files"].as_array_mut().unwrap();
        let entry = entries.iter_mut().find(|entry| entry["name"] == part).unwrap();
        entry["sha256"] = sha256(&std::fs::read(newest.join(part)).unwrap()).into();
        std::fs::write(&manifest, json.to_string()).unwrap();
        let sum = sha256(&std::fs::read(&manifest).unwrap());
        std::fs::write(newest.join("manifest.sha256"), format!("{sum}  manifest.json\n")).unwrap();
        let outcome = bench.run("resume run").exits(4);
        outcome.complains(told);
    }
}

/// Finite weights whose products are not.
#[test]
fn outputs_that_are_no_numbers_end_with_4() {
    let bench = pets();
    rewrite(&bench, "large.safetensors", |file| {
        for (_, array) in &mut file.arrays {
            let Data::F32(values) = &mut array.data else { panic!("whole numbers") };
            values.fill(1e30);
        }
    });
    for line in
        ["predict large.safetensors pets/val/cat/8.png", "evaluate large.safetensors pets --classes cat,dog"]
    {
        bench.refuses(line, 4, &["mlp gives ", "NaN or infinite numbers among", "finite, but too large"]);
    }
}

#[test]
fn classes_are_found_by_name_whatever_their_order() {
    let bench = pets();
    bench.run(&format!("train pets {MLP} --epochs 4 --out run --quiet")).succeeds();
    // `cat` is the first class for the network, `dog` and then `owl` would be the first in these folders.
    let all = bench.run("evaluate run pets --json").succeeds().json();
    let accuracy = |found: &Value, class: &str| {
        let classes = found["classes"].as_array().unwrap();
        classes.iter().find(|row| row["class"] == class).unwrap()["accuracy"].clone()
    };
    assert_eq!(all["accuracy"], 1.0);
    for number in 8..12 {
        bench.write(&format!("one/dog/{number}.png"), bench.bytes(&format!("pets/val/dog/{number}.png")));
    }
    let one = bench.run("evaluate run one --json").succeeds().json();
    assert_eq!((&one["images"], accuracy(&one, "dog")), (&4.into(), accuracy(&all, "dog")));
    // The same folders, called by each other's names: nothing is right.
    let foreign = "evaluate run/model.safetensors pets --json --classes";
    assert_eq!(bench.run(&format!("{foreign} cat,dog")).succeeds().json()["accuracy"], 1.0);
    assert_eq!(bench.run(&format!("{foreign} dog,cat")).succeeds().json()["accuracy"], 0.0);
    bench.write("names.txt", "dog\ncat\n");
    assert_eq!(bench.run(&format!("{foreign} names.txt")).succeeds().json()["accuracy"], 0.0);
    bench.refuses(&format!("{foreign} cat,dog,owl"), 2, &["--classes names 3 classes", "2 outputs"]);
    bench.refuses(&format!("{foreign} cat"), 2, &["--classes cat: there is no such file"]);
    bench.refuses(
        "evaluate run pets --classes cat,dog",
        2,
        &["names its classes", "leave --model and --classes out"],
    );
}

#[test]
fn classes_that_the_network_does_not_know_are_named() {
    let bench = pets();
    bench.run(&format!("train pets {MLP} --epochs 1 --out run --quiet")).succeeds();
    bench.pictures("typed", &["Cat", "dgo", "owl"], 20..22);
    let parts = [
        "3 of the 3 classes",
        "Cat (did you mean cat?)",
        "dgo (did you mean dog?)",
        ", owl. It knows cat, dog",
    ];
    bench.refuses("evaluate run typed", 3, &parts);
    bench.refuses(
        "evaluate plain.safetensors pets",
        3,
        &["cat, dog. It knows 0, 1", "name them with --classes"],
    );
}

#[test]
fn a_thousand_outputs_are_imagenets() {
    let bench = pets();
    bench.weights("thousand.safetensors", "mlp", 1000);
    bench.pictures("photos", &["goldfish", "n01440764"], 0..2);
    let found = bench.run("evaluate thousand.safetensors photos --json").succeeds().json();
    let class = |place: usize| found["classes"][place]["class"].as_str();
    assert_eq!((class(0), class(1)), (Some("tench"), Some("goldfish")), "in the order of the outputs");
    let line = "predict thousand.safetensors pets/val/cat/8.png --top 1000";
    bench.run(line).succeeds().says("great white shark").says("toilet tissue");
}
