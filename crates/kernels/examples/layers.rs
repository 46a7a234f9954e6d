//! GFLOP/s of the passes of some ResNet layers on this machine, in f32 and in bf16. "joint" is both gradients of a
//! convolution and that of the normalisation behind it, in one pass. With `shares` as an argument, also what the threads do
//! during each of the first three.

mod common;

use common::median;
use std::time::{Duration, Instant};
use wellfit_kernels::conv::{Algorithm, BehindNorm, Conv, Destination};
use wellfit_kernels::norm::{self, Passed};
use wellfit_kernels::{Buffer, Element};
use wellfit_simd::profile;
use wellfit_simd::{Bf16, Bf16Unit, InstructionSet, parallel};

fn main() {
    println!("{} threads, {}", parallel::threads(), InstructionSet::current().name());
    layers::<f32>("f32");
    layers::<Bf16>(&format!("bf16, {}", Bf16Unit::current().name()));
}

/// Numbers around `size`, so that no product is trivial.
fn numbers<E: Element>(len: usize, size: f32) -> Buffer<E> {
    let values: Vec<E> = (0..len).map(|i| E::from_f32(size * (1.0 + (i % 7) as f32 * 0.125))).collect();
    Buffer::from_slice(&values)
}

fn layers<E: Element>(name: &str) {
    let shares = std::env::args().any(|word| word == "shares");
    println!("{:>34} {:>8} {:>8} {:>8} {:>8}  GFLOP/s", name, "forward", "data", "weight", "joint");
    // (batch, size, C_in, C_out, kernel, stride): ResNet-50 at 224², then ResNet-20 at 28².
    for (batch, size, channels_in, channels_out, kernel, stride) in [
        (32, 224, 3, 64, 7, 2),
        (32, 56, 64, 64, 1, 1),
        (32, 56, 64, 64, 3, 1),
        (32, 56, 64, 256, 1, 1),
        (32, 56, 256, 64, 1, 1),
        (32, 56, 256, 128, 1, 1),
        (32, 28, 128, 512, 1, 1),
        (32, 28, 512, 128, 1, 1),
        (32, 56, 128, 128, 3, 2),
        (32, 28, 128, 128, 3, 1),
        (32, 14, 256, 256, 3, 1),
        (32, 14, 256, 1024, 1, 1),
        (32, 14, 1024, 256, 1, 1),
        (32, 7, 512, 2048, 1, 1),
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
        let x = numbers::<E>(conv.input_len(), 0.5);
        let w = numbers::<f32>(conv.weight_len(), 0.25);
        let mut dy = numbers::<E>(conv.output_len(), 0.125);
        let mut dx = Buffer::zeroed(conv.input_len());
        let flop = 2.0 * conv.output_len() as f64 * (kernel * kernel * channels_in) as f64 / 1e9;
        let joint = conv.joins_norm().then(|| {
            let gamma = vec![1.0; channels_out];
            let y = conv.forward(&x, &w, None);
            let statistics = norm::statistics(&y, channels_out);
            let found = norm::backward(&mut dy, &y, Passed::All, &gamma, &statistics, 1e-5, true);
            let behind = BehindNorm { y: &y, dy: &dy, gradient: &found.input };
            2.0 * flop / median(|| drop(conv.gradients(&x, &w, behind, Destination::new(&mut dx))))
        });
        println!(
            "{:>34} {:>8.0} {:>8.0} {:>8.0} {:>8.0}",
            format!("{batch}×{size}² {channels_in}→{channels_out} {kernel}×{kernel} /{stride}"),
            flop / median(|| drop(conv.forward(&x, &w, None))),
            flop / median(|| conv.data_gradient(&dy, &w, Destination::new(&mut dx))),
            flop / median(|| drop(conv.weight_gradient(&x, &dy))),
            joint.unwrap_or_default(),
        );
        if shares {
            show_shares(|| drop(conv.forward(&x, &w, None)));
            show_shares(|| conv.data_gradient(&dy, &w, Destination::new(&mut dx)));
            show_shares(|| drop(conv.weight_gradient(&x, &dy)));
        }
    }
}

/// What the threads do during a pass.
fn show_shares(mut work: impl FnMut()) {
    work();
    profile::start();
    let start = Instant::now();
    (0..5).for_each(|_| work());
    let whole = start.elapsed().as_secs_f64() * parallel::threads() as f64;
    let found = profile::stop();
    let share = |time: Duration| 100.0 * time.as_secs_f64() / whole;
    let rate = 2e-9 * found.multiply_adds.iter().sum::<u64>() as f64 / found.products.as_secs_f64();
    println!(
        "      {rate:.0} GFLOP/s a thread in products; products {:.0} %, packing {:.0} %, transforms {:.0} %, other {:.0} %",
        share(found.products),
        share(found.packing),
        share(found.transforms),
        share(found.elementwise)
    );
}
