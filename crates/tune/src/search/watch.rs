//! How a caller watches a search.

use crate::trial::Trial;
use wellfit_run::Observer;

/// Watches the trials of a worker, each as a run.
pub trait Watcher: Observer {
    /// A trial begins, or goes on.
    fn begun(&mut self, trial: &Trial) {
        let _ = trial;
    }

    /// A trial is finished; `best` is the best of all that were trained to their end.
    fn ended(&mut self, trial: &Trial, best: Option<&Trial>) {
        let _ = (trial, best);
    }
}

impl Watcher for () {}
