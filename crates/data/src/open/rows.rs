//! Images with the names of their classes, in the order of a table or an archive, and what becomes of them.

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use wellfit_base::Shown;
use wellfit_base::shown::shown;

use super::check::Suspicious;
use super::class_name::python_order;
use super::listing::{Files, Listing, usable};
use super::multi_label::{first_with_several, several};
use super::remark::Remark;
use super::split_name::Part;
use super::{Need, OpenOptions, UNLABELLED};
use crate::error::DataError;
use crate::loader::Pack;

/// An image and what is said of it.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    pub path: PathBuf,
    /// The class; empty where there is none.
    pub label: String,
    /// The part, if it is said.
    pub part: Option<Part>,
    /// Where it is said: the file and the line.
    pub at: (PathBuf, usize),
}

/// All images of a source.
#[derive(Debug)]
pub(crate) struct Rows {
    pub name: String,
    pub root: PathBuf,
    pub rows: Vec<Row>,
    /// The classes in their order, where the source has one.
    pub classes: Option<Vec<String>>,
    pub pack: Option<Pack>,
    pub skipped: Vec<Suspicious>,
    pub remarks: Vec<Remark>,
}

impl Rows {
    pub fn new(name: String, root: &Path) -> Self {
        Self {
            name,
            root: root.to_path_buf(),
            rows: Vec::new(),
            classes: None,
            pack: None,
            skipped: Vec::new(),
            remarks: Vec::new(),
        }
    }

    /// The parts with numbered labels.
    ///
    /// # Errors
    /// If an image has no label or several, a part has a class that is not trained on, or there is nothing to train on.
    pub fn list(mut self, options: &OpenOptions) -> Result<Listing, DataError> {
        let need = options.need;
        if !need.labels() {
            return self.unlabelled();
        }
        self.without_label(options.skip_bad)?;
        self.once()?;
        self.one_label()?;
        self.not_all_alone()?;
        let of = |part: Part| -> Vec<&Row> {
            self.rows.iter().filter(|row| row.part.unwrap_or(Part::Train) == part).collect()
        };
        let [mut train, mut val, mut test] = [of(Part::Train), of(Part::Val), of(Part::Test)];
        if train.is_empty() {
            self.something_to_train_on(need)?;
            let only = if test.is_empty() { &mut val } else { &mut test };
            train = std::mem::take(only);
        }
        // Whoever tests compares with the classes of a network, which may know those that this training part lacks.
        let named: Box<dyn Iterator<Item = &Row>> =
            if need == Need::Test { Box::new(self.rows.iter()) } else { Box::new(train.iter().copied()) };
        let classes = self.classes.clone().unwrap_or_else(|| in_order(named.map(|row| row.label.as_str())));
        let number: HashMap<&str, u32> = classes.iter().map(String::as_str).zip(0..).collect();
        let mut remarks = Vec::new();
        let mut part = |part, rows: Vec<&Row>| {
            let files = rows.iter().map(|row| numbered(row, &number)).collect::<Result<Files, _>>();
            usable(part, files.map(Some), need, &mut remarks)
        };
        let (train, val, test) = (part(Part::Train, train)?, part(Part::Val, val)?, part(Part::Test, test)?);
        self.remarks.extend(remarks);
        let Self { name, root, pack, skipped, remarks, .. } = self;
        Ok(Listing {
            name,
            root,
            classes,
            train: train.unwrap_or_default(),
            val,
            test,
            pack,
            skipped,
            remarks,
        })
    }

    /// All images, whatever is said of them, as one part.
    fn unlabelled(self) -> Result<Listing, DataError> {
        self.something_to_train_on(Need::Images)?;
        let Self { name, root, rows, pack, skipped, remarks, .. } = self;
        let train = rows.into_iter().map(|row| (row.path, 0)).collect();
        let classes = vec![UNLABELLED.to_owned()];
        Ok(Listing { name, root, classes, train, val: None, test: None, pack, skipped, remarks })
    }

    fn problem(&self, problem: String) -> DataError {
        DataError::Layout { path: self.root.clone(), problem }
    }

    /// Images without a label are an error, or are left out.
    fn without_label(&mut self, skip_bad: bool) -> Result<(), DataError> {
        let bare: Vec<&Row> = self.rows.iter().filter(|row| row.label.is_empty()).collect();
        let Some(first) = bare.first() else { return Ok(()) };
        if !skip_bad || bare.len() == self.rows.len() {
            let (count, all, place) = (bare.len(), self.rows.len(), place(first));
            return Err(self.problem(format!(
                "{count} of {all} images have no label, the first in {place}: label or remove them, or leave them out \
                 with --skip-bad"
            )));
        }
        let bad = |row: &&Row| Suspicious { path: row.path.clone(), reason: "it has no label".to_owned() };
        self.skipped.extend(bare.iter().map(bad));
        self.rows.retain(|row| !row.label.is_empty());
        Ok(())
    }

