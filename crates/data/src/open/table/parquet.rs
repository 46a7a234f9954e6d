//! Parquet tables that name files: their cells as text. Those with images inside are for `open::hf_parquet`.

use std::path::Path;

use parquet::basic::Type as Physical;
use parquet::errors::ParquetError;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::Field;
use wellfit_base::file;

use super::read::{LIST, Table, problem};
use crate::error::DataError;

type Reader = SerializedFileReader<std::fs::File>;

fn open(path: &Path) -> Result<Reader, DataError> {
    let file = file::open(path).map_err(DataError::io(path))?;
    SerializedFileReader::new(file).map_err(|error| wrong(path, &error))
}

fn wrong(path: &Path, error: &ParquetError) -> DataError {
    problem(path, &format!("it is no whole Parquet file: {error}"))
}

/// Whether it has only plain columns, and none with bytes of images in a struct.
pub(super) fn is_plain(path: &Path) -> bool {
    let has_bytes = |reader: Reader| {
        reader.metadata().file_metadata().schema().get_fields().iter().any(|field| {
            field.is_group() && field.get_fields().iter().any(|inner| inner.name() == "bytes")
                || field.is_primitive()
                    && field.get_physical_type() == Physical::BYTE_ARRAY
                    && field.get_basic_info().logical_type_ref().is_none()
                    && field.get_basic_info().converted_type() == parquet::basic::ConvertedType::NONE
        })
    };
    open(path).is_ok_and(|reader| !has_bytes(reader))
}

/// All cells.
pub(super) fn read(path: &Path) -> Result<Table, DataError> {
    let reader = open(path)?;
    let fields = reader.metadata().file_metadata().schema().get_fields();
    let columns: Vec<String> = fields.iter().map(|field| field.name().to_owned()).collect();
    let records = reader.get_row_iter(None).map_err(|error| wrong(path, &error))?;
    let mut rows = Vec::new();
    for (number, record) in (1..).zip(records) {
        let record = record.map_err(|error| wrong(path, &error))?;
        rows.push((number, record.into_columns().iter().map(|(_, field)| text(field)).collect()));
    }
    Ok(Table { path: path.into(), columns, rows, is_headless: false })
}

fn text(field: &Field) -> String {
    match field {
        Field::Null => String::new(),
        Field::Str(text) => text.trim().to_owned(),
        Field::ListInternal(list) => list.elements().iter().map(text).collect::<Vec<_>>().join(LIST),
        other => other.to_string(),
    }
}
