//! The frame: the picture's size, its components and their coefficients.

use super::idct::inverse_dct;
use super::smooth::{self, Grid};
use super::upsample::Plane;
use crate::error::Defect;
use crate::picture::check_size_at;

/// What a start-of-frame segment says, and the coefficients that the scans fill in.
pub(super) struct Frame {
    pub(super) width: usize,
    pub(super) height: usize,
    pub(super) progressive: bool,
    pub(super) components: Vec<Component>,
}

/// One component (luma, a chroma, an ink).
pub(super) struct Component {
    pub(super) id: u8,
    /// Blocks of this component in a unit of interleaved data, horizontally and vertically.
    pub(super) sampling: (usize, usize),
    pub(super) table: usize,
    /// The quantisation steps in force when the component's first scan began.
    pub(super) steps: Option<[i16; 64]>,
    /// How many low bits of each coefficient, in zigzag order, no scan has given yet; −1 for all. Progressive only.
    pub(super) missing: [i8; 64],
    /// Width and height in samples.
    size: (usize, usize),
    /// Blocks per row: whole units.
    stride: usize,
    /// The coefficients of each block, in natural order: all rows of blocks of a progressive frame, which needs
    /// them to the end, but only one unit's rows of others.
    blocks: Vec<[i16; 64]>,
    samples: Vec<u8>,
}

impl Frame {
    /// Parse the body of a start-of-frame segment and make room for the coefficients. `bits` is the length of
    /// the file, of which every block takes at least one.
    pub(super) fn parse(body: &[u8], progressive: bool, bits: usize) -> Result<Self, Defect> {
        let &[depth, y1, y0, x1, x0, count, ref list @ ..] = body else {
            return Err(Defect::Corrupt("its frame header is cut short"));
        };
        let height = usize::from(u16::from_be_bytes([y1, y0]));
        let width = usize::from(u16::from_be_bytes([x1, x0]));
        // Samples and the picture; a progressive frame's coefficients are held to the end.
        let bytes = if progressive { 4 } else { 2 } * u64::from(count.max(3));
        check_size_at(width as u64, height as u64, bytes)?;
        if depth != 8 {
            return Err(Defect::Unsupported(format!("JPEG with {depth} bits")));
        }
        if ![1, 3, 4].contains(&count) || list.len() != 3 * usize::from(count) {
            return Err(Defect::Unsupported(format!("JPEG with {count} components")));
        }
        let sampling = |spec: &[u8]| (usize::from(spec[1] >> 4), usize::from(spec[1] & 15));
        let samplings: Vec<(usize, usize)> = list.chunks_exact(3).map(sampling).collect();
        if samplings.iter().any(|s| !(1..=4).contains(&s.0) || !(1..=4).contains(&s.1)) {
            return Err(Defect::Corrupt("its sampling factors are out of range"));
        }
        let mut frame = Self { width, height, progressive, components: Vec::new() };
        let max = samplings.iter().fold((1, 1), |max, s| (max.0.max(s.0), max.1.max(s.1)));
        let units = (width.div_ceil(8 * max.0), height.div_ceil(8 * max.1));
        // Of a component alone, a scan has the blocks within the picture only: all but one unit a row and column.
        let fewest = (units.0 - 1) * (units.1 - 1) * samplings.iter().map(|s| s.0 * s.1).sum::<usize>();
        if fewest > bits {
            return Err(Defect::Truncated);
        }
        for (spec, sampling) in list.chunks_exact(3).zip(samplings) {
            if max.0 % sampling.0 != 0 || max.1 % sampling.1 != 0 {
                return Err(Defect::Unsupported("JPEG with fractional chroma sampling".into()));
            }
            let size = ((width * sampling.0).div_ceil(max.0), (height * sampling.1).div_ceil(max.1));
            let stride = units.0 * sampling.0;
            let rows = sampling.1 * if progressive { units.1 } else { 1 };
            frame.components.push(Component {
                id: spec[0],
                sampling,
                table: spec[2].into(),
                steps: None,
                missing: [-1; 64],
                size,
                stride,
                blocks: vec![[0; 64]; stride * rows],
                samples: vec![0; stride * units.1 * sampling.1 * 64],
            });
        }
        Ok(frame)
    }

