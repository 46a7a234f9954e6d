//! Command lines that nobody means: every command, every option, values at the edges.

use crate::asked_for;
use crate::scene::{Scene, words};
use crate::watched::{Outcome, Wrong};
use crate::words::{Random, value};
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::process::Command;

/// A command and its options, as its help lists them.
struct Known {
    name: Vec<String>,
    options: Vec<String>,
}

/// What the programs' help says there is, so that a new command or option is tried as well.
fn known(scene: &Scene, name: &[String], found: &mut Vec<Known>) {
    let mut line: Vec<OsString> = name.iter().map(OsString::from).collect();
    line.push("--help".into());
    let help = scene.run(&line);
    assert_eq!(help.status.code(), Some(0), "{help}");
    let help = String::from_utf8(help.stdout).unwrap();
    let mut section = "";
    let mut commands = Vec::new();
    let mut options = Vec::new();
    for line in help.lines() {
        if !line.starts_with(' ') {
            section = line;
        }
        let word = line.trim_start().split([' ', ',', '[', '=']).find(|word| !word.is_empty()).unwrap_or("");
        let indent = line.len() - line.trim_start().len();
        if section == "Commands:" && indent == 2 && word != "help" {
            commands.push(word.to_owned());
        }
        if line.trim_start().starts_with('-') && indent <= 8 {
            options.extend(
                line.split([' ', ',', '[', '=']).find(|word| word.starts_with("--")).map(str::to_owned),
            );
        }
    }
    for command in &commands {
        known(scene, &[name, std::slice::from_ref(command)].concat(), found);
    }
    if commands.is_empty() {
        found.push(Known { name: name.to_vec(), options });
    }
}

/// What a command needs to get past its first question, so that the option under trial is what it stumbles over.
fn usual(command: &[String]) -> &'static str {
    match command.iter().map(String::as_str).collect::<Vec<_>>().join(" ").as_str() {
        "train" => "data --model mlp --image-size 8 --epochs 1 --out new",
        "lr-find" | "prove" | "tune" => "data --model mlp --image-size 8 --epochs 1 --out new --batch-size 4",
        "verify-resume" => "data --model mlp --image-size 8 --epochs 1 --kills 1 --out new",
        "resume" | "verify" | "serve" => "run",
        "lab batchnorm" | "lab transfer" => "--data data --epochs 1 --out new",
        "lab dropout" => "--epochs 1 --out new",
        "predict" | "explain" => "run data/a/0.ppm",
        "evaluate" => "run data",
        "export" | "plot" => "run --out new",
        "data show" => "data --out new.png",
        "data split" => "data --out new",
        "data stats" => "data",
        "weights fetch" | "weights path" | "weights verify" => "imagenet",
        "runs" | "watch" => ".",
        "replay" => "--run run",
        "diagnose" => "table.csv",
        "bench" => "mlp --steps 1",
        _ => "",
    }
}

/// Line number `number`: a command, mostly with what it needs, and one to four options, given once or again.
fn line(number: usize, commands: &[Known]) -> Vec<OsString> {
    let random = &mut Random(number as u64);
    // Each command in turn, and each of its options in turn, so that none is left out.
    let command = &commands[number % commands.len()];
    let mut line: Vec<OsString> = command.name.iter().map(OsString::from).collect();
    if random.below(6) > 0 {
        line.extend(words(usual(&command.name)));
    }
    for turn in 0..1 + random.below(4) {
        let options = &command.options;
        let place = if turn == 0 { number / commands.len() } else { random.below(options.len().max(1)) };
        let option = options.get(place % options.len().max(1)).map_or("--help", String::as_str);
        match random.below(12) {
            0 => line.push(option.into()),
            1 => line.push(value(random)),
            2 => line.push(format!("{option}x").into()),
            3 => {
                let mut joined = OsString::from(format!("{option}="));
                joined.push(value(random));
                line.extend([joined.clone(), joined]);
            }
            4..=7 => {
                let mut joined = OsString::from(format!("{option}="));
                joined.push(value(random));
                line.push(joined);
            }
            _ => line.extend([option.into(), value(random)]),
        }
    }
    if random.below(10) == 0 {
        let place = random.below(line.len() + 1);
        line.insert(place, value(random));
    }
    line
}

/// It ends in order, and what was refused left nothing and changed nothing.
fn is_right(
    scene: &Scene,
    outcome: &Outcome,
    before: &BTreeMap<std::path::PathBuf, crate::scene::Entry>,
) -> bool {
    outcome.is_orderly();
    let refused = matches!(outcome.status.code(), Some(1..=5)) && !outcome.asked_to_end;
    if refused {
        scene.is_as(before, &outcome.words);
    }
    refused
}

#[test]
fn no_command_line_is_too_much() {
    let mut scene = prepared();
    let mut commands = Vec::new();
    known(&scene, &[], &mut commands);
    assert!(commands.len() > 20, "only {} commands", commands.len());
    let options: usize = commands.iter().map(|command| command.options.len()).sum();
    let first: usize = std::env::var("WELLFIT_HOSTILE_FIRST").map_or(0, |number| number.parse().unwrap());
    let count = asked_for(150);
    let mut before = scene.entries();
    let mut wrong = Wrong::default();
    let (mut refused, mut stopped, mut slowest) = (0, 0, (0.0, String::new()));
    for number in first..first + count {
        // The short form leaps over the options, the long one takes each.
        let line = line(if count < options { number * 37 } else { number }, &commands);
        let outcome = scene.run(&line);
        let right = wrong.note(&format!("line {number}"), || is_right(&scene, &outcome, &before));
        stopped += usize::from(outcome.asked_to_end);
        if outcome.seconds > slowest.0 {
            slowest = (outcome.seconds, crate::watched::line_of(&outcome.words));
        }
        refused += usize::from(right == Some(true));
        if right != Some(true) && scene.entries() != before {
            scene = prepared();
            before = scene.entries();
        }
    }
    println!(
        "{count} command lines of {} commands with {options} options: {refused} refused, {stopped} stopped at work, \
         slowest {:.2} s: {}",
        commands.len(),
        slowest.0,
        slowest.1
    );
    wrong.is_nothing();
    assert!(refused > count / 3, "only {refused} were refused");
}

/// The scene as each line finds it: copied, so that training it again costs nothing.
fn prepared() -> Scene {
    use std::sync::OnceLock;
    static MASTER: OnceLock<Scene> = OnceLock::new();
    let scene = Scene::copy_of(MASTER.get_or_init(Scene::new));
    let made = Command::new("mkfifo").arg(scene.path().join("pipe")).status().unwrap();
    assert!(made.success());
    scene
}
