//! Hugging Face's Parquet: a column of images, each a struct of `bytes` and `path`, and a column of labels, whose names
//! lie in the file's metadata under the key `huggingface`.

use std::path::{Path, PathBuf};

use parquet::basic::{Compression, Type as Physical};
use parquet::errors::ParquetError;
use parquet::file::metadata::RowGroupMetaData;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::{Field, Row as Record};
use parquet::schema::types::Type;
use serde_json::Value;
use wellfit_base::file;

use super::listing::Listing;
use super::rows::{Row, Rows, several};
use super::{OpenOptions, shards};
use crate::error::DataError;
use crate::loader::{Pack, Place};

const ENDINGS: [&str; 1] = ["parquet"];
/// The most bytes of images in memory.
const MOST: u64 = 8 << 30;
/// Names of columns with labels, best first.
const LABELS: [&str; 10] = [
    "label",
    "labels",
    "fine_label",
    "class",
    "category",
    "target",
    "species",
    "class_name",
    "label_name",
    "coarse_label",
];

/// Whether `path` is such a file, a pattern of them, or a folder that holds some.
pub(crate) fn is(path: &Path) -> bool {
    !shards::files(path, &ENDINGS).is_empty()
}

/// The images of all files.
pub(crate) fn list(path: &Path, options: &OpenOptions) -> Result<Listing, DataError> {
    let mut rows = Rows::new(super::name(path), path);
    let mut pack = Pack::default();
    let mut room = MOST;
    for file in shards::files(path, &ENDINGS) {
        ParquetTable::open(&file)?.read(
            options,
            shards::part(&file, path),
            &mut rows,
            &mut pack,
            &mut room,
        )?;
    }
    rows.pack = Some(pack);
    rows.list(options)
}

/// An open file.
struct ParquetTable<'a> {
    path: &'a Path,
    reader: SerializedFileReader<std::fs::File>,
}

impl<'a> ParquetTable<'a> {
    fn open(path: &'a Path) -> Result<Self, DataError> {
        let file = file::open(path).map_err(DataError::io(path))?;
        let reader = SerializedFileReader::new(file).map_err(|error| damaged(path, &error))?;
        Ok(Self { path, reader })
    }

    fn problem(&self, problem: String) -> DataError {
        DataError::Layout { path: self.path.to_path_buf(), problem }
    }

    fn fields(&self) -> &[std::sync::Arc<Type>] {
        self.reader.metadata().file_metadata().schema().get_fields()
    }

    fn seen(&self) -> String {
        let names: Vec<&str> = self.fields().iter().map(|field| field.name()).collect();
        format!("its columns are {}", names.join(", "))
    }

    /// The column of the images: the only one with bytes, or a struct with them.
    fn image(&self, options: &OpenOptions) -> Result<String, DataError> {
        let holds = |field: &Type| field.is_primitive() && field.get_physical_type() == Physical::BYTE_ARRAY;
        let is_image = |field: &&std::sync::Arc<Type>| {
            if field.is_group() {
                field.get_fields().iter().any(|inner| inner.name() == "bytes" && holds(inner))
            } else {
                // A text is called so.
                let info = field.get_basic_info();
                let is_text = info.logical_type_ref().is_some()
                    || info.converted_type() != parquet::basic::ConvertedType::NONE;
                holds(field) && !is_text
            }
        };
        let mut found: Vec<&str> = self.fields().iter().filter(is_image).map(|field| field.name()).collect();
        if let Some(name) = &options.columns.file {
            found.retain(|column| column == name);
        }
        match found[..] {
            [one] => Ok(one.to_owned()),
            [] => Err(self.problem(format!("no column holds the bytes of images: {}", self.seen()))),
            _ => {
                let found = found.join(" and ");
                Err(self.problem(format!("columns {found} hold images: say which with --file-column")))
            }
        }
    }

    fn label(&self, options: &OpenOptions) -> Result<String, DataError> {
        let has = |name: &str| self.fields().iter().any(|field| field.name() == name);
        if let Some(name) = &options.columns.label {
            let gone = || self.problem(format!("there is no column ‘{name}’: {}", self.seen()));
            return has(name).then(|| name.clone()).ok_or_else(gone);
        }
        let found: Vec<&str> = LABELS.into_iter().filter(|name| has(name)).collect();
        match found[..] {
            [one] => Ok(one.to_owned()),
            [] => Err(self.problem(format!(
                "which column holds the labels? {}: say it with --label-column",
                self.seen()
            ))),
            _ => Err(self.problem(format!(
                "columns {} may all be the label: say which with --label-column",
                found.join(" and ")
            ))),
        }
    }

    /// The names of the classes that `datasets` wrote for a column.
    fn names(&self, label: &str) -> Option<Vec<String>> {
        let pairs = self.reader.metadata().file_metadata().key_value_metadata()?;
        let text = pairs.iter().find(|pair| pair.key == "huggingface")?.value.as_deref()?;
        let value: Value = serde_json::from_str(text).ok()?;
        let names = value.pointer("/info/features")?.get(label)?.get("names")?.as_array()?;
        names.iter().map(|name| name.as_str().map(str::to_owned)).collect()
    }

