//! Pictures drawn beside the training.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use wellfit::plot::{Chart, Look, Picture, PlotError};

/// Pictures that are drawn and saved on whichever thread is free, and the same with fewer pixels for an animation.
#[derive(Default)]
pub struct PictureSet(Mutex<BTreeMap<u32, Result<Picture, PlotError>>>);

impl PictureSet {
    /// Draw `chart` and save it at `path`, before `scope` ends at the latest.
    pub fn draw<'a>(&'a self, scope: &rayon::Scope<'a>, number: u32, chart: Chart, path: PathBuf) {
        scope.spawn(move |_| {
            let saved = chart.draw(Look::SCREEN).save_png(path).map(|()| chart.draw(Look::PLAIN));
            self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(number, saved);
        });
    }

    /// The smaller pictures by number, or the first error.
    pub fn pictures(self) -> Result<Vec<Picture>, PlotError> {
        self.0.into_inner().unwrap_or_else(PoisonError::into_inner).into_values().collect()
    }
}
