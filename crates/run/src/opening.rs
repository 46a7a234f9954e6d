//! Opening data.

use crate::error::RunError;
use crate::notice::Notice;
use crate::observer::Observer;
use crate::options::DataKind;
use serde::{Deserialize, Serialize};
use std::cell::RefCell;
use std::path::PathBuf;
use wellfit_data::cache::user_dir;
use wellfit_data::{Columns, Dataset, Depth, Need, OpenOptions, Splits, open};

/// The file in the user's cache that remembers which images are whole.
const CHECKED: &str = "checked";

/// What a run without `val/` validates on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Validation {
    /// A part of the training images.
    #[default]
    Split,
    /// `test/`, which makes its figures optimistic.
    Test,
}

/// Where data are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataSource {
    /// A folder with a sub-folder a class, or with `train/` and `val/` or `test/` in any common spelling; a folder of
    /// IDX files; `sample` or `fashion-mnist`.
    pub data: String,
    /// Where Fashion-MNIST's files may lie, besides the usual places.
    pub dir: Option<PathBuf>,
    /// What to validate on where the data have no part for it.
    pub validation: Validation,
    /// What the columns of a table mean.
    pub columns: Columns,
}

impl From<&str> for DataSource {
    /// The data of that name or folder.
    fn from(data: &str) -> Self {
        Self { data: data.to_owned(), dir: None, validation: Validation::Split, columns: Columns::default() }
    }
}

impl DataSource {
    /// Open the data to train on them, and to validate on them as [`validation`](Self::validation) says. With `skip_bad`
    /// unusable images are left out, and named to the observer; of grey that `depth` cuts off it is warned.
    ///
    /// # Errors
    /// If there are no such data, or they are unfit to train on.
    pub fn open(
        &self,
        skip_bad: bool,
        depth: Depth,
        observer: &mut dyn Observer,
    ) -> Result<Splits, RunError> {
        let need = match self.validation {
            Validation::Split => Need::Training,
            Validation::Test => Need::TrainingAndTest,
        };
        self.open_for(need, skip_bad, depth, observer)
    }

    /// Open the data for another purpose. What is worth knowing about them goes to the observer.
    ///
    /// # Errors
    /// If there are no such data, or they are unfit for it.
    pub fn open_for(
        &self,
        need: Need,
        skip_bad: bool,
        depth: Depth,
        observer: &mut dyn Observer,
    ) -> Result<Splits, RunError> {
        let (data_dir, checked) = (self.dir.clone(), user_dir().map(|dir| dir.join(CHECKED)));
        let columns = self.columns.clone();
        let options =
            OpenOptions { data_dir, skip_bad, need, depth, checked, columns, ..OpenOptions::default() };
        let shared = RefCell::new(&mut *observer);
        let splits = open(&self.data, &options, &|progress| shared.borrow_mut().opening(&progress))?;
        for remark in &splits.remarks {
            observer.notice(&Notice::Folder(remark.clone()));
        }
        if !splits.skipped.is_empty() {
            observer.notice(&Notice::FilesLeftOut { count: splits.skipped.len() });
        }
        for file in &splits.skipped {
            let (path, reason) = (file.path.clone(), file.reason.clone());
            observer.notice(&Notice::FileLeftOut { path, reason });
        }
        Ok(splits)
    }

    /// What the data are, once their training part is open.
    #[must_use]
    pub fn kind(&self, train: &Dataset) -> DataKind {
        match train.native_size() {
            None => DataKind::Folder,
            Some((height, width, _)) if self.data == "sample" => {
                DataKind::Sample { pixels: height.max(width) }
            }
            Some((height, width, _)) => DataKind::Idx { pixels: height.max(width) },
        }
    }
}
