//! The pixels for given parameters.

use std::collections::HashMap;
use std::fs;
use std::io::Read;
use std::sync::Arc;

use serde_json::Value;
use wellfit_data::augment::ops::{About, Image, Op};
use wellfit_data::augment::{Effect, Rectangle, Size, Space};
use wellfit_data::{Augmentation, Augmentations, Dataset, Images, Loader, LoaderOptions, Preprocessing};

use crate::{fixture, table};

/// What was done to which image, and the result.
struct Case {
    text: Value,
    result: Image,
}

impl Case {
    fn word(&self, key: &str) -> &str {
        self.text[key].as_str().unwrap()
    }

    fn parameters(&self) -> Vec<f64> {
        self.text["parameters"].as_array().unwrap().iter().map(|value| value.as_f64().unwrap()).collect()
    }

    /// The operation with its parameters; none for a crop.
    fn op(&self) -> Option<Op> {
        let in_space = |space: Space| {
            let bin = self.text["bin"].as_u64().unwrap() as u32;
            space.op(self.word("operation"), bin, self.text["negative"].as_bool().unwrap())
        };
        Some(match self.word("what") {
            "trivial" => in_space(Space::TRIVIAL_AUGMENT_WIDE),
            "rand" => in_space(Space::randaugment(self.result.size)),
            "rotate" => Op::Rotate(self.parameters()[0]),
            "brightness" => Op::Brightness(self.parameters()[0]),
            "contrast" => Op::Contrast(self.parameters()[0]),
            "saturation" => Op::Saturation(self.parameters()[0]),
            "hue" => Op::Hue(self.parameters()[0]),
            "affine" => {
                let [angle, x, y, scale, shear] = self.parameters()[..] else { panic!("five parameters") };
                Op::Affine { angle, translate: [x, y], scale, shear: [shear, 0.0], about: About::Middle }
            }
            "perspective" => {
                let corners: Vec<[f64; 2]> = self.parameters().chunks(2).map(|at| [at[0], at[1]]).collect();
                Op::Perspective(corners.try_into().unwrap())
            }
            "grayscale" => Op::Grayscale,
            "resized_crop" => return None,
            other => panic!("{other}"),
        })
    }
}

/// The images by name, and what became of them.
fn cases() -> (HashMap<String, Image>, Vec<Case>) {
    let mut bytes = Vec::new();
    let packed = fs::read(fixture("pixels.bin.gz")).unwrap();
    flate2::read::GzDecoder::new(&packed[..]).read_to_end(&mut bytes).unwrap();
    let mut rest = &bytes[..];
    let index: Vec<Value> = serde_json::from_slice(&fs::read(fixture("pixels.json")).unwrap()).unwrap();
    let case = |text: Value| {
        let number = |value: &Value| value.as_u64().unwrap() as usize;
        let size = (number(&text["size"][0]), number(&text["size"][1]));
        let channels = number(&text["channels"]);
        let pixels = rest.split_off(..size.0 * size.1 * channels).unwrap().to_vec();
        Case { text, result: Image { size, channels, pixels } }
    };
    let (images, cases): (Vec<Case>, Vec<Case>) =
        index.into_iter().map(case).partition(|case| case.word("what") == "image");
    assert!(rest.is_empty(), "the index accounts for every byte");
    (images.into_iter().map(|image| (image.word("image").to_owned(), image.result)).collect(), cases)
}

/// No value is another one: nothing here rounds differently. But torch solves for the coefficients of a perspective by
/// least squares, whose last bits decide where Pillow cuts fractions off: one level.
#[test]
fn pixels_are_those_of_torchvision_with_pillow() {
    let (images, cases) = cases();
    let (mut wrong, mut largest) = (Vec::new(), 0);
    let mut seen: HashMap<String, u32> = HashMap::new();
    for case in &cases {
        let source = &images[case.word("image")];
        let got = case.op().map_or_else(
            || cropped(source, case),
            |op| {
                let mut image = source.clone();
                op.apply(&mut image);
                image
            },
        );
        assert_eq!((got.size, got.channels), (case.result.size, case.result.channels));
        let differences = got.pixels.iter().zip(&case.result.pixels).map(|(a, b)| a.abs_diff(*b));
        let most = differences.clone().max().unwrap();
        let allowed = u8::from(case.word("what") == "perspective");
        largest = largest.max(most);
        if most > allowed {
            wrong.push(format!("{}: {most}, {} values", case.text, differences.filter(|&d| d > 0).count()));
        }
        *seen.entry(case.word("what").to_owned()).or_default() += 1;
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
    assert!(seen.len() == 11 && seen["trivial"] > 200 && seen["rand"] > 200, "{seen:?}");
    let compared = format!("{} images", cases.len());
    let tolerance = "equal; RandomPerspective 1 level";
    table::row(
        "Augmentations of images",
        &["torchvision", "pillow"],
        &compared,
        tolerance,
        f64::from(largest),
    );
}

/// Crops and erases the same part of every image.
#[derive(Debug)]
struct Fixed(Option<Rectangle>, Effect);

impl Augmentation for Fixed {
    fn name(&self) -> &'static str {
        "fixed"
    }

    fn smallest_crop(&self) -> Option<f64> {
        self.0.map(|_| 1.0)
    }

    fn crop(&self, _: u32, _: Size) -> Option<Rectangle> {
        self.0
    }

    fn effect(&self, _: u32, _: Size) -> Effect {
        self.1.clone()
    }
}

/// What a network would see of `image` at that size, in grey levels.
fn input(image: &Image, size: Size, step: Fixed) -> Vec<f32> {
    let (height, width) = image.size;
    let pixels = Arc::new(image.pixels.clone());
    let images = Images::Memory { height, width, channels: image.channels, pixels };
    let dataset = Dataset::new(vec!["one".to_owned()], vec![0], images).unwrap();
    let preprocessing = Preprocessing::new(size, 3, vec![0.0; 3], vec![1.0 / 255.0; 3]);
    let list = Augmentations::new(vec![Arc::new(step)]).unwrap();
    let loader = Loader::new(dataset, preprocessing, list, LoaderOptions::default()).unwrap();
    loader.epoch(0).next().unwrap().unwrap().images.to_vec()
}

fn cropped(source: &Image, case: &Case) -> Image {
    let [top, left, height, width] = case.parameters()[..] else { panic!("four parameters") };
    let [top, left, height, width] = [top, left, height, width].map(|x| x as usize);
    let values =
        input(source, case.result.size, Fixed(Some(Rectangle { top, left, height, width }), Effect::Nothing));
    Image { pixels: values.iter().map(|v| v.round() as u8).collect(), ..case.result.clone() }
}

#[test]
fn what_is_erased_is_0_in_the_standardised_input() {
    let image = Image { size: (4, 5), channels: 3, pixels: vec![255; 60] };
    let part = Rectangle { top: 1, left: 2, height: 2, width: 3 };
    let values = input(&image, (4, 5), Fixed(None, Effect::Erase(part)));
    for (at, value) in values.iter().enumerate() {
        let (y, x) = (at / 15, at / 3 % 5);
        let inside = (1..3).contains(&y) && x >= 2;
        assert_eq!(value.round(), if inside { 0.0 } else { 255.0 }, "{y} {x}");
    }
}
