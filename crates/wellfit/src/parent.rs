//! A process that another `wellfit` started for a trial ends with it, however that one ends.

use std::process::{Child, Command};

/// The variable in which a process finds the number of the one that it ends with.
const PARENT: &str = "WELLFIT_ENDS_WITH";

/// Let a process that is about to be started end when this one does. Linux only; elsewhere it goes on.
pub fn bind(child: &mut Command) {
    child.env(PARENT, std::process::id().to_string());
}

/// If another process bound this one, end with it.
pub fn end_with_it() {
    #[cfg(target_os = "linux")]
    if let Some(parent) = std::env::var(PARENT).ok().and_then(|number| number.parse::<i32>().ok()) {
        use rustix::process::{Signal, getppid, set_parent_process_death_signal};
        let bound = set_parent_process_death_signal(Some(Signal::KILL)).is_ok();
        // It may have ended before this process could say that it wants to know.
        if bound && getppid().is_none_or(|found| found.as_raw_nonzero().get() != parent) {
            std::process::exit(128 + 9);
        }
    }
}

/// Let a child save what it is at and end.
pub fn interrupt(child: &mut Child) {
    #[cfg(target_os = "linux")]
    if rustix::process::kill_process(rustix::process::Pid::from_child(child), rustix::process::Signal::TERM)
        .is_ok()
    {
        return;
    }
    let _ = child.kill();
}
