//! `wellfit models`.

use crate::bench::Bench;
use serde_json::Value;

fn of<'a>(outcome: &'a Value, name: &str) -> &'a Value {
    outcome["models"].as_array().unwrap().iter().find(|model| model["name"] == name).unwrap()
}

#[test]
fn every_architecture_is_listed_with_what_is_published_of_it() {
    let bench = Bench::new();
    let outcome = bench.run("models --json").succeeds().json();
    let names: Vec<&str> =
        outcome["models"].as_array().unwrap().iter().map(|model| model["name"].as_str().unwrap()).collect();
    assert_eq!(names, *wellfit::models::MODELS);
    let resnet = of(&outcome, "resnet50");
    assert_eq!(resnet["parameters"], 25_557_032);
    assert_eq!(resnet["multiply_adds"], 4_089_184_256_u64);
    assert_eq!(resnet["input"], serde_json::json!([224, 224, 3]));
    let weights = resnet["weights"].as_array().unwrap();
    assert_eq!(weights.len(), 2);
    for (weights, name, top1, top5) in
        [(&weights[0], "imagenet-v2", 80.858, 95.434), (&weights[1], "imagenet-v1", 76.13, 92.862)]
    {
        assert_eq!(weights["name"], name);
        assert_eq!((&weights["top1"], &weights["top5"]), (&top1.into(), &top5.into()));
        assert_eq!((&weights["path"], &weights["embedded"]), (&Value::Null, &false.into()));
    }
    let lite = &of(&outcome, "efficientnet_lite0")["weights"][0];
    assert_eq!(lite["embedded"], cfg!(feature = "embedded"));
    assert_eq!((&lite["top1"], &lite["source"]), (&74.83.into(), &"timm".into()));
    assert_eq!(of(&outcome, "mlp")["weights"], serde_json::json!([]));
}

#[test]
fn a_file_in_the_cache_is_shown() {
    let bench = Bench::new();
    let table = bench.run("models").succeeds().to_string();
    for part in ["GMACs", "wide_resnet101_2", "126.89 M", "22.753", "82.51", "96.02"] {
        assert!(table.contains(part), "{part} is not in {table}");
    }
    assert!(!table.contains("resnet18-f37072fd"), "{table}");
    let file = bench.path("home/.cache/torch/hub/checkpoints/resnet18-f37072fd.pth");
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    std::fs::write(&file, "x").unwrap();
    let outcome =
        bench.command("models --json").env("TORCH_HOME", bench.path("home/.cache/torch")).output().unwrap();
    let outcome = crate::bench::Outcome::new("models", &outcome).succeeds().json();
    assert_eq!(of(&outcome, "resnet18")["weights"][0]["path"], file.display().to_string());
}
