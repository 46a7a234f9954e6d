//! Ctrl-C, SIGTERM and the like: the first asks the run to save itself, the second ends the process at once.

use crate::error::CliError;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// The signals, with their names: from the keyboard or a job queue, and on Unix when the terminal is closed, and when
/// the limits of computing time and of a file's length are reached.
const NAMES: &[(i32, &str)] = &[
    (SIGINT, "SIGINT (Ctrl-C)"),
    (SIGTERM, "SIGTERM"),
    #[cfg(unix)]
    (signal_hook::consts::SIGHUP, "SIGHUP"),
    #[cfg(unix)]
    (signal_hook::consts::SIGXCPU, "SIGXCPU (the limit of computing time)"),
    #[cfg(unix)]
    (signal_hook::consts::SIGXFSZ, "SIGXFSZ (the limit of a file's length)"),
];

/// The bit of SIGHUP, signal 1, among those that are ignored.
const HANGUP: u64 = 1;

/// Which signal came, if any.
#[derive(Debug, Clone, Default)]
pub struct Signals(Arc<AtomicUsize>);

impl Signals {
    /// Listen from now on. A SIGHUP that is ignored stays so: that is what `nohup` is for. A job in a script's background
    /// ignores SIGINT, too, but whoever sends it one with `kill -INT` wants it to end.
    pub fn install() -> Result<Self, CliError> {
        let (signals, again) = (Self::default(), Arc::new(AtomicBool::new(false)));
        let hangup_is_ignored = ignored() & HANGUP != 0;
        let listen = || {
            for &(signal, _) in NAMES.iter().filter(|(signal, _)| !(hangup_is_ignored && *signal == 1)) {
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

/// The signals that are ignored, a bit each, the first for number 1. Only Linux tells; elsewhere none is known of.
fn ignored() -> u64 {
    let status = wellfit::base::file::read("/proc/self/status".as_ref(), 1 << 16).unwrap_or_default();
    let mask = String::from_utf8_lossy(&status)
        .lines()
        .find_map(|line| u64::from_str_radix(line.strip_prefix("SigIgn:")?.trim(), 16).ok());
    mask.unwrap_or(0)
}
