//! From files to batches of images and labels.
//!
//! In reading order: [`source`] opens what a user names, by way of [`idx`] files or an [`image_folder`], as
//! [`dataset`]s; [`split`] sets a validation part aside; [`loader`] turns images into [`batch`]es through a
//! [`transform`], ahead of the training step, and may keep them in a [`cache`]. [`scaler`] scales plain numbers.
//!
//! ```
//! use wellfit_data::{Loader, LoaderOptions, OpenOptions, Transform, open, stratified};
//!
//! let splits = open("sample", &OpenOptions::default(), &|_| ())?;
//! let (train, val) = stratified(&splits.train.labels, splits.train.classes.len(), 0.1, 0)?;
//! assert_eq!((train.len(), val.len()), (5220, 580));
//!
//! let transform =
//!     Transform { size: (28, 28), channels: 1, hflip: false, vflip: false, mean: vec![0.0], std: vec![1.0] };
//! let options = LoaderOptions { batch_size: 4, shuffle: true, ..LoaderOptions::default() };
//! let loader = Loader::new(splits.train.subset(&train), transform, options)?;
//! let batch = loader.epoch(0).next().expect("an epoch of 5220 images")?;
//! assert_eq!(batch.shape, [4, 28, 28, 1]);
//! # Ok::<(), wellfit_data::DataError>(())
//! ```

pub mod batch;
pub mod cache;
pub mod dataset;
pub mod decode;
mod download;
mod epoch;
pub mod error;
pub mod fashion_mnist;
mod file;
mod hash;
pub mod idx;
pub mod idx_folder;
pub mod image_folder;
mod image_splits;
mod jpeg;
pub mod loader;
mod pixels;
mod png;
pub mod resize;
pub mod sample;
pub mod scaler;
pub mod source;
pub mod split;
pub mod transform;
mod webp;

pub use batch::Batch;
pub use cache::Cache;
pub use dataset::{Dataset, Images};
pub use decode::{RawImage, decode_file};
pub use epoch::Epoch;
pub use error::DataError;
pub use image_folder::{ImageFolder, Suspicious};
pub use loader::{Loader, LoaderOptions, Sample};
pub use scaler::{MinMaxScaler, StandardScaler};
pub use source::{OpenOptions, Progress, Splits, open};
pub use split::stratified;
pub use transform::{Flips, Transform};
