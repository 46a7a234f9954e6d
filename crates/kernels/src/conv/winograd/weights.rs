//! The weights at every point.

use super::phases::each_phase;
use super::plan::Plan;
use super::points::{MOST, Points};
use super::transform::{self, both_axes};
use crate::product::Panels;
use wellfit_simd::Buffer;
use wellfit_simd::parallel;
use wellfit_simd::profile::{Watch, Work};
use wellfit_simd::vector::{Kernel, Simd, dispatch};

/// `[3, 3, C_in, C_out]` to the weights of the data gradient: `[3, 3, C_out, C_in]`, turned by 180°.
pub(super) fn turned(w: &[f32], channels_in: usize, channels_out: usize) -> Buffer {
    const SQUARE: usize = 16;
    let mut turned = Buffer::scratch(w.len());
    let size = channels_in * channels_out;
    parallel::row_blocks(&mut turned, SQUARE * channels_in, 1, |block, out| {
        let (tap, first) = (block * SQUARE / channels_out, block * SQUARE % channels_out);
        let from = &w[(8 - tap) * size..][..size];
        let watch = Watch::start();
        for left in (0..channels_in).step_by(SQUARE) {
            for o in 0..SQUARE {
                for i in left..left + SQUARE {
                    out[o * channels_in + i] = from[i * channels_out + first + o];
                }
            }
        }
        watch.stop(Work::Packing);
    });
    turned
}

/// What the inputs at each point are multiplied by, for one phase of the outputs: in each panel a matrix
/// `[phases of the inputs · channels, width]` a point, one row apart for the same reason as
/// [`point_stride`](super::plan::point_stride).
pub(super) struct Weights {
    pub panels: Panels<f32>,
    /// The row of a panel where each point's matrix begins; none where the phase is zero.
    pub starts: Vec<Option<usize>>,
}

impl Weights {
    /// From `w` `[k, k, C_from, C_to]`.
    pub(super) fn new(plan: &Plan, w: &[f32], phase_to: usize) -> Self {
        let mut rows = 0;
        let start = |point: usize| {
            plan.has(phase_to, point).then(|| {
                let start = rows;
                rows += plan.phases_at(point, plan.from.phases).count() * plan.from.channels + 1;
                start
            })
        };
        let starts: Vec<Option<usize>> = (0..plan.grid()).map(start).collect();
        let panels =
            Panels::empty(rows, plan.to.channels).fill(Work::Transforms, |first, _, width, panel| {
                dispatch(PanelTask { plan, w, phase_to, starts: &starts, first, width, panel });
            });
        Self { panels, starts }
    }
}

struct PanelTask<'a> {
    plan: &'a Plan,
    w: &'a [f32],
    phase_to: usize,
    starts: &'a [Option<usize>],
    first: usize,
    width: usize,
    panel: &'a mut [f32],
}

impl Kernel for PanelTask<'_> {
    type Output = ();
    #[inline(always)]
    unsafe fn run<S: Simd>(mut self) {
        // SAFETY: columns come in whole vectors.
        unsafe {
            let phases = self.plan.from.phases.max(self.plan.to.phases);
            each_phase!(self.plan, phases, self.phase::<S>());
        }
    }
}

impl PanelTask<'_> {
    /// The matrices of one phase: of the inputs, or of the outputs if these are the weights for it.
    #[inline(always)]
    unsafe fn phase<S: Simd, Y: Points, X: Points>(&mut self, phase: usize) {
        let plan = self.plan;
        if plan.to.phases > 1 && phase != self.phase_to {
            return;
        }
        let (from, to) = (plan.from.channels, plan.to.channels);
        // Where this phase's rows begin at each point.
        let mut starts = [0; MOST * MOST];
        for (point, start) in starts.iter_mut().enumerate().take(plan.grid()) {
            let before = plan.phases_at(point, if plan.from.phases == 1 { 0 } else { phase }).count();
            *start = (self.starts[point].unwrap_or(0) + before * from) * self.width;
        }
        for k in 0..from {
            for lane in (0..self.width).step_by(S::LANES) {
                let w = self.w[k * to + self.first + lane..].as_ptr();
                let out = self.panel[k * self.width + lane..].as_mut_ptr();
                // SAFETY: columns come in whole vectors; the panel holds all matrices.
                unsafe {
                    both_axes::<S, transform::Weights<Y>, transform::Weights<X>>(
                        |y, x| S::load(w.add(plan.tap(phase, y, x) * from * to)),
                        |y, x, value| S::store(out.add(starts[y * X::AXIS + x]), value),
                    );
                }
            }
        }
    }
}
