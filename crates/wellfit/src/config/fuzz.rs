//! Damaged `--config` files: an answer each time, within bounded memory and time (see `wellfit_fuzz`).

use super::{merged, resolve};
use crate::args::TrainArgs;
use clap::Parser;
use std::fs;
use wellfit_fuzz::{Target, as_it_is, fuzz, scratch};

const CONFIG: &str = r#"model = "resnet18"
epochs = 3
batch_size = 16
lr = 1e-3
optimizer = "sgd"
momentum = 0.9
schedule = "one-cycle"
clip_norm = 1.0
label_smoothing = 0.1
early_stopping = true
patience = 2
monitor = "val_accuracy"
checkpoint = "best-{epoch:03d}-{val_loss:.2f}.safetensors"
seed = 7
"#;

#[derive(Parser)]
struct Line {
    #[command(flatten)]
    train: TrainArgs,
}

#[test]
fn damaged_configurations_are_refused_in_peace() {
    let dir = scratch("config");
    fs::create_dir_all(&dir).unwrap();
    let path = dir.join("wellfit.toml");
    let line = ["train", "folder", "--config", path.to_str().unwrap()];
    let args = Line::try_parse_from(line).unwrap().train;
    let tokens: [&[u8]; 14] = [
        b"[",
        b"{",
        b"[[a]]\n",
        b"a.",
        b"\"\"\"",
        b"inf",
        b"nan",
        b"-1",
        b"1e308",
        b"9223372036854775807",
        b"{epoch:99999d}",
        b"{val_loss:.65535f}",
        b"%",
        b"../",
    ];
    fs::write(&path, CONFIG).unwrap();
    resolve(merged(&args).unwrap(), "folder", None).unwrap();
    let target = Target { name: "config", seeds: &[CONFIG.into()], tokens: &tokens, repair: as_it_is };
    fuzz(&target, |bytes| {
        fs::write(&path, bytes).unwrap();
        let config = resolve(merged(&args)?, "folder", None)?;
        config.fit(10, Default::default()).map(drop)
    });
    fs::remove_dir_all(&dir).unwrap();
}
