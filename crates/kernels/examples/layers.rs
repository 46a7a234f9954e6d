//! GFLOP/s of the three passes of some ResNet layers on this machine, and of the forward pass in 8-bit integers.

use std::time::Instant;
use wellfit_kernels::conv::{Algorithm, Conv, Destination};
use wellfit_kernels::int8::{Affine, Codes, Epilogue, Layer, Path};
use wellfit_simd::{Buffer, InstructionSet, parallel};

fn median(mut work: impl FnMut()) -> f64 {
    work();
    let mut times: Vec<f64> = (0..5)
        .map(|_| {
            let start = Instant::now();
            work();
            start.elapsed().as_secs_f64()
        })
        .collect();
    times.sort_by(f64::total_cmp);
    times[2]
}

fn main() {
    let (path, integers) = (InstructionSet::current().name(), Path::current().name());
    println!("{} threads, {path}, integers by {integers}", parallel::threads());
    println!("{:>34} {:>8} {:>8} {:>8} {:>8}  GFLOP/s", "layer", "forward", "data", "weight", "int8");
    // (batch, size, C_in, C_out, kernel, stride): ResNet-50 at 224², then ResNet-20 at 28².
    for (batch, size, channels_in, channels_out, kernel, stride) in [
        (32, 224, 3, 64, 7, 2),
        (32, 56, 64, 64, 1, 1),
        (32, 56, 64, 64, 3, 1),
        (32, 56, 64, 256, 1, 1),
        (32, 56, 256, 128, 1, 1),
        (32, 56, 128, 128, 3, 2),
        (32, 28, 128, 128, 3, 1),
        (32, 14, 256, 256, 3, 1),
        (32, 14, 1024, 256, 1, 1),
        (32, 7, 512, 512, 3, 1),
        (32, 7, 2048, 512, 1, 1),
        (128, 28, 16, 16, 3, 1),
        (128, 14, 32, 32, 3, 1),
        (128, 7, 64, 64, 3, 1),
        (512, 1, 784, 48, 1, 1),
    ] {
        let padding = kernel / 2;
        let conv = Conv {
            batch,
            height: size,
            width: size,
            channels_in,
            channels_out,
            kernel,
            stride,
            padding,
            algorithm: Algorithm::Fastest,
        };
        let x = Buffer::from_slice(&vec![0.5; conv.input_len()]);
        let w = Buffer::from_slice(&vec![0.25; conv.weight_len()]);
        let dy = Buffer::from_slice(&vec![0.125; conv.output_len()]);
        let mut dx = Buffer::zeroed(conv.input_len());
        let flop = 2.0 * conv.output_len() as f64 * (kernel * kernel * channels_in) as f64 / 1e9;
        let layer = Layer::quantise(&conv, &w);
        let (codes, affine) = (Codes::filled(conv.input_len(), 60), Affine { scale: 0.1, zero: 3 });
        let integers = || drop(layer.forward(batch, &codes, affine, Epilogue::default(), affine));
        println!(
            "{:>34} {:>8.0} {:>8.0} {:>8.0} {:>8.0}",
            format!("{batch}×{size}² {channels_in}→{channels_out} {kernel}×{kernel} /{stride}"),
            flop / median(|| drop(conv.forward(&x, &w, None))),
            flop / median(|| conv.data_gradient(&dy, &w, Destination::new(&mut dx))),
            flop / median(|| drop(conv.weight_gradient(&x, &dy))),
            flop / median(integers),
        );
    }
}
