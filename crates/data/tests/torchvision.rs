//! The numbers of torchvision's transforms, made by `parity/images.py`.

#![allow(clippy::unwrap_used, reason = "a test may panic, its helpers too")]

#[path = "../../images/tests/expected/mod.rs"]
mod expected;
#[path = "../../../parity/table.rs"]
mod table;

use expected::{cases, compare, decoded};
use wellfit_data::{Flips, Interpolation, Preprocessing};

/// Resize, flips, ToTensor and Normalize, in colour and grey, from PNG and JPEG: the same f32, bit for bit.
#[test]
fn whole_transforms_are_the_same_to_the_bit() {
    let mut images = 0;
    let plain = || Preprocessing::imagenet((1, 1));
    let grey = Preprocessing { channels: 1, mean: vec![0.5], std: vec![0.25], ..plain() };
    for (what, preprocessing, horizontal, vertical) in [
        ("transform", plain(), false, false),
        ("transform-h", plain(), true, false),
        ("transform-v", plain(), false, true),
        ("transform-hv", plain(), true, true),
        ("transform-grey-h", grey, true, false),
    ] {
        let cases = cases(what);
        assert_eq!(cases.len(), 4);
        for case in cases {
            let preprocessing = Preprocessing { size: case.size, ..preprocessing.clone() };
            let mut out = vec![0.0; case.size.0 * case.size.1 * preprocessing.channels];
            let flips = Flips { horizontal, vertical };
            preprocessing.apply_flipped(&decoded(&case.file), flips, &mut out);
            let got: Vec<u8> = out.iter().flat_map(|value| value.to_le_bytes()).collect();
            compare(&case, &got, 0);
            images += 1;
        }
    }
    let crops = [40, 33, 37, 80, 6].map(|side| ("crop", side, Interpolation::Bilinear));
    for (what, side, interpolation) in crops.into_iter().chain([("bicubic", 40, Interpolation::Bicubic)]) {
        let cases = cases(&format!("transform-{what}-{side}"));
        assert_eq!(cases.len(), 1);
        for case in cases {
            let preprocessing =
                Preprocessing { size: case.size, resize: Some(side), interpolation, ..plain() };
            let mut out = vec![0.0; case.size.0 * case.size.1 * 3];
            preprocessing.apply(&decoded(&case.file), &mut out);
            let got: Vec<u8> = out.iter().flat_map(|value| value.to_le_bytes()).collect();
            compare(&case, &got, 0);
            images += 1;
        }
    }
    let compared = format!("{images} images");
    table::row(
        "Resize, CenterCrop, flips, ToTensor, Normalize",
        &["torchvision", "pillow"],
        &compared,
        "equal",
        0.0,
    );
}
