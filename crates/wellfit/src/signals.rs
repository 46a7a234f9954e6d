//! Ctrl-C and SIGTERM: the first asks the run to save itself, the second ends the process at once.

use crate::error::CliError;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// The signals, with their names.
const NAMES: [(i32, &str); 2] = [(SIGINT, "SIGINT (Ctrl-C)"), (SIGTERM, "SIGTERM")];

/// Which signal came, if any.
#[derive(Debug, Clone, Default)]
pub struct Signals(Arc<AtomicUsize>);

impl Signals {
    /// Listen from now on.
    pub fn install() -> Result<Self, CliError> {
        let (signals, again) = (Self::default(), Arc::new(AtomicBool::new(false)));
        let listen = || {
            for (signal, _) in NAMES {
                // In this order: the exit looks at the flag before the same signal sets it.
                flag::register_conditional_shutdown(signal, 128 + signal, Arc::clone(&again))?;
                flag::register(signal, Arc::clone(&again))?;
                flag::register_usize(signal, Arc::clone(&signals.0), signal as usize)?;
            }
            Ok(())
        };
        listen().map_err(|error: std::io::Error| {
            CliError::Output(format!("cannot listen to signals: {error}"))
        })?;
        Ok(signals)
    }

    /// The name of the signal that came.
    pub fn caught(&self) -> Option<&'static str> {
        let caught = self.0.load(Ordering::Relaxed);
        NAMES.iter().find(|(signal, _)| *signal as usize == caught).map(|(_, name)| *name)
    }
}
