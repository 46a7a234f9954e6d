//! Damaged configuration files: an answer each time, within bounded memory and time (see `wellfit_fuzz`).

use super::{DataKind, Options};
use std::fs;
use std::sync::Arc;
use wellfit_fuzz::{Target, as_it_is, fuzz, scratch};
use wellfit_models::Cpu;

const CONFIG: &str = r#"model = "resnet18"
epochs = 3
batch_size = 16
lr = 1e-3
optimizer = "sgd"
momentum = 0.9
schedule = "one-cycle"
scaling = "zscore"
clip_norm = 1.0
label_smoothing = 0.1
early_stopping = true
patience = 2
monitor = "val_accuracy"
checkpoint = "best-{epoch:03d}-{val_loss:.2f}.safetensors"
seed = 7
"#;

#[test]
fn damaged_configurations_are_refused_in_peace() {
    let dir = scratch("config");
    fs::create_dir_all(&dir).unwrap();
    let path = dir.join("wellfit.toml");
    let tokens: [&[u8]; 15] = [
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
        b"step:step_size=1,gamma=0.5",
    ];
    fs::write(&path, CONFIG).unwrap();
    Options::read(&path).unwrap().decide(DataKind::Folder).unwrap();
    let target = Target { name: "config", seeds: &[CONFIG.into()], tokens: &tokens, repair: as_it_is };
    fuzz(&target, |bytes| {
        fs::write(&path, bytes).unwrap();
        let spec = Options::read(&path)?.decide(DataKind::Folder)?;
        spec.fit(Arc::new(Cpu), 10, Default::default()).map(drop)
    });
    fs::remove_dir_all(&dir).unwrap();
}
