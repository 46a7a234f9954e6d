//! The rows of a Parquet file. The crate `parquet` panics on some damaged files, and believes numbers of rows; here both
//! become errors of the file.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parquet::errors::ParquetError;
use parquet::file::metadata::{ParquetMetaData, ParquetMetaDataReader, RowGroupMetaData};
use parquet::file::reader::RowGroupReader;
use parquet::record::Row;
use parquet::schema::types::Type;
use wellfit_base::file;
use wellfit_base::guard::guarded;

use super::pages::Group;
use super::unpack::is_known;
use crate::error::DataError;

/// An open file.
pub(crate) struct ParquetReader {
    path: PathBuf,
    file: Arc<File>,
    length: u64,
    metadata: ParquetMetaData,
}

/// What `read` gives; a panic inside it is an error, too.
fn safely<T>(path: &Path, read: impl FnOnce() -> Result<T, ParquetError>) -> Result<T, DataError> {
    let problem = match guarded(read) {
        Ok(Ok(value)) => return Ok(value),
        Ok(Err(error)) => error.to_string(),
        Err(panic) => panic,
    };
    let problem = format!("it is no whole Parquet file: {problem}");
    Err(DataError::Layout { path: path.to_path_buf(), problem })
}

impl ParquetReader {
    /// Open it and read what its end says of it.
    pub fn open(path: &Path) -> Result<Self, DataError> {
        let file = file::open(path).map_err(DataError::io(path))?;
        let length = file.metadata().map_err(DataError::io(path))?.len();
        let metadata = safely(path, || ParquetMetaDataReader::new().parse_and_finish(&file))?;
        Ok(Self { path: path.to_path_buf(), file: Arc::new(file), length, metadata })
    }

    /// Its columns.
    pub fn fields(&self) -> &[Arc<Type>] {
        self.metadata.file_metadata().schema().get_fields()
    }

    /// What it says under a key.
    pub fn note(&self, key: &str) -> Option<&str> {
        let pairs = self.metadata.file_metadata().key_value_metadata()?;
        pairs.iter().find(|pair| pair.key == key)?.value.as_deref()
    }

    /// Calls `each` with every row, numbered from 0: of all columns, or of those of these names, in the file's order.
    ///
    /// # Errors
    /// If the file is damaged or packed by an unknown method, and those of `each`.
    pub fn rows(
        &self,
        columns: Option<&[&str]>,
        mut each: impl FnMut(usize, Row) -> Result<(), DataError>,
    ) -> Result<(), DataError> {
        self.packing()?;
        let schema = self.metadata.file_metadata().schema();
        let projection = columns.map(|columns| {
            let wanted = self.fields().iter().filter(|field| columns.contains(&field.name()));
            Type::group_type_builder(schema.name()).with_fields(wanted.cloned().collect()).build()
        });
        let projection = safely(&self.path, || projection.transpose())?;
        let mut number = 0;
        for metadata in self.metadata.row_groups() {
            // A row takes a byte at least, or the file would name the same image again and again.
            if u64::try_from(metadata.num_rows()).is_ok_and(|rows| rows > self.length) {
                let problem = "it claims to have more rows than bytes".to_owned();
                return Err(DataError::Layout { path: self.path.clone(), problem });
            }
            let group = Group::new(&self.file, metadata);
            let mut rows = safely(&self.path, || group.get_row_iter(projection.clone()))?;
            while let Some(row) = safely(&self.path, || rows.next().transpose())? {
                each(number, row)?;
                number += 1;
            }
        }
        Ok(())
    }

    /// Refuse what cannot be unpacked, before anything is read.
    fn packing(&self) -> Result<(), DataError> {
        let mut columns = self.metadata.row_groups().iter().flat_map(RowGroupMetaData::columns);
        match columns.find(|column| !is_known(column.compression())) {
            None => Ok(()),
            Some(column) => {
                let name = column.compression().to_string();
                let problem = format!(
                    "it is compressed with {}, which is not read: write it again with compression=\"snappy\" (images do \
                     not get smaller by any of them)",
                    name.split('(').next().unwrap_or_default()
                );
                Err(DataError::Layout { path: self.path.clone(), problem })
            }
        }
    }
}
