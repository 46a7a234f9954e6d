//! Weights as other programs name them.

#![allow(clippy::unwrap_used, reason = "a test may panic, its helpers too")]

use wellfit_models::{HeadTaken, Loaded, MODELS, ModelError, Network, Shape, build, head_outputs, likeness};
use wellfit_weights::{Array, Data, WeightFile};

const CLASSES: usize = 3;

fn made(model: &str, classes: usize, seed: u64) -> Network {
    let mut network = build(model, Shape::image(8, 8, 3), classes).unwrap();
    network.initialise(seed);
    network
}

fn renamed(file: &WeightFile, change: impl Fn(&str) -> String) -> WeightFile {
    let arrays = file.arrays.iter().map(|(name, array)| (change(name), array.clone())).collect();
    WeightFile { arrays, ..WeightFile::default() }
}

fn with(mut file: WeightFile, more: &WeightFile) -> WeightFile {
    file.arrays.extend(more.arrays.iter().cloned());
    file
}

fn floats(name: &str, shape: &[usize]) -> WeightFile {
    let data = Data::F32(vec![0.5; shape.iter().product()]);
    let array = Array { shape: shape.to_vec(), data };
    WeightFile { arrays: vec![(name.to_owned(), array)], ..WeightFile::default() }
}

/// Load into a network of zeros; the weights must be those of `state`, the head aside if it stays.
fn loads(model: &str, file: &WeightFile, state: &WeightFile, replace_head: bool) -> Loaded {
    let mut network = build(model, Shape::image(8, 8, 3), CLASSES).unwrap();
    let (fresh, head) = (network.state(), network.head());
    let loaded = network.load(file, replace_head).unwrap();
    let kept = matches!(loaded.head, HeadTaken::Fresh { .. });
    for (name, array) in &network.state().arrays {
        let expected = if kept && name.starts_with(&head) { fresh.get(name) } else { state.get(name) };
        assert_eq!(Some(array), expected, "{model}: {name}");
    }
    loaded
}

fn error(model: &str, file: &WeightFile, replace_head: bool) -> String {
    let mut network = made(model, CLASSES, 2);
    let before = network.state();
    let error = network.load(file, replace_head).unwrap_err();
    assert!(error.is_of_weights(), "{error}");
    assert_eq!(network.state(), before, "nothing is changed");
    error.to_string()
}

#[test]
fn any_prefix_goes() {
    for model in ["mlp-bn", "resnet20"] {
        let state = made(model, CLASSES, 1).state();
        for prefix in ["", "module.", "model.", "backbone.", "_orig_mod.", "net.", "a.b.c.", "ema/", "x_"] {
            let file = renamed(&state, |name| format!("{prefix}{name}"));
            let loaded = loads(model, &file, &state, false);
            assert_eq!(
                (loaded.head, loaded.copies.len(), loaded.extra.len()),
                (HeadTaken::Own, 0, 0),
                "{prefix}"
            );
            assert_eq!(loaded.prefix, prefix.replace("_orig_mod.", ""));
        }
        let inside = renamed(&state, |name| format!("module.{}", name.replacen('.', "._orig_mod.", 1)));
        assert_eq!(loads(model, &inside, &state, false).prefix, "module.");
    }
}

#[test]
fn of_several_copies_the_average_is_taken_else_the_first() {
    let (one, two) = (made("resnet20", CLASSES, 1).state(), made("resnet20", CLASSES, 2).state());
    let under = |file: &WeightFile, prefix: &str| renamed(file, |name| format!("{prefix}{name}"));
    for (first, second, taken) in [
        ("model.", "model_ema.module.", "model_ema.module."),
        ("", "ema.", "ema."),
        ("student.", "teacher.", "teacher."),
        ("encoder_q.", "encoder_k.", "encoder_q."),
        ("swa_model.", "model.", "swa_model."),
    ] {
        let file = with(under(&one, first), &under(&two, second));
        let expected = if taken == first { &one } else { &two };
        let loaded = loads("resnet20", &file, expected, false);
        let left = if taken == first { second } else { first };
        assert_eq!((loaded.prefix.as_str(), loaded.copies), (taken, vec![left.to_owned()]));
        assert!(loaded.extra.is_empty());
    }
    // An average of the parameters only has no running statistics, so it is no copy.
    let mut part = under(&two, "ema.");
    part.arrays.retain(|(name, _)| !name.contains("running"));
    let loaded = loads("resnet20", &with(under(&one, "model."), &part), &one, false);
    assert_eq!((loaded.prefix.as_str(), loaded.copies.len()), ("model.", 0));
    assert_eq!(loaded.extra.len(), part.arrays.len());
}

