//! The three passes of a depth-wise convolution.

use super::line::{Line, Row};
use super::shape::DepthwiseConv;
use super::weight;
use crate::conv::shape::Destination;
use crate::elementwise;
use crate::epilogue::Epilogue;
use crate::norm::{self, Statistics};
use wellfit_simd::parallel::{image_blocks, row_blocks};
use wellfit_simd::{Buffer, Element};

/// The most taps down.
const MOST_TAPS: usize = 5;

impl DepthwiseConv {
    /// y = relu(scale·(x ⊛ w) + bias), as the [`Epilogue`] says, which may have no residual. `x` `[N, H, W, C]`, `w`
    /// `[k, k, C]`; gives `[N, H', W', C]`.
    ///
    /// # Panics
    /// When a length is not that of the shape, or no kernel suits it ([`DepthwiseConv::suits`]); so for every function
    /// here.
    #[must_use]
    pub fn forward_with<E: Element>(&self, x: &[E], w: &[f32], epilogue: Epilogue<'_, E>) -> Buffer<E> {
        self.run(x, w, epilogue, |_, _| ())
    }

    /// y = x ⊛ w.
    #[must_use]
    pub fn forward<E: Element>(&self, x: &[E], w: &[f32]) -> Buffer<E> {
        self.forward_with(x, w, Epilogue::default())
    }

    /// The same, with mean and biased variance of each channel, taken while a band of the output is in the cache.
    #[must_use]
    pub fn forward_with_statistics<E: Element>(&self, x: &[E], w: &[f32]) -> (Buffer<E>, Statistics) {
        let bands = self.batch * self.bands(self.out_height(), self.out_width());
        let mut moments = norm::BandMoments::new(bands);
        let places = moments.places();
        let y = self.run(x, w, Epilogue::default(), |band, y| {
            // SAFETY: every band has its own place.
            unsafe { places.slice(band, 1)[0] = norm::block_moments(y, self.channels) };
        });
        let statistics = moments.statistics(self.channels);
        (y, statistics)
    }

    /// Compute y, and show each band of it, with its number, once it is done.
    fn run<E: Element>(
        &self,
        x: &[E],
        w: &[f32],
        epilogue: Epilogue<'_, E>,
        done: impl Fn(usize, &[E]) + Sync + Send,
    ) -> Buffer<E> {
        self.check(x, w);
        let per_channel = [epilogue.scale, epilogue.bias].into_iter().flatten();
        assert!(per_channel.into_iter().all(|b| b.len() == self.channels), "scale and bias of {self:?}");
        assert!(epilogue.residual.is_none(), "a depth-wise convolution adds no residual");
        let (high, wide) = (self.out_height(), self.out_width());
        let mut y = Buffer::scratch(self.output_len());
        let width = wide * self.channels;
        image_blocks(&mut y, (high, width), self.band(wide), |band, image, first, lines| {
            let x = &x[image * self.height * self.width * self.channels..];
            for (line, out) in (first..).zip(lines.chunks_exact_mut(width)) {
                let mut rows = Rows::new();
                for tap in 0..self.kernel {
                    let from = (line * self.stride + tap).wrapping_sub(self.padding);
                    if from < self.height {
                        let input = &x[from * self.width * self.channels..][..self.width * self.channels];
                        rows.push(Row { input, weights: &w[tap * self.kernel * self.channels..] });
                    }
                }
                Line {
                    channels: self.channels,
                    width: self.width,
                    taps: self.kernel,
                    step: self.stride,
                    first: -(self.padding as isize),
                    count: wide,
                    apart: 1,
                    rows: rows.list(),
                    epilogue,
                }
                .write(out);
            }
            done(band, lines);
        });
        y
    }

    /// The gradient of the weights, `[k, k, C]`, from `x` and `dy` `[N, H', W', C]`.
    #[must_use]
    pub fn weight_gradient<E: Element>(&self, x: &[E], dy: &[E]) -> Buffer {
        assert_eq!((x.len(), dy.len()), (self.input_len(), self.output_len()), "x and dy of {self:?}");
        weight::gradient(self, x, dy)
    }

