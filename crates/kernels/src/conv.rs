//! Convolution and linear layers: forward, data gradient, weight gradient.
//!
//! Images are `[N, H, W, C]`, weights `[k, k, C_in, C_out]` (torch's `[C_out, C_in, k, k]` permuted once, at
//! the door). A linear layer is the 1×1 convolution of a 1×1 image, with weights `[in, out]`.

use crate::Buffer;
use crate::gemm::{Panels, Product, Rows};
use crate::outer::Outer;

/// The shape of a convolution: square kernel, equal stride and zero padding on both axes.
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
}

impl Conv {
    /// A linear layer over `batch` rows.
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
    /// When a length is not that of the shape.
    #[must_use]
    pub fn forward(&self, x: &[f32], w: &[f32], bias: Option<&[f32]>) -> Buffer {
        assert_eq!((x.len(), w.len()), (self.input_len(), self.weight_len()), "x and w of {self:?}");
        assert!(bias.is_none_or(|b| b.len() == self.channels_out), "bias of {self:?}");
        let mut y = Buffer::scratch(self.output_len());
        let patches = Patches::new(self, x, Some(&mut y));
        let b = Panels::from_rows(w, self.channels_out);
        let (segments, depth) = (patches.taps * patches.taps_across, patches.depth);
        let product = Product { rows: self.rows(), segments, depth, b: &b, bias, accumulate: false };
        // SAFETY: patches point into x, its padded copy or zeros, with `depth` floats each; outputs are
        // the rows of y.
        unsafe { product.run(&patches) };
        y
    }

    /// The gradient of the weights, `[k, k, C_in, C_out]`, from `x` and `dy` `[N, H', W', C_out]`.
    ///
    /// # Panics
    /// When a length is not that of the shape.
    #[must_use]
    pub fn weight_gradient(&self, x: &[f32], dy: &[f32]) -> Buffer {
        assert_eq!((x.len(), dy.len()), (self.input_len(), self.output_len()), "x and dy of {self:?}");
        let patches = Patches::new(self, x, None);
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

    /// The gradient of the input from `dy`, written to `dx`, or added to it when `accumulate`.
    ///
    /// With stride s the input pixels fall into s×s classes by their position modulo s; each class sees
    /// its own subset of the taps, so no product with a zero is computed.
    ///
    /// # Panics
    /// When a length is not that of the shape.
    pub fn data_gradient(&self, dy: &[f32], w: &[f32], dx: &mut [f32], accumulate: bool) {
        assert_eq!((dy.len(), w.len()), (self.output_len(), self.weight_len()), "dy and w of {self:?}");
        assert_eq!(dx.len(), self.input_len(), "dx of {self:?}");
        let zeros = Buffer::zeroed(self.channels_out);
        let out = dx.as_mut_ptr();
        for phase_y in 0..self.stride.min(self.height) {
            for phase_x in 0..self.stride.min(self.width) {
                let class = Class::new(self, (phase_y, phase_x), dy, &zeros, out);
                let taps = class.taps_y.len() * class.taps_x.len();
                if taps == 0 && accumulate {
                    continue;
                }
                let block = self.channels_in * self.channels_out;
                let taps_y = class.taps_y.iter();
                let blocks: Vec<&[f32]> = taps_y
                    .flat_map(|y| class.taps_x.iter().map(move |x| (y * self.kernel + x) * block))
                    .map(|start| &w[start..start + block])
                    .collect();
                let b = Panels::from_transposed(&blocks, self.channels_in, self.channels_out);
                let (rows, depth) = (self.batch * class.height * class.width, self.channels_out);
                let product = Product { rows, segments: taps, depth, b: &b, bias: None, accumulate };
                // SAFETY: taps point at pixels of dy or at zeros, `channels_out` floats each; outputs are
                // the pixels of this class in dx.
                unsafe { product.run(&class) };
            }
        }
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
    height: isize,
    width: isize,
    channels: usize,
    taps: usize,
    taps_across: usize,
    depth: usize,
    stride: usize,
    padding: usize,
    out_height: usize,
    out_width: usize,
    out: *mut f32,
    out_channels: usize,
}

// SAFETY: the pointers are to memory borrowed for the whole product; reads are shared, and each row
// writes its own output.
unsafe impl Sync for Patches {}

impl Patches {
    fn new(conv: &Conv, x: &[f32], out: Option<&mut [f32]>) -> Self {
        let merged = conv.kernel > 1 && conv.channels_in <= FEW_CHANNELS;
        let owned = if merged { padded(conv, x) } else { Buffer::zeroed(conv.channels_in) };
        let grow = if merged { 2 * conv.padding } else { 0 };
        Self {
            image: if merged { owned.as_ptr() } else { x.as_ptr() },
            owned,
            height: (conv.height + grow) as isize,
            width: (conv.width + grow) as isize,
            channels: conv.channels_in,
            taps: conv.kernel,
            taps_across: if merged { 1 } else { conv.kernel },
            depth: if merged { conv.kernel * conv.channels_in } else { conv.channels_in },
            stride: conv.stride,
            padding: if merged { 0 } else { conv.padding },
            out_height: conv.out_height(),
            out_width: conv.out_width(),
            out: out.map_or(std::ptr::null_mut(), <[f32]>::as_mut_ptr),
            out_channels: conv.channels_out,
        }
    }
}

impl Rows for Patches {
    fn inputs(&self, row: usize, table: &mut [*const f32], stride: usize) {
        let (line, column) = (row / self.out_width, row % self.out_width);
        let (image, line) = (line / self.out_height, line % self.out_height);
        let top = (line * self.stride) as isize - self.padding as isize;
        let left = (column * self.stride) as isize - self.padding as isize;
        let mut slot = 0;
        for y in top..top + self.taps as isize {
            for x in left..left + self.taps_across as isize {
                let inside = y >= 0 && y < self.height && x >= 0 && x < self.width;
                table[slot] = if inside {
                    let pixel = (image as isize * self.height + y) * self.width + x;
                    // SAFETY: the pixel lies inside the image.
                    unsafe { self.image.add(pixel as usize * self.channels) }
                } else {
                    self.owned.as_ptr()
                };
                slot += stride;
            }
        }
    }

    fn output(&self, row: usize) -> *mut f32 {
        // SAFETY: y has `rows · out_channels` floats.
        unsafe { self.out.add(row * self.out_channels) }
    }
}

/// `x` with its zero padding written out.
fn padded(conv: &Conv, x: &[f32]) -> Buffer {
    let (pad, line) = (conv.padding, conv.width * conv.channels_in);
    let (high, wide) = (conv.height + 2 * pad, (conv.width + 2 * pad) * conv.channels_in);
    let mut copy = Buffer::scratch(conv.batch * high * wide);
    for (image, out) in x.chunks_exact(conv.height * line).zip(copy.chunks_exact_mut(high * wide)) {
        out[..pad * wide].fill(0.0);
        out[(pad + conv.height) * wide..].fill(0.0);
        for (row, out) in image.chunks_exact(line).zip(out[pad * wide..].chunks_exact_mut(wide)) {
            out[..pad * conv.channels_in].fill(0.0);
            out[pad * conv.channels_in..][..line].copy_from_slice(row);
            out[pad * conv.channels_in + line..].fill(0.0);
        }
    }
    copy
}

/// The input pixels at one position modulo the stride, with the taps that reach them.
struct Class<'a> {
    conv: &'a Conv,
    phase: (usize, usize),
    height: usize,
    width: usize,
    taps_y: Vec<usize>,
    taps_x: Vec<usize>,
    dy: *const f32,
    zeros: *const f32,
    dx: *mut f32,
}

// SAFETY: as for `Patches`.
unsafe impl Sync for Class<'_> {}

impl<'a> Class<'a> {
    fn new(conv: &'a Conv, phase: (usize, usize), dy: &[f32], zeros: &[f32], dx: *mut f32) -> Self {
        let taps = |phase: usize| {
            (0..conv.kernel)
                .filter(|tap| {
                    (phase + conv.padding + conv.stride * conv.kernel - tap).is_multiple_of(conv.stride)
                })
                .collect()
        };
        Self {
            conv,
            phase,
            height: (conv.height - phase.0).div_ceil(conv.stride),
            width: (conv.width - phase.1).div_ceil(conv.stride),
            taps_y: taps(phase.0),
            taps_x: taps(phase.1),
            dy: dy.as_ptr(),
            zeros: zeros.as_ptr(),
            dx,
        }
    }

