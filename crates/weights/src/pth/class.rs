//! What the names of classes and functions in a pickle mean here.

use super::object::Global;
use crate::element::Element;

/// The few names that weights are made of.
pub(super) fn known(module: &str, name: &str) -> Option<Global> {
    Some(match (module, name) {
        ("collections", "OrderedDict") => Global::OrderedDict,
        ("torch._utils", "_rebuild_tensor" | "_rebuild_tensor_v2") => Global::RebuildTensor,
        ("torch._utils", "_rebuild_parameter" | "_rebuild_parameter_with_state") => Global::RebuildParameter,
        ("torch._tensor", "_rebuild_from_type" | "_rebuild_from_type_v2") => Global::RebuildSubclass,
        ("torch" | "torch.cuda", storage) => Global::Storage(element(storage)?),
        _ => return None,
    })
}

/// The elements of a storage class.
fn element(storage: &str) -> Option<Element> {
    Some(match storage {
        "HalfStorage" => Element::F16,
        "BFloat16Storage" => Element::Bf16,
        "FloatStorage" => Element::F32,
        "DoubleStorage" => Element::F64,
        "BoolStorage" => Element::Bool,
        "ByteStorage" => Element::U8,
        "CharStorage" => Element::I8,
        "ShortStorage" => Element::I16,
        "IntStorage" => Element::I32,
        "LongStorage" => Element::I64,
        _ => return None,
    })
}

/// Modules that reach the system or run code.
const SYSTEM: [&str; 24] = [
    "_pickle",
    "asyncio",
    "bdb",
    "code",
    "codeop",
    "commands",
    "ctypes",
    "http",
    "importlib",
    "marshal",
    "nt",
    "os",
    "pdb",
    "pickle",
    "pip",
    "posix",
    "pty",
    "runpy",
    "shutil",
    "socket",
    "subprocess",
    "sys",
    "timeit",
    "webbrowser",
];
/// Built-in functions that do.
const BUILT_IN: [&str; 9] =
    ["__import__", "apply", "breakpoint", "compile", "eval", "exec", "execfile", "input", "open"];

/// Whether only a file that means harm names this. Nothing in a file is ever run, whatever its name: this list is not
/// what protects, it only tells the user not to open the file elsewhere.
pub(super) fn is_attack(module: &str, name: &str) -> bool {
    match module {
        "builtins" | "__builtin__" => BUILT_IN.contains(&name),
        _ => SYSTEM.contains(&module.split('.').next().unwrap_or(module)),
    }
}
