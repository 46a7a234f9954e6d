//! Files that PyTorch and the safetensors package wrote (`parity/weights.py`) are read exactly.

#![allow(clippy::unwrap_used, clippy::expect_used)] // helpers of tests may panic

mod common;
#[path = "../../../parity/table.rs"]
mod table;

use common::{bytes, filled, filled_f32, floats, load, model, refusal};
use wellfit_weights::{Array, Data, WeightFile, from_bytes, to_pth_bytes, to_safetensors_bytes};

#[test]
fn every_format_of_a_state_dict_is_read() {
    let files = [
        "model.pth",
        "legacy.pth",
        "protocol4.pth",
        "legacy_protocol5.pth",
        "no_crc.pth",
        "wrapped.pth",
        "zip64.pth",
        "objects.pth",
        "objects_protocol5.pth",
    ];
    for name in files {
        let WeightFile { arrays, metadata } = load(name);
        assert_eq!(arrays, model(), "{name}");
        assert!(metadata.is_empty());
    }
    table::row("State dicts read", &["torch"], &format!("{} formats", files.len()), "bit for bit", 0.0);
}

#[test]
fn names_of_classes_beside_the_weights_are_read() {
    let classes = |form: &str| load(&format!("classes_{form}.pth")).metadata.get("classes").cloned();
    for form in ["list", "class_to_idx", "names", "meta"] {
        assert_eq!(classes(form).as_deref(), Some(r#"["cat","big dog","フクロウ"]"#), "{form}");
    }
    for form in ["gap", "count"] {
        assert_eq!(classes(form), None, "{form}");
    }
}

#[test]
fn a_checkpoint_gives_its_state_dict() {
    let prefixed = |(name, array): (String, Array)| (format!("module.{name}"), array);
    assert_eq!(load("checkpoint.pth").arrays, model().into_iter().map(prefixed).collect::<Vec<_>>());
}

/// The safetensors package orders arrays by type, then name.
#[test]
fn safetensors_is_read_in_its_order() {
    let file = load("model.safetensors");
    let mut expected = model();
    expected.sort_by_key(|(name, array)| (matches!(array.data, Data::F32(_)), name.clone()));
    assert_eq!(file.arrays, expected);
    assert_eq!(file.metadata["format"], "pt");
}

#[test]
fn every_dtype_is_converted() {
    for name in ["dtypes.pth", "dtypes.safetensors"] {
        let file = load(name);
        let data = |name: &str| &file.get(name).unwrap().data;
        for (seed, float) in ["float16", "bfloat16", "float32", "float64"].iter().enumerate() {
            assert_eq!(*data(float), floats(&filled(15, seed as i64)), "{float}");
        }
        assert_eq!(*data("int8"), Data::I8(filled(15, 4).iter().map(|&n| n as i8).collect()));
        for (seed, int) in ["int16", "int32", "int64"].iter().enumerate() {
            assert_eq!(*data(int), Data::I64(filled(15, seed as i64 + 5)), "{int}");
        }
        assert_eq!(*data("uint8"), Data::I64(filled(15, 8).iter().map(|n| n.abs()).collect()));
        assert_eq!(*data("bool"), Data::I64(filled(15, 9).iter().map(|&n| i64::from(n > 0)).collect()));
        assert!(file.arrays.iter().all(|(name, array)| array.shape == [3, 5] || name == "special"));
        let special = file.get("special").unwrap().as_f32().unwrap().iter().map(|x| x.to_bits());
        assert_eq!(
            special.collect::<Vec<_>>(),
            [0x7fc0_0000, 0x7f80_0000, 0xff80_0000, 0x8000_0000, 1],
            "{name}"
        );
    }
}

/// Each view by its definition, from the elements of `views` in `parity/weights.py`.
#[test]
fn views_are_copied_out_in_row_major_order() {
    let base = |row: usize, column: usize| filled(24, 0)[row * 6 + column];
    let table = |rows: usize, columns: usize, at: &dyn Fn(usize, usize) -> i64| Array {
        shape: vec![rows, columns],
        data: floats(&(0..rows * columns).map(|k| at(k / columns, k % columns)).collect::<Vec<_>>()),
    };
    let permuted: Vec<i64> = (0..24).map(|k| filled(24, 1)[k / 3 % 2 * 12 + k % 3 * 4 + k / 6]).collect();
    let expected = [
        ("base", filled_f32(&[4, 6], 0)),
        ("tied", filled_f32(&[4, 6], 0)),
        ("transposed", table(6, 4, &|i, j| base(j, i))),
        ("slice", table(2, 3, &|i, j| base(i + 1, j + 2))),
        ("strided", table(2, 2, &|i, j| base(2 * i, 3 * j))),
        ("permuted", Array { shape: vec![4, 2, 3], data: floats(&permuted) }),
        ("expanded", table(3, 4, &|i, _| filled(3, 2)[i])),
        ("channels_last", filled_f32(&[2, 3, 4, 5], 3)),
        ("scalar", Array { shape: vec![], data: floats(&[base(3, 5)]) }),
        ("empty", Array { shape: vec![0, 6], data: floats(&[]) }),
        ("one_wide", table(4, 1, &|i, _| base(i, 2))),
    ];
    for name in ["views.pth", "legacy_views.pth"] {
        let file = load(name);
        assert_eq!(file.arrays.len(), expected.len());
        for ((name, array), (expected_name, expected)) in file.arrays.iter().zip(&expected) {
            assert_eq!((name.as_str(), array), (*expected_name, expected));
        }
    }
}

#[test]
fn a_parameter_is_a_tensor() {
    assert_eq!(load("parameter.pth").arrays, [("weight".to_owned(), filled_f32(&[2, 3], 0))]);
}

#[test]
fn what_is_refused_is_named_and_advice_given() {
    let message = refusal("os_system.pth");
    assert!(
        message.contains("os_system.pth") && message.contains("asks to run `posix.system`; refused"),
        "{message}"
    );
    assert!(message.contains("torch.save(model.state_dict(), path)"), "{message}");
    let message = refusal("whole_module.pth");
    assert!(message.contains("`torch.nn.modules.linear.Linear`"), "{message}");
    assert!(message.contains("torch.load(path, weights_only=False).state_dict()"), "{message}");
    assert!(refusal("compressed.pth").contains("`archive/data.pkl`: it is compressed"));
    assert!(refusal("lone_tensor.pth").contains("does not hold a dict"));
}

/// What the tests wrote by our writers reads back the same as what PyTorch wrote.
#[test]
fn our_writers_keep_a_torch_model() {
    let file = load("model.pth");
    assert_eq!(from_bytes(&to_pth_bytes(&file).unwrap()).unwrap(), file);
    assert_eq!(from_bytes(&to_safetensors_bytes(&file).unwrap()).unwrap(), file);
}

/// A changed weight does not pass unnoticed.
#[test]
fn a_damaged_storage_is_found_by_its_checksum() {
    let mut file = bytes("model.pth");
    let weight: Vec<u8> = filled(108, 0).iter().flat_map(|&n| (n as f32 / 8.0).to_le_bytes()).collect();
    let at = file.windows(weight.len()).position(|window| window == weight).unwrap();
    file[at] ^= 1;
    let fault = from_bytes(&file).unwrap_err().to_string();
    assert!(fault.contains("entry `model/data/0`: its checksum does not match"), "{fault}");
}
