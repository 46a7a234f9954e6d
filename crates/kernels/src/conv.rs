//! Convolution and linear layers: forward, data gradient, weight gradient.
//!
//! Images are `[N, H, W, C]`, weights `[k, k, C_in, C_out]` (torch's `[C_out, C_in, k, k]` permuted once, at
//! the door). A linear layer is the 1×1 convolution of a 1×1 image, with weights `[in, out]`.

use crate::finish::{Finish, past_caches};
use crate::gemm::{Product, Rows, TASK_ROWS};
use crate::joint::{self, Joint};
use crate::moments::Partial;
use crate::norm::{InputGradient, Statistics};
use crate::outer::{self, Outer};
use crate::panels::Panels;
use crate::winograd::{self, Pass};
use wellfit_simd::Buffer;
use wellfit_simd::parallel::row_blocks;
use wellfit_simd::profile::{Watch, Work};

/// How a convolution is computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Algorithm {
    /// By Winograd's method where it is faster, by direct sums elsewhere.
    #[default]
    Fastest,
    /// Always by direct sums, which round a little less.
    Direct,
}

/// A convolution: its shape, with a square kernel, equal stride and zero padding on both axes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Conv {
    /// Images in the batch.
    pub batch: usize,
    /// Input height.
    pub height: usize,
    /// Input width.
    pub width: usize,
    /// Input channels.
    pub channels_in: usize,
    /// Output channels.
    pub channels_out: usize,
    /// Kernel size k of k×k.
    pub kernel: usize,
    /// Stride.
    pub stride: usize,
    /// Zero padding.
    pub padding: usize,
    /// How it is computed.
    pub algorithm: Algorithm,
}

/// What is done to a convolution's sums before they are written.
#[derive(Debug, Clone, Copy, Default)]
pub struct Then<'a> {
    /// One factor a channel.
    pub scale: Option<&'a [f32]>,
    /// One addend a channel.
    pub bias: Option<&'a [f32]>,
    /// Added, in the output's shape.
    pub residual: Option<&'a [f32]>,
    /// max(·, 0) at the end; NaN stays NaN.
    pub relu: bool,
}

impl Conv {
    /// A linear layer over `batch` rows, a plain product whatever the algorithm.
    #[must_use]
    pub fn linear(batch: usize, features_in: usize, features_out: usize) -> Self {
        Self {
            batch,
            height: 1,
            width: 1,
            channels_in: features_in,
            channels_out: features_out,
            kernel: 1,
            stride: 1,
            padding: 0,
            algorithm: Algorithm::Fastest,
        }
    }

    /// Output height: ⌊(H + 2p − k) / s⌋ + 1.
    #[must_use]
    pub fn out_height(&self) -> usize {
        (self.height + 2 * self.padding - self.kernel) / self.stride + 1
    }

    /// Output width.
    #[must_use]
    pub fn out_width(&self) -> usize {
        (self.width + 2 * self.padding - self.kernel) / self.stride + 1
    }

    /// Floats in the input.
    #[must_use]
    pub fn input_len(&self) -> usize {
        self.batch * self.height * self.width * self.channels_in
    }

    /// Floats in the weights.
    #[must_use]
    pub fn weight_len(&self) -> usize {
        self.kernel * self.kernel * self.channels_in * self.channels_out
    }

    /// Floats in the output.
    #[must_use]
    pub fn output_len(&self) -> usize {
        self.rows() * self.channels_out
    }

    fn rows(&self) -> usize {
        self.batch * self.out_height() * self.out_width()
    }

    /// y = x ⊛ w + bias. `x` `[N, H, W, C_in]`, `w` `[k, k, C_in, C_out]`, bias `[C_out]`; gives
    /// `[N, H', W', C_out]`.
    ///
    /// # Panics
    /// When a length is not that of the shape; so for every function here.
    #[must_use]
    pub fn forward(&self, x: &[f32], w: &[f32], bias: Option<&[f32]>) -> Buffer {
        self.forward_then(x, w, Then { bias, ..Then::default() })
    }

