//! What is worth knowing about a folder of images, each with its sentence.

use std::fmt;
use std::path::{Path, PathBuf};

use wellfit_base::Shown;
use wellfit_base::shown::shown;
use wellfit_base::words::either;

use super::split_name::Part;

/// Something about a folder that its owner should know. `Display` is the sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Remark {
    /// Classes or parts lie deeper than in the folder that was named.
    Inside(PathBuf),
    /// A part was recognised by a name other than the usual one, or in a place other than the usual one.
    PartIn {
        /// The part.
        part: Part,
        /// Its folder.
        path: PathBuf,
    },
    /// The part named is not used, and why.
    PartUnused {
        /// The part.
        part: Part,
        /// Why, with the name of the folder.
        problem: String,
    },
    /// A folder of a part's name is a class.
    ClassLikePart {
        /// The folder.
        path: PathBuf,
        /// The part it sounds like.
        part: Part,
    },
    /// A run of Wellfit, whose pictures are no data.
    Run(PathBuf),
    /// A folder beside the parts, or beside the only folder with images.
    NoPart {
        /// The folder.
        path: PathBuf,
        /// How many images are in it and below it.
        images: usize,
    },
    /// Images beside the folders of the classes, which belong to no class.
    NoClass {
        /// The folder they lie in.
        path: PathBuf,
        /// How many.
        images: usize,
    },
    /// A class without images.
    EmptyClass(PathBuf),
    /// Two spellings of the same characters (NFC and NFD) are one class.
    OneName {
        /// The class.
        class: String,
        /// How many folders it has.
        folders: usize,
    },
    /// Two classes differ in capitals only: on macOS and Windows they would be one.
    CapitalsOnly {
        /// One class.
        one: String,
        /// The other.
        other: String,
    },
    /// Images of a format that is not read from folders.
    UnreadImages {
        /// The end of their names, without a dot.
        extension: String,
        /// How many.
        count: usize,
        /// One of them.
        example: PathBuf,
    },
    /// Files that are no images, such as lists and licences.
    UnreadFiles {
        /// Extension and number of each kind; an empty extension is none.
        kinds: Vec<(String, usize)>,
    },
    /// Files that are read, but not by torchvision.
    BeyondTorchvision {
        /// The end of their names, without a dot.
        extension: String,
        /// How many.
        count: usize,
    },
    /// What the columns of a table were taken for.
    ColumnsUsed {
        /// The table.
        table: PathBuf,
        /// The column of the files.
        file: String,
        /// The column of the labels.
        label: String,
        /// The column of the parts, if there is one.
        split: Option<String>,
    },
    /// Images that a table names more than once, with the same label.
    NamedTwice {
        /// How many rows are left out.
        count: usize,
    },
    /// Grey images of more than 8 bits, whose higher levels are cut off.
    DeepGrey {
        /// How many.
        count: usize,
        /// One of them.
        example: PathBuf,
    },
}

impl Remark {
    /// Whether it may be a mistake.
    #[must_use]
    pub const fn is_warning(&self) -> bool {
        match self {
            Self::Inside(_)
            | Self::PartIn { .. }
            | Self::Run(_)
            | Self::OneName { .. }
            | Self::UnreadFiles { .. }
            | Self::ColumnsUsed { .. }
            | Self::BeyondTorchvision { .. } => false,
            Self::NoPart { images, .. } => *images > 0,
            Self::PartUnused { .. }
            | Self::ClassLikePart { .. }
            | Self::NoClass { .. }
            | Self::EmptyClass(_)
            | Self::CapitalsOnly { .. }
            | Self::UnreadImages { .. }
            | Self::NamedTwice { .. }
            | Self::DeepGrey { .. } => true,
        }
    }

    /// A word for programs that says what kind of remark it is.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Inside(_) => "inside",
            Self::PartIn { .. } => "part_in",
            Self::PartUnused { .. } => "part_unused",
            Self::ClassLikePart { .. } => "class_like_part",
            Self::Run(_) => "run",
            Self::NoPart { .. } => "no_part",
            Self::NoClass { .. } => "no_class",
            Self::EmptyClass(_) => "empty_class",
            Self::OneName { .. } => "one_name",
            Self::CapitalsOnly { .. } => "capitals_only",
            Self::UnreadImages { .. } => "unread_images",
            Self::UnreadFiles { .. } => "unread_files",
            Self::BeyondTorchvision { .. } => "beyond_torchvision",
            Self::ColumnsUsed { .. } => "columns",
            Self::NamedTwice { .. } => "named_twice",
            Self::DeepGrey { .. } => "deep_grey",
        }
    }
}

