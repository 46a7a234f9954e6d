//! The words of a command line as people know them from other programs, in the words of this one.
//!
//! What names mean is in `wellfit::run::options::synonyms`; here are the forms: `--batch_size 32`, `-b 32`, `--hflip
//! False`, `--no-vflip`, `epochs=3`. What is known neither here nor there is left to the parser, which refuses it.

use clap::{Arg, Command};
use std::collections::VecDeque;
use std::ffi::OsString;
use std::path::Path;
use wellfit::run::options::synonyms::{
    Meaning, Takes, given, meaning, setting, squeezed, takes, truth, value_meaning,
};

/// The words with options in the form that `root` parses.
///
/// # Errors
/// A sentence on an option that Wellfit has nothing like; settings stand in it in backquotes.
pub fn translate(
    words: impl IntoIterator<Item = OsString>,
    root: &mut Command,
) -> Result<Vec<OsString>, String> {
    root.build();
    let mut words: VecDeque<OsString> = words.into_iter().collect();
    let mut done = Vec::new();
    let mut command: &Command = root;
    done.extend(words.pop_front());
    while let Some(word) = words.pop_front() {
        let sub = word.to_str().and_then(|word| command.find_subcommand(word));
        command = sub.unwrap_or(command);
        done.push(word);
        if sub.is_some() && !command.has_subcommands() {
            break;
        }
    }
    let mut line = Line { command, words, done, bare: 0, data: None };
    line.run()?;
    Ok(line.done)
}

/// A command line of one command, translated word by word.
struct Line<'a> {
    command: &'a Command,
    words: VecDeque<OsString>,
    done: Vec<OsString>,
    /// Words that are neither options nor their values.
    bare: usize,
    /// The value of `--data`, which may be the data themselves, and where it is in `done`.
    data: Option<(usize, OsString)>,
}

