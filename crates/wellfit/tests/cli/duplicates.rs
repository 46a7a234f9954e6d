//! `wellfit data dedupe`, and what `data show` says of duplicates.

use crate::bench::Bench;
use image::imageops::{FilterType, flip_horizontal, resize};
use image::{DynamicImage, GrayImage, ImageFormat, Luma};
use serde_json::{Value, json};
use std::io::Cursor;
use wellfit::rng::{Rng, Stream};

const SIDE: u32 = 40;

/// A smooth grey picture, another one for each number.
pub fn smooth(number: u32) -> GrayImage {
    let mut rng = Rng::new(3, Stream::Noise, 200, number);
    let mut normal = || f64::from(rng.normal());
    let bumps: Vec<[f64; 4]> =
        (0..5).map(|_| [20.0 + 9.0 * normal(), 20.0 + 9.0 * normal(), 5.0, 45.0 * normal()]).collect();
    GrayImage::from_fn(SIDE, SIDE, |x, y| {
        let of = |[top, left, width, height]: &[f64; 4]| {
            let distance = (f64::from(y) - top).powi(2) + (f64::from(x) - left).powi(2);
            height / (1.0 + distance / (width * width))
        };
        Luma([(120.0 + bumps.iter().map(of).sum::<f64>()).clamp(0.0, 255.0) as u8])
    })
}

pub fn encoded(image: GrayImage, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    DynamicImage::ImageLuma8(image).write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

/// Training and test images of two classes, with one of each kind of duplicate.
fn pictures() -> Bench {
    let bench = Bench::new();
    let png = |image| encoded(image, ImageFormat::Png);
    for number in 0..12 {
        let class = ["cat", "dog"][number as usize % 2];
        bench.write(&format!("pictures/train/{class}/{number}.png"), png(smooth(number)));
    }
    bench.write("pictures/train/cat/copy.png", png(smooth(0)));
    bench.write("pictures/train/dog/saved-again.jpg", encoded(smooth(1), ImageFormat::Jpeg));
    let large = resize(&smooth(2), 90, 90, FilterType::CatmullRom);
    bench.write("pictures/train/cat/large.png", png(large));
    bench.write("pictures/test/dog/mirrored.png", png(flip_horizontal(&smooth(3))));
    bench.write("pictures/test/cat/other.png", png(smooth(100)));
    bench.write("pictures/test/cat/wrong.png", png(smooth(5)));
    bench
}

fn set_of<'a>(result: &'a Value, name: &str) -> &'a Value {
    let has = |set: &&Value| {
        set.as_array().unwrap().iter().any(|image| image["path"].as_str().unwrap().ends_with(name))
    };
    result["sets"].as_array().unwrap().iter().find(has).unwrap_or_else(|| panic!("{name}: {result}"))
}

#[test]
fn every_kind_is_listed() {
    let bench = pictures();
    let result = bench.run("data dedupe pictures --json --sheet sheet.png").succeeds().json();
    assert_eq!((&result["extra"], &result["across_classes"]), (&json!(5), &json!(1)), "{result}");
    for (name, likeness) in [
        ("copy.png", "copy"),
        ("saved-again.jpg", "near"),
        ("large.png", "near"),
        ("mirrored.png", "mirrored"),
    ] {
        let set = set_of(&result, name);
        assert_eq!((set.as_array().unwrap().len(), &set[1]["likeness"]), (2, &json!(likeness)), "{name}");
    }
    assert!(bench.bytes("sheet.png").starts_with(b"\x89PNG"));
    let listed = bench.run("data dedupe pictures").succeeds();
    listed.says("5 duplicates in 5 sets").says("may go").warns("1 set with different labels");
    let exact = bench.run("data dedupe pictures --exact --json").succeeds().json();
    // The picture that stands in two classes is a copy, too.
    assert_eq!((&exact["extra"], &exact["near"], &exact["mirrored"]), (&json!(2), &json!(0), &json!(0)));
    bench.run("data show pictures").succeeds().warns("nearly the same").warns("mirrored").says("data dedupe");
}

#[test]
fn duplicates_move_away_and_come_back() {
    let bench = pictures();
    let before = bench.snapshot();
    let outcome = bench.run("data dedupe pictures --move-to apart").succeeds();
    outcome.says("4 images moved to apart").says("data dedupe --undo apart");
    // Of two sizes the larger stays, of two parts the test image.
    for name in ["train/cat/2.png", "train/dog/3.png"] {
        assert!(bench.has(&format!("apart/{name}")) && !bench.has(&format!("pictures/{name}")), "{name}");
    }
    assert!(bench.has("pictures/train/dog/5.png") && bench.has("pictures/test/cat/wrong.png"));
    let rest = bench.run("data dedupe pictures --json").succeeds().json();
    assert_eq!(rest["extra"], 1, "what has two labels");
    bench.run("data dedupe pictures --move-to apart").succeeds().says("nothing to move");
    bench.run("data dedupe --undo apart").succeeds().says("4 images where they were");
    assert!(before == bench.snapshot(), "as it was");
    bench.refuses("data dedupe --undo apart", 3, &["no moved.json"]);
}

#[test]
fn what_cannot_be_moved_is_told() {
    let bench = pictures();
    bench.digits("digits", 30, 10);
    bench.refuses("data dedupe digits --move-to apart", 2, &["--move-to", "no files in folders"]);
    bench.refuses("data dedupe pictures --move-to pictures/apart", 3, &["would be classes"]);
    bench.write("mine/notes.txt", "");
    bench.refuses("data dedupe pictures --move-to mine", 3, &["holds other things"]);
    bench.refuses("data dedupe", 2, &["DATA"]);
    bench.refuses("data dedupe pictures --undo apart", 2, &["--undo"]);
    bench.run("data dedupe digits").succeeds();
}