    /// How many looks at coefficients all scans together may take. T.81 lets no coefficient be given in more than 14
    /// rounds; and a scan that skips 32,767 blocks with three bytes looks at each of them, so it is also bound by the
    /// `bytes` of the file. A white photo takes about 700 looks a byte; small pictures have all the looks they want.
    pub(super) fn most_looks(&self, bytes: usize) -> u64 {
        let coefficients: usize = self.components.iter().map(|component| 64 * component.blocks.len()).sum();
        (14 * coefficients as u64).min(2048 * bytes as u64) + (1 << 27)
    }

    /// The most blocks a component has in a unit, horizontally and vertically.
    pub(super) fn max_sampling(&self) -> (usize, usize) {
        let fold = |max: (usize, usize), c: &Component| (max.0.max(c.sampling.0), max.1.max(c.sampling.1));
        self.components.iter().fold((1, 1), fold)
    }

    /// Estimate coefficients that later scans would have given (progressive only).
    pub(super) fn smooth(&mut self) {
        let known: Option<Vec<_>> =
            self.components.iter().map(|c| c.steps.as_ref().map(|steps| (&c.missing, steps))).collect();
        if !known.is_some_and(|known| smooth::is_useful(known.into_iter())) {
            return;
        }
        for component in &mut self.components {
            let Some(steps) = component.steps else { continue };
            let size = component.blocks_in_picture();
            let grid = Grid { stride: component.stride, size, unit: component.sampling.1 };
            grid.smooth(&mut component.blocks, &component.missing, &steps);
        }
    }

    /// Interleaved units, across and down.
    pub(super) fn units(&self) -> (usize, usize) {
        let max = self.max_sampling();
        (self.width.div_ceil(8 * max.0), self.height.div_ceil(8 * max.1))
    }
}

impl Component {
    /// Blocks that hold a part of the picture, across and down: a scan of this component alone has no others.
    pub(super) fn blocks_in_picture(&self) -> (usize, usize) {
        (self.size.0.div_ceil(8), self.size.1.div_ceil(8))
    }

    /// Where a row of blocks starts among those that are held.
    pub(super) fn row_start(&self, row: usize) -> usize {
        row * self.stride % self.blocks.len()
    }

    /// `count` blocks from the place `start`.
    #[inline]
    pub(super) fn blocks(&mut self, start: usize, count: usize) -> &mut [[i16; 64]] {
        &mut self.blocks[start..][..count]
    }

    /// Turn a finished row of blocks into samples and leave it empty.
    pub(super) fn transform(&mut self, row: usize) -> Result<(), Defect> {
        let steps = self.steps.ok_or(Defect::Corrupt("a quantisation table is missing"))?;
        let stride = self.stride * 8;
        let mut samples = std::mem::take(&mut self.samples);
        let out = &mut samples[row * 8 * stride..][..8 * stride];
        let blocks = self.blocks(self.row_start(row), stride / 8);
        inverse_dct(blocks, &steps, out, stride);
        self.samples = samples;
        Ok(())
    }

    /// Rows of blocks, the padding included.
    pub(super) fn rows(&self) -> usize {
        self.samples.len() / (64 * self.stride)
    }

    /// The samples; `max` is the sampling of the component with most of them.
    pub(super) fn into_plane(self, max: (usize, usize), smooth: bool) -> Plane {
        let ratio = (max.0 / self.sampling.0, max.1 / self.sampling.1);
        Plane { size: self.size, stride: self.stride * 8, samples: self.samples, ratio, smooth }
    }
}
