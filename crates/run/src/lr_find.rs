//! The search for a learning rate before a run, or instead of one.

use crate::error::RunError;
use crate::experiment::Experiment;
use crate::notice::Notice;
use crate::observer::{Observer, Watch};
use crate::options::LrSetting;
use crate::plots::{PictureFormat, Plots};
use crate::tracking::Tracking;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use wellfit_plot::{Axis, Chart, Mark, Numbers, Paint, Series};
use wellfit_policy::lr_finder::{LrCurve, LrRange};
use wellfit_train::find_lr;

/// The name of its files, without an extension.
pub(crate) const STEM: &str = "lr-find";

/// The learning rate that a run found for itself, as `run.toml` keeps it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct LrFound {
    /// The rate.
    pub lr: f64,
    /// The first rate that was tried.
    pub start_lr: f64,
    /// The rate that the search ended before.
    pub end_lr: f64,
    /// Steps from one to the other.
    pub steps: u32,
}

/// The result of a search.
#[derive(Debug, Clone, PartialEq)]
pub struct LrSearch {
    /// The losses.
    pub curve: LrCurve,
    /// What was trained on what, for the picture.
    title: String,
}

impl LrSearch {
    /// The suggestions by name: `valley` (fastai's), `steep` (Lightning's), `minimum` (fastai's). None where the losses give
    /// none.
    #[must_use]
    pub fn suggestions(&self) -> [(&'static str, Option<f64>); 3] {
        let curve = &self.curve;
        [("valley", curve.valley()), ("steep", curve.steep()), ("minimum", curve.minimum())]
    }

    /// Suggestions, rates and losses.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let LrRange { start, end, steps } = self.curve.range();
        let points = self.curve.points().iter();
        let points: Vec<Value> = points
            .map(|point| json!({ "lr": point.lr, "loss": point.loss, "smoothed": point.smoothed }))
            .collect();
        json!({
            "suggestions": BTreeMap::from(self.suggestions()),
            "diverged": self.curve.diverged(),
            "start_lr": start,
            "end_lr": end,
            "steps": steps,
            "points": points,
        })
    }

    /// The losses over the rates, with the suggestions.
    #[must_use]
    pub fn chart(&self) -> Chart {
        let points = self.curve.points();
        let line = |of: fn(&wellfit_policy::lr_finder::LrPoint) -> f64| {
            points.iter().map(|point| (libm::log10(point.lr), of(point))).collect::<Vec<_>>()
        };
        let loss = Series {
            alpha: 0.4,
            ..Series::new("loss of a batch", line(|point| point.loss), Paint::VALIDATION)
        };
        let smoothed =
            Series { width: 2.0, ..Series::new("smoothed", line(|point| point.smoothed), Paint::TRAIN) };
        // Where it ends the loss explodes, and would flatten the rest.
        let first = points.first().map_or(1.0, |point| point.smoothed);
        let lowest = points.iter().map(|point| point.smoothed).fold(first, f64::min);
        let room = (first - lowest).max(0.1 * first);
        let marks = self.suggestions().into_iter().filter_map(|(name, lr)| {
            let lr = lr.filter(|_| name != "minimum")?;
            Some(Mark { x: libm::log10(lr), label: format!("{name} {lr:.2e}") })
        });
        Chart {
            title: self.title.clone(),
            subtitle: "the loss while the learning rate grows".to_owned(),
            x: Axis::new("Learning rate", Numbers::Exponent),
            y: Axis { range: Some((lowest - 0.2 * room, first + room)), ..Axis::new("Loss", Numbers::Real) },
            lines: vec![loss, smoothed],
            marks: marks.collect(),
            size: (1000, 700),
            ..Chart::default()
        }
    }

    /// Name and content of its files: the picture as PNG and SVG, and the numbers as JSON.
    ///
    /// # Errors
    /// If a picture cannot be encoded.
    pub fn files(&self) -> Result<Vec<(String, Vec<u8>)>, RunError> {
        let plots = Plots { charts: vec![(STEM.to_owned(), self.chart())], problems: Vec::new() };
        let mut files = plots.files(&[PictureFormat::Png, PictureFormat::Svg], false)?;
        files.push((format!("{STEM}.json"), format!("{:#}\n", self.to_json()).into_bytes()));
        Ok(files)
    }

    /// What a run takes of it.
    fn taken(&self) -> Result<LrFound, RunError> {
        let LrRange { start, end, steps } = self.curve.range();
        let lr = self.curve.valley().ok_or_else(|| {
            let problem = "`lr` auto: the loss fell at no learning rate that was tried, so there is none to take: give a \
                           number; `wellfit lr-find` shows the losses";
            RunError::setting("lr", problem.to_owned())
        })?;
        Ok(LrFound { lr, start_lr: start, end_lr: end, steps })
    }
}

impl Experiment {
    /// Look for a learning rate, and leave everything as it is: load the weights, report the experiment, and train a copy
    /// of the network while the rate grows, with the batches that a run begins with.
    ///
    /// # Errors
    /// As [`train`](crate::train()), and if the range makes no sense.
    pub fn find_lr(mut self, range: LrRange, observer: &mut dyn Observer) -> Result<LrSearch, RunError> {
        range.validate()?;
        self.load_and_check(observer)?;
        self.search(range, observer)
    }

    /// Find the rate where it is to be found, before the first step.
    pub(crate) fn decide_lr(&mut self, observer: &mut dyn Observer) -> Result<(), RunError> {
        if self.spec.lr != LrSetting::Auto {
            return Ok(());
        }
        let search = self.search(LrRange::default(), observer)?;
        let found = search.taken()?;
        observer.notice(&Notice::LrFound { lr: found.lr });
        self.spec.lr = LrSetting::Rate(found.lr);
        self.spec.validate()?;
        self.found = Some((found, search));
        Ok(())
    }

    /// Take the rate that a run found, instead of looking for it again.
    pub(crate) fn take_lr(&mut self, found: Option<&LrFound>) {
        if let (LrSetting::Auto, Some(found)) = (self.spec.lr, found) {
            self.spec.lr = LrSetting::Rate(found.lr);
        }
    }

    fn search(&self, range: LrRange, observer: &mut dyn Observer) -> Result<LrSearch, RunError> {
        let Self { spec, engine, network, train, .. } = self;
        observer.notice(&Notice::FindingLr { steps: range.steps });
        let mut config = spec.fit(engine.clone(), train.batches(), BTreeMap::new())?;
        config.loss.class_weights = spec.class_weights.of(train.dataset())?;
        let mut watch = Watch { cache: train.cache().clone(), tracking: Tracking::default(), observer };
        let curve = find_lr(network.clone(), train, &config, range, &mut watch)?;
        Ok(LrSearch { curve, title: format!("Learning rates for {} on {}", spec.model, self.parts.name) })
    }
}
