//! Which trainings there are: provocations × strengths × sets × networks, and healthy ones.

#![allow(
    clippy::needless_pass_by_value,
    reason = "a strength is a number or a text, written where it stands"
)]

use serde_json::{Value, json};

/// A training.
#[derive(Debug, Clone)]
pub struct Condition {
    pub set: &'static str,
    pub net: &'static str,
    pub provocation: &'static str,
    pub strength: String,
    pub seed: u32,
    /// Provocation and strength of the same training without the fault.
    pub twin: Option<(&'static str, String)>,
    pub n_train: usize,
    pub n_val: usize,
    pub n_test: usize,
    pub epochs: u32,
    pub lr: f64,
    pub optimizer: &'static str,
    pub schedule: String,
    pub batch: usize,
    pub decay: f64,
    pub smoothing: f64,
    pub clip_norm: Option<f64>,
    pub hflip: bool,
    /// The share of training labels that are wrong.
    pub wrong_labels: f64,
    pub shuffle_labels: bool,
    /// Of the first so many classes, only this share of the training images is kept.
    pub keep: Option<(usize, f64)>,
    /// Validation has images of the second half of the classes only.
    pub easy_val: bool,
    /// Training images that are noise with a wrong label.
    pub corrupt: usize,
    pub freeze: bool,
    pub scale_weights: f32,
    pub shift_biases: f32,
}

/// A set and a network, with what a good training of it takes.
#[derive(Debug, Clone, Copy)]
struct Base {
    set: &'static str,
    net: &'static str,
    n_train: usize,
    n_val: usize,
    n_test: usize,
    epochs: u32,
    /// Adam's rate, and that of SGD with momentum.
    rates: (f64, f64),
    hflip: bool,
}

const BASES: [Base; 10] = [
    base("fashion28", "mlp", 3000, 500, 20, (1e-3, 0.02)),
    base("fashion28", "mlp-bn", 3000, 400, 20, (2e-3, 0.05)),
    base("fashion14", "cnn", 2000, 500, 20, (1e-3, 0.02)),
    base("fashion14", "resnet20", 800, 300, 12, (2e-3, 0.05)),
    base("digits8", "mlp", 700, 250, 40, (2e-3, 0.03)),
    base("digits8", "cnn", 700, 200, 25, (1e-3, 0.02)),
    base("digits8", "resnet20", 600, 200, 15, (2e-3, 0.05)),
    base("emoji24", "mlp-bn", 400, 150, 20, (1e-3, 0.02)),
    base("emoji24", "cnn", 400, 150, 20, (1e-3, 0.01)),
    base("emoji24", "resnet20", 350, 150, 10, (2e-3, 0.03)),
];

const fn base(
    set: &'static str,
    net: &'static str,
    n_train: usize,
    n_val: usize,
    epochs: u32,
    rates: (f64, f64),
) -> Base {
    let n_test = if n_train >= 800 { 1500 } else { 2000 };
    Base { set, net, n_train, n_val, n_test, epochs, rates, hflip: false }
}

impl Base {
    fn is_slow(&self) -> bool {
        self.net == "resnet20"
    }

    /// A good training with that provocation's name.
    fn with(&self, provocation: &'static str, strength: impl ToString, seed: u32) -> Condition {
        Condition {
            set: self.set,
            net: self.net,
            provocation,
            strength: strength.to_string(),
            seed,
            twin: None,
            n_train: self.n_train,
            n_val: self.n_val,
            n_test: if self.is_slow() { self.n_test.min(1000) } else { self.n_test },
            epochs: self.epochs,
            lr: self.rates.0,
            optimizer: "adam",
            schedule: "constant".to_owned(),
            batch: 32,
            decay: 0.0,
            smoothing: 0.0,
            clip_norm: None,
            hflip: self.hflip,
            wrong_labels: 0.0,
            shuffle_labels: false,
            keep: None,
            easy_val: false,
            corrupt: 0,
            freeze: false,
            scale_weights: 1.0,
            shift_biases: 0.0,
        }
    }
}

impl Condition {
    pub fn id(&self) -> String {
        format!("{}/{}/{}/{}/{}", self.set, self.net, self.provocation, self.strength, self.seed)
    }

    pub fn twin_id(&self) -> Option<String> {
        let (provocation, strength) = self.twin.as_ref()?;
        // `deep` is cured by BatchNorm.
        let net = if self.net == "deep" { "deep-bn" } else { self.net };
        Some(format!("{}/{net}/{provocation}/{strength}/{}", self.set, self.seed))
    }

