use super::*;
use crate::RunError;
use crate::spec::Difference;

fn given(pairs: &[(&str, &str)]) -> Options {
    let mut options = Options::default();
    for (name, text) in pairs {
        options.set(name, OsStr::new(text)).unwrap();
    }
    options
}

#[test]
fn every_setting_has_its_entry() {
    let table = toml::Table::try_from(RunSpec::for_folder()).unwrap();
    let mut names: Vec<&str> = entries().iter().map(|entry| entry.name).collect();
    for name in table.keys() {
        assert!(names.contains(&name.as_str()), "{name}");
    }
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), entries().len(), "each once");
    for entry in entries() {
        assert!(!entry.help().starts_with(' ') && entry.help().len() > 8, "{}", entry.name);
        assert!(entry.kind == Kind::Switch || entry.value_name != "BOOL", "{}", entry.name);
    }
}

#[test]
fn defaults_follow_from_the_data() {
    let (folder, idx) = (RunSpec::for_folder(), RunSpec::for_idx(28));
    assert_eq!((folder.model.as_str(), idx.model.as_str()), ("resnet50", "resnet20"));
    assert_eq!((folder.epochs, idx.epochs, RunSpec::for_sample().epochs), (100, 20, 8));
    assert_eq!((folder.lr.number(), idx.lr.number()), (0.001, 0.01));
    assert_eq!((folder.image_size, idx.image_size), (224, 28));
    assert_eq!((folder.hflip, idx.hflip), (true, false));
    assert_eq!((folder.scaling, idx.scaling), (Scaling::ImageNet, Scaling::ZScore));
    assert_eq!(
        (folder.schedule.to_string(), idx.schedule.to_string()),
        ("constant".into(), "one-cycle".into())
    );
    let idx = DataKind::Idx { pixels: 28 };
    let plateau = given(&[("lr_scheduler", "true")]).decide(idx).unwrap();
    assert!(plateau.schedule.is_constant(), "only one of the two sets the rate");
    assert_eq!(given(&[("optimizer", "adamw")]).decide(idx).unwrap().weight_decay, 0.01);
}

#[test]
fn help_tells_the_default_of_each_kind_of_data() {
    let help = |name: &str| entries().iter().find(|entry| entry.name == name).unwrap().help();
    assert_eq!(help("lr"), "Learning rate; auto to find one first [default: 0.001; IDX data 0.01]");
    assert_eq!(help("epochs"), "Epochs at most [default: 100; IDX data 20; sample 8]");
    assert_eq!(help("min_lr"), "The rate is never lowered below this [default: 1e-6]");
    assert_eq!(help("skip_bad"), "Leave unusable image files out instead of stopping");
    assert!(help("hflip").ends_with("[default: true; IDX data false]"), "{}", help("hflip"));
    assert!(help("vflip").ends_with("[default: false; `lab transfer`: true, for IDX data false]"));
    let long = |name: &str| entries().iter().find(|entry| entry.name == name).unwrap().long_help();
    assert_eq!(long("epochs"), None);
    assert!(long("scaling").unwrap().starts_with("How pixels become inputs\n\nminmax: "));
}

/// Which weights are kept follows from what is watched, unless it is said.
#[test]
fn the_best_epoch_follows_the_monitor() {
    let folder = DataKind::Folder;
    let best = |pairs: &[(&str, &str)]| given(pairs).decide(folder).unwrap().best;
    let by_the_recipe = |pairs: &[(&str, &str)]| given(pairs).for_lab_transfer().decide(folder).unwrap().best;
    for (pairs, train, lab) in [
        (&[][..], "val_accuracy", "val_loss"),
        (&[("early_stopping", "true")], "val_accuracy", "val_loss"),
        (&[("monitor", "val_loss")], "val_loss", "val_loss"),
        (&[("monitor", "val_accuracy")], "val_accuracy", "val_accuracy"),
        (&[("monitor", "train_loss")], "train_loss", "train_loss"),
        (&[("best", "val_loss")], "val_loss", "val_loss"),
        (&[("monitor", "val_macro_f1")], "val_macro_f1", "val_macro_f1"),
        (&[("best", "val_accuracy"), ("monitor", "val_loss")], "val_accuracy", "val_accuracy"),
    ] {
        assert_eq!((best(pairs).as_str(), by_the_recipe(pairs).as_str()), (train, lab), "{pairs:?}");
    }
    let unknown = given(&[("best", "mcc")]).decide(folder).unwrap_err().to_string();
    assert!(unknown.starts_with("`best` mcc is unknown; known are train_loss"), "{unknown}");
    let monitor = given(&[("monitor", "mcc")]).decide(folder).unwrap_err();
    assert_eq!(monitor.setting_name(), Some("monitor"));
}

