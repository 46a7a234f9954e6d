//! Hugging Face's Parquet: a column of images, each a struct of `bytes` and `path`, and a column of labels, whose names
//! lie in the file's metadata under the key `huggingface`.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use parquet::basic::{ConvertedType, Type as Physical};
use parquet::data_type::ByteArray;
use parquet::record::{Field, Row as Record};
use parquet::schema::types::Type;
use serde_json::Value;

use super::reading::ParquetReader;
use crate::error::DataError;
use crate::loader::{Pack, Place, Shared};
use crate::open::listing::Listing;
use crate::open::multi_label::several;
use crate::open::rows::{Row, Rows};
use crate::open::{OpenOptions, Part, shards};

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
    let mut rows = Rows::new(crate::open::name(path), path);
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
    file: ParquetReader,
}

impl<'a> ParquetTable<'a> {
    fn open(path: &'a Path) -> Result<Self, DataError> {
        Ok(Self { path, file: ParquetReader::open(path)? })
    }

    fn problem(&self, problem: String) -> DataError {
        DataError::Layout { path: self.path.to_path_buf(), problem }
    }

    fn fields(&self) -> &[Arc<Type>] {
        self.file.fields()
    }

    fn seen(&self) -> String {
        let names: Vec<&str> = self.fields().iter().map(|field| field.name()).collect();
        format!("its columns are {}", names.join(", "))
    }

    /// The column of the images: the only one with bytes, or a struct with them.
    fn image(&self, options: &OpenOptions) -> Result<String, DataError> {
        let holds = |field: &Type| field.is_primitive() && field.get_physical_type() == Physical::BYTE_ARRAY;
        let is_image = |field: &&Arc<Type>| {
            if field.is_group() {
                field.get_fields().iter().any(|inner| inner.name() == "bytes" && holds(inner))
            } else {
                // A text is called so.
                let info = field.get_basic_info();
                let is_text =
                    info.logical_type_ref().is_some() || info.converted_type() != ConvertedType::NONE;
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

    /// The column of the labels, if they are needed.
    fn label(&self, options: &OpenOptions) -> Result<Option<String>, DataError> {
        if !options.need.labels() {
            return Ok(None);
        }
        let has = |name: &str| self.fields().iter().any(|field| field.name() == name);
        if let Some(name) = &options.columns.label {
            let gone = || self.problem(format!("there is no column ‘{name}’: {}", self.seen()));
            return has(name).then(|| Some(name.clone())).ok_or_else(gone);
        }
        let found: Vec<&str> = LABELS.into_iter().filter(|name| has(name)).collect();
        match found[..] {
            [one] => Ok(Some(one.to_owned())),
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
        let value: Value = serde_json::from_str(self.file.note("huggingface")?).ok()?;
        let names = value.pointer("/info/features")?.get(label)?.get("names")?.as_array()?;
        names.iter().map(|name| name.as_str().map(str::to_owned)).collect()
    }

    fn read(
        &self,
        options: &OpenOptions,
        part: Option<Part>,
        rows: &mut Rows,
        pack: &mut Pack,
        room: &mut u64,
    ) -> Result<(), DataError> {
        let (image, label) = (self.image(options)?, self.label(options)?);
        let names = label.as_ref().and_then(|label| self.names(label));
        match (&rows.classes, &names) {
            (Some(before), Some(names)) if before != names => {
                return Err(
                    self.problem("its classes are others than those of the file before it".to_owned())
                );
            }
            _ => rows.classes = names.clone(),
        }
        let columns: Vec<&str> =
            [Some(&image), label.as_ref()].into_iter().flatten().map(String::as_str).collect();
        self.file.rows(Some(&columns), |number, record| {
            let cells = Cells::of(record, &image, names.as_deref())
                .map_err(|(column, what)| self.problem(format!("row {number}, column ‘{column}’: {what}")))?;
            *room = room.checked_sub(cells.bytes.len() as u64).ok_or_else(|| {
                self.problem(format!(
                    "its images need more than {} GiB of memory: write them to files or to WebDataset shards",
                    MOST >> 30
                ))
            })?;
            let own = cells.name.unwrap_or_default();
            let path = self.path.join(format!("{number}-{own}").trim_end_matches('-'));
            pack.add(path.clone(), Place::Memory(Shared::new(cells.bytes)));
            rows.rows.push(Row { path, label: cells.label, part, at: (self.path.to_path_buf(), number + 1) });
            Ok(())
        })
    }
}

/// What a row says.
struct Cells {
    /// A slice of the page that has them.
    bytes: ByteArray,
    name: Option<String>,
    label: String,
}

impl Cells {
    /// Of a row; else a column and what is wrong with it.
    fn of(record: Record, image: &str, names: Option<&[String]>) -> Result<Self, (String, String)> {
        let mut cells = Self { bytes: Vec::new().into(), name: None, label: String::new() };
        for (column, field) in record.into_columns() {
            let taken = if column == image {
                cells.image(field)
            } else {
                label(field, names).map(|label| cells.label = label)
            };
            taken.map_err(|what| (column, what))?;
        }
        Ok(cells)
    }

    fn image(&mut self, field: Field) -> Result<(), String> {
        match field {
            Field::Bytes(bytes) => self.bytes = bytes,
            Field::Group(group) => {
                for (name, field) in group.into_columns() {
                    match (name.as_str(), field) {
                        ("bytes", Field::Bytes(bytes)) => self.bytes = bytes,
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
