//! Where data are, and the options of the commands that look at them.

use crate::settings::{one_of, seed};
use clap::{Args, Subcommand};
use std::ffi::OsString;
use std::path::PathBuf;
use wellfit::data::{Columns, Depth};
use wellfit::run::options::{AugmentName, Group};

/// What can be asked of data.
#[derive(Debug, Subcommand)]
pub enum Data {
    /// Shapes, class counts, a labelled picture grid, suspicious files
    Show(ShowArgs),
    /// Divide data into train/, val/ and test/, as new folders
    Split(SplitArgs),
    /// Images of each class and part, sizes, proportions, mean and standard deviation
    Stats(StatsArgs),
    /// List images that show the same picture, saved again, of another size or mirrored; or move all but one of each away
    Dedupe(DedupeArgs),
}

/// Where data are and what their tables mean, where the data alone do not tell.
#[derive(Debug, Clone, Default, Args)]
pub struct PlaceArgs {
    /// Where Fashion-MNIST's files may lie, besides the usual places
    #[arg(long = "data", value_name = "DIR", help_heading = Group::Data.title(), hide_short_help = true)]
    pub data_dir: Option<PathBuf>,
    /// The column of a table that names the image files [default: by its name]
    #[arg(long, value_name = "NAME", help_heading = Group::Data.title(), hide_short_help = true)]
    pub file_column: Option<String>,
    /// The column of a table that holds the labels [default: by its name]
    #[arg(long, value_name = "NAME", help_heading = Group::Data.title(), hide_short_help = true)]
    pub label_column: Option<String>,
    /// The column of a table that says train, val or test [default: by its name]
    #[arg(long, value_name = "NAME", help_heading = Group::Data.title(), hide_short_help = true)]
    pub split_column: Option<String>,
    /// The folder that the names of files in a table begin in [default: the table's, or the one inside it that has them]
    #[arg(long, value_name = "DIR", help_heading = Group::Data.title(), hide_short_help = true)]
    pub image_dir: Option<PathBuf>,
}

impl PlaceArgs {
    /// The options that were given, as words of a command line.
    pub fn words(&self) -> Vec<OsString> {
        let path = |path: &Option<PathBuf>| path.clone().map(PathBuf::into_os_string);
        let text = |text: &Option<String>| text.clone().map(OsString::from);
        let given = [
            ("--data", path(&self.data_dir)),
            ("--file-column", text(&self.file_column)),
            ("--label-column", text(&self.label_column)),
            ("--split-column", text(&self.split_column)),
            ("--image-dir", path(&self.image_dir)),
        ];
        given.into_iter().filter_map(|(name, value)| Some([name.into(), value?])).flatten().collect()
    }

    /// For the library.
    pub fn columns(&self) -> Columns {
        Columns {
            file: self.file_column.clone(),
            label: self.label_column.clone(),
            split: self.split_column.clone(),
            images: self.image_dir.clone(),
        }
    }
}

/// Where the images of a table are, for commands that look at no labels.
#[derive(Debug, Clone, Default, Args)]
pub struct TableArgs {
    /// The column of a table that names the image files or holds their bytes [default: by its name]
    #[arg(long, value_name = "NAME", hide_short_help = true)]
    pub file_column: Option<String>,
    /// The folder that the names of files in a table begin in [default: the table's, or the one inside it that has them]
    #[arg(long, value_name = "DIR", hide_short_help = true)]
    pub image_dir: Option<PathBuf>,
}

impl TableArgs {
    /// For the library.
    pub fn columns(&self) -> Columns {
        Columns { file: self.file_column.clone(), images: self.image_dir.clone(), ..Columns::default() }
    }
}