    /// The same with more done to each sum before it is written: y = relu(scale·(x ⊛ w) + bias + residual).
    /// With BatchNorm's running statistics as scale and bias, it is folded into the convolution.
    #[must_use]
    pub fn forward_then(&self, x: &[f32], w: &[f32], then: Then<'_>) -> Buffer {
        self.run(x, w, then, false).0
    }

    /// The same as [`Conv::forward`], with mean and biased variance of each output channel.
    #[must_use]
    pub fn forward_with_statistics(
        &self,
        x: &[f32],
        w: &[f32],
        bias: Option<&[f32]>,
    ) -> (Buffer, Statistics) {
        let (y, moments) = self.run(x, w, Then { bias, ..Then::default() }, true);
        (y, moments.statistics())
    }

    fn run(&self, x: &[f32], w: &[f32], then: Then<'_>, moments: bool) -> (Buffer, Partial) {
        assert_eq!((x.len(), w.len()), (self.input_len(), self.weight_len()), "x and w of {self:?}");
        let per_channel = [then.scale, then.bias].into_iter().flatten();
        assert!(per_channel.into_iter().all(|b| b.len() == self.channels_out), "scale and bias of {self:?}");
        assert!(then.residual.is_none_or(|r| r.len() == self.output_len()), "residual of {self:?}");
        let mut y = Buffer::scratch(self.output_len());
        let finish = Finish {
            scale: then.scale,
            bias: then.bias,
            add: then.residual.map_or(std::ptr::null(), <[f32]>::as_ptr),
            relu: then.relu,
            past_caches: past_caches(self.output_len(), self.channels_out),
            ..Finish::plain(y.as_mut_ptr())
        };
        if winograd::suits(self, Pass::Forward) {
            // SAFETY: y and the residual have the output's shape, as checked above.
            let moments = unsafe { winograd::forward(self, x, w, finish, moments) };
            return (y, moments);
        }
        let patches = Patches::new(self, x);
        let b = Panels::from_rows(w, self.channels_out);
        let (segments, depth) = (patches.taps * patches.taps_across, patches.depth);
        let partial =
            if moments { Partial::even(self.channels_out, self.rows(), TASK_ROWS) } else { Partial::none() };
        let finish = Finish { moments: moments.then_some(&partial), ..finish };
        let product = Product { rows: self.rows(), segments, depth, b: &b, finish };
        // SAFETY: patches point into x, its padded copy or zeros, with `depth` floats each; outputs are
        // the rows of y.
        unsafe { product.run(&patches) };
        (y, partial)
    }

    /// The gradient of the weights, `[k, k, C_in, C_out]`, from `x` and `dy` `[N, H', W', C_out]`.
    #[must_use]
    pub fn weight_gradient(&self, x: &[f32], dy: &[f32]) -> Buffer {
        assert_eq!((x.len(), dy.len()), (self.input_len(), self.output_len()), "x and dy of {self:?}");
        if winograd::suits(self, Pass::WeightGradient) {
            return winograd::weight_gradient(self, x, dy);
        }
        let patches = Patches::new(self, x);
        let outer = Outer {
            rows: self.rows(),
            segments: patches.taps * patches.taps_across,
            depth: patches.depth,
            columns: self.channels_out,
            dy,
        };
        // SAFETY: as in `forward`.
        unsafe { outer.run(&patches) }
    }

