//! Write a small model as `.pth` and `.safetensors`, for PyTorch to open (`parity/check_weights.py`).
//!
//! `cargo run -p wellfit-weights --example write_pth -- DIRECTORY`

use std::{env, error::Error, path::PathBuf};

use wellfit_weights::{Array, Data, WeightFile, write_pth, write_safetensors};

/// A float array whose element k is k / 8 - 1.
fn floats(shape: &[usize]) -> Array {
    let count: usize = shape.iter().product();
    Array { shape: shape.to_vec(), data: Data::F32((0..count).map(|k| k as f32 / 8.0 - 1.0).collect()) }
}

fn main() -> Result<(), Box<dyn Error>> {
    let directory = env::args_os().nth(1).map(PathBuf::from).ok_or("give a directory to write to")?;
    let steps = Array { shape: vec![], data: Data::I64(vec![1 << 40]) };
    let special = [0x7fc0_0001, 0xff80_0000, 0x8000_0000, 1].map(f32::from_bits).to_vec();
    let arrays = [
        ("conv.weight", floats(&[4, 3, 3, 3])),
        ("conv.bias", floats(&[4])),
        ("bn.weight", floats(&[4])),
        ("bn.bias", floats(&[4])),
        ("bn.running_mean", floats(&[4])),
        ("bn.running_var", floats(&[4])),
        ("bn.num_batches_tracked", steps),
        ("fc.weight", floats(&[300, 4])),
        ("fc.bias", floats(&[300])),
        ("extra.special", Array { shape: vec![4], data: Data::F32(special) }),
        ("extra.empty", floats(&[0, 70_000])),
        ("extra.größe", Array { shape: vec![2, 1], data: Data::I64(vec![-1, i64::MIN]) }),
    ];
    let weights = WeightFile {
        arrays: arrays.into_iter().map(|(name, array)| (name.to_owned(), array)).collect(),
        metadata: [("format".to_owned(), "pt".to_owned())].into(),
    };
    write_pth(&directory.join("model.pth"), &weights)?;
    write_safetensors(&directory.join("model.safetensors"), &weights)?;
    Ok(())
}
