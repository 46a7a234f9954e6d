//! The processes that an MPI launcher started, for the commands that train one network.

use crate::args::Command;
use crate::error::CliError;
use std::sync::Arc;
use wellfit::cluster::{Link, launched};
use wellfit::run::{Options, dismiss, follow};

/// The parts of a batch where a launcher started the processes and nothing else is asked for: so 1, 2 and 4 of them give
/// the same bits.
const USUAL_SHARDS: usize = 4;

/// This process' place among those of a launcher.
#[derive(Default)]
pub struct Cluster {
    /// To the others, where there are any.
    pub link: Option<Arc<Link>>,
    /// Whether a launcher started it.
    launched: bool,
    #[cfg(feature = "mpi")]
    session: Option<wellfit::cluster::mpi::Session>,
}

impl Cluster {
    /// Meet the other processes, if the command is one that they share and a launcher started them.
    pub fn begin(command: &Command) -> Result<Self, CliError> {
        if !matches!(command, Command::Train(_) | Command::Resume(_)) || !launched() {
            return Ok(Self::default());
        }
        Self::meet()
    }

    #[cfg(feature = "mpi")]
    fn meet() -> Result<Self, CliError> {
        let begun = wellfit::cluster::mpi::Session::begin();
        let Some((session, group)) = begun.map_err(|error| CliError::Usage(error.to_string()))? else {
            return Ok(Self::default());
        };
        let shared = group.size() > 1;
        let link =
            Link::new(group).map_err(|error| CliError::Output(format!("cannot start a thread: {error}")))?;
        Ok(Self { link: shared.then(|| Arc::new(link)), launched: true, session: Some(session) })
    }

    /// Without MPI each would train the same network by itself.
    #[cfg(not(feature = "mpi"))]
    fn meet() -> Result<Self, CliError> {
        let number = |name| std::env::var(name).ok()?.parse::<usize>().ok();
        let size = ["OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "SLURM_STEP_NUM_TASKS"].into_iter().find_map(number);
        if size.is_some_and(|size| size > 1) {
            let problem = "several processes were started, but this build cannot share a training among them: build with \
                           --features mpi";
            return Err(CliError::Usage(problem.to_owned()));
        }
        Ok(Self::default())
    }

    /// Whether this process is told what to do by another one.
    pub fn follows(&self) -> bool {
        self.link.as_ref().is_some_and(|link| link.rank() > 0)
    }

    /// Do what the first process says, until it says that all is done. The first one alone listens to signals.
    pub fn follow(&self) -> Result<(), CliError> {
        let _signals = crate::signals::Signals::install()?;
        self.link.as_ref().map_or(Ok(()), |link| Ok(follow(link)?))
    }

    /// Settings that follow from how it was started.
    pub fn imply(&self, options: &mut Options) {
        if self.launched {
            let processes = self.link.as_ref().map_or(1, |link| link.size());
            options.shards.get_or_insert(USUAL_SHARDS.max(processes));
        }
    }

    /// Let all processes end, which failed in this one with that exit code, or not.
    pub fn end(self, code: u8) {
        match &self.link {
            Some(link) if link.rank() == 0 => dismiss(link),
            // The others wait for this one.
            #[cfg(feature = "mpi")]
            Some(_) if code != 0 => self.session.iter().for_each(|session| session.abort(code.into())),
            _ => {}
        }
        let _ = code;
    }
}
