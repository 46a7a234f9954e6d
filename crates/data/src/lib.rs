//! From files to batches of images and labels.
//!
//! In reading order: [`open`](mod@open) opens what a user names as [`Dataset`]s and sets a validation part aside;
//! [`loader`] turns images into [`Batch`]es by a [`preprocessing`], ahead of the training step, and may keep them in a
//! [`cache`]; [`augment`] changes training images at random; [`scaling`] says what pixels are scaled by;
//! [`duplicates`] are images that show the same.
//!
//! ```
//! use wellfit_data::{Augmentations, Loader, LoaderOptions, OpenOptions, Preprocessing, open, stratified};
//!
//! let splits = open("sample", &OpenOptions::default(), &|_| ())?;
//! let (train, val) = stratified(&splits.train.labels, splits.train.classes.len(), 0.1, 0)?;
//! assert_eq!((train.len(), val.len()), (5220, 580));
//!
//! let preprocessing = Preprocessing::new((28, 28), 1, vec![0.0], vec![1.0]);
//! let augmentations = Augmentations::named(["horizontal_flip"])?;
//! let options = LoaderOptions { batch_size: 4, shuffle: true, ..LoaderOptions::default() };
//! let loader = Loader::new(splits.train.subset(&train), preprocessing, augmentations, options)?;
//! let batch = loader.epoch(0).next().expect("an epoch of 5220 images")?;
//! assert_eq!(batch.shape, [4, 28, 28, 1]);
//! # Ok::<(), wellfit_data::DataError>(())
//! ```

pub mod augment;
pub mod cache;
pub mod divide;
pub mod duplicates;
pub mod error;
pub mod loader;
pub mod open;
pub mod preprocessing;
pub mod scaling;
pub mod statistics;

pub use augment::{Augmentation, Augmentations, Choice, Flips};
pub use cache::Cache;
pub use duplicates::{Duplicate, Duplicates, Likeness};
pub use error::DataError;
pub use loader::{
    Batch, Dataset, Epoch, ImageRef, Images, Loader, LoaderOptions, Mixed, Pack, PixelHash, PixelHashes,
    Sample, Sampler, Shards,
};
pub use open::check::Suspicious;
pub use open::copies::Copies;
pub use open::entry::Entry;
pub use open::image_folder::ImageFolder;
pub use open::remark::Remark;
pub use open::split::stratified;
pub use open::{
    Columns, Need, OpenOptions, Part, Progress, Splits, UNLABELLED, class_name, idx, image_folder,
    is_built_in, is_collection, open,
};
pub use preprocessing::Preprocessing;
pub use scaling::scaler::{MinMaxScaler, StandardScaler};
pub use scaling::{Scaling, pixel_statistics};
pub use statistics::Statistics;
pub use wellfit_images::{Depth, Interpolation};
