//! A convolution or linear layer with quantised weights.

use super::affine::Affine;
use super::codes::Codes;
use super::finish::{Finish, Target};
use super::panels::Panels;
use super::patches::{Patches, matrix};
use super::path::Path;
use super::product::Product;
use crate::conv::Conv;
use wellfit_simd::Buffer;

/// The largest weight code; −128 is not used, so that weights are symmetric.
const LARGEST: f32 = 127.0;

/// The most products in a sum of a layer: k·k·C_in. So many of 255·127 fit into 31 bits.
pub const MOST_DEPTH: usize = i32::MAX as usize / (255 * 127);

/// What is done to a layer's sums: y = relu(scale·sum + bias + residual), each part being optional.
#[derive(Debug, Clone, Copy, Default)]
pub struct Epilogue<'a> {
    /// One factor a channel, `[C]`.
    pub scale: Option<&'a [f32]>,
    /// One addend a channel, `[C]`.
    pub bias: Option<&'a [f32]>,
    /// Added, in the output's shape, `[…, C]`.
    pub residual: Option<(&'a Codes, Affine)>,
    /// max(·, 0) at the end.
    pub relu: bool,
}

/// A convolution with weights of 8 bits, one scale an output channel: w ≈ scale·q, q in −127..=127.
#[derive(Debug)]
pub struct Layer {
    /// The shape; its batch and its algorithm say nothing here.
    conv: Conv,
    panels: Panels,
    scales: Vec<f32>,
}

impl Layer {
    /// Quantise `w` `[k, k, C_in, C_out]`, for the instructions that are in use. The scale of a channel is max|w|/127,
    /// or 1 where all are 0; the code is the nearest whole number, ties to even.
    ///
    /// # Panics
    /// When a length is not that of the shape, or a sum is deeper than [`MOST_DEPTH`]; so for every function here.
    #[must_use]
    pub fn quantise(conv: &Conv, w: &[f32]) -> Self {
        let channels = conv.channels_out;
        let mut largest = vec![0.0_f32; channels];
        for row in w.chunks_exact(channels) {
            largest.iter_mut().zip(row).for_each(|(largest, w)| *largest = largest.max(w.abs()));
        }
        let scale =
            |&largest: &f32| if largest > 0.0 { (largest / LARGEST).max(f32::MIN_POSITIVE) } else { 1.0 };
        let scales: Vec<f32> = largest.iter().map(scale).collect();
        let code = |(w, scale): (&f32, &f32)| (w / scale).round_ties_even().clamp(-LARGEST, LARGEST) as i8;
        let rows = w.chunks_exact(channels);
        let codes: Vec<i8> = rows.flat_map(|row| row.iter().zip(&scales).map(code)).collect();
        Self::from_codes(conv, &codes, scales)
    }

    /// From weights that were quantised before: codes `[k, k, C_in, C_out]` in −127..=127, and one scale an output
    /// channel.
    #[must_use]
    pub fn from_codes(conv: &Conv, codes: &[i8], scales: Vec<f32>) -> Self {
        assert_eq!(
            (codes.len(), scales.len()),
            (conv.weight_len(), conv.channels_out),
            "weights of {conv:?}"
        );
        let matrix = matrix(conv);
        assert!(matrix.segments * matrix.depth <= MOST_DEPTH, "{conv:?} is too deep for sums of 32 bits");
        assert!(!codes.contains(&i8::MIN), "weight codes are in -127..=127");
        Self { conv: *conv, panels: Panels::new(Path::current(), matrix, codes), scales }
    }

    /// The same layer, computed by the instructions of `path`, which must be one of [`Path::available`].
    #[must_use]
    pub fn on(&self, path: Path) -> Self {
        let panels = Panels::new(path, self.panels.matrix, &self.codes());
        Self { conv: self.conv, panels, scales: self.scales.clone() }
    }

    /// The weights' codes `[k, k, C_in, C_out]`.
    #[must_use]
    pub fn codes(&self) -> Vec<i8> {
        self.panels.weights()
    }