/// `wellfit data show`.
#[derive(Debug, Args)]
pub struct ShowArgs {
    /// Data as for `train`
    #[arg(value_name = "DATA")]
    pub data: String,
    #[command(flatten)]
    pub place: PlaceArgs,
    /// Images in the picture
    #[arg(long, default_value_t = 16, value_name = "N", allow_negative_numbers = true)]
    pub images: usize,
    /// Show the images as `train` would see them first: resized and augmented
    #[arg(long)]
    pub augmented: bool,
    /// What becomes of grey image files of more than 8 bits, as for `train`
    #[arg(long, value_name = "NAME", default_value_t, value_parser = one_of::<Depth>(Depth::NAMES))]
    pub depth: Depth,
    /// The same with this `--augment` of `train`: none, light or strong
    #[arg(long, value_name = "HOW", hide_possible_values = true, value_parser = one_of::<AugmentName>(AugmentName::NAMES))]
    pub augment: Option<AugmentName>,
    /// Decides which images
    #[arg(long, default_value_t = 0, value_name = "N", allow_negative_numbers = true, value_parser = seed())]
    pub seed: u64,
    /// The picture's file [default: <data>-images.png]
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Replace the file
    #[arg(long)]
    pub force: bool,
}

/// `wellfit data split`.
#[derive(Debug, Args)]
pub struct SplitArgs {
    /// Data as for `train`
    #[arg(value_name = "DATA")]
    pub data: String,
    #[command(flatten)]
    pub place: PlaceArgs,
    /// A new folder for the parts
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// Share of each class for validation
    #[arg(long, default_value_t = 0.2, value_name = "SHARE", allow_negative_numbers = true)]
    pub val: f64,
    /// Share of each class for the final test
    #[arg(long, default_value_t = 0.1, value_name = "SHARE", allow_negative_numbers = true)]
    pub test: f64,
    /// Keep images in one part that share their folder (`folder`), or the beginning of their name up to a text such as _
    /// [default: copies of an image]
    #[arg(long, value_name = "WHAT")]
    pub group_by: Option<String>,
    /// Copy the images, as is the default
    #[arg(long, conflicts_with = "link")]
    pub copy: bool,
    /// Give the files a second name instead of copying them (hard links), which takes no room
    #[arg(long)]
    pub link: bool,
    /// Decides which images
    #[arg(long, default_value_t = 0, value_name = "N", allow_negative_numbers = true, value_parser = seed())]
    pub seed: u64,
    /// Leave unusable image files out instead of stopping
    #[arg(long)]
    pub skip_bad: bool,
}

/// `wellfit data stats`.
#[derive(Debug, Args)]
pub struct StatsArgs {
    /// Data as for `train`
    #[arg(value_name = "DATA")]
    pub data: String,
    #[command(flatten)]
    pub place: PlaceArgs,
}

/// `wellfit data dedupe`.
#[derive(Debug, Args)]
#[command(after_help = DEDUPE_EXIT_CODES)]
pub struct DedupeArgs {
    /// Data as for `train`
    #[arg(value_name = "DATA", required_unless_present = "undo", conflicts_with = "undo")]
    pub data: Option<String>,
    #[command(flatten)]
    pub place: PlaceArgs,
    /// Move all images of a set but one to this folder, outside DATA; nothing is deleted. Sets whose labels differ stay
    #[arg(long, value_name = "DIR")]
    pub move_to: Option<PathBuf>,
    /// Copies with the same pixels only
    #[arg(long)]
    pub exact: bool,
    /// Bring back what was moved to this folder
    #[arg(long, value_name = "DIR", conflicts_with_all = ["move_to", "exact"])]
    pub undo: Option<PathBuf>,
    /// A sheet of the sets as a picture, in this file
    #[arg(long, value_name = "FILE", conflicts_with = "undo")]
    pub sheet: Option<PathBuf>,
    /// Replace the sheet
    #[arg(long)]
    pub force: bool,
    /// Leave unusable image files out instead of stopping
    #[arg(long)]
    pub skip_bad: bool,
}

const DEDUPE_EXIT_CODES: &str = "Exit codes: 0 done, whatever was found, 2 wrong option, or data whose images cannot be moved, 3 unusable data, 5 the \
sheet cannot be written, 8 some images could not be brought back";