#[test]
fn only_the_recipe_mirrors_top_to_bottom() {
    let flips = |options: Options, data| {
        let spec = options.decide(data).unwrap();
        (spec.hflip, spec.vflip)
    };
    let idx = DataKind::Idx { pixels: 28 };
    assert_eq!(flips(Options::default(), DataKind::Folder), (true, false));
    assert_eq!(flips(Options::default().for_lab_transfer(), DataKind::Folder), (true, true));
    assert_eq!(flips(Options::default().for_lab_transfer(), idx), (false, false));
    let off = given(&[("vflip", "false")]).for_lab_transfer();
    assert_eq!(flips(off, DataKind::Folder), (true, false));
}

#[test]
fn what_was_given_later_wins() {
    let file: Options = toml::from_str("lr = 0.5\nepochs = 3\nclip_norm = 1.0").unwrap();
    let all = given(&[("lr", "0.25")]).combine(file).decide(DataKind::Folder).unwrap();
    assert_eq!((all.lr.number(), all.epochs, all.clip_norm, all.batch_size), (0.25, 3, Some(1.0), 32));
}

#[test]
fn a_decided_run_is_a_configuration() {
    let spec = given(&[("schedule", "step:step_size=10,gamma=0.1"), ("scaling", "minmax"), ("cache", "off")])
        .decide(DataKind::Folder)
        .unwrap();
    let text = toml::to_string(&spec).unwrap();
    assert_eq!(toml::from_str::<Options>(&text).unwrap().decide(DataKind::Folder).unwrap(), spec);
    assert_eq!(toml::from_str::<RunSpec>(&text).unwrap(), spec);
    assert_eq!(Options::from(&spec).decide(DataKind::Idx { pixels: 28 }).unwrap(), spec);
}

#[test]
fn errors_name_the_setting() {
    let problem = |pairs: &[(&str, &str)]| given(pairs).decide(DataKind::Folder).unwrap_err();
    let error = problem(&[("batch_size", "0")]);
    assert_eq!(error.setting_name(), Some("batch_size"));
    assert_eq!(error.to_string(), "`batch_size` must be between 1 and 1000000, not 0");
    assert_eq!(problem(&[("momentum", "0.9")]).to_string(), "`momentum` belongs to `optimizer` sgd");
    for name in entries().iter().map(|entry| entry.name) {
        let text = problem_of_nonsense(name).to_string();
        assert!(!text.contains("--"), "{text} names an option of a command line");
    }
}

/// The error for a text that no setting but a name or a path can have.
fn problem_of_nonsense(name: &str) -> RunError {
    let set = Options::default();
    let mut options = set;
    match options.set(name, OsStr::new("\u{1}nonsense")) {
        Err(error) => error,
        Ok(()) => options.decide(DataKind::Folder).err().unwrap_or_else(|| RunError::Unusable(String::new())),
    }
}

#[test]
fn what_changes_no_bits_makes_no_other_run() {
    let spec = RunSpec::for_folder();
    let other = RunSpec { workers: 7, keep: 3, cache: CacheName::Off, ..spec.clone() };
    assert_eq!(spec.differences(&other), Some(vec![]));
    let [own, theirs] = ["0", "1"].map(|seed| Some(seed.to_owned()));
    let seed = Difference { name: "seed", own, theirs };
    assert_eq!(spec.differences(&RunSpec { seed: 1, ..spec.clone() }), Some(vec![seed]));
}

