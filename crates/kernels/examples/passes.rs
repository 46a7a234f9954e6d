//! GB/s of passes over whole tensors on this machine, in f32 and in bf16: bytes that are read and written.

mod common;

use common::median;
use wellfit_kernels::norm::{self, Passed};
use wellfit_kernels::pool::MaxPool;
use wellfit_kernels::{Buffer, Element, Epilogue, elementwise};
use wellfit_simd::{Bf16, InstructionSet, parallel};

fn main() {
    println!("{} threads, {}", parallel::threads(), InstructionSet::current().name());
    passes::<f32>();
    passes::<Bf16>();
}

fn passes<E: Element>() {
    for (rows, channels) in [(32 * 112 * 112, 64), (32 * 28 * 28, 512), (32 * 7 * 7, 2048)] {
        let numbers = rows * channels;
        let make = |size: f32| {
            let values: Vec<E> = (0..numbers).map(|i| E::from_f32(size * ((i % 17) as f32 - 8.0))).collect();
            Buffer::from_slice(&values)
        };
        let (x, other, mut dy) = (make(0.5), make(0.25), make(0.125));
        let (gamma, beta) = (vec![1.0; channels], vec![0.1; channels]);
        let statistics = norm::statistics(&x, channels);
        let (scale, shift) = norm::scale_and_shift(&gamma, &beta, &statistics, 1e-5);
        let gb = |tensors: f64| tensors * (numbers * size_of::<E>()) as f64 / 1e9;
        let epilogue = Epilogue { scale: Some(&scale), bias: Some(&shift), residual: None, relu: true };
        let added = Epilogue { residual: Some(&other[..]), ..epilogue };
        let found = norm::backward(&mut dy, &x, Passed::All, &gamma, &statistics, 1e-5, true);
        let masked =
            norm::backward(&mut dy, &x, Passed::Affine(&scale, &shift), &gamma, &statistics, 1e-5, true);
        println!("{} {rows} × {channels}", E::NAME);
        let line = |name: &str, tensors: f64, work: &mut dyn FnMut()| {
            println!("    {name:<28} {:>6.1} GB/s", gb(tensors) / median(work));
        };
        line("statistics", 1.0, &mut || drop(norm::statistics(&x, channels)));
        line("affine, ReLU", 2.0, &mut || drop(norm::affine(&x, channels, epilogue)));
        line("affine, residual, ReLU", 3.0, &mut || drop(norm::affine(&x, channels, added)));
        line("sums where the output passes", 4.0, &mut || {
            drop(norm::backward(&mut dy, &x, Passed::Output(&other), &gamma, &statistics, 1e-5, true));
        });
        line("sums where the input passes", 2.0, &mut || {
            let passed = Passed::Affine(&scale[..], &shift[..]);
            drop(norm::backward(&mut dy, &x, passed, &gamma, &statistics, 1e-5, true));
        });
        line("sums", 2.0, &mut || {
            drop(norm::backward(&mut dy, &x, Passed::All, &gamma, &statistics, 1e-5, true));
        });
        line("gradient beside", 3.0, &mut || drop(found.input.beside(&dy, &x)));
        let mut own = Some(dy.clone());
        line("gradient over, masked", 3.0, &mut || own = own.take().map(|dy| masked.input.over(dy, &x)));
        let mut sum = x.clone();
        line("add", 3.0, &mut || elementwise::add_to(&mut sum, &other));
    }
    let pool = MaxPool { batch: 32, height: 112, width: 112, channels: 64, kernel: 3, stride: 2, padding: 1 };
    let x: Buffer<E> = Buffer::zeroed(32 * 112 * 112 * 64);
    let bytes = (x.len() * size_of::<E>()) as f64 * 1.25 / 1e9;
    let (y, taps) = pool.forward(&x);
    println!("{} max pool forward {:.1} GB/s", E::NAME, bytes / median(|| drop(pool.forward(&x))));
    println!("{} max pool backward {:.1} GB/s", E::NAME, bytes / median(|| drop(pool.backward(&y, &taps))));
}
