//! What systems and tools leave in folders, which no one means as data.

use std::ffi::OsStr;

/// Folders, in lower case: what macOS puts into archives, thumbnails and bins of NAS boxes and Windows, Python's cache.
const FOLDERS: [&str; 9] = [
    "__macosx",
    "@eadir",
    "#recycle",
    "#snapshot",
    "$recycle.bin",
    "system volume information",
    "lost+found",
    "__pycache__",
    "@recycle",
];

/// Files, in lower case: how file managers remember folders.
const FILES: [&str; 6] = ["thumbs.db", "ehthumbs.db", "desktop.ini", ".ds_store", "icon\r", ".directory"];

/// Whether a folder is neither a class nor a part nor searched. Hidden ones, such as `.ipynb_checkpoints`, are none.
pub(crate) fn is_folder(name: &OsStr) -> bool {
    name.as_encoded_bytes().starts_with(b".") || is_one_of(name, &FOLDERS)
}

/// Whether a file is passed over without a word. `._photo.jpg` is what macOS keeps about `photo.jpg`, and no image.
pub(crate) fn is_file(name: &OsStr) -> bool {
    name.as_encoded_bytes().starts_with(b"._") || is_one_of(name, &FILES)
}

fn is_one_of(name: &OsStr, names: &[&str]) -> bool {
    name.to_str().is_some_and(|name| names.contains(&name.to_lowercase().as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leftovers_are_known_and_classes_are_not_among_them() {
        for name in [
            "__MACOSX",
            "@eaDir",
            ".git",
            ".ipynb_checkpoints",
            "$RECYCLE.BIN",
            "System Volume Information",
            "lost+found",
        ] {
            assert!(is_folder(OsStr::new(name)), "{name}");
        }
        for name in ["._a.jpg", "._.DS_Store", "Thumbs.db", "THUMBS.DB", "desktop.ini", ".DS_Store"] {
            assert!(is_file(OsStr::new(name)), "{name}");
        }
        for name in ["cat", "_cat", "@home", "macosx", "recycle"] {
            assert!(!is_folder(OsStr::new(name)), "{name}");
        }
        for name in ["a.jpg", "_a.jpg", ".hidden.jpg", "thumbs.db.jpg"] {
            assert!(!is_file(OsStr::new(name)), "{name}");
        }
    }
}
