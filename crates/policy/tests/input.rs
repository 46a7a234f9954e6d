//! What users write: option strings, schedules, file-name templates. All of it can be wrong.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

use std::collections::BTreeMap;

use proptest::prelude::*;
use wellfit_policy::{
    CheckpointConfig, CheckpointPolicy, EarlyStoppingConfig, Mode, PlateauConfig, PolicyError,
    ReduceLrOnPlateau, Schedule, Semantics, ThresholdMode,
};

#[test]
fn option_strings_are_read_over_the_packages_defaults() {
    let text = "mode=min,factor=0.5,patience=5,threshold=1e-4,threshold_mode=rel,cooldown=0,min_lr=1e-6";
    assert_eq!(PlateauConfig::parse(Semantics::Torch, text), Ok(PlateauConfig::textbook(Semantics::Torch)));
    let keras = PlateauConfig::parse(Semantics::Keras, "").unwrap();
    assert_eq!((keras.threshold_mode, keras.eps), (ThresholdMode::Abs, 0.0));
    let stopping =
        EarlyStoppingConfig::parse(Semantics::Lightning, " mode=max , baseline=0.5,check_finite=false");
    let expected = EarlyStoppingConfig {
        semantics: Semantics::Lightning,
        patience: 3,
        mode: Mode::Max,
        baseline: Some(0.5),
        ..EarlyStoppingConfig::default()
    };
    assert_eq!(stopping, Ok(expected));
}

#[test]
fn keras_names_are_known_under_its_rules() {
    let read = |text| PlateauConfig::parse(Semantics::Keras, text).map(|config| config.threshold);
    assert_eq!(read("min_delta=0.25"), Ok(0.25));
    assert_eq!(read("threshold=0.25"), Ok(0.25));
    assert!(read("threshold=0.25,min_delta=0.25").is_err(), "the same option twice");
    assert!(read("min_delta=-1").unwrap_err().to_string().starts_with("min_delta = -1"));
    assert!(PlateauConfig::parse(Semantics::Torch, "min_delta=0.25").is_err());
    let read = |semantics| EarlyStoppingConfig::parse(semantics, "restore_best_weights=true");
    assert!(read(Semantics::Keras).unwrap().restore_best);
    assert!(read(Semantics::Lightning).is_err());
}

#[test]
fn options_can_be_read_over_the_textbooks_settings() {
    let plateau = PlateauConfig::textbook(Semantics::Keras).with("cooldown=2").unwrap();
    assert_eq!((plateau.patience, plateau.factor, plateau.min_lr, plateau.cooldown), (5, 0.5, 1e-6, 2));
    assert_eq!(plateau.threshold_mode, ThresholdMode::Abs);
    let stopping = EarlyStoppingConfig::textbook(Semantics::Keras).with("min_delta=0.5").unwrap();
    assert_eq!((stopping.patience, stopping.min_delta), (5, 0.5));
}

#[test]
fn wrong_options_are_named() {
    let stopping = |text| EarlyStoppingConfig::parse(Semantics::Book, text).unwrap_err().to_string();
    assert_eq!(stopping("patience=-1"), "patience = -1: expected a whole number, 0 or more");
    assert_eq!(stopping("min_delta=nan"), "min_delta = NaN: expected a finite number, 0 or more");
    assert_eq!(stopping("min_delta=-0.5"), "min_delta = -0.5: expected a finite number, 0 or more");
    assert_eq!(stopping("baseline=inf"), "baseline = inf: expected a finite number");
    assert_eq!(stopping("stopping_threshold=nan"), "stopping_threshold = NaN: expected a finite number");
    assert_eq!(stopping("divergence_threshold=nan"), "divergence_threshold = NaN: expected a finite number");
    assert_eq!(stopping("mode=up"), "mode = up: expected min or max");
    assert_eq!(stopping("patience"), "cannot read \"patience\" in the option string: expected key=value");
    assert_eq!(
        stopping("patience=1,patience=2"),
        "cannot read \"patience=2\" in the option string: this option was given before"
    );
    let plateau = |text| PlateauConfig::parse(Semantics::Torch, text).unwrap_err().to_string();
    assert_eq!(
        plateau("patiense=1"),
        "unknown option \"patiense\"; known are mode, factor, patience, threshold, threshold_mode, cooldown, \
         min_lr, eps"
    );
    for (text, key) in [
        ("factor=1", "factor"),
        ("factor=0", "factor"),
        ("factor=nan", "factor"),
        ("threshold=-1", "threshold"),
        ("min_lr=inf", "min_lr"),
        ("eps=nan", "eps"),
    ] {
        assert!(plateau(text).starts_with(&format!("{key} = ")), "{text}: {}", plateau(text));
    }
    let keras = |text| PlateauConfig::parse(Semantics::Keras, text).is_err();
    assert!(keras("threshold_mode=rel") && keras("eps=0.1"));
    assert!(ReduceLrOnPlateau::new(PlateauConfig::default(), f64::NAN).is_err());
}