    /// Refuse what the codecs at hand cannot unpack, before anything is read.
    fn packing(&self) -> Result<(), DataError> {
        let groups = self.reader.metadata().row_groups();
        let known = |codec: Compression| {
            matches!(codec, Compression::UNCOMPRESSED | Compression::SNAPPY | Compression::GZIP(_))
        };
        let mut columns = groups.iter().flat_map(RowGroupMetaData::columns);
        let unknown = columns.find(|column| !known(column.compression()));
        match unknown {
            None => Ok(()),
            Some(column) => Err(self.problem(format!(
                "it is compressed with {}, which is not read: write it again with compression=\"snappy\" (images do not \
                 get smaller by any of them)",
                column.compression().to_string().split('(').next().unwrap_or_default()
            ))),
        }
    }

    fn read(
        &self,
        options: &OpenOptions,
        part: Option<super::Part>,
        rows: &mut Rows,
        pack: &mut Pack,
        room: &mut u64,
    ) -> Result<(), DataError> {
        let (image, label) = (self.image(options)?, self.label(options)?);
        self.packing()?;
        let names = self.names(&label);
        match (&rows.classes, &names) {
            (Some(before), Some(names)) if before != names => {
                return Err(
                    self.problem("its classes are others than those of the file before it".to_owned())
                );
            }
            _ => rows.classes = names.clone(),
        }
        let wanted = self.fields().iter().filter(|field| [&image[..], &label].contains(&field.name()));
        let projection = Type::group_type_builder(self.reader.metadata().file_metadata().schema().name())
            .with_fields(wanted.cloned().collect())
            .build();
        let wrong = |error: ParquetError| damaged(self.path, &error);
        let records = self.reader.get_row_iter(Some(projection.map_err(wrong)?)).map_err(wrong)?;
        for (number, record) in records.enumerate() {
            let cells = Cells::of(record.map_err(wrong)?, &image, names.as_deref())
                .map_err(|what| self.problem(format!("row {number}: {what}")))?;
            *room = room.checked_sub(cells.bytes.len() as u64).ok_or_else(|| {
                self.problem(format!(
                    "its images need more than {} GiB of memory: write them to files or to WebDataset shards",
                    MOST >> 30
                ))
            })?;
            let own = cells.name.unwrap_or_default();
            let path = self.path.join(format!("{number}-{own}").trim_end_matches('-'));
            pack.add(path.clone(), Place::Memory(cells.bytes));
            rows.rows.push(Row { path, label: cells.label, part, at: (self.path.to_path_buf(), number + 1) });
        }
        Ok(())
    }
}

fn damaged(path: &Path, error: &ParquetError) -> DataError {
    let problem = format!("it is no whole Parquet file: {error}");
    DataError::Layout { path: path.to_path_buf(), problem }
}

/// What a row says.
struct Cells {
    bytes: Vec<u8>,
    name: Option<String>,
    label: String,
}

impl Cells {
    fn of(record: Record, image: &str, names: Option<&[String]>) -> Result<Self, String> {
        let mut cells = Self { bytes: Vec::new(), name: None, label: String::new() };
        for (column, field) in record.into_columns() {
            if column == image {
                cells.image(field)?;
            } else {
                cells.label = label(field, names)?;
            }
        }
        Ok(cells)
    }

    fn image(&mut self, field: Field) -> Result<(), String> {
        match field {
            Field::Bytes(bytes) => self.bytes = bytes.data().to_vec(),
            Field::Group(group) => {
                for (name, field) in group.into_columns() {
                    match (name.as_str(), field) {
                        ("bytes", Field::Bytes(bytes)) => self.bytes = bytes.data().to_vec(),
                        ("path", Field::Str(path)) => {
                            let own = PathBuf::from(path)
                                .file_name()
                                .map(|name| name.to_string_lossy().into_owned());
                            self.name = own;
                        }
                        _ => {}
                    }
                }
            }
            _ => {}
        }
        if self.bytes.is_empty() {
            return Err(
                "it has no bytes of an image (only a path?): write the table with the images inside".into()
            );
        }
        Ok(())
    }
}

/// A number, or a name; with names, a number is the place of one.
fn label(field: Field, names: Option<&[String]>) -> Result<String, String> {
    let number = match field {
        Field::Null => return Ok(String::new()),
        Field::Str(text) => return Ok(text.trim().to_owned()),
        Field::Bool(flag) => i64::from(flag),
        Field::Byte(number) => number.into(),
        Field::Short(number) => number.into(),
        Field::Int(number) => number.into(),
        Field::Long(number) => number,
        Field::UByte(number) => number.into(),
        Field::UShort(number) => number.into(),
        Field::UInt(number) => number.into(),
        Field::ListInternal(_) => return Err(several("its label is a list")),
        _ => return Err("its label is neither a number nor a name".to_owned()),
    };
    match names {
        None => Ok(number.to_string()),
        // `datasets` writes -1 where there is no label.
        Some(_) if number == -1 => Ok(String::new()),
        Some(names) => {
            let name = usize::try_from(number).ok().and_then(|number| names.get(number));
            name.cloned().ok_or_else(|| format!("label {number} is not one of the {} classes", names.len()))
        }
    }
}
