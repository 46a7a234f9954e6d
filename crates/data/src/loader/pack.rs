//! Images that are parts of larger files: of an archive on the disk, or of a table in memory.

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use wellfit_base::file;
use wellfit_images::{Depth, ImageError, MAX_FILE, RawImage, decode_bytes_as};

/// Where the encoded bytes of images are, by the names they go by in messages: the larger file's path, then their own
/// name.
#[derive(Debug, Default)]
pub struct Pack {
    places: HashMap<PathBuf, Place>,
}

/// Where the bytes of one image are.
#[derive(Debug)]
pub enum Place {
    /// A range of a file.
    File {
        /// The file.
        file: Arc<Path>,
        /// Bytes before it.
        offset: u64,
        /// Its bytes.
        length: u64,
    },
    /// Here.
    Memory(Shared),
}

/// Bytes in memory, maybe a slice of a larger piece.
pub struct Shared(Box<dyn AsRef<[u8]> + Send + Sync>);

impl Shared {
    /// Of what holds them.
    pub fn new(bytes: impl AsRef<[u8]> + Send + Sync + 'static) -> Self {
        Self(Box::new(bytes))
    }

    fn bytes(&self) -> &[u8] {
        (*self.0).as_ref()
    }
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} bytes", self.bytes().len())
    }
}

impl Pack {
    /// Add an image; false if there is one of that name.
    pub fn add(&mut self, name: PathBuf, place: Place) -> bool {
        match self.places.entry(name) {
            std::collections::hash_map::Entry::Occupied(_) => false,
            std::collections::hash_map::Entry::Vacant(entry) => {
                entry.insert(place);
                true
            }
        }
    }

    /// How many bytes the image has.
    #[must_use]
    pub fn length(&self, name: &Path) -> Option<u64> {
        self.places.get(name).map(|place| match place {
            Place::File { length, .. } => *length,
            Place::Memory(bytes) => bytes.bytes().len() as u64,
        })
    }

    /// The bytes of an image.
    ///
    /// # Errors
    /// If there is none of that name, or its file cannot be read.
    pub fn read(&self, name: &Path) -> io::Result<Vec<u8>> {
        match self.places.get(name) {
            None => Err(io::ErrorKind::NotFound.into()),
            Some(Place::File { length, .. }) if *length > MAX_FILE => Err(io::ErrorKind::FileTooLarge.into()),
            Some(Place::File { file, offset, length }) => file::read_range(file, *offset, *length),
            Some(Place::Memory(bytes)) => Ok(bytes.bytes().to_vec()),
        }
    }

    /// The image, decoded, with a choice of what becomes of grey of more than 8 bits.
    ///
    /// # Errors
    /// As [`read`](Self::read), and those of [`decode_bytes_as`].
    pub fn decode_as(&self, name: &Path, depth: Depth) -> Result<RawImage, ImageError> {
        if let Some(Place::Memory(bytes)) = self.places.get(name) {
            return decode_bytes_as(bytes.bytes(), name, depth);
        }
        let bytes = self.read(name).map_err(|source| ImageError::Io { path: name.to_path_buf(), source })?;
        decode_bytes_as(&bytes, name, depth)
    }
}