    /// The gradient of the input from `dy`, to its [`Destination`].
    ///
    /// With stride s the pixels of an input line fall into s classes by their column modulo s, each with its own subset
    /// of the taps; and so do the lines.
    pub fn data_gradient<E: Element>(&self, dy: &[E], w: &[f32], to: Destination<'_, E>) {
        assert_eq!((dy.len(), w.len()), (self.output_len(), self.weight_len()), "dy and w of {self:?}");
        let Destination { dx, accumulate, passed } = to;
        let from = passed.map_or(dx.len(), <[E]>::len);
        assert_eq!([dx.len(), from], [self.input_len(); 2], "dx of {self:?}");
        if !accumulate && passed.is_none() {
            return self.write_data_gradient(dy, w, dx);
        }
        let mut found = Buffer::scratch(dx.len());
        self.write_data_gradient(dy, w, &mut found);
        if accumulate {
            elementwise::add_to(dx, &found);
        } else {
            dx.copy_from_slice(&found);
        }
        if let Some(passed) = passed {
            elementwise::relu_backward(dx, passed);
        }
    }

    fn write_data_gradient<E: Element>(&self, dy: &[E], w: &[f32], dx: &mut [E]) {
        let classes: Vec<Class> =
            (0..self.stride.min(self.width)).map(|phase| Class::new(self, phase, w)).collect();
        let (high, wide) = (self.out_height(), self.out_width());
        let width = self.width * self.channels;
        image_blocks(dx, (self.height, width), self.band(self.width), |_, image, first, lines| {
            let dy = &dy[image * high * wide * self.channels..];
            for (line, out) in (first..).zip(lines.chunks_exact_mut(width)) {
                for class in &classes {
                    let mut rows = Rows::new();
                    for tap in (0..self.kernel).rev() {
                        let Some(distance) = (line + self.padding).checked_sub(tap) else { continue };
                        let from = distance / self.stride;
                        if distance.is_multiple_of(self.stride) && from < high {
                            let input = &dy[from * wide * self.channels..][..wide * self.channels];
                            let weights = &class.weights[tap * class.taps * self.channels..];
                            rows.push(Row { input, weights });
                        }
                    }
                    Line {
                        channels: self.channels,
                        width: wide,
                        taps: class.taps,
                        step: 1,
                        first: class.first,
                        count: (self.width - class.phase).div_ceil(self.stride),
                        apart: self.stride,
                        rows: rows.list(),
                        epilogue: Epilogue::default(),
                    }
                    .write(&mut out[class.phase * self.channels..]);
                }
            }
        });
    }
}

/// The rows of one line: at most as many as there are taps.
struct Rows<'a, E>([Row<'a, E>; MOST_TAPS], usize);

impl<'a, E: Element> Rows<'a, E> {
    fn new() -> Self {
        Self([Row { input: &[], weights: &[] }; MOST_TAPS], 0)
    }

    fn push(&mut self, row: Row<'a, E>) {
        self.0[self.1] = row;
        self.1 += 1;
    }

    fn list(&self) -> &[Row<'a, E>] {
        &self.0[..self.1]
    }
}

/// The input columns at one position modulo the stride, with the taps that reach them.
struct Class {
    phase: usize,
    /// How many taps across.
    taps: usize,
    /// The output column that the first tap of the first input column reads.
    first: isize,
    /// `[k, taps, C]`, in the order in which output columns are read.
    weights: Buffer,
}

impl Class {
    fn new(conv: &DepthwiseConv, phase: usize, w: &[f32]) -> Self {
        let (stride, channels) = (conv.stride, conv.channels);
        let start = (phase + conv.padding) % stride;
        let across: Vec<usize> = (start..conv.kernel).step_by(stride).rev().collect();
        let mut weights = Buffer::scratch(conv.kernel * across.len() * channels);
        row_blocks(&mut weights, across.len() * channels, conv.kernel, |first, rows| {
            for (tap_y, row) in (first..).zip(rows.chunks_exact_mut(across.len() * channels)) {
                for (tap_x, to) in across.iter().zip(row.chunks_exact_mut(channels)) {
                    to.copy_from_slice(&w[(tap_y * conv.kernel + tap_x) * channels..][..channels]);
                }
            }
        });
        let last = ((phase + conv.padding - start) / stride) as isize;
        Self { phase, taps: across.len(), first: last + 1 - across.len() as isize, weights }
    }
}
