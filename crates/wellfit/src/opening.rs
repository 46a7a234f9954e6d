//! Opening data with its progress shown.

use crate::error::CliError;
use crate::output::Output;
use indicatif::{ProgressBar, ProgressStyle};
use std::cell::RefCell;
use std::path::Path;
use wellfit::data::{OpenOptions, Progress, Splits, Suspicious, open};

/// Open `data`; downloads and checks show their progress, skipped files are named.
pub fn open_data(
    data: &str,
    data_dir: Option<&Path>,
    skip_bad: bool,
    out: Output,
) -> Result<Splits, CliError> {
    let bar: RefCell<Option<ProgressBar>> = RefCell::new(None);
    let options =
        OpenOptions { data_dir: data_dir.map(Path::to_path_buf), skip_bad, ..OpenOptions::default() };
    let splits = open(data, &options, &|progress| match progress {
        Progress::Checking { files } => out.say(format!("Checking {files} image files")),
        Progress::Download { file, received, total } => {
            let mut bar = bar.borrow_mut();
            if received == 0 || bar.is_none() {
                out.say(format!("Downloading {file}"));
                *bar = out.bars().then(|| download_bar(total));
            }
            if let Some(bar) = bar.as_ref() {
                bar.set_position(received);
                if total == Some(received) {
                    bar.finish_and_clear();
                }
            }
        }
    })?;
    tell_skipped(&splits.skipped, out);
    Ok(splits)
}

fn download_bar(total: Option<u64>) -> ProgressBar {
    let bar = total.map_or_else(ProgressBar::new_spinner, ProgressBar::new);
    let style = "{bar:30} {bytes}/{total_bytes} ({bytes_per_sec}, {eta} left)";
    bar.with_style(ProgressStyle::with_template(style).unwrap_or_else(|_| ProgressStyle::default_bar()))
}

fn tell_skipped(skipped: &[Suspicious], out: Output) {
    if skipped.is_empty() {
        return;
    }
    out.warn(format!("{} unusable files are left out:", skipped.len()));
    for file in skipped {
        out.warn(format!("  {}: {}", file.path.display(), file.reason));
    }
}