#[test]
fn what_has_nothing_to_do_with_the_network_is_left_and_named() {
    let state = made("resnet20", CLASSES, 1).state();
    let file = with(renamed(&state, |name| format!("model.{name}")), &floats("criterion.weight", &[3]));
    let file = with(file, &floats("model.layer1.0.conv1.total_ops", &[1]));
    let file = with(file, &floats("model.projector.0.weight", &[128, 64]));
    let extra = loads("resnet20", &file, &state, false).extra;
    assert_eq!(extra, ["criterion.weight", "model.layer1.0.conv1.total_ops", "model.projector.0.weight"]);
}

/// All of a resnet18 is in a resnet34, but the network is another.
#[test]
fn layers_of_another_network_are_not_left() {
    let state = made("resnet20", CLASSES, 1).state();
    for more in [
        floats("layer1.3.conv1.weight", &[16, 16, 3, 3]),
        floats("layer1.0.se.fc1.weight", &[4, 16]),
        floats("conv1.bias", &[16]),
        floats("fc.1.weight", &[3, 3]),
    ] {
        let message = error("resnet20", &with(state.clone(), &more), false);
        assert!(
            message.contains(&format!("`{}` {:?}", more.arrays[0].0, more.arrays[0].1.shape)),
            "{message}"
        );
    }
    let message = error("resnet18", &made("resnet34", CLASSES, 1).state(), true);
    assert!(message.contains("looks like resnet34: give `model` resnet34"), "{message}");
}

#[test]
fn a_head_under_another_name_is_taken_or_replaced() {
    let state = made("resnet20", CLASSES, 1).state();
    for (prefix, name) in [
        ("", "classifier"),
        ("", "head"),
        ("", "head.fc"),
        ("model.", "model.head"),
        ("backbone.", "fc"),
        ("backbone.", "head"),
        ("", "last_linear"),
        ("net.", "cls_head.out"),
        ("", "fc.1"),
    ] {
        let file = renamed(&state, |own| match own.strip_prefix("fc") {
            Some(part) => format!("{name}{part}"),
            None => format!("{prefix}{own}"),
        });
        let shown = name.strip_prefix(prefix).unwrap_or(name).to_owned();
        let loaded = loads("resnet20", &file, &state, false);
        if name == "fc" {
            assert_eq!(
                (loaded.head, loaded.extra.len()),
                (HeadTaken::Own, 0),
                "its own name, without the prefix"
            );
            continue;
        }
        assert_eq!(
            (loaded.head, loaded.extra.len()),
            (HeadTaken::Renamed(shown.clone()), 0),
            "{prefix} {name}"
        );
        let loaded = loads("resnet20", &file, &state, true);
        assert_eq!(loaded.head, HeadTaken::Fresh { name: Some(shown), classes: Some(CLASSES) });
        assert_eq!(head_outputs("resnet20", Shape::image(8, 8, 3), &file), Some(CLASSES));
    }
}

#[test]
fn a_head_for_other_classes_or_none_is_replaced_or_named() {
    let (state, other) = (made("resnet20", CLASSES, 1).state(), made("resnet20", 5, 1).state());
    let fresh = |name: Option<&str>, classes| HeadTaken::Fresh { name: name.map(str::to_owned), classes };
    assert_eq!(loads("resnet20", &other, &other, true).head, fresh(Some("fc"), Some(5)));
    let message = error("resnet20", &other, false);
    assert!(message.contains("`fc.weight` [3, 64]  `fc.weight` [5, 64]"), "{message}");
    assert_eq!(loads("resnet20", &state, &state, true).head, HeadTaken::Own, "as many classes");
    let mut none = state.clone();
    none.arrays.retain(|(name, _)| !name.starts_with("fc."));
    assert_eq!(loads("resnet20", &none, &state, true).head, fresh(None, None));
    let message = error("resnet20", &none, false);
    assert!(message.contains("`fc.weight` [3, 64]  missing"), "{message}");
    assert_eq!(head_outputs("resnet20", Shape::image(8, 8, 3), &none), None);
    // Two layers, of which the second reads on what the first gives: no head of one layer.
    let two = with(with(none.clone(), &floats("top.0.weight", &[8, 64])), &floats("top.0.bias", &[8]));
    let two = with(with(two, &floats("top.2.weight", &[3, 8])), &floats("top.2.bias", &[3]));
    assert_eq!(loads("resnet20", &two, &state, true).head, fresh(None, None));
    let message = error("resnet20", &two, false);
    assert!(message.contains("`fc.weight` [3, 64]  `top.0.weight`"), "{message}");
    let two = renamed(&two, |name| name.replace("top.", "fc."));
    assert_eq!(loads("resnet20", &two, &state, true).head, fresh(None, None));
}

