//! A trial's data, opened and checked once for all of its runs.

use crate::error::RunError;
use crate::experiment::{Experiment, settle};
use crate::following::follow_weights;
use crate::member::Quiet;
use crate::observer::Observer;
use crate::opening::DataSource;
use crate::options::{DataKind, Options, RunSpec};
use std::cell::RefCell;
use wellfit_data::{Depth, Splits};

/// Where a trial's data are, and the data once they were opened.
#[derive(Debug)]
pub(crate) struct Data<'a> {
    pub source: &'a DataSource,
    /// As opened with these settings; other ones need another look at the files.
    opened: RefCell<Vec<((bool, Depth), Splits)>>,
}

impl<'a> Data<'a> {
    pub fn new(source: &'a DataSource) -> Self {
        Self { source, opened: RefCell::default() }
    }

    /// All that a run of these settings needs before its first step. What there is to say of the data is said when they are
    /// opened, by the first run.
    pub fn prepare(&self, options: &Options, observer: &mut dyn Observer) -> Result<Experiment, RunError> {
        let before = !self.opened.borrow().is_empty();
        let open = |spec: &RunSpec, observer: &mut dyn Observer| {
            let key = (spec.skip_bad, spec.depth);
            if let Some((_, splits)) = self.opened.borrow().iter().find(|(with, _)| *with == key) {
                return Ok(splits.clone());
            }
            let splits = self.source.open(spec.skip_bad, spec.depth, observer)?;
            self.opened.borrow_mut().push((key, splits.clone()));
            Ok(splits)
        };
        if before {
            return Experiment::prepare_with(options, self.source, open, &mut Quiet(observer));
        }
        Experiment::prepare_with(options, self.source, open, observer)
    }

    /// The settings that a run of these options keeps.
    pub fn spec(&self, options: &Options, kind: DataKind) -> Result<RunSpec, RunError> {
        let (options, _) = follow_weights(options, &mut ())?;
        settle(options, self.source.validation, kind).map(|(spec, _)| spec)
    }

    /// What the data are.
    pub fn kind(&self, experiment: &Experiment) -> DataKind {
        self.source.kind(&experiment.parts.train)
    }
}
