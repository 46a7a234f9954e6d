//! `wellfit models`: the architectures, what they cost, and how good their published weights are.

use crate::error::CliError;
use crate::output::{self, Output};
use serde_json::{Value, json};
use std::path::PathBuf;
use wellfit::base::Shown;
use wellfit::fetch::{Name, Store, Version};
use wellfit::models::{Architecture, Cost, Published, architectures, cost, published, published_lite0};
use wellfit::run::{EMBEDDED, EMBEDDED_MODEL, embedded, pretrained, torchvision_file};

/// Run the command.
pub fn run(out: Output) -> Result<(), CliError> {
    let store = pretrained::store(true);
    let mut rows = vec![HEAD.map(str::to_owned)];
    let mut values = Vec::new();
    for architecture in architectures() {
        let cost = cost(architecture.name)?;
        let weights = weights(architecture, &store);
        rows.extend(table_rows(architecture.name, &cost, &weights));
        values.push(json!({
            "name": architecture.name,
            "input": [cost.input.height, cost.input.width, cost.input.channels],
            "classes": cost.classes,
            "parameters": cost.parameters,
            "multiply_adds": cost.multiply_adds,
            "bytes": cost.bytes(),
            "weights": weights.iter().map(Weights::value).collect::<Vec<Value>>(),
        }));
    }
    out.fitting_table(&rows, 1..8, &LESS);
    out.say(NOTE);
    out.result(&json!({ "models": values }));
    Ok(())
}

const HEAD: [&str; 9] =
    ["model", "parameters", "input", "GMACs", "MiB", "weights", "top-1 %", "top-5 %", "on this machine"];
/// What a narrow terminal does without, the first to go first.
const LESS: [usize; 4] = [7, 2, 4, 8];
const NOTE: &str = "GMACs: 10⁹ multiply-adds for one image of that size. MiB: the file of the weights. Accuracy: as published, on \
                    ImageNet. `--model NAME --weights imagenet` trains from them, `wellfit weights fetch` downloads.";

/// Published weights of an architecture.
struct Weights {
    /// What `--weights` takes.
    name: String,
    published: Option<&'static Published>,
    url: Option<String>,
    here: Here,
}

/// Where they are.
enum Here {
    Program,
    File(PathBuf),
    No,
}

/// The weights of an architecture by name, the newest first.
fn weights(architecture: &Architecture, store: &Store) -> Vec<Weights> {
    if architecture.name == EMBEDDED_MODEL {
        let here = if embedded().is_some() { Here::Program } else { Here::No };
        return vec![Weights { name: EMBEDDED.to_owned(), published: published_lite0(), url: None, here }];
    }
    let named = |version| {
        let (file, found) = torchvision_file(Some(architecture.name), version).ok()?;
        let here = store.torchvision_paths(&file).into_iter().next().map_or(Here::No, Here::File);
        let stem = file.trim_end_matches(".pth");
        Some(Weights {
            name: Name::ImageNet(found).to_string(),
            published: published(stem),
            url: Some(store.torchvision_url(&file)),
            here,
        })
    };
    [Version::V2, Version::V1].into_iter().filter_map(named).collect()
}

impl Weights {
    fn value(&self) -> Value {
        let published = self.published;
        let path = if let Here::File(path) = &self.here { Some(output::path(path)) } else { None };
        json!({
            "name": self.name,
            "source": published.map(|published| published.source),
            "file": published.map(|published| published.weights),
            "top1": published.map(|published| published.top1),
            "top5": published.map(|published| published.top5),
            "mib": published.map(|published| published.mib),
            "url": self.url,
            "embedded": matches!(self.here, Here::Program),
            "path": path,
        })
    }
}

/// A row for each of its weights; one, if there are none.
fn table_rows(model: &str, cost: &Cost, weights: &[Weights]) -> Vec<[String; 9]> {
    let none = || "-".to_owned();
    let mebibytes = |bytes: usize| bytes as f64 / f64::from(1 << 20);
    let row = |weights: Option<&Weights>| {
        let published = weights.and_then(|weights| weights.published);
        let here = match weights.map(|weights| &weights.here) {
            Some(Here::Program) => "in the program".to_owned(),
            Some(Here::File(path)) => path.shown(),
            Some(Here::No) | None => none(),
        };
        let size = published.map_or_else(|| mebibytes(cost.bytes()), |published| published.mib);
        [
            model.to_owned(),
            format!("{:.2} M", cost.parameters as f64 / 1e6),
            cost.input.to_string(),
            format!("{:.3}", cost.multiply_adds as f64 / 1e9),
            format!("{size:.1}"),
            weights.map_or_else(none, |weights| weights.name.clone()),
            published.map_or_else(none, |published| format!("{:.2}", published.top1)),
            published.map_or_else(none, |published| format!("{:.2}", published.top5)),
            here,
        ]
    };
    if weights.is_empty() {
        vec![row(None)]
    } else {
        weights.iter().map(|weights| row(Some(weights))).collect()
    }
}
