//! `wellfit weights`: pretrained weights by name.

use crate::args::{VerifyArgs, Weights, WeightsArgs};
use crate::error::CliError;
use crate::output::{self, Output};
use crate::progress::Progress;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use wellfit::base::Shown;
use wellfit::fetch::{Checked, Name, Store, Version};
use wellfit::models::architectures;
use wellfit::run::{RunError, pretrained, torchvision_file, weights_name};

/// Run the command.
pub fn run(command: &Weights, out: Output) -> Result<(), CliError> {
    match command {
        Weights::List => list(out),
        Weights::Fetch(args) => path(args, &pretrained::store(args.offline), out),
        Weights::Path(args) => path(args, &held("path"), out),
        Weights::Verify(args) => verify(args, out),
    }
}

/// A row for each of torchvision's files, and one for each model of the hub in the cache.
fn list(out: Output) -> Result<(), CliError> {
    let store = pretrained::store(true);
    let mut rows = vec![["weights", "model", "file", "here"].map(str::to_owned)];
    let mut values = Vec::new();
    for architecture in architectures() {
        for version in [Version::V2, Version::V1] {
            let Ok((file, _)) = torchvision_file(Some(architecture.name), version) else { continue };
            let (name, here) = (Name::ImageNet(version).to_string(), store.torchvision_paths(&file));
            let here = here.first();
            let shown = here.map_or_else(|| "-".to_owned(), |path| path.shown().to_string());
            values.push(json!({
                "name": name,
                "model": architecture.name,
                "url": store.torchvision_url(&file),
                "path": here.map(|path| output::path(path)),
            }));
            rows.push([name, architecture.name.to_owned(), file, shown]);
        }
    }
    for (name, path) in of_the_hub(&store)? {
        values.push(json!({ "name": name, "model": null, "url": null, "path": output::path(&path) }));
        rows.push([name, String::new(), String::new(), path.shown().to_string()]);
    }
    out.table(&rows, 0..0);
    out.say("`imagenet` is V2 where there is one, else V1; hf:ORG/NAME takes model.safetensors from the Hugging Face hub");
    out.result(&json!({ "weights": values }));
    Ok(())
}

/// The models of the hub in Wellfit's cache.
fn of_the_hub(store: &Store) -> Result<Vec<(String, PathBuf)>, CliError> {
    let named = |path: PathBuf| {
        let mut parts = path.iter().rev().map(|part| part.to_string_lossy());
        let file = parts.next()?;
        let (commit, id) = (parts.next()?, parts.nth(1)?);
        let id = id.strip_prefix("models--")?.replace("--", "/");
        (file == "model.safetensors").then(|| (format!("hf:{id}@{commit}"), path.clone()))
    };
    Ok(store.held().map_err(RunError::from)?.into_iter().filter_map(named).collect())
}

/// What is on this machine; the words of the user forbid downloads.
fn held(command: &str) -> Store {
    pretrained::store_without_downloads(&format!("`weights {command}`, unlike `weights fetch`,"))
}

fn path(args: &WeightsArgs, store: &Store, out: Output) -> Result<(), CliError> {
    let fetched = fetched(&args.name, args.model.as_deref(), store, out)?;
    // The path is all that a script wants of standard output.
    out.say(fetched.path.shown());
    out.result(&json!({
        "name": args.name.to_string_lossy(),
        "pinned": fetched.pinned.to_string(),
        "path": output::path(&fetched.path),
    }));
    Ok(())
}

fn fetched(
    name: &Path,
    model: Option<&str>,
    store: &Store,
    out: Output,
) -> Result<pretrained::Fetched, CliError> {
    let Some(name) = weights_name(name)? else {
        return Err(CliError::Usage(format!(
            "‘{}’ is no name of weights: there are imagenet, imagenet-v1, imagenet-v2 (with --model) and hf:ORG/NAME; \
             a file needs none",
            name.shown()
        )));
    };
    let mut progress = Progress::new(Output { rows: true, ..out }, false);
    Ok(pretrained::fetch(&name, model, store, &mut progress)?)
}

fn verify(args: &VerifyArgs, out: Output) -> Result<(), CliError> {
    let store = held("verify");
    let files = match &args.name {
        Some(name) => vec![fetched(name, args.model.as_deref(), &store, out)?.path],
        None => store.held().map_err(RunError::from)?,
    };
    let checked: Vec<Checked> = files.iter().map(|path| store.verify(path)).collect();
    for Checked { path, result } in &checked {
        match result {
            Ok(_) => out.say_good(format!("whole  {}", path.shown()), "whole"),
            Err(problem) => out.say(format!("damaged  {}: {problem}", path.shown())),
        }
    }
    let value = |Checked { path, result }: &Checked| json!({ "path": output::path(path), "sha256": result.as_ref().ok(), "problem": result.as_ref().err() });
    out.result(&json!({ "files": checked.iter().map(value).collect::<Vec<Value>>() }));
    let damaged = checked.iter().filter(|checked| checked.result.is_err()).count();
    if damaged > 0 {
        return Err(CliError::Model(format!(
            "{damaged} of {} files are damaged: remove them, and `wellfit weights fetch` brings them again",
            checked.len()
        )));
    }
    if checked.is_empty() {
        out.say("Wellfit's cache of weights is empty");
    }
    Ok(())
}