/// A recipe's settings exist, are of their types and make sense together; what is given is stronger.
#[test]
fn recipes_are_lists_of_options() {
    for name in RecipeName::NAMES {
        let recipe: RecipeName = name.parse().unwrap();
        for (setting, value) in recipe.settings(&Options::default(), DataKind::Folder) {
            Options::default().set(setting, OsStr::new(&value)).unwrap();
        }
        let spec = given(&[("recipe", name)]).decide(DataKind::Folder).unwrap();
        assert_eq!(spec.recipe, Some(recipe));
    }
    let folder = |pairs: &[(&str, &str)]| given(pairs).decide(DataKind::Folder).unwrap();
    let finetune = folder(&[("weights", "some.pth"), ("lr", "0.5")]);
    assert_eq!(finetune.recipe, Some(RecipeName::Finetune));
    assert_eq!((finetune.lr.number(), finetune.backbone_lr_factor, finetune.freeze_epochs), (0.5, 0.1, 4));
    assert!(finetune.freeze_batch_norm);
    assert_eq!(folder(&[("weights", "some.pth"), ("epochs", "2")]).freeze_epochs, 0);
    assert_eq!(folder(&[("weights", "some.pth"), ("freeze", "true")]).recipe, None);
    assert_eq!(folder(&[]).recipe, None);
    let probe = folder(&[("recipe", "linear-probe"), ("weights", "some.pth")]);
    assert_eq!((probe.freeze, probe.hflip, &*probe.best), (true, false, "val_loss"));
    let watched = folder(&[("recipe", "linear-probe"), ("weights", "some.pth"), ("monitor", "val_macro_f1")]);
    assert_eq!(watched.best, "val_macro_f1");
    // A scheduler that is asked for takes the place of the recipe's schedule.
    let lowered = folder(&[("weights", "some.pth"), ("lr_scheduler", "true")]);
    assert!(lowered.schedule.is_constant());
    // A run that is resumed keeps what it had.
    let again = Options::from(&finetune).decide(DataKind::Folder).unwrap();
    assert_eq!(again.lr, finetune.lr);
    let text = finetune.recipe_settings(RecipeName::Finetune, DataKind::Folder);
    assert!(text.starts_with("finetune: optimizer adamw, lr 0.5,"), "{text}");
}

#[test]
fn the_backbone_is_frozen_for_some_epochs_or_for_all() {
    let problem = |pairs: &[(&str, &str)]| given(pairs).decide(DataKind::Folder).unwrap_err().to_string();
    let all = problem(&[("freeze_epochs", "5"), ("epochs", "5")]);
    assert!(all.starts_with("`freeze_epochs` 5 must be below `epochs` 5"), "{all}");
    let both = problem(&[("freeze_epochs", "5"), ("freeze", "true")]);
    assert!(both.contains("choose one"), "{both}");
}

/// 256 images a step are eight times 32.
#[test]
fn the_rate_follows_the_images_of_a_step_where_that_is_asked_for() {
    let spec = |scale: &str, more: &[(&str, &str)]| {
        let mut options = Options::default();
        for (name, value) in
            [("lr", "0.1"), ("batch_size", "64"), ("accumulate", "4"), ("scale_lr", scale)].iter().chain(more)
        {
            options.set(name, OsStr::new(value)).unwrap();
        }
        options.decide(DataKind::Folder)
    };
    let rate = |scale| spec(scale, &[]).unwrap().rate();
    assert_eq!((rate("none"), rate("linear")), (0.1, 0.8));
    assert!((rate("sqrt") - 0.1 * 8.0_f64.sqrt()).abs() < 1e-15);
    assert!(spec("linear", &[("lr", "auto")]).is_err() && spec("none", &[("lr", "auto")]).is_ok());
    let own = [("schedule", "one-cycle:max_lr=0.5")];
    assert!(spec("linear", &own).is_err() && spec("none", &own).is_ok());
}

#[test]
fn what_joins_parts_needs_some() {
    for setting in ["sync_bn = true", "reduce_dtype = \"bf16\""] {
        let decide = |text: &str| toml::from_str::<Options>(text).unwrap().decide(DataKind::Folder);
        assert!(decide(setting).is_err(), "{setting}");
        assert!(decide(&format!("{setting}\nshards = 2")).is_ok(), "{setting}");
    }
}
