//! GB/s of the three passes of the mobile networks' depth-wise layers on this machine, beside a plain copy.
//!
//! What counts is each input read once and each output written once.

mod common;

use common::median;
use wellfit_kernels::conv::{DepthwiseConv, Destination};
use wellfit_kernels::elementwise;
use wellfit_simd::{Buffer, InstructionSet, parallel};

fn main() {
    println!("{} threads, {}", parallel::threads(), InstructionSet::current().name());
    println!("{:>28} {:>8} {:>8} {:>8} {:>8}  GB/s", "layer", "copy", "forward", "data", "weight");
    // (size, channels, kernel, stride): EfficientNet-B0 at batch 32.
    for (size, channels, kernel, stride) in [
        (112, 32, 3, 1),
        (112, 96, 3, 2),
        (56, 144, 3, 1),
        (56, 144, 5, 2),
        (28, 240, 5, 1),
        (28, 240, 3, 2),
        (14, 480, 3, 1),
        (14, 672, 5, 1),
        (14, 672, 5, 2),
        (7, 1152, 5, 1),
    ] {
        let conv = DepthwiseConv {
            batch: 32,
            height: size,
            width: size,
            channels,
            kernel,
            stride,
            padding: kernel / 2,
        };
        let x = Buffer::from_slice(&vec![0.5; conv.input_len()]);
        let w = Buffer::from_slice(&vec![0.25; conv.weight_len()]);
        let dy = Buffer::from_slice(&vec![0.125; conv.output_len()]);
        let mut dx = Buffer::zeroed(conv.input_len());
        let bytes = 4e-9 * (conv.input_len() + conv.output_len()) as f64;
        println!(
            "{:>28} {:>8.1} {:>8.1} {:>8.1} {:>8.1}",
            format!("{size}² {channels} {kernel}×{kernel} /{stride}"),
            8e-9 * x.len() as f64 / median(|| drop(elementwise::relu(&x))),
            bytes / median(|| drop(conv.forward(&x, &w))),
            bytes / median(|| conv.data_gradient(&dy, &w, Destination::new(&mut dx))),
            bytes / median(|| drop(conv.weight_gradient(&x, &dy))),
        );
    }
}