    /// An image that is named again is the same if all is the same; with another label, it has several.
    fn once(&mut self) -> Result<(), DataError> {
        let mut first: HashMap<&Path, &Row> = HashMap::new();
        for row in &self.rows {
            let before = *first.entry(&row.path).or_insert(row);
            if before.label != row.label {
                let what = format!(
                    "{} is ‘{}’ in {} and ‘{}’ in {}",
                    row.path.shown(),
                    before.label,
                    place(before),
                    row.label,
                    place(row)
                );
                return Err(self.problem(several(&what)));
            }
            if before.part != row.part {
                let (path, one, other) = (row.path.shown(), place(before), place(row));
                return Err(self.problem(format!(
                    "{path} belongs to one part in {one} and to another in {other}: keep one of the rows"
                )));
            }
        }
        if first.len() < self.rows.len() {
            let mut seen = BTreeSet::new();
            let before = self.rows.len();
            self.rows.retain(|row| seen.insert(row.path.clone()));
            self.remarks.push(Remark::NamedTwice { count: before - self.rows.len() });
        }
        Ok(())
    }

    /// A value that holds several labels. Classes with names of their own may be called so.
    fn one_label(&self) -> Result<(), DataError> {
        let labels: Vec<&str> = self.rows.iter().map(|row| row.label.as_str()).collect();
        match first_with_several(&labels).filter(|_| self.classes.is_none()) {
            None => Ok(()),
            Some(found) => {
                let row = &self.rows[found];
                let what = format!("{} has several labels in one value, ‘{}’", row.path.shown(), row.label);
                Err(self.problem(several(&what)))
            }
        }
    }

    /// A class of its own for each image is rather the name of a column of names.
    fn not_all_alone(&self) -> Result<(), DataError> {
        const FEW: usize = 20;
        let labels: BTreeSet<&str> = self.rows.iter().map(|row| row.label.as_str()).collect();
        if self.rows.len() < FEW || labels.len() < self.rows.len() || self.classes.is_some() {
            return Ok(());
        }
        let count = labels.len();
        Err(self.problem(format!(
            "each of the {count} images has a label of its own: name the column of the classes with --label-column"
        )))
    }

    /// Training on a test or validation part that is the only one would be a mistake.
    fn something_to_train_on(&self, need: Need) -> Result<(), DataError> {
        if self.rows.is_empty() {
            return Err(self.problem("it names no images".to_owned()));
        }
        if need.training() {
            let parts: BTreeSet<&str> = self.rows.iter().filter_map(|row| Some(row.part?.name())).collect();
            let parts = parts.into_iter().collect::<Vec<_>>().join(" and ");
            return Err(self.problem(format!("it holds images for {parts} only, and none for training")));
        }
        Ok(())
    }
}

fn place(row: &Row) -> String {
    let (file, line) = &row.at;
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    if *line == 0 { name.into_owned() } else { format!("line {line} of {name}") }
}

/// Classes by number where all are numbers, else as Python sorts them.
pub(crate) fn in_order<'a>(labels: impl Iterator<Item = &'a str>) -> Vec<String> {
    let labels: BTreeSet<&str> = labels.collect();
    let mut labels: Vec<&str> = labels.into_iter().collect();
    if labels.iter().all(|label| label.parse::<i64>().is_ok()) {
        labels.sort_by_key(|label| label.parse::<i64>().unwrap_or(0));
    } else {
        labels.sort_by(|a, b| python_order(a.as_ref(), b.as_ref()));
    }
    labels.into_iter().map(str::to_owned).collect()
}

fn numbered(row: &Row, number: &HashMap<&str, u32>) -> Result<(PathBuf, u32), DataError> {
    if let Some(&label) = number.get(row.label.as_str()) {
        return Ok((row.path.clone(), label));
    }
    let mut known: Vec<(&&str, &u32)> = number.iter().collect();
    known.sort_by_key(|(_, number)| **number);
    let known: Vec<&str> = known.into_iter().map(|(name, _)| *name).collect();
    let (line, label) = (row.at.1, &row.label);
    let problem = format!(
        "line {line}: ‘{}’ is no class of the training part, which has: {}",
        shown(label),
        shown(&known.join(", "))
    );
    Err(DataError::Layout { path: row.at.0.clone(), problem })
}
