//! The images of a table, of built-in data, and inside files that hold many.

use super::inputs::Input;
use std::collections::VecDeque;
use std::path::Path;
use std::sync::Arc;
use wellfit::base::Shown;
use wellfit::data::{
    Columns, DataError, Entry, ImageRef, Need, OpenOptions, Splits, is_built_in, is_collection, open,
};

/// Whether a name means such data. A name with an image's extension is an image, which is seen without a look at the
/// disk.
pub fn is(name: &Path) -> bool {
    let is_image = matches!(Entry::of(name, false), Entry::Image | Entry::UnreadImage);
    !is_image && (is_collection(name) || (!name.exists() && name.to_str().is_some_and(is_built_in)))
}

/// Add all its images, of all parts, whatever their labels are.
pub fn collect(name: &Path, columns: &Columns, found: &mut VecDeque<Input>) {
    match opened(name, columns) {
        Ok(splits) => {
            found.extend(splits.skipped.into_iter().map(|bad| Err((bad.path, bad.reason))));
            let parts = [("train", Some(splits.train)), ("val", splits.val), ("test", splits.test)];
            let parts: Vec<_> = parts.into_iter().filter_map(|(part, data)| Some((part, data?))).collect();
            let alone = parts.len() == 1;
            for (part, data) in parts {
                let place = if alone { name.to_path_buf() } else { name.join(part) };
                found.extend(ImageRef::all(&Arc::new(data), &place).into_iter().map(Ok));
            }
        }
        Err(problem) => found.push_back(Err((name.to_owned(), reason(name, problem)))),
    }
}

fn opened(name: &Path, columns: &Columns) -> Result<Splits, DataError> {
    let text = name.to_str().ok_or_else(|| DataError::Invalid("its name is no UTF-8 text".to_owned()))?;
    // A folder of the name of built-in data is meant, because it is there.
    let text = if name.exists() && is_built_in(text) { format!("./{text}") } else { text.to_owned() };
    let options = OpenOptions { need: Need::Images, columns: columns.clone(), ..OpenOptions::default() };
    open(&text, &options, &|_| ())
}

/// What is wrong, without the name where that is said already.
fn reason(name: &Path, problem: DataError) -> String {
    match problem {
        DataError::Layout { path, problem } | DataError::Idx { path, problem } if path == name => problem,
        DataError::Io { path, source } if path != name => format!("{}: {source}", path.shown()),
        DataError::Io { source, .. } => source.to_string(),
        other => other.to_string(),
    }
}
