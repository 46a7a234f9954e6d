//! Files that people give for weights and that are none, recognised by how they begin, each with what to do about it.

use crate::{Fault, error::SAVE_AGAIN};

const UNPACK: &str = "Unpack it and give the .safetensors or .pth file inside";
const DOWNLOAD: &str = "Download it again";

/// How much of a text is searched.
const MOST_TEXT: usize = 1 << 16;

/// Files that begin with fixed bytes at a fixed place, their names, and what to do.
const BEGINNINGS: [(usize, &[u8], &str, &str); 12] = [
    (0, b"\x89HDF\r\n\x1a\n", "an HDF5 file, as Keras and MATLAB write it", SAVE_AGAIN),
    (4, b"TFL3", "a TensorFlow Lite model", SAVE_AGAIN),
    (0, b"\x93NUMPY", "a NumPy array", SAVE_AGAIN),
    (0, b"GGUF", "a GGUF file", SAVE_AGAIN),
    (0, b"\x1f\x8b", "a gzip archive", UNPACK),
    (0, b"BZh", "a bzip2 archive", UNPACK),
    (0, b"\xfd7zXZ\0", "an xz archive", UNPACK),
    (0, b"\x28\xb5\x2f\xfd", "a zstd archive", UNPACK),
    (0, b"7z\xbc\xaf\x27\x1c", "a 7z archive", UNPACK),
    (0, b"Rar!", "a rar archive", UNPACK),
    (257, b"ustar", "a tar archive", UNPACK),
    (0, b"version https://git-lfs", "a pointer of Git LFS", "`git lfs pull` fetches the file it stands for"),
];

/// What to say of a file that is neither safetensors nor PyTorch's.
pub(crate) fn file(bytes: &[u8]) -> Fault {
    let fixed = BEGINNINGS
        .iter()
        .find(|(at, start, ..)| bytes.get(*at..).is_some_and(|rest| rest.starts_with(start)))
        .map(|&(_, _, what, advice)| (what.to_owned(), advice));
    let known =
        fixed.or_else(|| text(bytes)).or_else(|| protobuf(bytes).map(|what| (what.to_owned(), SAVE_AGAIN)));
    match known {
        Some((what, advice)) => Fault::Foreign { what, advice: advice.to_owned() },
        None => Fault::UnknownFormat(beginning(bytes)),
    }
}

fn beginning(bytes: &[u8]) -> String {
    bytes[..bytes.len().min(16)].escape_ascii().to_string()
}

/// A web page, or JSON beside weights.
fn text(bytes: &[u8]) -> Option<(String, &'static str)> {
    let start = bytes[..bytes.len().min(MOST_TEXT)].trim_ascii_start();
    let lower = start[..start.len().min(16)].to_ascii_lowercase();
    if lower.starts_with(b"<!doctype") || lower.starts_with(b"<html") || lower.starts_with(b"<?xml") {
        let what = format!("a web page (it begins with \"{}\")", beginning(bytes));
        return Some((what, DOWNLOAD));
    }
    if !start.starts_with(b"{") {
        return None;
    }
    let holds = |word: &[u8]| start.windows(word.len()).any(|window| window == word);
    Some(if holds(b"\"weight_map\"") {
        (
            "the index of weights that are cut into several files".to_owned(),
            "Wellfit reads one file: in Python, load the whole network and save it as one: \
             `torch.save(model.state_dict(), \"weights.pth\")`",
        )
    } else {
        ("a JSON file".to_owned(), "Give the .safetensors or .pth file beside it")
    })
}

/// ONNX's `ModelProto` and TensorFlow's `SavedModel` begin with a version (field 1, a number). The next field is ONNX's
/// `producer_name` (2), `graph` (7) or `opset_import` (8), or TensorFlow's `meta_graphs` (2) after version 1.
fn protobuf(bytes: &[u8]) -> Option<&'static str> {
    match *bytes {
        [0x08, 1, 0x12, ..] => Some("a TensorFlow SavedModel"),
        [0x08, 2..=32, 0x12 | 0x3a | 0x42, ..] => Some("an ONNX model"),
        _ => None,
    }
}

/// What a zip file with these entries is, if it is known not to hold a state dict.
pub(crate) fn archive<'a>(names: impl Iterator<Item = &'a str>) -> Option<Fault> {
    let names: Vec<&str> = names.collect();
    let has = |wanted: &dyn Fn(&str) -> bool| names.iter().any(|name| wanted(name));
    let foreign =
        |what: &str, advice: &str| Some(Fault::Foreign { what: what.to_owned(), advice: advice.to_owned() });
    if has(&|name| name.ends_with("/constants.pkl") || name.contains("/code/__torch__")) {
        return foreign(
            "a TorchScript archive",
            "In Python: `torch.save(torch.jit.load(path).state_dict(), \"weights.pth\")`",
        );
    }
    if has(&|name| name.ends_with("archive_format") || name.ends_with("serialized_exported_program.json")) {
        return foreign(
            "a program of torch.export",
            "In Python: `torch.save(torch.export.load(path).state_dict, \"weights.pth\")`",
        );
    }
    if has(&|name| name.ends_with("model.weights.h5")) {
        return foreign("a Keras model", SAVE_AGAIN);
    }
    if !names.is_empty() && names.iter().all(|name| name.ends_with(".npy")) {
        return foreign("an archive of NumPy arrays", SAVE_AGAIN);
    }
    if has(&|name| name.ends_with(".distcp")) {
        return foreign("a checkpoint of torch.distributed, cut into several files", SAVE_AGAIN);
    }
    let inside = |name: &str| [".pth", ".pt", ".ckpt", ".safetensors"].iter().any(|end| name.ends_with(end));
    if has(&inside) && !has(&|name| name.ends_with("data.pkl")) {
        return foreign("a zip archive", UNPACK);
    }
    None
}
