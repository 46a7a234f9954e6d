//! What the generators in `parity/` do as well, and how their fixtures are read and compared.

#![allow(dead_code, reason = "each test uses some of it")]

use std::path::Path;
use wellfit_models::Parameter;
use wellfit_weights::WeightFile;

#[path = "../../../../parity/table.rs"]
pub mod table;

/// `count` numbers in [−½, ½), a function of (salt, place): `uniform` of parity/layers.py.
pub fn uniform(count: usize, salt: u32) -> Vec<f64> {
    let one = |place: u32| {
        let mut h =
            place.wrapping_mul(2_654_435_761).wrapping_add(salt.wrapping_mul(97).wrapping_add(12_345));
        h ^= h >> 15;
        h = h.wrapping_mul(2_246_822_519);
        h ^= h >> 13;
        f64::from(h) / 4_294_967_296.0 - 0.5
    };
    (0..count as u32).map(one).collect()
}

/// scale·u + centre, rounded to f32.
pub fn values(count: usize, salt: u32, scale: f64, centre: f64) -> Vec<f32> {
    uniform(count, salt).iter().map(|u| (u * scale + centre) as f32).collect()
}

/// `[N, C, H, W]` to `[N, H, W, C]`; rows of features stay as they are.
pub fn channels_last<T: Copy>(x: &[T], shape: &[usize]) -> Vec<T> {
    let (channels, pixels) = (shape[1], shape[2..].iter().product());
    swapped(x, channels, pixels)
}

/// `[N, H, W, C]` to `[N, C, H, W]`.
pub fn channels_first<T: Copy>(x: &[T], shape: &[usize]) -> Vec<T> {
    let (channels, pixels) = (shape[1], shape[2..].iter().product());
    swapped(x, pixels, channels)
}

fn swapped<T: Copy>(x: &[T], rows: usize, columns: usize) -> Vec<T> {
    let images = x.chunks_exact(rows * columns);
    images.flat_map(|image| (0..rows * columns).map(|i| image[i % rows * columns + i / rows])).collect()
}

/// Values in torch's layout as those of `parameter` in ours.
pub fn in_our_layout(parameter: &Parameter, torch: &[f32]) -> Vec<f32> {
    let mut copy = parameter.clone();
    copy.set_from_torch(torch);
    copy.value.to_vec()
}

/// Largest |got − expected| over the largest |expected|.
pub fn distance(got: &[f32], expected: &[f32]) -> f64 {
    assert_eq!(got.len(), expected.len());
    let wide = |x: &f32| f64::from(*x);
    let scale = expected.iter().map(wide).fold(1e-30_f64, |m, x| m.max(x.abs()));
    let off = got.iter().map(wide).zip(expected.iter().map(wide)).map(|(g, e)| (g - e).abs());
    off.fold(0.0, |m: f64, d| if d.is_nan() { f64::INFINITY } else { m.max(d) }) / scale
}

/// A fixture of tensors.
pub struct Fixture(WeightFile);

impl Fixture {
    pub fn open(name: &str) -> Self {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name);
        Self(wellfit_weights::read(&path).unwrap())
    }

    /// The cases of an area, with their numbers.
    pub fn cases(&self, area: &str) -> Vec<(usize, serde_json::Value)> {
        let cases: Vec<serde_json::Value> = serde_json::from_str(&self.0.metadata["cases"]).unwrap();
        let found: Vec<_> = cases.into_iter().enumerate().filter(|(_, case)| case["area"] == area).collect();
        assert!(!found.is_empty(), "no case of {area}");
        found
    }

    pub fn floats(&self, name: &str) -> &[f32] {
        self.0.get(name).and_then(|array| array.as_f32()).unwrap_or_else(|| panic!("no {name}"))
    }

    pub fn ints(&self, name: &str) -> &[i64] {
        match self.0.get(name).map(|array| &array.data) {
            Some(wellfit_weights::Data::I64(ints)) => ints,
            _ => panic!("no {name}"),
        }
    }

    /// How many tensors a case has.
    pub fn tensors(&self, case: usize) -> usize {
        self.0.arrays.iter().filter(|(name, _)| name.starts_with(&format!("{case}/"))).count()
    }
}

/// Checks every case of an area, that each of its tensors is compared, and prints its row, which calls the cases
/// `kind`.
pub fn area(
    file: &str,
    (name, kind): (&str, &str),
    tolerance: f64,
    check: impl Fn(usize, &serde_json::Value, &mut Comparison<'_>),
) {
    let fixture = Fixture::open(file);
    let mut comparison = Comparison::new(&fixture, tolerance);
    let cases = fixture.cases(name);
    for (number, case) in &cases {
        let before = comparison.tensors;
        check(*number, case, &mut comparison);
        assert_eq!(
            comparison.tensors - before,
            fixture.tensors(*number),
            "every tensor of {case} is compared"
        );
    }
    let counts = format!("{} {kind}, {} tensors", cases.len(), comparison.tensors);
    let tolerance = format!("{tolerance:e} of a tensor's largest value");
    table::row(name, &["torch"], &counts, &tolerance, comparison.largest);
}

/// Compares tensors of one area with the fixture's and remembers the largest difference.
pub struct Comparison<'a> {
    fixture: &'a Fixture,
    tolerance: f64,
    pub largest: f64,
    pub tensors: usize,
}

impl<'a> Comparison<'a> {
    pub fn new(fixture: &'a Fixture, tolerance: f64) -> Self {
        Self { fixture, tolerance, largest: 0.0, tensors: 0 }
    }

    pub fn equal(&mut self, name: &str, got: &[f32]) {
        let off = distance(got, self.fixture.floats(name));
        assert!(off <= self.tolerance, "{name} is off by {off:e} of its largest value");
        self.largest = self.largest.max(off);
        self.tensors += 1;
    }
}