    /// The gradient of the input from `dy`, to its [`Destination`].
    ///
    /// With stride s the input pixels fall into s×s classes by their position modulo s; each class sees
    /// its own subset of the taps, so no product with a zero is computed.
    pub fn data_gradient(&self, dy: &[f32], w: &[f32], mut to: Destination<'_>) {
        assert_eq!((dy.len(), w.len()), (self.output_len(), self.weight_len()), "dy and w of {self:?}");
        to.check(self);
        let finish = Finish::gradient(&mut to);
        if winograd::suits(self, Pass::DataGradient) {
            // SAFETY: the output is dx.
            unsafe { winograd::data_gradient(self, dy, w, finish) };
            return;
        }
        let zeros = Buffer::zeroed(self.channels_out);
        for phase_y in 0..self.stride.min(self.height) {
            for phase_x in 0..self.stride.min(self.width) {
                let class = Class::new(self, (phase_y, phase_x), dy, &zeros);
                let taps = class.taps_y.len() * class.taps_x.len();
                if taps == 0 && to.accumulate && to.passed.is_none() {
                    continue; // nothing changes there
                }
                let block = self.channels_in * self.channels_out;
                let taps_y = class.taps_y.iter();
                let blocks: Vec<&[f32]> = taps_y
                    .flat_map(|y| class.taps_x.iter().map(move |x| (y * self.kernel + x) * block))
                    .map(|start| &w[start..start + block])
                    .collect();
                let b = Panels::from_transposed(&blocks, self.channels_in, self.channels_out);
                let (rows, depth) = (class.rows(), self.channels_out);
                let product = Product { rows, segments: taps, depth, b: &b, finish };
                // SAFETY: taps point at pixels of dy or at zeros, `channels_out` floats each; outputs are
                // the pixels of this class in dx.
                unsafe { product.run(&class) };
            }
        }
    }
}

/// Where the gradient of an input goes.
#[derive(Debug)]
pub struct Destination<'a> {
    /// In the input's shape.
    pub dx: &'a mut [f32],
    /// Add it to what is there.
    pub accumulate: bool,
    /// The input, where a ReLU made it: what is written is the gradient of the ReLU's own input, 0 where this is not
    /// positive.
    pub passed: Option<&'a [f32]>,
}

impl<'a> Destination<'a> {
    /// Write over whatever `dx` holds.
    pub fn new(dx: &'a mut [f32]) -> Self {
        Self { dx, accumulate: false, passed: None }
    }

    fn check(&self, conv: &Conv) {
        let passed = self.passed.map_or(self.dx.len(), <[f32]>::len);
        assert_eq!([self.dx.len(), passed], [conv.input_len(); 2], "dx of {conv:?}");
    }
}

/// The gradient of a normalisation's output `dy`, and how that of its input `y` follows from it.
#[derive(Debug, Clone, Copy)]
pub struct BehindNorm<'a> {
    /// The normalisation's input: the convolution's output.
    pub y: &'a [f32],
    /// As [`norm::backward`](crate::norm::backward) left it.
    pub dy: &'a [f32],
    /// What it found.
    pub gradient: &'a InputGradient,
}

impl Conv {
    /// Whether [`Conv::gradients`] may be asked for: at 1×1 with stride 1, whole vectors of channels, and few enough
    /// of them that a thread's sums stay in its cache.
    #[must_use]
    pub fn joins_norm(&self) -> bool {
        let channels = |count: usize| count.is_multiple_of(joint::CHANNELS);
        (self.kernel, self.stride, self.padding) == (1, 1, 0)
            && channels(self.channels_in)
            && channels(self.channels_out)
            && self.weight_len() <= outer::SMALL
    }

    /// The gradients of weights and input together, past the normalisation behind the convolution: that of the weights
    /// is returned, that of the input goes to its [`Destination`]. The gradient of the convolution's own output is
    /// never written.
    ///
    /// # Panics
    /// When the shape does not suit ([`Conv::joins_norm`]), or a slice has another length than its shape.
    #[must_use]
    pub fn gradients(&self, x: &[f32], w: &[f32], behind: BehindNorm<'_>, mut to: Destination<'_>) -> Buffer {
        assert!(self.joins_norm(), "{self:?} has no joint gradients");
        assert_eq!((x.len(), w.len()), (self.input_len(), self.weight_len()), "{self:?}");
        to.check(self);
        assert_eq!([behind.y.len(), behind.dy.len()], [self.output_len(); 2], "y and dy of {self:?}");
        let joint = Joint {
            rows: self.rows(),
            x,
            channels_in: self.channels_in,
            weights: &Panels::from_transposed(&[w], self.channels_in, self.channels_out),
            y: behind.y,
            dy: behind.dy,
            channels_out: self.channels_out,
            gradient: behind.gradient,
            finish: Finish::gradient(&mut to),
        };
        // SAFETY: dx has the length of x and is borrowed for the whole call.
        unsafe { joint.run() }
    }
}

