//! A group of threads in one process.

use crate::group::{Group, Lost};
use std::sync::mpsc::{Receiver, Sender, channel};

/// A member of a group of threads. When it is dropped, the others find that it is gone.
#[derive(Debug)]
struct Member {
    rank: usize,
    /// To each, itself included.
    to: Vec<Sender<Vec<u8>>>,
    /// From each.
    from: Vec<Receiver<Vec<u8>>>,
}

/// A group of `size` threads, a power of two: what each of them is to have.
#[must_use]
pub fn threads(size: usize) -> Vec<Box<dyn Group>> {
    let mut members: Vec<Member> =
        (0..size).map(|rank| Member { rank, to: Vec::new(), from: Vec::new() }).collect();
    for from in 0..size {
        for to in 0..size {
            let (sender, receiver) = channel();
            members[from].to.push(sender);
            members[to].from.push(receiver);
        }
    }
    members.into_iter().map(|member| Box::new(member) as Box<dyn Group>).collect()
}

impl Member {
    fn send(&self, rank: usize, bytes: Vec<u8>) -> Result<(), Lost> {
        self.to[rank].send(bytes).map_err(|_| Lost { rank })
    }

    fn receive(&self, rank: usize) -> Result<Vec<u8>, Lost> {
        self.from[rank].recv().map_err(|_| Lost { rank })
    }

    /// Takes equal parts of `all`, one from each.
    fn take_from_each(&self, all: &mut [f32]) -> Result<(), Lost> {
        let length = all.len() / self.size();
        (0..self.size()).try_for_each(|rank| {
            let bytes = self.receive(rank)?;
            let values = bytes.as_chunks().0.iter().map(|&value| f32::from_le_bytes(value));
            all[rank * length..][..length].iter_mut().zip(values).for_each(|(place, value)| *place = value);
            Ok(())
        })
    }
}

fn bytes(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
}

impl Group for Member {
    fn rank(&self) -> usize {
        self.rank
    }

    fn size(&self) -> usize {
        self.to.len()
    }

    fn exchange(&mut self, send: &[f32], receive: &mut [f32]) -> Result<(), Lost> {
        let length = send.len() / self.size();
        (0..self.size()).try_for_each(|rank| self.send(rank, bytes(&send[rank * length..][..length])))?;
        self.take_from_each(receive)
    }

    fn gather(&mut self, own: &[f32], all: &mut [f32]) -> Result<(), Lost> {
        (0..self.size()).try_for_each(|rank| self.send(rank, bytes(own)))?;
        self.take_from_each(all)
    }

    fn broadcast(&mut self, bytes: &mut Vec<u8>) -> Result<(), Lost> {
        if self.rank > 0 {
            *bytes = self.receive(0)?;
            return Ok(());
        }
        (1..self.size()).try_for_each(|rank| self.send(rank, bytes.clone()))
    }
}
