use std::fmt::Debug;

/// Another process of the group is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("process {rank} of those that train together is gone: the others cannot go on without it")]
pub struct Lost {
    /// Which one, from 0.
    pub rank: usize,
}

/// Processes that take part in one training. Each calls the same methods in the same order; a call waits for the others.
pub trait Group: Debug + Send {
    /// The place of this one, from 0.
    fn rank(&self) -> usize;

    /// How many they are: a power of two.
    fn size(&self) -> usize;

    /// Gives each its segment of `send`, and puts those that are for this one into `receive`, in the order of their
    /// senders. All segments are of one length.
    ///
    /// # Errors
    /// When one of the others is gone.
    fn exchange(&mut self, send: &[f32], receive: &mut [f32]) -> Result<(), Lost>;

    /// Puts the numbers of all into `all`, one after the other; each has as many.
    ///
    /// # Errors
    /// When one of the others is gone.
    fn gather(&mut self, own: &[f32], all: &mut [f32]) -> Result<(), Lost>;

    /// Puts the bytes of the first into `bytes` of all others.
    ///
    /// # Errors
    /// When one of the others is gone.
    fn broadcast(&mut self, bytes: &mut Vec<u8>) -> Result<(), Lost>;
}
