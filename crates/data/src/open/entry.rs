//! What is made of the things in a folder of images, by their names.

use std::path::Path;

use wellfit_images::{EXTENSIONS, UNREADABLE_EXTENSIONS};

use super::junk;

/// What something in a folder of images is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Entry {
    /// A folder to look into.
    Folder,
    /// An image of a format that is read.
    Image,
    /// An image of a format that is not.
    UnreadImage,
    /// Another file.
    Other,
    /// What systems and tools leave behind: passed over without a word.
    Junk,
}

impl Entry {
    /// By its name alone; a link is what it leads to.
    #[must_use]
    pub fn of(path: &Path, is_dir: bool) -> Self {
        let name = path.file_name().unwrap_or_default();
        match extension(path).as_str() {
            _ if is_dir && junk::is_folder(name) || !is_dir && junk::is_file(name) => Self::Junk,
            _ if is_dir => Self::Folder,
            end if EXTENSIONS.contains(&end) => Self::Image,
            end if is_unread_image(end) => Self::UnreadImage,
            _ => Self::Other,
        }
    }
}

/// Whether files with this extension hold images, though none that is read.
pub(crate) fn is_unread_image(extension: &str) -> bool {
    UNREADABLE_EXTENSIONS.contains(&extension)
}

/// The end of a file's name in lower case; empty if it has none.
pub(crate) fn extension(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
    name.rsplit_once('.').map(|(_, extension)| extension.to_owned()).unwrap_or_default()
}