/// Up to this many input channels, a kernel row's taps are read as one run from a padded copy: runs of
/// one or three floats would spend more on pointers than on arithmetic.
const FEW_CHANNELS: usize = 4;

/// The input as the rows of a product: one output pixel a row, one run of floats a tap.
struct Patches {
    image: *const f32,
    /// Keeps the padded copy alive, or holds the zeros that taps outside the image read.
    owned: Buffer,
    height: usize,
    width: usize,
    channels: usize,
    taps: usize,
    taps_across: usize,
    depth: usize,
    stride: usize,
    padding: usize,
    out: Pixels,
    out_channels: usize,
}

// SAFETY: the pointer is to memory borrowed for the whole product, and only read.
unsafe impl Sync for Patches {}

impl Patches {
    fn new(conv: &Conv, x: &[f32]) -> Self {
        let merged = conv.kernel > 1 && conv.channels_in <= FEW_CHANNELS;
        let owned = if merged { padded(conv, x) } else { Buffer::zeroed(conv.channels_in) };
        let grow = if merged { 2 * conv.padding } else { 0 };
        Self {
            image: if merged { owned.as_ptr() } else { x.as_ptr() },
            owned,
            height: conv.height + grow,
            width: conv.width + grow,
            channels: conv.channels_in,
            taps: conv.kernel,
            taps_across: if merged { 1 } else { conv.kernel },
            depth: if merged { conv.kernel * conv.channels_in } else { conv.channels_in },
            stride: conv.stride,
            padding: if merged { 0 } else { conv.padding },
            out: Pixels { height: conv.out_height(), width: conv.out_width() },
            out_channels: conv.channels_out,
        }
    }
}

/// The pixels of a batch of images, counted line by line.
#[derive(Clone, Copy)]
struct Pixels {
    height: usize,
    width: usize,
}

impl Pixels {
    /// (image, line, column) of pixel `first` and those behind it.
    fn from(self, first: usize) -> impl Iterator<Item = (usize, usize, usize)> {
        let (line, mut column) = (first / self.width, first % self.width);
        let (mut image, mut line) = (line / self.height, line % self.height);
        std::iter::repeat_with(move || {
            let pixel = (image, line, column);
            column += 1;
            if column == self.width {
                (column, line) = (0, line + 1);
                if line == self.height {
                    (line, image) = (0, image + 1);
                }
            }
            pixel
        })
    }
}

impl Rows for Patches {
    fn inputs(
        &self,
        first: usize,
        count: usize,
        table: &mut [*const f32],
        place: impl Fn(usize) -> usize,
        stride: usize,
    ) {
        for (row, (image, line, column)) in self.out.from(first).take(count).enumerate() {
            let (top, left) = (line * self.stride, column * self.stride);
            let mut slot = place(row);
            for y in top..top + self.taps {
                for x in left..left + self.taps_across {
                    let (y, x) = (y.wrapping_sub(self.padding), x.wrapping_sub(self.padding));
                    table[slot] = if y < self.height && x < self.width {
                        let pixel = (image * self.height + y) * self.width + x;
                        // SAFETY: the pixel lies inside the image.
                        unsafe { self.image.add(pixel * self.channels) }
                    } else {
                        self.owned.as_ptr()
                    };
                    slot += stride;
                }
            }
        }
    }

    fn step(&self) -> Option<usize> {
        (self.taps == 1 && self.stride == 1 && self.padding == 0).then_some(self.channels)
    }

    fn output(&self, row: usize) -> usize {
        row * self.out_channels
    }
}