#[test]
fn the_architecture_is_known_by_names_and_shapes() {
    for &model in MODELS.iter() {
        let mut file = build(model, Shape::image(8, 8, 3), 7).unwrap().state();
        // Shapes alone tell.
        for (_, array) in &mut file.arrays {
            if let Data::F32(values) = &mut array.data {
                values.truncate(2);
            }
        }
        for file in [renamed(&file, |name| format!("module.{name}")), file] {
            let found = likeness(&file).unwrap();
            assert_eq!((found.model, found.whole), (model, true));
            assert_eq!(found.input, model.starts_with("mlp").then(|| Shape::image(8, 8, 3)), "{model}");
            assert_eq!(head_outputs(model, found.input.unwrap_or(Shape::image(8, 8, 3)), &file), Some(7));
        }
    }
    let grey = build("resnet20", Shape::image(28, 28, 1), 2).unwrap().state();
    assert!(likeness(&grey).unwrap().whole, "one channel");
    let grey = build("mlp", Shape::image(28, 28, 1), 2).unwrap().state();
    assert_eq!(likeness(&grey).unwrap().input, Some(Shape::image(28, 28, 1)));
    let vit = with(floats("patch_embed.proj.weight", &[8, 3, 4, 4]), &floats("blocks.0.norm1.weight", &[8]));
    assert_eq!(likeness(&vit), None);
    let message = error("resnet20", &vit, true);
    assert!(message.contains("0 of its"), "{message}");
    assert!(
        message.contains("`conv1.weight` [16, 3, 3, 3]") && message.contains("`patch_embed.proj.weight`"),
        "{message}"
    );
    assert!(message.contains("looks like none of the architectures"), "{message}");
}

#[test]
fn weights_that_are_no_numbers_are_refused_and_counted() {
    let state = made("resnet20", CLASSES, 1).state();
    let spoilt = |name: &str, places: &[usize], value: f32| {
        let mut file = state.clone();
        let (_, array) = file.arrays.iter_mut().find(|(own, _)| own == name).unwrap();
        let Data::F32(values) = &mut array.data else { panic!("{name}") };
        places.iter().for_each(|&place| values[place] = value);
        file
    };
    for (name, value) in [
        ("conv1.weight", f32::NAN),
        ("layer2.0.bn1.bias", f32::INFINITY),
        ("layer3.2.bn2.running_var", f32::NEG_INFINITY),
        ("fc.bias", f32::NAN),
    ] {
        let file = spoilt(name, &[0, 2], value);
        for replace_head in [false, true] {
            let message = error("resnet20", &file, replace_head);
            assert!(
                message.contains(&format!("`{name}` holds 2 NaN or infinite numbers among")),
                "{message}"
            );
        }
        let prefixed = renamed(&file, |name| format!("module.{name}"));
        assert!(error("resnet20", &prefixed, false).contains(&format!("`module.{name}` holds 2")));
    }
    let mut two = spoilt("conv1.weight", &[7], f32::NAN);
    two.arrays.retain(|(name, _)| name != "bn1.bias");
    two.arrays.push(("bn1.bias".to_owned(), Array { shape: vec![16], data: Data::F32(vec![f32::NAN; 16]) }));
    assert!(error("resnet20", &two, false).contains("and so does one other array"));
    // What is not loaded may hold anything.
    let unused = Array { shape: vec![1], data: Data::F32(vec![f32::NEG_INFINITY]) };
    let mut file = state.clone();
    file.arrays.push(("mask".to_owned(), unused));
    assert_eq!(loads("resnet20", &file, &state, false).extra, ["mask"]);
    assert!(matches!(made("resnet20", CLASSES, 1).load(&two, false), Err(ModelError::NotFinite { .. })));
}