impl Line<'_> {
    fn run(&mut self) -> Result<(), String> {
        while let Some(word) = self.words.pop_front() {
            if word == "--" {
                self.done.push(word);
                self.bare += self.words.len();
                self.done.extend(self.words.drain(..));
                break;
            }
            match word.to_str().and_then(|text| self.option(text)) {
                Some((name, value)) => self.take(word, &name, value)?,
                None => {
                    self.bare += 1;
                    self.done.push(word);
                }
            }
        }
        // `train --data photos`: the one place that is named is the data.
        if self.bare == 0
            && self.trains()
            && let Some((place, data)) = self.data.take()
        {
            self.done[place] = data;
        }
        Ok(())
    }

    /// The name and value of a word that is an option: `--name`, `--name=value`, `-n`, or `name=value` where such a name
    /// is known and there is no such file.
    fn option(&self, text: &str) -> Option<(String, Option<String>)> {
        let name = text.trim_start_matches('-');
        let dashes = text.len() - name.len();
        let (name, value) =
            name.split_once('=').map_or((name, None), |(name, value)| (name, Some(value.to_owned())));
        let number = name.starts_with(|c: char| c.is_ascii_digit() || c == '.');
        let known =
            || self.trains() && value.is_some() && (takes(name).is_some() || self.own(name).is_some());
        let is = match dashes {
            0 => known() && !Path::new(text).exists(),
            1 | 2 => !name.is_empty() && !number,
            _ => false,
        };
        is.then(|| (name.to_owned(), value))
    }

    /// Whether the command has the settings of a training run.
    fn trains(&self) -> bool {
        self.command.get_arguments().any(|arg| arg.get_id() == "lr_patience")
    }

    /// The command's option of that name, however it is written.
    fn own(&self, name: &str) -> Option<&Arg> {
        let name = squeezed(name);
        self.command.get_arguments().find(|arg| arg.get_long().is_some_and(|long| squeezed(long) == name))
    }

    fn is_flag(&self, name: &str) -> bool {
        self.own(name).and_then(Arg::get_num_args).is_some_and(|takes| takes.max_values() == 0)
    }

    fn take(&mut self, word: OsString, name: &str, value: Option<String>) -> Result<(), String> {
        let is_short = |arg: &Arg| arg.get_short().is_some_and(|short| word == *format!("-{short}"));
        if self.command.get_arguments().any(is_short) {
            self.done.push(word);
            return Ok(());
        }
        let own = self.own(name).filter(|_| !self.trains() || setting(name).is_none());
        if let Some(long) = own.and_then(Arg::get_long).map(str::to_owned) {
            self.take_own(&long, value);
            return Ok(());
        }
        let same = match meaning(name) {
            Some(Meaning::Same(to)) => self.own(to).and_then(Arg::get_long).map(str::to_owned),
            _ => None,
        };
        match (same, takes(name)) {
            // What a command has under another name, be it a setting or not.
            (Some(long), _) if !self.trains() || setting(&long).is_none() => self.take_own(&long, value),
            (_, Some(takes)) if self.trains() => self.take_setting(name, value, takes)?,
            _ => self.done.push(word),
        }
        Ok(())
    }

    /// A setting of a training run.
    fn take_setting(&mut self, name: &str, value: Option<String>, takes: Takes) -> Result<(), String> {
        let value = value.or_else(|| self.next_value(name, takes));
        if meaning(name) == Some(Meaning::Data) {
            self.bare += 1;
            self.done.extend(value.map(Into::into));
            return Ok(());
        }
        let lacks_value = value.is_none() && takes == Takes::Value;
        let found = given(name, value.as_deref()).unwrap_or_else(|| Ok(Vec::new()));
        let named =
            |problem: String| if problem.starts_with(name) { format!("--{problem}") } else { problem };
        for (setting, text) in found.map_err(named)? {
            self.done.push(joined(&setting.replace('_', "-"), (!lacks_value).then_some(text)));
        }
        Ok(())
    }

    /// The next word, if it is the value of that setting.
    fn next_value(&mut self, name: &str, takes: Takes) -> Option<String> {
        let next = self.words.front()?.to_str()?;
        let is = if takes == Takes::Value {
            !next.starts_with("--")
        } else if Path::new(next).exists() {
            Path::new(next).is_file() && matches!(meaning(name), Some(Meaning::File(..)))
        } else {
            let number = next.parse::<f64>().is_ok() && !next.starts_with('-');
            // Options of a policy, or the name of a schedule.
            let policy =
                || setting(name).is_some() && given(name, Some(next)).is_some_and(|given| given.is_ok());
            number || truth(next).is_some() || policy()
        };
        if is { self.pop() } else { None }
    }

    /// An option of the command itself: a flag that may be followed by a truth, or an option with a value.
    fn take_own(&mut self, long: &str, value: Option<String>) {
        if self.is_flag(long) || long == "resume" {
            let next = self.words.front().and_then(|next| next.to_str());
            let next = next.is_some_and(|next| truth(next).is_some() && !Path::new(next).exists());
            let value = value.or_else(|| if next { self.pop() } else { None });
            match value.as_deref().and_then(truth) {
                Some(false) => {}
                Some(true) => self.done.push(joined(long, None)),
                None => self.done.push(joined(long, value)),
            }
            return;
        }
        let optional =
            self.own(long).and_then(Arg::get_num_args).is_some_and(|takes| takes.min_values() == 0);
        let value =
            value.map(OsString::from).or_else(|| if optional { None } else { self.words.pop_front() });
        let Some(value) = value else { return self.done.push(joined(long, None)) };
        let here = value.to_str().and_then(|text| value_meaning(&long.replace('-', "_"), text));
        let value = here.map_or(value, Into::into);
        if long == "data" {
            self.data = Some((self.done.len(), value.clone()));
        }
        // In one word, so that a value that looks like an option is one.
        let mut word = OsString::from(format!("--{long}="));
        word.push(value);
        self.done.push(word);
    }

    fn pop(&mut self) -> Option<String> {
        self.words.pop_front().map(|word| word.to_string_lossy().into_owned())
    }
}

