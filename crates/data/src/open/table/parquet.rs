//! Parquet tables that name files: their cells as text. Those with images inside are for `open::parquet::images`.

use std::path::Path;

use parquet::basic::{ConvertedType, Type as Physical};
use parquet::record::Field;
use parquet::schema::types::Type;

use super::read::{LIST, MOST, Table, problem};
use crate::error::DataError;
use crate::open::parquet::reading::ParquetReader;

/// Whether it has only plain columns, and none with bytes of images in a struct.
pub(super) fn is_plain(path: &Path) -> bool {
    let is_bytes = |field: &Type| {
        field.is_group() && field.get_fields().iter().any(|inner| inner.name() == "bytes")
            || field.is_primitive()
                && field.get_physical_type() == Physical::BYTE_ARRAY
                && field.get_basic_info().logical_type_ref().is_none()
                && field.get_basic_info().converted_type() == ConvertedType::NONE
    };
    ParquetReader::open(path).is_ok_and(|file| !file.fields().iter().any(|field| is_bytes(field)))
}

/// All cells.
pub(super) fn read(path: &Path) -> Result<Table, DataError> {
    let file = ParquetReader::open(path)?;
    let columns: Vec<String> = file.fields().iter().map(|field| field.name().to_owned()).collect();
    let (mut rows, mut room) = (Vec::new(), MOST);
    file.rows(None, |number, record| {
        let cells: Vec<String> = record.into_columns().iter().map(|(_, field)| text(field)).collect();
        let length: usize = cells.iter().map(String::len).sum();
        room = room.checked_sub(length as u64).ok_or_else(|| {
            problem(path, &format!("its text needs more than {} GiB of memory", MOST >> 30))
        })?;
        rows.push((number + 1, cells));
        Ok(())
    })?;
    if rows.is_empty() {
        return Err(problem(path, "the table has no rows"));
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
