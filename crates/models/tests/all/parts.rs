//! A batch in parts that are normalised together gives what the batch as a whole gives.

use crate::common::distance;
use wellfit_kernels::loss::CrossEntropy;
use wellfit_models::{DropoutKey, ModelError, Network, Parts, Shape, build};
use wellfit_rng::{Rng, Stream};

const KEY: DropoutKey = DropoutKey { seed: 3, step: 1, row: 0 };
/// Parts of a batch of nine; a single image is one too.
const PARTS: [usize; 4] = [3, 2, 1, 3];

/// Statistics of some hundred values differ in their last bits, and fifty layers divide by what is left of them. Those of the parts
/// alone would be half as large again.
const NEAR: f64 = 1e-3;

/// All parts are here.
struct Here;

impl Parts for Here {
    type Error = ModelError;

    fn samples(&self) -> &[usize] {
        &PARTS
    }

    fn gather(&mut self, own: &[Vec<f32>], width: usize) -> Result<Vec<f32>, ModelError> {
        assert!(own.len() == PARTS.len() && own.iter().all(|part| part.len() == width));
        Ok(own.concat())
    }
}

fn noise(len: usize) -> Vec<f32> {
    let mut rng = Rng::new(9, Stream::Noise, 0, 1);
    (0..len).map(|_| rng.normal()).collect()
}

/// Products with normalisation behind them, joined and apart, residuals, ReLUs, smooth activations, squeeze-excite.
#[test]
fn parts_together_are_the_whole() {
    // In fifty layers some ReLU's input lies within rounding of zero: it passes gradients or not.
    let networks = [
        ("resnet20", 32, 10.0 * NEAR),
        ("resnet50", 96, 0.1),
        ("mobilenet_v3_small", 64, 10.0 * NEAR),
        ("efficientnet_b0", 64, 10.0 * NEAR),
        ("mlp-bn", 8, 10.0 * NEAR),
    ];
    for (name, side, near) in networks {
        let Ok(mut whole) = build(name, Shape::image(side, side, 3), 5) else { panic!("{name}") };
        whole.initialise(1);
        let mut parted = whole.clone();
        let row = side * side * 3;
        let images = noise(9 * row);
        let labels: Vec<u32> = (0..9).map(|image| image % 5).collect();

        let tape = whole.forward(&images, KEY).unwrap();
        let slopes = CrossEntropy::default().loss(tape.outputs(), &labels, 5).gradient;
        let outputs = tape.outputs().to_vec();
        let expected = whole.backward(tape, CrossEntropy::default().loss(&outputs, &labels, 5).gradient);

        let starts = PARTS.iter().scan(0, |at, &part| Some(std::mem::replace(at, *at + part)));
        let ranges: Vec<_> = starts.zip(PARTS).map(|(start, part)| start..start + part).collect();
        let own: Vec<_> = ranges
            .iter()
            .map(|part| {
                (&images[part.start * row..part.end * row], DropoutKey { row: part.start as u64, ..KEY })
            })
            .collect();
        let tapes = parted.forward_parts(0, &own, &mut Here).unwrap();
        let got: Vec<f32> = tapes.iter().flat_map(|tape| tape.outputs().to_vec()).collect();
        assert!(distance(&got, &outputs) < NEAR, "{name}: {}", distance(&got, &outputs));
        for (a, b) in parted.norms.iter().zip(&whole.norms) {
            // Behind a normalisation and a product without bias a mean is zero, but for rounding.
            let off = |a: &[f32], b: &[f32]| {
                let largest = b.iter().map(|b| b.abs()).fold(0.01, f32::max);
                f64::from(a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max) / largest)
            };
            let far = off(&a.mean, &b.mean).max(off(&a.variance, &b.variance));
            assert!(far < NEAR, "{name}: {far}");
            assert_eq!(a.batches, b.batches);
        }
        let slope = |part: &std::ops::Range<usize>| {
            wellfit_kernels::Buffer::from_slice(&slopes[part.start * 5..part.end * 5])
        };
        let own = tapes.into_iter().zip(ranges.iter().map(slope)).collect();
        let mut sums: Vec<Option<Vec<f32>>> = vec![None; parted.parameters.len()];
        parted
            .backward_parts(0, own, &mut Here, &mut |place, gradients| {
                assert_eq!(gradients.len(), PARTS.len(), "{name}");
                let mut sum = vec![0.0; gradients[0].len()];
                gradients.iter().for_each(|part| sum.iter_mut().zip(&**part).for_each(|(sum, x)| *sum += x));
                assert!(sums[place].replace(sum).is_none(), "once");
            })
            .unwrap();
        compare((name, near), &parted, &sums, &expected.0);
    }
}

fn compare(
    (name, near): (&str, f64),
    network: &Network,
    sums: &[Option<Vec<f32>>],
    expected: &[Option<wellfit_kernels::Buffer>],
) {
    // Gradients before a normalisation by few images cancel; rounding is measured against the largest of all.
    let largest =
        expected.iter().flatten().flat_map(|gradient| gradient.iter()).fold(0.0_f32, |m, x| m.max(x.abs()));
    for ((parameter, sum), expected) in network.parameters.iter().zip(sums).zip(expected) {
        let (sum, expected) = (sum.as_ref().unwrap(), expected.as_ref().unwrap());
        let far = sum.iter().zip(&**expected).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(f64::from(far) < near * f64::from(largest), "{name}, {}: {far} of {largest}", parameter.name);
    }
}