    /// The settings that a run of ours would have.
    pub fn settings(&self) -> Value {
        json!({
            "lr": self.lr, "optimizer": self.optimizer, "batch_size": self.batch, "epochs": self.epochs,
            "schedule": self.schedule, "weight_decay": self.decay, "label_smoothing": self.smoothing,
            "hflip": self.hflip, "freeze": self.freeze, "model": self.net,
            "clip_norm": self.clip_norm.map_or(json!("off"), |norm| json!(norm)),
        })
    }

    fn cured_by(self, provocation: &'static str, strength: impl ToString) -> Self {
        Self { twin: Some((provocation, strength.to_string())), ..self }
    }
}

/// All trainings.
pub fn all() -> Vec<Condition> {
    let mut all = Vec::new();
    for base in &BASES {
        for seed in 0..if base.is_slow() { 1 } else { 2 } {
            good(base, seed, &mut all);
            little_data(base, seed, &mut all);
            rates(base, seed, &mut all);
            weights(base, seed, &mut all);
            data(base, seed, &mut all);
        }
        healthy(base, &mut all);
    }
    for set in ["fashion28", "digits8"] {
        deep(set, &mut all);
    }
    all
}

/// What others are compared with: the good rate all the while, long enough to be cut; and with a rate that sinks.
fn good(base: &Base, seed: u32, all: &mut Vec<Condition>) {
    let long = base.epochs * 2;
    all.push(Condition { epochs: long, ..base.with("good", "adam", seed) });
    all.push(Condition {
        optimizer: "sgd",
        lr: base.rates.1,
        epochs: long,
        ..base.with("good", "sgd", seed)
    });
}

fn little_data(base: &Base, seed: u32, all: &mut Vec<Condition>) {
    let smallest = if base.set == "emoji24" { 60 } else { 100 };
    let factors: &[usize] = if base.is_slow() { &[1, 3] } else { &[1, 2, 4] };
    for factor in factors {
        let n_train = smallest * factor;
        let epochs = if base.is_slow() { 30 } else { 60 };
        let made = base.with("little-data", n_train, seed);
        all.push(Condition { n_train, epochs, ..made });
    }
    for percent in [20, 40] {
        let made = base.with("wrong-labels", percent, seed);
        let n_train = if base.is_slow() { 300 } else { base.n_train.min(1000) };
        let epochs = if base.is_slow() { 25 } else { 50 };
        all.push(
            Condition { n_train, epochs, wrong_labels: f64::from(percent) / 100.0, ..made }
                .cured_by("good", "adam"),
        );
    }
}

fn rates(base: &Base, seed: u32, all: &mut Vec<Condition>) {
    for (provocation, factors) in
        [("high-rate", &[10.0, 30.0, 100.0][..]), ("low-rate", &[1.0 / 30.0, 1.0 / 100.0][..])]
    {
        for (optimizer, lr) in [("adam", base.rates.0), ("sgd", base.rates.1)] {
            for factor in factors {
                let strength =
                    format!("{optimizer}-{:.0}", if *factor < 1.0 { 1.0 / factor } else { *factor });
                if base.is_slow() && (*factor == 10.0 || *factor == 1.0 / 30.0) == (optimizer == "adam") {
                    continue;
                }
                let made = base.with(provocation, strength, seed);
                all.push(Condition { lr: lr * factor, optimizer, ..made }.cured_by("good", optimizer));
            }
        }
    }
    all.push(Condition { lr: 1e-8, ..base.with("no-rate", "1e-8", seed) }.cured_by("good", "adam"));
    for factor in if base.is_slow() { &[3.0][..] } else { &[3.0, 5.0][..] } {
        let lr = base.rates.1 * factor;
        let epochs = base.epochs * 2;
        let step = format!("step:step_size={},gamma=0.1", base.epochs);
        let cured = base.with("lowered", format!("sgd-{factor}"), seed);
        all.push(Condition { lr, optimizer: "sgd", epochs, schedule: step, ..cured });
        let made = base.with("constant-high", format!("sgd-{factor}"), seed);
        all.push(
            Condition { lr, optimizer: "sgd", epochs, ..made }.cured_by("lowered", format!("sgd-{factor}")),
        );
    }
}

fn weights(base: &Base, seed: u32, all: &mut Vec<Condition>) {
    all.push(Condition { freeze: true, ..base.with("frozen", "head", seed) }.cured_by("good", "adam"));
    for decay in [0.1, 0.5] {
        all.push(Condition { decay, ..base.with("decay", decay, seed) }.cured_by("good", "adam"));
    }
    if !base.is_slow() {
        for shift in [-2.0, -5.0] {
            all.push(
                Condition { shift_biases: shift, ..base.with("silent", -shift, seed) }
                    .cured_by("good", "adam"),
            );
        }
    }
}

fn data(base: &Base, seed: u32, all: &mut Vec<Condition>) {
    for n_val in [25, 60] {
        all.push(Condition { n_val, ..base.with("small-val", n_val, seed) });
    }
    let rare = if base.set == "emoji24" { 1 } else { 3 };
    for percent in [2, 6] {
        let keep = Some((rare, f64::from(percent) / 100.0));
        all.push(Condition { keep, ..base.with("rare-classes", percent, seed) }.cured_by("good", "adam"));
    }
    if base.set != "emoji24" {
        all.push(Condition { easy_val: true, ..base.with("easy-val", "half", seed) });
    }
    all.push(
        Condition { shuffle_labels: true, ..base.with("shuffled-labels", "all", seed) }
            .cured_by("good", "adam"),
    );
    if !base.is_slow() {
        for corrupt in [3, 8] {
            let made = base.with("corrupt", corrupt, seed);
            all.push(Condition { corrupt, batch: 8, epochs: base.epochs.min(15), ..made });
        }
    }
}

/// Trainings as one would do them: a rate that sinks to zero, settings of many kinds.
fn healthy(base: &Base, all: &mut Vec<Condition>) {
    let kinds: [(&str, &str, usize, f64, f64, f64); 10] = [
        ("one-cycle", "adam", 32, 1.0, 0.0, 0.0),
        ("cosine", "sgd", 32, 1.0, 1e-4, 0.0),
        ("cosine", "adamw", 64, 2.0, 0.01, 0.0),
        ("one-cycle", "sgd", 64, 1.5, 5e-4, 0.1),
        ("exponential:gamma=0.8", "adam", 16, 0.7, 0.0, 0.0),
        ("cosine", "adam", 128, 2.0, 0.0, 0.05),
        ("polynomial:total_iters=EPOCHS", "sgd", 32, 0.7, 1e-3, 0.0),
        ("one-cycle", "adamw", 32, 1.0, 0.05, 0.1),
        ("cosine", "sgd", 16, 0.5, 0.0, 0.0),
        ("one-cycle", "sgd", 32, 1.0, 1e-4, 0.0),
    ];
    let most = if base.is_slow() { 4 } else { kinds.len() };
    for (place, (schedule, optimizer, batch, factor, decay, smoothing)) in
        kinds.into_iter().take(most).enumerate()
    {
        let fashion = base.set.starts_with("fashion");
        let n_train = match place % 3 {
            0 => base.n_train,
            1 if fashion && !base.is_slow() => 2 * base.n_train,
            _ => base.n_train * 3 / 4,
        };
        let epochs = base.epochs * [4, 2, 3][place % 3] / 4;
        let lr = if optimizer == "sgd" { base.rates.1 } else { base.rates.0 } * factor;
        let schedule = schedule.replace("EPOCHS", &epochs.to_string());
        let hflip = fashion && place % 2 == 1;
        let made = base.with("healthy", format!("{place}"), 10 + place as u32);
        all.push(Condition {
            schedule,
            optimizer,
            batch,
            lr,
            decay,
            smoothing,
            n_train,
            epochs,
            hflip,
            ..made
        });
    }
}

/// Twenty layers, with weights that are too small or too large; BatchNorm cures it.
fn deep(set: &'static str, all: &mut Vec<Condition>) {
    let base = Base { net: "deep", ..*BASES.iter().find(|base| base.set == set).unwrap_or(&BASES[0]) };
    let cured = Base { net: "deep-bn", ..base };
    for seed in 0..2 {
        for (optimizer, lr) in [("adam", 1e-3), ("sgd", 0.01)] {
            all.push(Condition { optimizer, lr, ..cured.with("good", optimizer, seed) });
            for scale in [0.3, 0.6, 1.0, 2.0, 3.0, 4.0] {
                let made = base.with("scaled-weights", format!("{optimizer}-{scale}"), seed);
                let made = Condition { optimizer, lr, scale_weights: scale, ..made };
                all.push(made.cured_by("good", optimizer));
            }
        }
    }
}
