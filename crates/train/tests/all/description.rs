//! Descriptions of weights, out and in again.

#![allow(clippy::unwrap_used, reason = "a test may panic, its helpers too")]

use serde_json::{Value, json};
use std::collections::BTreeMap;
use wellfit_data::{Depth, Interpolation, Preprocessing};
use wellfit_models::{Network, Shape, build};
use wellfit_train::{Description, Hints};

fn described(model: &str, (height, width): (usize, usize), channels: usize) -> (Network, Description) {
    let network = build(model, Shape::image(height, width, channels), 2).unwrap();
    let description = Description {
        model: model.to_owned(),
        classes: vec!["cat".to_owned(), "weiß \"quoted\"".to_owned()],
        // Floats whose f32 is not the f64 of the same digits.
        preprocessing: Preprocessing {
            channels,
            mean: vec![0.485; channels],
            std: vec![0.353_024_36; channels],
            ..Preprocessing::imagenet((height, width))
        },
    };
    (network, description)
}

#[test]
fn both_ways_of_telling_are_read_back_exactly() {
    for (model, channels) in [("resnet18", 3), ("resnet20", 1), ("mlp-bn", 3)] {
        let (network, mut description) = described(model, (40, 72), channels);
        if model == "mlp-bn" {
            description.preprocessing.depth = Depth::Scale;
        } else {
            description.preprocessing.resize = Some(83);
        }
        let config = Hints::from_timm_config(&description.timm_config(&network)).unwrap();
        let metadata = Hints::from_metadata(&description.metadata()).unwrap();
        assert_eq!(config, metadata);
        let Description { model, classes, preprocessing } = description;
        let (model, classes, preprocessing) = (Some(model), Some(classes), Some(preprocessing));
        let told = Hints { model, classes, preprocessing, unlike: None };
        assert_eq!(config, told);
    }
}

/// Key by key what timm 1.0.31's `save_config_for_hf` writes, with our preprocessing.
#[test]
fn the_configuration_is_timms() {
    let (network, description) = described("resnet50", (224, 192), 3);
    let config: Value = serde_json::from_str(&description.timm_config(&network)).unwrap();
    let expected = json!({
        "architecture": "resnet50",
        "num_classes": 2,
        "num_features": 2048,
        "global_pool": "avg",
        "label_names": ["cat", "weiß \"quoted\""],
        "model_args": { "num_classes": 2, "in_chans": 3, "global_pool": "avg" },
        "pretrained_cfg": {
            "custom_load": false,
            "input_size": [3, 224, 192],
            "fixed_input_size": false,
            "interpolation": "bilinear",
            "crop_pct": 1.0,
            "crop_mode": "squash",
            "mean": [0.485, 0.485, 0.485],
            "std": [0.353_024_36, 0.353_024_36, 0.353_024_36],
            "num_classes": 2,
            "pool_size": [7, 6],
            "first_conv": "conv1",
            "classifier": "fc",
        },
    });
    assert_eq!(config, expected);
}

/// timm rounds `size / crop_pct` down: every side comes back.
#[test]
fn the_shorter_side_is_told_exactly() {
    let (network, mut description) = described("mlp", (24, 24), 1);
    for side in 24..300 {
        description.preprocessing.resize = Some(side);
        let text = description.timm_config(&network);
        let config: Value = serde_json::from_str(&text).unwrap();
        let share = config["pretrained_cfg"]["crop_pct"].as_f64().unwrap();
        assert_eq!((24.0 / share).floor() as usize, side);
        assert_eq!(config["pretrained_cfg"]["crop_mode"], "center");
        assert_eq!(Hints::from_timm_config(&text).unwrap().preprocessing.unwrap().resize, Some(side));
    }
}

#[test]
fn a_network_without_convolutions_says_so() {
    let (network, description) = described("mlp", (8, 8), 1);
    let config: Value = serde_json::from_str(&description.timm_config(&network)).unwrap();
    assert_eq!(config["num_features"], 24);
    assert_eq!(config["pretrained_cfg"]["classifier"], "classifier.4");
    assert_eq!(config["pretrained_cfg"]["fixed_input_size"], true);
    for absent in ["first_conv", "pool_size"] {
        assert_eq!(config["pretrained_cfg"].get(absent), Some(&Value::Null), "timm keeps these keys");
    }
    assert!(config.get("global_pool").is_none());
}

#[test]
fn preprocessing_that_we_do_not_do_is_named() {
    let timm = |cfg: Value| {
        let config = json!({ "architecture": "resnet18", "pretrained_cfg": cfg });
        Hints::from_timm_config(&config.to_string()).unwrap()
    };
    let cfg = json!({ "input_size": [3, 8, 8], "mean": [0.5, 0.5, 0.5], "std": [0.2, 0.2, 0.2] });
    let hints = timm(cfg);
    assert_eq!(hints.unlike, None);
    let preprocessing = hints.preprocessing.unwrap();
    assert_eq!((preprocessing.size, preprocessing.resize), ((8, 8), Some(9)));
    assert_eq!(preprocessing.interpolation, Interpolation::Bicubic, "timm's default");
    let lanczos = json!({ "interpolation": "lanczos" });
    assert_eq!(timm(lanczos).unlike.unwrap(), "interpolation lanczos");
    let ours = json!({ "interpolation": "bilinear", "crop_mode": "squash", "crop_pct": 1.0 });
    assert_eq!(timm(ours), Hints { model: Some("resnet18".to_owned()), ..Hints::default() });
}

#[test]
fn what_says_nothing_gives_no_hints() {
    assert!(
        Hints::from_metadata(&BTreeMap::from([("format".to_owned(), "pt".to_owned())])).unwrap().is_empty()
    );
    for other in ["{}", r#"{"model_type": "bert", "architectures": ["BertModel"]}"#] {
        assert!(Hints::from_timm_config(other).unwrap().is_empty(), "{other}");
    }
    // Sparse names by class number.
    let sparse = r#"{"architecture": "mlp", "label_names": {"3": "cat"}, "pretrained_cfg": {}}"#;
    assert_eq!(Hints::from_timm_config(sparse).unwrap().classes, None);
}

#[test]
fn nonsense_is_an_error_that_says_where() {
    let transform = BTreeMap::from([("transform".to_owned(), "{\"size\": 7}".to_owned())]);
    let error = Hints::from_metadata(&transform).unwrap_err().to_string();
    assert!(error.starts_with("transform: "), "{error}");
    for text in ["", "[", r#"{"architecture": "mlp", "pretrained_cfg": {"input_size": "big"}}"#] {
        let error = Hints::from_timm_config(text).unwrap_err().to_string();
        assert!(error.contains("line 1 column"), "{error}");
    }
}
