//! GFLOP/s of the three passes of ResNeXt's grouped layers on this machine, and their milliseconds.

mod common;

use common::median;
use wellfit_kernels::conv::{Algorithm, Conv, Destination, GroupedConv};
use wellfit_simd::{Buffer, InstructionSet, parallel};

fn main() {
    println!("{} threads, {}", parallel::threads(), InstructionSet::current().name());
    println!("{:>28} {:>16} {:>16} {:>16}  GFLOP/s, ms", "layer", "forward", "data", "weight");
    // (size, channels of a group, stride): 32 groups, as ResNeXt-50 32×4d and ResNeXt-101 32×8d at batch 8.
    for (size, channels, stride) in
        [(56, 4, 1), (56, 8, 2), (28, 8, 1), (28, 16, 2), (14, 16, 1), (14, 32, 2), (7, 32, 1), (7, 64, 1)]
    {
        let group = Conv {
            batch: 8,
            height: size,
            width: size,
            channels_in: channels,
            channels_out: channels,
            kernel: 3,
            stride,
            padding: 1,
            algorithm: Algorithm::Fastest,
        };
        let conv = GroupedConv { groups: 32, group };
        let x = Buffer::from_slice(&vec![0.5; conv.input_len()]);
        let w = Buffer::from_slice(&vec![0.25; conv.weight_len()]);
        let dy = Buffer::from_slice(&vec![0.125; conv.output_len()]);
        let mut dx = Buffer::zeroed(conv.input_len());
        let work = 2e-9 * (conv.output_len() * 9 * channels) as f64;
        let passes = [
            median(|| drop(conv.forward(&x, &w))),
            median(|| conv.data_gradient(&dy, &w, Destination::new(&mut dx))),
            median(|| drop(conv.weight_gradient(&x, &dy))),
        ];
        let shown = passes.map(|seconds| format!("{:>8.1} {:>7.2}", work / seconds, seconds * 1e3));
        println!("{:>28} {}", format!("{size}² 32 × {channels} /{stride}"), shown.join(" "));
    }
}