fn joined(long: &str, value: Option<String>) -> OsString {
    value.map_or_else(|| format!("--{long}"), |value| format!("--{long}={value}")).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::{Cli, Command as Sub};
    use clap::{CommandFactory, Parser};
    use wellfit::run::{Options, RunSpec};

    fn words(line: &str) -> Vec<OsString> {
        std::iter::once("wellfit").chain(line.split_whitespace()).map(Into::into).collect()
    }

    fn translated(line: &str) -> Result<String, String> {
        let words = translate(words(line), &mut Cli::command())?;
        Ok(words[1..].iter().map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" "))
    }

    #[test]
    fn forms_of_options() {
        for (typed, meant) in [
            ("train photos --batch_size 32", "train photos --batch-size=32"),
            ("train photos --batchSize=32", "train photos --batch-size=32"),
            ("train photos -b 32 -j 4", "train photos --batch-size=32 --workers=4"),
            ("train photos --hflip false", "train photos --hflip=false"),
            ("train photos --hflip", "train photos --hflip=true"),
            ("train --hflip photos", "train --hflip=true photos"),
            ("train photos --no-vflip", "train photos --vflip=false"),
            ("train photos --early-stopping patience=3", "train photos --early-stopping=true --patience=3"),
            ("train --early-stopping photos", "train --early-stopping=true photos"),
            ("train photos --lr-scheduler cosine", "train photos --schedule=cosine"),
            ("train --lr-scheduler photos", "train --lr-scheduler=true photos"),
            ("train photos epochs=3 imgsz=64", "train photos --epochs=3 --image-size=64"),
            ("train data=photos epochs=3", "train photos --epochs=3"),
            ("train --data-path photos --output-dir x", "train photos --out=x"),
            ("train photos -h", "train photos -h"),
            ("evaluate run photos --model ResNet-50", "evaluate run photos --model=resnet50"),
            ("train --bs --lr 3", "train --batch-size --lr=3"),
            ("train --data photos", "train photos"),
            ("train sample --data place", "train sample --data=place"),
            ("train photos --exist_ok True", "train photos --force"),
            ("train photos --exist-ok=False", "train photos"),
            ("train photos --resume True", "train photos --resume"),
            ("train photos --resume runs/x", "train photos --resume runs/x"),
            ("train photos resume=runs/x", "train photos --resume=runs/x"),
            ("train photos -v -q", "train photos -v -q"),
            ("train photos --min-delta -0.1", "train photos --min-delta=-0.1"),
            ("--threads 2 train photos --amp False", "--threads 2 train photos"),
            ("train photos --lurning-rate 3", "train photos --lurning-rate 3"),
            ("train photos -- --lr", "train photos -- --lr"),
            ("lab transfer photos --bs 4", "lab transfer photos --batch-size=4"),
            ("lab dropout --learning-rate 0.1", "lab dropout --lr=0.1"),
            ("evaluate run photos --bs 4", "evaluate run photos --batch-size=4"),
            ("evaluate run photos --batch_size 4", "evaluate run photos --batch-size=4"),
            ("predict run a=b.jpg --topk 3", "predict run a=b.jpg --top=3"),
            ("export run --out_dir x --force", "export run --out=x --force"),
            ("runs", "runs"),
        ] {
            assert_eq!(translated(typed).as_deref(), Ok(meant), "{typed}");
        }
    }

    /// The settings of a command line of `train`.
    fn settings(line: &str) -> Options {
        let words =
            translate(words(line), &mut Cli::command()).unwrap_or_else(|problem| panic!("{line}: {problem}"));
        let cli = Cli::try_parse_from(&words).unwrap_or_else(|error| panic!("{line}: {words:?} {error}"));
        let Sub::Train(args) = cli.command else { panic!("{line}") };
        args.settings.0
    }

    /// Whole lines from the documents of the other programs, with `train photos` in place of theirs.
    #[test]
    fn whole_lines_of_other_programs() {
        for (line, toml) in [
            // torchvision's references/classification, README
            (
                "train --data-path photos --model resnet18 --batch-size 64 --lr 0.5 --lr-scheduler cosineannealinglr --opt sgd --momentum 0.9 --wd 0.00002 --label-smoothing 0.1 --epochs 600 -j 8 --output-dir out",
                "model='resnet18'\nbatch_size=64\nlr=0.5\nschedule='cosine'\noptimizer='sgd'\nmomentum=0.9\nweight_decay=2e-5\nlabel_smoothing=0.1\nepochs=600\nworkers=8",
            ),
            // torch/examples, imagenet
            (
                "train -a resnet18 --lr 0.01 -b 256 --wd 1e-4 photos",
                "model='resnet18'\nlr=0.01\nbatch_size=256\nweight_decay=1e-4",
            ),
            // timm
            (
                "train --data-dir photos --model resnet50 --img-size 224 -b 64 --sched cosine --epochs 20 --opt adamw --weight-decay 0.05 --smoothing 0.1 --clip-grad 1.0 --vflip 0.5 --hflip 0 --seed 42 --mixup 0 --amp-dtype bfloat16",
                "model='resnet50'\nimage_size=224\nbatch_size=64\nschedule='cosine'\nepochs=20\noptimizer='adamw'\nweight_decay=0.05\nlabel_smoothing=0.1\nclip_norm=1.0\nvflip=true\nhflip=false\nseed=42\nmixup=0.0\nprecision='bf16'",
            ),
            // Ultralytics
            (
                "train data=photos model=resnet18 epochs=100 imgsz=224 batch=16 lr0=0.01 optimizer=AdamW patience=10 cos_lr=True workers=8 seed=0 fliplr=0.5 flipud=0.0 device=cpu cache=True amp=False mosaic=0.0 exist_ok=True verbose=True",
                "model='resnet18'\nepochs=100\nimage_size=224\nbatch_size=16\nlr=0.01\noptimizer='adamw'\npatience=10\nschedule='cosine'\nworkers=8\nseed=0\nhflip=true\nvflip=false\ndevice='cpu'\ncache='ram'",
            ),
            // Keras' arguments of fit, EarlyStopping and ReduceLROnPlateau
            (
                "train photos --epochs 5 --batch_size 32 --validation_split 0.2 --learning_rate 1e-4 --optimizer Adam --patience 3 --min_delta 0.01 --monitor val_loss --restore_best_weights True --shuffle True",
                "epochs=5\nbatch_size=32\nval_split=0.2\nlr=1e-4\noptimizer='adam'\npatience=3\nmin_delta=0.01\nmonitor='val_loss'",
            ),
            // Lightning
            (
                "train photos --max_epochs 5 --accelerator cpu --precision bf16-mixed --gradient_clip_val 0.5",
                "epochs=5\ndevice='cpu'\nprecision='bf16'\nclip_norm=0.5",
            ),
            // Hugging Face's run_image_classification.py
            (
                "train --train_dir photos --num_train_epochs 5 --per_device_train_batch_size 8 --learning_rate 2e-5 --output_dir out --overwrite_output_dir --dataloader_num_workers 4 --max_grad_norm 1.0 --seed 1337 --weight_decay 0.01",
                "epochs=5\nbatch_size=8\nlr=2e-5\nworkers=4\nclip_norm=1.0\nseed=1337\nweight_decay=0.01",
            ),
        ] {
            assert_eq!(settings(line), toml::from_str(toml).unwrap(), "{line}");
        }
    }

    #[test]
    fn options_turn_their_policy_on() {
        let spec = |line: &str| -> RunSpec {
            settings(line).decide(wellfit::run::options::DataKind::Folder).unwrap()
        };
        assert!(spec("train photos --patience 3").early_stopping);
        assert!(spec("train photos --min-delta 0.1").early_stopping);
        assert!(spec("train photos --lr-patience 3").lr_scheduler);
        assert!(!spec("train photos --patience 3 --early-stopping false").early_stopping);
        assert!(!spec("train photos").early_stopping && !spec("train photos").lr_scheduler);
        assert_eq!(spec("train photos --early-stopping patience=3").patience, 3);
    }

    #[test]
    fn what_is_lacking_is_said_before_anything_else() {
        for (line, part) in [
            ("train photos --mosaic 0.2", "mosaic is no augmentation here"),
            ("train photos --pretrained", "`weights` FILE"),
            ("train photos --auto-augment x", "`trivial_augment`"),
            ("train photos --shuffle False", "cannot be turned off"),
        ] {
            let problem = translated(line).unwrap_err();
            assert!(problem.contains(part), "{part} is not in {problem}");
        }
    }
}
