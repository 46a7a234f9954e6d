use std::ops::Range;

use crate::{Fault, array::count};

/// The most axes a tensor may have; real ones have up to five.
const MAX_RANK: usize = 64;

/// How a tensor lies in its storage: element `[i, j, …]` is at `offset + i·stride[0] + j·stride[1] + …`.
#[derive(Debug, Clone)]
pub(crate) struct View {
    offset: usize,
    shape: Vec<usize>,
    stride: Vec<usize>,
    count: usize,
}

impl View {
    /// A view of a storage of `stored` elements, of which every element lies inside.
    pub fn new(
        offset: usize,
        shape: Vec<usize>,
        mut stride: Vec<usize>,
        stored: usize,
    ) -> Result<Self, Fault> {
        let wrong = || {
            Fault::damaged(format!(
                "a tensor of the shape {shape:?} does not fit its {stored} stored elements"
            ))
        };
        if shape.len() != stride.len() || shape.len() > MAX_RANK {
            return Err(Fault::damaged("a tensor's shape and strides do not match"));
        }
        let count = count(&shape).ok_or_else(wrong)?;
        // The stride of an axis of one element is never walked, so any value is allowed there.
        shape.iter().zip(&mut stride).filter(|(extent, _)| **extent == 1).for_each(|(_, stride)| *stride = 0);
        let span = shape.iter().zip(&stride).try_fold(offset, |end, (&extent, &stride)| {
            end.checked_add(extent.saturating_sub(1).checked_mul(stride)?)
        });
        if count > 0 && span.is_none_or(|last| last >= stored) {
            return Err(wrong());
        }
        Ok(Self { offset, shape, stride, count })
    }

    /// A whole storage, in row-major order.
    pub fn whole(shape: Vec<usize>, stored: usize) -> Result<Self, Fault> {
        if count(&shape) != Some(stored) {
            return Err(Fault::damaged(format!(
                "the shape {shape:?} does not match {stored} stored elements"
            )));
        }
        let stride = row_major(&shape);
        Self::new(0, shape, stride, stored)
    }

    pub fn count(&self) -> usize {
        self.count
    }

    pub fn into_shape(self) -> Vec<usize> {
        self.shape
    }

    /// The stored elements, if they already are in row-major order.
    pub fn contiguous(&self) -> Option<Range<usize>> {
        let dense = row_major(&self.shape);
        let walked = |axis: &usize| self.shape[*axis] != 1;
        let same = (0..self.shape.len()).filter(walked).all(|axis| self.stride[axis] == dense[axis]);
        match self.count {
            0 => Some(0..0),
            count => same.then(|| self.offset..self.offset + count),
        }
    }

    /// Where the elements lie in the storage, in row-major order.
    pub fn positions(&self) -> impl Iterator<Item = usize> {
        let mut index = vec![0; self.shape.len()];
        let mut position = self.offset;
        (0..self.count).map(move |_| {
            let here = position;
            for axis in (0..index.len()).rev() {
                index[axis] += 1;
                position += self.stride[axis];
                if index[axis] < self.shape[axis] {
                    break;
                }
                position -= index[axis] * self.stride[axis];
                index[axis] = 0;
            }
            here
        })
    }
}

/// The strides of a dense array, the last axis fastest; those of a shape that [`count`] accepts fit.
pub(crate) fn row_major(shape: &[usize]) -> Vec<usize> {
    let mut stride = vec![1_usize; shape.len()];
    for axis in (1..shape.len()).rev() {
        stride[axis - 1] = stride[axis] * shape[axis].max(1);
    }
    stride
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_view_outside_its_storage_is_refused() {
        let view =
            |offset, shape: &[usize], stride: &[usize]| View::new(offset, shape.to_vec(), stride.to_vec(), 6);
        assert!(view(0, &[2, 3], &[3, 1]).is_ok());
        assert!(view(1, &[2, 3], &[3, 1]).is_err());
        assert!(view(6, &[], &[]).is_err());
        assert!(view(9, &[0], &[1]).is_ok(), "no element lies outside");
        assert!(view(0, &[2], &[usize::MAX]).is_err());
        assert!(view(1, &[2, 2], &[usize::MAX / 2, usize::MAX / 2]).is_err());
        assert!(view(0, &[1 << 40, 1 << 40, 0], &[0, 0, 0]).is_err(), "the product overflows");
        assert!(view(0, &[2], &[]).is_err());
        assert!(view(0, &[1; 65], &[1; 65]).is_err());
    }

    proptest! {
        /// Against the definition: every index tuple in order, its position a dot product.
        #[test]
        fn positions_follow_the_definition(
            axes in prop::collection::vec((0_usize..4, 0_usize..9), 0..4), offset in 0_usize..5
        ) {
            let (shape, stride): (Vec<_>, Vec<_>) = axes.iter().copied().unzip();
            let mut expected = vec![offset];
            for &(extent, stride) in &axes {
                expected = expected.iter().flat_map(|&p| (0..extent).map(move |i| p + i * stride)).collect();
            }
            let view = View::new(offset, shape, stride, 200).unwrap();
            prop_assert_eq!(view.positions().collect::<Vec<_>>(), expected.clone());
            if let Some(range) = view.contiguous() {
                prop_assert_eq!(range.collect::<Vec<_>>(), expected);
            }
        }
    }
}
