//! `wellfit explain`.

use crate::bench::Bench;

#[test]
fn a_run_explains_images_as_it_predicts_them() {
    let bench = Bench::new();
    bench.animals();
    bench
        .run("train animals --model resnet18 --epochs 1 --image-size 64 --batch-size 4 --out run")
        .succeeds();
    let predicted = bench.run("predict run animals/cat --json").succeeds().json();
    let explained = bench.run("explain run animals/cat --out maps --json").succeeds().json();
    let (predicted, explained) =
        (predicted["predictions"].as_array().unwrap(), explained["explanations"].as_array().unwrap());
    assert_eq!(predicted.len(), explained.len());
    for (one, other) in predicted.iter().zip(explained) {
        assert_eq!(one["image"], other["image"]);
        assert_eq!(other["class"], one["top"][0]["class"]);
        assert_eq!(other["class"], other["predicted"]);
        let map = other["map"].as_array().unwrap();
        assert_eq!((map.len(), map[0].as_array().unwrap().len()), (2, 2));
    }
    assert!(bench.has("maps/explanation.png") && bench.has("maps/explanation.json"));
    bench.refuses("explain run animals/cat --class cow --out maps2", 2, &["no class ‘cow’", "there are cat"]);
    let other = bench.run("explain run animals/cat --class DOG --out dogs --json").succeeds().json();
    assert!(other["explanations"].as_array().unwrap().iter().all(|one| one["class"] == "dog"));
}

#[test]
fn what_cannot_be_explained_is_said() {
    let bench = Bench::new();
    bench.animals();
    bench.run("train animals --model mlp --epochs 1 --image-size 16 --out run").succeeds();
    bench.refuses("explain run animals/cat --out maps", 2, &["a mlp has none"]);
    bench.refuses("explain run nothing.png --out maps", 3, &["nothing.png"]);
}