impl fmt::Display for Remark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Inside(path) => write!(f, "the images lie in {}", path.shown()),
            Self::PartIn { part, path } => write!(f, "{} part: {}", part.name(), path.shown()),
            Self::PartUnused { part, problem } => {
                write!(f, "there is no {} part to use: {problem}", part.name())
            }
            Self::ClassLikePart { path, part } => write!(
                f,
                "{} is taken as a class: a {} part would hold a folder for each class",
                path.shown(),
                part.name()
            ),
            Self::Run(path) => write!(f, "{} holds runs of Wellfit and is no class", path.shown()),
            Self::NoPart { path, images: 0 } => {
                write!(f, "{} holds no images and is left out", path.shown())
            }
            Self::NoPart { path, images } => {
                write!(f, "{} is no part: {} left out", path.shown(), images_are(*images))
            }
            Self::NoClass { path, images } => {
                let place = path.shown();
                write!(f, "{} directly in {place}, in the folder of no class: left out", images_lie(*images))
            }
            Self::EmptyClass(path) => write!(f, "{} holds no images", path.shown()),
            Self::OneName { class, folders } => {
                write!(
                    f,
                    "{folders} folders are spelled ‘{}’ in different Unicode forms: they are one class",
                    shown(class)
                )
            }
            Self::CapitalsOnly { one, other } => write!(
                f,
                "the classes ‘{}’ and ‘{}’ differ in capitals only: if they are the same, put them into one folder",
                shown(one),
                shown(other)
            ),
            Self::UnreadImages { extension, count, example } => write!(
                f,
                "{count} .{} {} left out, such as {}: convert them to JPEG or PNG",
                shown(extension),
                either(*count, "file is", "files are"),
                example.shown()
            ),
            Self::UnreadFiles { kinds } => {
                let kinds: Vec<String> =
                    kinds.iter().map(|(extension, count)| kind(extension, *count)).collect();
                write!(f, "files that are no images: {}", kinds.join(", "))
            }
            Self::BeyondTorchvision { extension, count } => {
                write!(f, "{count} .{extension} read, which torchvision passes over",)
            }
            Self::ColumnsUsed { table, file, label, split } => {
                let name = Path::new(table.file_name().unwrap_or_default()).shown();
                write!(f, "{name}: files in column ‘{}’, labels in ‘{}’", shown(file), shown(label))?;
                split.as_ref().map_or(Ok(()), |split| write!(f, ", parts in ‘{}’", shown(split)))
            }
            Self::NamedTwice { count } => {
                write!(
                    f,
                    "{count} {} an image that was named before: left out",
                    if *count == 1 { "row names" } else { "rows name" }
                )
            }
            Self::DeepGrey { count, example } => write!(
                f,
                "{count} grey {} of more than 8 bits, such as {}: levels above 255 turn white, as in Pillow and torchvision. If \
                 that is not meant, `depth` scale divides them",
                either(*count, "image is", "images are"),
                example.shown()
            ),
        }
    }
}

fn kind(extension: &str, count: usize) -> String {
    if extension.is_empty() {
        format!("{count} without extension")
    } else {
        format!("{count} .{}", shown(extension))
    }
}

fn images_are(count: usize) -> String {
    if count == 1 { "its image is".to_owned() } else { format!("its {count} images are") }
}

fn images_lie(count: usize) -> String {
    format!("{count} {}", either(count, "image lies", "images lie"))
}

/// Paths for a sentence: the first few, and how many more.
pub(crate) fn listed<'a>(paths: impl IntoIterator<Item = &'a Path>) -> String {
    const SHOWN: usize = 8;
    let names: Vec<String> = paths.into_iter().map(|path| path.shown().to_string()).collect();
    let more = names.len().saturating_sub(SHOWN);
    let shown = names[..names.len() - more].join(", ");
    if more == 0 { shown } else { format!("{shown} and {more} more") }
}