/// One wrong schedule for each check; each names its key.
#[test]
fn wrong_schedules_are_named() {
    for (json, key) in [
        (r#"{"kind":"step","step_size":0}"#, "step_size"),
        (r#"{"kind":"multi_step","milestones":[],"gamma":-1}"#, "gamma"),
        (r#"{"kind":"exponential","gamma":-0.1}"#, "gamma"),
        (r#"{"kind":"cosine","t_max":0}"#, "t_max"),
        (r#"{"kind":"cosine_restarts","t_0":0}"#, "t_0"),
        (r#"{"kind":"cosine_restarts","t_0":1,"t_mult":0}"#, "t_mult"),
        (r#"{"kind":"one_cycle","total_steps":9}"#, "max_lr"),
        (r#"{"kind":"one_cycle","max_lr":0.1}"#, "total_steps"),
        (r#"{"kind":"one_cycle","max_lr":0.1,"total_steps":4,"pct_start":0.25}"#, "pct_start"),
        (r#"{"kind":"one_cycle","max_lr":0.1,"total_steps":4,"pct_start":1.5}"#, "pct_start"),
        (r#"{"kind":"linear_warmup","start_factor":0}"#, "start_factor"),
        (r#"{"kind":"linear_warmup","end_factor":1.1}"#, "end_factor"),
        (r#"{"kind":"linear_warmup","total_iters":0}"#, "total_iters"),
        (r#"{"kind":"polynomial","power":-1}"#, "power"),
        (r#"{"kind":"sequential","milestones":[],"schedules":[]}"#, "milestones"),
        (
            r#"{"kind":"sequential","milestones":[0],"schedules":[{"kind":"constant"},{"kind":"constant"}]}"#,
            "milestones",
        ),
        (
            r#"{"kind":"sequential","milestones":[],"schedules":[{"kind":"chained","schedules":[]}]}"#,
            "schedules",
        ),
        (r#"{"kind":"chained","schedules":[]}"#, "schedules"),
        (r#"{"kind":"chained","schedules":[{"kind":"step","step_size":0}]}"#, "step_size"),
    ] {
        let schedule: Schedule = serde_json::from_str(json).unwrap();
        match schedule.validate() {
            Err(PolicyError::Invalid { key: named, .. }) => assert_eq!(named, key, "{json}"),
            other => panic!("{json}: {other:?}"),
        }
        // Meaningless, but no panic and no endless loop.
        let _ = schedule.lr(0.1, 20);
        let written = serde_json::to_string(&schedule).unwrap();
        assert_eq!(serde_json::from_str::<Schedule>(&written).unwrap(), schedule);
    }
    assert!(serde_json::from_str::<Schedule>(r#"{"kind":"step","step_size":3,"gama":0.1}"#).is_err());
}

#[test]
fn the_last_rate_of_a_one_cycle_holds() {
    let json = r#"{"kind":"one_cycle","max_lr":0.1,"total_steps":10,"anneal":"linear"}"#;
    let schedule: Schedule = serde_json::from_str(json).unwrap();
    assert_eq!(schedule.lr(1.0, 9), schedule.lr(1.0, 500));
}

#[test]
fn a_file_name_that_cannot_be_filled_in_says_why() {
    let observe = |path: &str| {
        let config = CheckpointConfig { path: path.to_owned(), ..CheckpointConfig::default() };
        let metrics = BTreeMap::from([("val_loss".to_owned(), -1e-5)]);
        CheckpointPolicy::new(config).unwrap().observe(6, &metrics)
    };
    for (path, filled) in [
        ("net-{epoch:03d}.st", "net-007.st"),
        ("{{{epoch}}}", "{7}"),
        ("{val_loss}|{val_loss:012.3e}|{val_loss:.1f}", "-1e-05|-001.000e-05|-0.0"),
        ("{epoch:.1f}", "7.0"),
    ] {
        assert_eq!(observe(path).unwrap().path, filled);
    }
    for (path, reason) in [
        ("a{epoch", "file name template \"a{epoch\": a lone \"{\"; double it to mean itself"),
        ("a}b", "file name template \"a}b\": a lone \"}\"; double it to mean itself"),
        ("{acc}", "file name template \"{acc}\": no acc here; known are epoch, val_loss"),
        (
            "{val_loss:d}",
            "file name template \"{val_loss:d}\": {val_loss:d} asks for a format that val_loss does not have",
        ),
    ] {
        assert_eq!(observe(path).unwrap_err().to_string(), reason);
    }
    for path in ["{epoch:>3}", "{epoch:+d}", "{epoch:999999d}", "{val_loss:é}", "{epoch:1.2.3f}"] {
        assert!(matches!(observe(path), Err(PolicyError::Template { .. })), "{path}");
    }
}

#[test]
fn a_checkpoint_needs_its_metric() {
    let config =
        CheckpointConfig { save_best_only: true, monitor: "val_acc".to_owned(), ..Default::default() };
    let metrics = BTreeMap::from([("loss".to_owned(), 1.0), ("val_loss".to_owned(), 2.0)]);
    let error = CheckpointPolicy::new(config.clone()).unwrap().observe(0, &metrics).unwrap_err();
    assert_eq!(error.to_string(), "metric \"val_acc\" is not available; this epoch has loss, val_loss");
    let unknown = CheckpointConfig { monitor: "roundness".to_owned(), ..config };
    let error = CheckpointPolicy::new(unknown).unwrap_err();
    assert_eq!(
        error.to_string(),
        "cannot tell whether \"roundness\" should fall or rise: say mode=min or mode=max"
    );
}

proptest! {
    /// No option string and no template can make a policy panic.
    #[test]
    fn texts_never_panic(text in "[a-z_=,{}:.0-9é]{0,40}") {
        let _ = EarlyStoppingConfig::parse(Semantics::Keras, &text);
        let _ = PlateauConfig::parse(Semantics::Torch, &text);
        let config = CheckpointConfig { path: text, ..CheckpointConfig::default() };
        let _ = CheckpointPolicy::new(config).unwrap().observe(0, &BTreeMap::new());
    }
}
