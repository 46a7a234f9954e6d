//! A group behind a thread of its own.

use crate::group::{Group, Lost};
use crate::sum::sum;
use crate::wire::Wire;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

/// What the thread is to do, and where the result goes.
enum Work {
    Sum(Vec<f32>, Wire, Sender<Result<Vec<f32>, Lost>>),
    Broadcast(Vec<u8>, Sender<Result<Vec<u8>, Lost>>),
}

/// A process' link to the others. All that is asked of it is done in that order by one thread, the only one that
/// communicates. Each process must ask for the same in the same order.
#[derive(Debug)]
pub struct Link {
    rank: usize,
    size: usize,
    work: Mutex<Sender<Work>>,
    /// Nanoseconds that [`Pending::wait`] waited for sums.
    waited: AtomicU64,
}

/// A result that is to come.
#[derive(Debug)]
#[must_use]
pub struct Pending<'a> {
    link: &'a Link,
    result: Receiver<Result<Vec<f32>, Lost>>,
}

impl Link {
    /// Hands `group` to a thread of its own.
    ///
    /// # Errors
    /// When no thread can be started.
    pub fn new(group: Box<dyn Group>) -> std::io::Result<Self> {
        let (rank, size) = (group.rank(), group.size());
        let (work, asked) = channel();
        thread::Builder::new().name("communication".to_owned()).spawn(move || serve(group, &asked))?;
        Ok(Self { rank, size, work: Mutex::new(work), waited: AtomicU64::new(0) })
    }

    /// The place of this process, from 0.
    #[must_use]
    pub fn rank(&self) -> usize {
        self.rank
    }

    /// How many processes there are.
    #[must_use]
    pub fn size(&self) -> usize {
        self.size
    }

    /// How long was waited for sums so far.
    #[must_use]
    pub fn waited(&self) -> Duration {
        Duration::from_nanos(self.waited.load(Ordering::Relaxed))
    }

    /// Begins to [sum](fn@sum) the values of all.
    pub fn sum(&self, values: Vec<f32>) -> Pending<'_> {
        self.sum_over(values, Wire::F32)
    }

    /// The same with numbers that are sent in that way.
    pub fn sum_over(&self, values: Vec<f32>, wire: Wire) -> Pending<'_> {
        let (to, result) = channel();
        self.ask(Work::Sum(values, wire, to));
        Pending { link: self, result }
    }

    /// The bytes of the first, whatever the others give.
    ///
    /// # Errors
    /// When one of the others is gone.
    pub fn broadcast(&self, bytes: Vec<u8>) -> Result<Vec<u8>, Lost> {
        let (to, result) = channel();
        self.ask(Work::Broadcast(bytes, to));
        result.recv().unwrap_or(Err(self.gone()))
    }

    /// A thread that ended leaves a closed line, which the waiting side reports.
    fn ask(&self, work: Work) {
        let line = self.work.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let _ = line.send(work);
    }

    fn gone(&self) -> Lost {
        Lost { rank: self.rank }
    }
}

impl Pending<'_> {
    /// The sum.
    ///
    /// # Errors
    /// When one of the others is gone.
    pub fn wait(self) -> Result<Vec<f32>, Lost> {
        let began = Instant::now();
        let result = self.result.recv().unwrap_or(Err(self.link.gone()));
        let waited = u64::try_from(began.elapsed().as_nanos()).unwrap_or(u64::MAX);
        self.link.waited.fetch_add(waited, Ordering::Relaxed);
        result
    }
}

/// The thread's life: until the link is dropped, or another process is gone. Whoever no longer waits for a result has
/// ended for a reason of its own.
fn serve(mut group: Box<dyn Group>, asked: &Receiver<Work>) {
    let mut room = Vec::new();
    while let Ok(work) = asked.recv() {
        let lost = match work {
            Work::Sum(mut values, wire, to) => {
                let done = sum(&mut *group, &mut values, wire, &mut room);
                let _ = to.send(done.map(|()| values));
                done.is_err()
            }
            Work::Broadcast(mut bytes, to) => {
                let done = group.broadcast(&mut bytes);
                let _ = to.send(done.map(|()| bytes));
                done.is_err()
            }
        };
        if lost {
            return;
        }
    }
}
