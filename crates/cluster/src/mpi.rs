//! The processes that an MPI launcher started, by the MPI that this was built for.

use crate::group::{Group, Lost};
use crate::launcher::launched;
use ::mpi::Threading;
use ::mpi::environment::{Universe, initialize_with_threading};
use ::mpi::topology::SimpleCommunicator;
use ::mpi::traits::{Communicator, CommunicatorCollectives, Root};

/// Why MPI cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// It was begun in this process already.
    #[error("MPI was begun in this process before")]
    Twice,
    /// A thread of our own must be allowed to communicate.
    #[error(
        "this MPI lets no thread but the first communicate (MPI_THREAD_SERIALIZED): use one that was built for threads"
    )]
    Threads,
    /// Sums are made in pairs.
    #[error("{0} processes cannot train together: start 2, 4, 8 or another power of two")]
    Size(usize),
}

/// MPI, from the first call to the last; it ends when this is dropped, by the thread that began it.
pub struct Session(Universe);

impl Session {
    /// Begins MPI if a launcher started this process, and gives the group of all that it started.
    ///
    /// # Errors
    /// When MPI cannot be used.
    pub fn begin() -> Result<Option<(Self, Box<dyn Group>)>, StartError> {
        if !launched() {
            return Ok(None);
        }
        let (universe, provided) =
            initialize_with_threading(Threading::Serialized).ok_or(StartError::Twice)?;
        if provided < Threading::Serialized {
            return Err(StartError::Threads);
        }
        let world = universe.world();
        let (rank, size) = (world.rank() as usize, world.size() as usize);
        if !size.is_power_of_two() {
            return Err(StartError::Size(size));
        }
        Ok(Some((Self(universe), Box::new(Processes { rank, size }))))
    }

    /// Ends all processes at once, with that exit code.
    pub fn abort(&self, code: i32) -> ! {
        self.0.world().abort(code)
    }
}

/// All processes. An error of MPI ends them all with its message, as is MPI's default, and the launcher does so when one dies: so
/// no call here returns one.
#[derive(Debug)]
struct Processes {
    rank: usize,
    size: usize,
}

impl Group for Processes {
    fn rank(&self) -> usize {
        self.rank
    }

    fn size(&self) -> usize {
        self.size
    }

    fn exchange(&mut self, send: &[f32], receive: &mut [f32]) -> Result<(), Lost> {
        SimpleCommunicator::world().all_to_all_into(send, receive);
        Ok(())
    }

    fn gather(&mut self, own: &[f32], all: &mut [f32]) -> Result<(), Lost> {
        SimpleCommunicator::world().all_gather_into(own, all);
        Ok(())
    }

    fn broadcast(&mut self, bytes: &mut Vec<u8>) -> Result<(), Lost> {
        let world = SimpleCommunicator::world();
        let first = world.process_at_rank(0);
        let mut length = bytes.len() as u64;
        first.broadcast_into(&mut length);
        bytes.resize(usize::try_from(length).unwrap_or(usize::MAX), 0);
        // A count of MPI is an `int`.
        bytes.chunks_mut(1 << 30).for_each(|part| first.broadcast_into(part));
        Ok(())
    }
}
