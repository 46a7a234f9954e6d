//! `--depth`: grey image files of more than 8 bits.

use crate::bench::Bench;
use crate::material::MLP;
use image::{ImageBuffer, ImageFormat, Luma, Primitive};
use std::io::Cursor;

const SIDE: u32 = 16;

/// A level of 16 bits that tells the class, with an edge at a place that `number` tells.
fn level(class: u32, number: u32, x: u32) -> u16 {
    let edge = if x < number { 900 } else { 0 };
    12_000 + 35_000 * class as u16 + edge
}

fn png<T: Primitive>(level: impl Fn(u32) -> T) -> Vec<u8>
where
    Luma<T>: image::PixelWithColorType<Subpixel = T>,
    [T]: image::EncodableLayout,
{
    let mut bytes = Cursor::new(Vec::new());
    let image = ImageBuffer::from_fn(SIDE, SIDE, |x, _| Luma([level(x)]));
    image.write_to(&mut bytes, ImageFormat::Png).unwrap();
    bytes.into_inner()
}

/// Two classes of scans in `scans/` that use all 16 bits, with a validation part.
fn scans() -> Bench {
    let bench = Bench::new();
    for (class, name) in (0..).zip(["dark", "light"]) {
        for number in 0..12 {
            let part = if number < 8 { "train" } else { "val" };
            bench.write(&format!("scans/{part}/{name}/{number}.png"), png(|x| level(class, number, x)));
        }
    }
    bench
}

#[test]
fn scans_of_16_bits_are_told_apart_where_they_are_scaled() {
    let bench = scans();
    let train = format!("train scans {MLP} --epochs 6 --seed 1");
    let clipped = bench.run(&format!("{train} --out clipped")).succeeds();
    let clipped = clipped.warns("24 grey images are of more than 8 bits").warns("--depth scale divides them");
    assert!(!clipped.to_string().contains("`depth`"), "{clipped}");
    let scaled = bench.run(&format!("{train} --depth scale --out scaled")).succeeds();
    scaled.never_says("more than 8 bits");
    let accuracy =
        |run: &str| bench.run(&format!("evaluate {run} scans --json")).succeeds().json()["accuracy"].clone();
    assert_eq!((accuracy("clipped"), accuracy("scaled")), (0.5.into(), 1.0.into()));
    // The depth is in the weights of the run, and the usual one is not written.
    let depth = |run: &str| bench.toml(&format!("{run}/run.toml"))["transform"].get("depth").cloned();
    assert_eq!((depth("clipped"), depth("scaled")), (None, Some("scale".into())));
}

#[test]
fn weights_decode_as_their_run_did() {
    let bench = scans();
    bench.run(&format!("train scans {MLP} --epochs 2 --depth scale --out run")).succeeds();
    bench.write("deep.png", png(|x| level(1, 5, x)));
    // What the same picture is with 8 bits: a 257th, to the nearest.
    bench.write("eight.png", png(|x| ((u32::from(level(1, 5, x)) + 128) / 257) as u8));
    bench.run("export run --format safetensors --out exported").succeeds();
    let mut found = Vec::new();
    for weights in ["run", "run/model.safetensors", "exported"] {
        let told = bench.run(&format!("predict {weights} deep.png eight.png --json")).succeeds().json();
        let tops = [0, 1].map(|place| told["predictions"][place]["top"].clone());
        assert_eq!(tops[0], tops[1], "{weights}");
        found.push(tops);
    }
    assert!(found.iter().all(|tops| *tops == found[0]), "{found:?}");
    let config: serde_json::Value = serde_json::from_str(&bench.text("exported/config.json")).unwrap();
    assert_eq!(config["depth"], "scale");
}

#[test]
fn the_depth_is_an_option_of_looking_and_of_image_files_only() {
    let bench = scans();
    bench.run("data show scans --out clipped.png").succeeds().warns("--depth scale divides them");
    bench.run("data show scans --depth scale --out scaled.png").succeeds().never_says("more than 8 bits");
    assert!(bench.bytes("clipped.png") != bench.bytes("scaled.png"));
    bench.refuses("train scans --depth white", 2, &["--depth", "clip", "scale"]);
    bench.digits("digits", 30, 10);
    bench.refuses_to_train("digits --depth scale", 2, &["--depth scale is for image files"]);
}
