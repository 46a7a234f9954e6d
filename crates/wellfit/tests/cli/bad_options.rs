//! Options and configuration files that make no sense: exit code 2; weights that do not fit: 4.
//! Each is refused before anything is written.

use crate::bench::Bench;
use crate::material::{MLP, RESNET};

/// `train animals` with these options must be refused with code 2.
#[track_caller]
fn refuses(options: &str, parts: &[&str]) {
    let bench = Bench::new();
    bench.animals();
    bench.refuses_to_train(&format!("animals {options}"), 2, parts);
}

#[test]
fn learning_rates() {
    for (rate, shown) in [("0", "not 0"), ("-0.1", "not -0.1"), ("nan", "not NaN"), ("inf", "not inf")] {
        refuses(&format!("--lr {rate}"), &["--lr must be a positive number", shown]);
    }
}

#[test]
fn numbers_out_of_range() {
    for (options, parts) in [
        ("--batch-size 0", &["--batch-size must be between 1 and", "not 0"][..]),
        ("--batch-size 18446744073709551615", &["--batch-size must be between 1 and"]),
        ("--keep 9223372036854775808", &["--keep must be at most 1000000"]),
        ("--epochs 0", &["--epochs must be at least 1"]),
        ("--epochs -1", &["--epochs", "give a whole number from 0 to"]),
        ("--lr 0,1", &["--lr", "with a point: 0.1"]),
        ("--image-size 0", &["--image-size must be between 1 and 4096, not 0"]),
        ("--image-size 100000", &["--image-size must be between 1 and 4096"]),
        ("--val-split 0", &["--val-split must be above 0 and below 1, not 0"]),
        ("--val-split 1", &["--val-split must be above 0 and below 1, not 1"]),
        ("--val-split nan", &["--val-split must be above 0 and below 1, not NaN"]),
        ("--label-smoothing 1", &["--label-smoothing must be at least 0 and below 1"]),
        ("--checkpoint-every 50", &["--checkpoint-every 50", "50steps, 90s, 10min or 2h"]),
        ("--checkpoint-every 0steps", &["--checkpoint-every 0steps", "50steps"]),
        ("--clip-norm 0", &["--clip-norm must be a positive number"]),
        ("--weight-decay -1", &["--weight-decay must be at least 0, not -1"]),
        ("--min-delta nan --early-stopping", &["min_delta", "NaN"]),
        ("--lr-factor 1 --lr-scheduler", &["factor", "1"]),
        ("--min-lr -1 --lr-scheduler", &["min_lr", "-1"]),
        ("--seed 18446744073709551615", &["--seed", "9223372036854775807"]),
        ("--hflip 0.8", &["--hflip 0.8", "half of the time"]),
        ("--workers 18446744073709551615", &["--workers must be at most 1024"]),
        ("--threads 100000", &["--threads must be at most 1024"]),
    ] {
        refuses(options, parts);
    }
}

#[cfg(not(any(feature = "wgpu", feature = "cuda")))]
#[test]
fn devices_that_were_left_out_of_the_build() {
    for device in ["wgpu", "cuda"] {
        refuses(&format!("--device {device}"), &["was built without", &format!("--features {device}")]);
    }
}

#[test]
fn names_that_do_not_exist() {
    for (options, parts) in [
        ("--model resnet51", &["no model `resnet51`", "resnet50", "mlp-bn"][..]),
        ("--monitor val_los", &["--monitor val_los is unknown", "val_loss, val_accuracy"]),
        ("--checkpoint-monitor f2", &["--checkpoint-monitor f2 is unknown", "val_accuracy"]),
        ("--device tpu", &["--device tpu: there is no device `tpu`", "cpu, wgpu, cuda"]),
        ("--optimizer adan", &["adan", "adamw", "sgd"]),
        ("--schedule stairs", &["stairs", "one-cycle"]),
        ("--early-stoping", &["--early-stoping", "--early-stopping"]),
        ("--mosaic 0.2", &["--mosaic is no augmentation here", "--augment"]),
        ("--augment heavy", &["heavy", "none, light, strong"]),
        ("--color-jitter 0.4,0.2", &["0.4,0.2", "four for brightness"]),
        ("--erasing 1.5", &["--erasing must be from 0 to 1, not 1.5"]),
        ("--randaugment 31", &["--randaugment must be at most 30, not 31"]),
        ("--pretrained", &["--pretrained", "--weights FILE"]),
    ] {
        refuses(options, parts);
    }
}

#[test]
fn options_that_contradict_each_other() {
    for (options, parts) in [
        ("--save-best-only", &["--save-best-only", "--checkpoint"][..]),
        ("--lr-scheduler --schedule cosine", &["--lr-scheduler and --schedule", "choose one"]),
        ("--momentum 0.9", &["--momentum belongs to --optimizer sgd"]),
        ("--ema 1", &["--ema must be above 0 and below 1, such as 0.999, not 1"]),
        ("--ema 0", &["--ema must be above 0"]),
        ("--accumulate 0", &["--accumulate must be at least 1"]),
    ] {
        refuses(options, parts);
    }
}

#[test]
fn names_for_checkpoints() {
    for (name, part) in [
        ("{epoch}.h5", ".safetensors"),
        ("run.toml", ".safetensors"),
        ("model.safetensors", "the best weights get that name"),
        ("../{epoch}.safetensors", "file name"),
        ("{epok}.safetensors", "no epok here; known are epoch"),
        ("{epoch.safetensors", "a lone"),
    ] {
        refuses(&format!("--checkpoint {name}"), &["--checkpoint", name, part]);
    }
    let long = "x".repeat(250);
    refuses(&format!("--checkpoint {long}.safetensors"), &["a file name has at most 200 bytes"]);
}

