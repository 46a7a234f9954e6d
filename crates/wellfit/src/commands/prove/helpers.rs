//! Further processes that work on the same trial.

use crate::output::Output;
use crate::parent;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use wellfit::base::words::plural;
use wellfit::run::Begun;
use wellfit::run::figures::bytes;

/// The variable in which a helper finds the trial that it works on.
const TRIAL: &str = "WELLFIT_TRIAL";

/// The trial that this process was started for, by another one that judges it.
pub fn trial() -> Option<PathBuf> {
    std::env::var_os(TRIAL).map(PathBuf::from)
}

/// Processes with this one's command line.
#[derive(Debug, Default)]
pub struct Helpers(Vec<Child>);

impl Helpers {
    /// Start as many as make `jobs` with this process, or fewer where memory is short. One that cannot be started is missed, and
    /// so is one that fails: its pair is free then, and this process comes upon the same problem.
    pub fn start(&mut self, jobs: usize, begun: &Begun, out: Output) {
        let most = begun.memory.map_or(jobs, |(need, free)| (free / need.max(1)).max(1) as usize);
        if let Some((need, free)) = begun.memory.filter(|_| most < jobs) {
            out.warn(format!(
                "--jobs {jobs}: a run takes about {}, and {} are free, so there {} at once",
                bytes(need),
                bytes(free),
                if most == 1 { "is one".to_owned() } else { format!("are {}", plural(most, "run")) }
            ));
        }
        let program = std::env::current_exe().unwrap_or_else(|_| PathBuf::from("wellfit"));
        for _ in 1..jobs.min(most) {
            let mut command = Command::new(&program);
            command.args(std::env::args_os().skip(1)).env(TRIAL, &begun.dir);
            command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
            parent::bind(&mut command);
            self.0.extend(command.spawn().ok());
        }
    }

    /// Wait until all have ended: when the last pair is taken, or, if there is nothing more to do it for, at once; what they were
    /// at can be gone on with.
    pub fn end(&mut self, at_once: bool) {
        for child in &mut self.0 {
            if at_once {
                parent::interrupt(child);
            }
            let _ = child.wait();
        }
    }
}