/// `x` with its zero padding written out.
fn padded(conv: &Conv, x: &[f32]) -> Buffer {
    let (pad, line) = (conv.padding, conv.width * conv.channels_in);
    let (high, wide) = (conv.height + 2 * pad, (conv.width + 2 * pad) * conv.channels_in);
    let mut copy = Buffer::scratch(conv.batch * high * wide);
    row_blocks(&mut copy, high * wide, 1, |image, out| {
        let watch = Watch::start();
        let image = &x[image * conv.height * line..][..conv.height * line];
        out[..pad * wide].fill(0.0);
        out[(pad + conv.height) * wide..].fill(0.0);
        for (row, out) in image.chunks_exact(line).zip(out[pad * wide..].chunks_exact_mut(wide)) {
            out[..pad * conv.channels_in].fill(0.0);
            out[pad * conv.channels_in..][..line].copy_from_slice(row);
            out[pad * conv.channels_in + line..].fill(0.0);
        }
        watch.stop(Work::Packing);
    });
    copy
}

/// The input pixels at one position modulo the stride, with the taps that reach them.
struct Class<'a> {
    conv: &'a Conv,
    phase: (usize, usize),
    pixels: Pixels,
    taps_y: Vec<usize>,
    taps_x: Vec<usize>,
    dy: &'a [f32],
    zeros: &'a [f32],
}

impl<'a> Class<'a> {
    fn new(conv: &'a Conv, phase: (usize, usize), dy: &'a [f32], zeros: &'a [f32]) -> Self {
        let taps = |phase: usize| {
            (0..conv.kernel)
                .filter(|tap| {
                    (phase + conv.padding + conv.stride * conv.kernel - tap).is_multiple_of(conv.stride)
                })
                .collect()
        };
        let count = |size: usize, phase: usize| (size - phase).div_ceil(conv.stride);
        Self {
            conv,
            phase,
            pixels: Pixels { height: count(conv.height, phase.0), width: count(conv.width, phase.1) },
            taps_y: taps(phase.0),
            taps_x: taps(phase.1),
            dy,
            zeros,
        }
    }

    fn rows(&self) -> usize {
        self.conv.batch * self.pixels.height * self.pixels.width
    }

    /// Line and column in the image.
    fn place(&self, line: usize, column: usize) -> (usize, usize) {
        (self.phase.0 + line * self.conv.stride, self.phase.1 + column * self.conv.stride)
    }
}

impl Rows for Class<'_> {
    fn inputs(
        &self,
        first: usize,
        count: usize,
        table: &mut [*const f32],
        place: impl Fn(usize) -> usize,
        stride: usize,
    ) {
        let conv = self.conv;
        let (high, wide) = (conv.out_height(), conv.out_width());
        // The output line whose tap `tap` lands on input line `at`, if there is one.
        let source = |at: usize, tap: usize, limit: usize| {
            let distance = (at + conv.padding).checked_sub(tap)?;
            let line = if conv.stride == 1 { distance } else { distance / conv.stride };
            (line < limit).then_some(line)
        };
        for (row, (image, line, column)) in self.pixels.from(first).take(count).enumerate() {
            let (y, x) = self.place(line, column);
            let mut slot = place(row);
            for &tap_y in &self.taps_y {
                for &tap_x in &self.taps_x {
                    let found = source(y, tap_y, high).zip(source(x, tap_x, wide));
                    table[slot] = found.map_or(self.zeros.as_ptr(), |(y, x)| {
                        self.dy[((image * high + y) * wide + x) * conv.channels_out..].as_ptr()
                    });
                    slot += stride;
                }
            }
        }
    }

    fn step(&self) -> Option<usize> {
        let conv = self.conv;
        (conv.kernel == 1 && conv.stride == 1 && conv.padding == 0).then_some(conv.channels_out)
    }

    fn output(&self, row: usize) -> usize {
        let (line, column) = (row / self.pixels.width, row % self.pixels.width);
        let (image, line) = (line / self.pixels.height, line % self.pixels.height);
        let (y, x) = self.place(line, column);
        ((image * self.conv.height + y) * self.conv.width + x) * self.conv.channels_in
    }
}