#[test]
fn one_image_a_batch_with_batchnorm() {
    refuses(&format!("{RESNET} --batch-size 1"), &["--batch-size 1", "BatchNorm", "2 or more"]);
}

#[test]
fn options_are_refused_before_the_data_are_read() {
    Bench::new().refuses_to_train("nowhere --lr 0", 2, &["--lr"]);
}

/// `train animals --config c.toml` with this content must be refused, naming the file.
#[track_caller]
fn refuses_config(content: &str, parts: &[&str]) {
    let bench = Bench::new();
    bench.animals();
    bench.write("c.toml", content);
    bench.refuses_to_train("animals --config c.toml", 2, &[&["--config c.toml"], parts].concat());
}

#[test]
fn configuration_files() {
    refuses_config("epochs = 2\nlurning_rate = 0.1\n", &["line 2", "lurning_rate", "lr"]);
    refuses_config("epochs = 2\n\nbatch_size = \"many\"\n", &["line 3", "batch_size = \"many\""]);
    refuses_config("epochs = -2\n", &["line 1", "-2"]);
    refuses_config("optimizer = \"adan\"\n", &["line 1", "adan", "adamw"]);
    refuses_config("epochs = \n", &["line 1"]);
    refuses_config("[train]\nepochs = 1\n", &["line 1", "train"]);
}

#[test]
fn values_of_a_configuration_file_are_checked_as_typed_ones_are() {
    let bench = Bench::new();
    bench.animals();
    bench.write("c.toml", "lr = 0.0\n");
    bench.refuses_to_train("animals --config c.toml", 2, &["--lr must be a positive number"]);
    bench.refuses_to_train("animals --config none.toml", 2, &["--config none.toml", "No such file"]);
}

/// `train animals --weights w` with these bytes must be refused with code 4, naming the file.
#[track_caller]
fn refuses_weights(bench: &Bench, options: &str, file: &str, parts: &[&str]) {
    bench.animals();
    let line = format!("animals {options} --weights {file}");
    bench.refuses_to_train(&line, 4, &[&[file], parts].concat());
}

#[test]
fn weights_that_are_not_there() {
    refuses_weights(&Bench::new(), MLP, "none.pth", &["cannot read", "No such file"]);
}

#[test]
fn a_pth_that_is_none() {
    let bench = Bench::new();
    bench.write("w.pth", "these are no weights, however long you look at them");
    refuses_weights(&bench, MLP, "w.pth", &["neither a safetensors nor a PyTorch file", "these are no wei"]);
}

#[test]
fn a_damaged_weight_file() {
    let bench = Bench::new();
    bench.weights("w.safetensors", "mlp", 2);
    let bytes = bench.bytes("w.safetensors");
    bench.write("w.safetensors", &bytes[..bytes.len() - 1]);
    refuses_weights(&bench, MLP, "w.safetensors", &["Download or copy it again"]);
}

#[test]
fn weights_of_another_model_name_the_first_keys_and_shapes() {
    let bench = Bench::new();
    bench.weights("w.safetensors", "mlp", 2);
    let parts =
        ["do not fit resnet20", "`conv1.weight` [16, 3, 3, 3] ", " `classifier.0.weight`", "and ", " more"];
    refuses_weights(&bench, RESNET, "w.safetensors", &parts);
}

#[test]
fn weights_for_another_image_size_name_both_shapes() {
    let bench = Bench::new();
    bench.weights("w.safetensors", "mlp", 2);
    let parts = ["`classifier.0.weight` [48, 3072]  `classifier.0.weight` [48, 768]"];
    refuses_weights(&bench, "--model mlp --image-size 32", "w.safetensors", &parts);
}

#[test]
fn the_labs_options() {
    let bench = Bench::new();
    bench.digits("digits", 20, 10);
    for (line, parts) in [
        ("dropout --p 1", &["--p must be at least 0 and below 1, not 1"][..]),
        ("dropout --p nan", &["--p"]),
        ("dropout --lr -1", &["--lr must be a positive number, not -1"]),
        ("dropout --noise -0.1", &["--noise must be at least 0, not -0.1"]),
        ("dropout --samples 1", &["--samples must be between 2 and"]),
        ("dropout --hidden 1000000", &["--hidden must be between 1 and 4096"]),
        ("dropout --epochs 0", &["--epochs must be between 1 and"]),
        ("dropout --seeds 0", &["--seeds must be at least 1"]),
        ("batchnorm --data digits --batch-size 1", &["--batch-size 1", "BatchNorm"]),
        ("batchnorm --data digits --batch-size 0", &["--batch-size must be between 1 and"]),
        ("batchnorm --data digits --lr nan", &["--lr must be a positive number, not NaN"]),
        ("batchnorm --data digits --epochs 0", &["--epochs must be at least 1"]),
    ] {
        bench.earlier_run();
        bench.refuses(&format!("lab {line} --out earlier --force"), 2, parts);
    }
}

#[test]
fn the_other_commands_options() {
    let bench = Bench::new();
    bench.animals();
    for (line, part) in [
        ("predict earlier animals/cat/0.png --top 0", "--top must be at least 1"),
        ("predict earlier animals/cat/0.png --image-size 0", "--image-size must be between"),
        ("predict earlier", "<IMAGE>"),
        ("evaluate earlier animals --batch-size 0", "--batch-size must be between"),
        ("data show animals --images 0", "--images must be at least 1"),
        ("lab", "batchnorm"),
        ("trian animals", "train"),
    ] {
        let outcome = bench.run(line).exits(2);
        outcome.complains(part);
    }
}
