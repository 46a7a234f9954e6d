//! A border of zeros: torch's `ZeroPad2d`.

use super::{Backward, Forward, Made, Operation};
use crate::ModelError;
use crate::graph::Shape;
use crate::onnx::{Attribute, Graph, Tensor};
use wellfit_kernels::pad::Pad;
use wellfit_kernels::{Buffer, Element};

/// An image with rows and columns of zeros around it, where a convolution needs more of them on one side than on the
/// other: its own padding is the same on all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ZeroPad {
    /// Rows above and below.
    pub rows: [usize; 2],
    /// Columns left and right.
    pub columns: [usize; 2],
}

impl ZeroPad {
    fn kernel(&self, from: Shape) -> Pad {
        let (Shape { height, width, channels }, Self { rows, columns }) = (from, *self);
        Pad { height, width, channels, rows, columns }
    }
}

impl Operation for ZeroPad {
    fn kind(&self) -> &'static str {
        "pad"
    }

    fn describe(&self, _: &[Shape], _: Shape) -> String {
        let Self { rows: [top, bottom], columns: [left, right] } = self;
        format!("ZeroPad2d(({left}, {right}, {top}, {bottom}))")
    }

    fn shape(&self, inputs: &[Shape]) -> Shape {
        let Shape { height, width, channels } = inputs[0];
        let (rows, columns) = (self.rows.iter().sum::<usize>(), self.columns.iter().sum::<usize>());
        Shape { height: height + rows, width: width + columns, channels }
    }

    fn forward<E: Element>(&self, step: &mut Forward<'_, E>) -> Result<Made<E>, ModelError> {
        Ok(self.kernel(step.input(0)).forward(step.x(0)).into())
    }

    fn backward<E: Element>(&self, step: &mut Backward<'_, '_, E>, dy: Buffer<E>) {
        if step.wants(0) {
            step.give(0, self.kernel(step.input(0)).backward(&dy));
        }
    }

    /// Its pads, an input since opset 11, are where each axis of `[N, C, H, W]` begins, then where each ends.
    fn onnx(&self, graph: &mut Graph<'_>) -> Tensor {
        let Self { rows: [top, bottom], columns: [left, right] } = *self;
        let pads = [0, 0, top, left, 0, 0, bottom, right].map(|pixels| pixels as i64);
        let pads = vec![("value_ints", Attribute::Ints(pads.to_vec()))];
        let inputs = [graph.input(0), graph.add_part("pads", "Constant", &[], pads)];
        graph.add("Pad", &inputs, vec![])
    }
}