    /// The scale of each output channel's weights.
    #[must_use]
    pub fn scales(&self) -> &[f32] {
        &self.scales
    }

    /// The layer's output for `batch` images `x` `[N, H, W, C_in]`, whose codes are `from`'s; in codes of `to`,
    /// `[N, H', W', C_out]`.
    #[must_use]
    pub fn forward(&self, batch: usize, x: &Codes, from: Affine, after: Epilogue<'_>, to: Affine) -> Codes {
        let conv = Conv { batch, ..self.conv };
        let mut y = Codes::scratch(conv.output_len());
        let low = if after.relu { f32::from(to.zero) } else { 0.0 };
        let scales = Scales { from, to: f64::from(to.scale), zero: to.zero, low };
        self.run(&conv, x, scales, after, y.as_mut_ptr());
        y
    }

    /// The same as floats.
    #[must_use]
    pub fn forward_to_floats(&self, batch: usize, x: &Codes, from: Affine, after: Epilogue<'_>) -> Buffer {
        let conv = Conv { batch, ..self.conv };
        let mut y = Buffer::scratch(conv.output_len());
        let low = if after.relu { 0.0 } else { f32::NEG_INFINITY };
        self.run(&conv, x, Scales { from, to: 1.0, zero: 0, low }, after, y.as_mut_ptr());
        y
    }

    /// `out` has room for the output.
    fn run<T: Target>(&self, conv: &Conv, x: &Codes, scales: Scales, after: Epilogue<'_>, out: *mut T) {
        assert_eq!(x.len(), conv.input_len(), "x of {conv:?}");
        assert!(after.residual.is_none_or(|(r, _)| r.len() == conv.output_len()), "residual of {conv:?}");
        let finish = self.finish(scales, after, out);
        let offsets: Vec<i32> =
            self.panels.sums.iter().map(|&sum| -i32::from(scales.from.zero) * sum).collect();
        let patches = Patches::new(conv, x, scales.from);
        let rows = conv.batch * conv.out_height() * conv.out_width();
        let product =
            Product { rows, patches: &patches, panels: &self.panels, offsets: &offsets, finish: &finish };
        // SAFETY: out and the residual have the output's shape; patches point into x, its padded copy or a row of
        // zeros, all of which end before four readable bytes.
        unsafe { product.run() }
    }

    /// Factors and shifts in f64, rounded once.
    fn finish<T>(&self, scales: Scales, after: Epilogue<'_>, out: *mut T) -> Finish<T> {
        let per_channel = [after.scale, after.bias].into_iter().flatten();
        assert!(
            per_channel.into_iter().all(|c| c.len() == self.scales.len()),
            "scale and bias of {:?}",
            self.conv
        );
        let Scales { from, to, zero, low } = scales;
        let (residual_factor, residual_shift) = after.residual.map_or((0.0, 0.0), |(_, affine)| {
            let factor = (f64::from(affine.scale) / to) as f32;
            (factor, f64::from(factor) * f64::from(affine.zero))
        });
        let of = |values: Option<&[f32]>, channel: usize, default: f64| {
            values.map_or(default, |values| f64::from(values[channel]))
        };
        let padded = self.panels.sums.len();
        let (mut factor, mut shift) = (vec![0.0; padded], vec![0.0; padded]);
        for (channel, &scale) in self.scales.iter().enumerate() {
            let product = f64::from(from.scale) * f64::from(scale) * of(after.scale, channel, 1.0);
            factor[channel] = (product / to) as f32;
            shift[channel] = (of(after.bias, channel, 0.0) / to + f64::from(zero) - residual_shift) as f32;
        }
        let residual = after.residual.map_or(std::ptr::null(), |(codes, _)| codes.as_ptr());
        Finish { factor, shift, residual, residual_factor, low, out }
    }
}

/// How input and output are stored.
#[derive(Clone, Copy)]
struct Scales {
    from: Affine,
    /// The output's scale and zero.
    to: f64,
    zero: u8,
    /// The smallest output, in units of its scale.
    low: f32,
}