    /// (image, y, x) of the input pixel that is row `row` of this class.
    fn pixel(&self, row: usize) -> (usize, usize, usize) {
        let (line, column) = (row / self.width, row % self.width);
        let (image, line) = (line / self.height, line % self.height);
        (image, self.phase.0 + line * self.conv.stride, self.phase.1 + column * self.conv.stride)
    }
}

impl Rows for Class<'_> {
    fn inputs(&self, row: usize, table: &mut [*const f32], stride: usize) {
        let (image, y, x) = self.pixel(row);
        let (high, wide) = (self.conv.out_height(), self.conv.out_width());
        // The output line whose tap `tap` lands on input line `at`, if there is one.
        let source = |at: usize, tap: usize, limit: usize| {
            (at + self.conv.padding).checked_sub(tap).map(|d| d / self.conv.stride).filter(|&o| o < limit)
        };
        let mut slot = 0;
        for &tap_y in &self.taps_y {
            for &tap_x in &self.taps_x {
                let found = source(y, tap_y, high).zip(source(x, tap_x, wide));
                table[slot] = found.map_or(self.zeros, |(y, x)| {
                    // SAFETY: the pixel lies inside dy.
                    unsafe { self.dy.add(((image * high + y) * wide + x) * self.conv.channels_out) }
                });
                slot += stride;
            }
        }
    }

    fn output(&self, row: usize) -> *mut f32 {
        let (image, y, x) = self.pixel(row);
        let pixel = (image * self.conv.height + y) * self.conv.width + x;
        // SAFETY: the pixel lies inside dx.
        unsafe { self.dx.add(pixel * self.conv.channels_in) }
    }
}
