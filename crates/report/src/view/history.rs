//! What happened in a run, in sentences.

use crate::read::RunReport;
use wellfit_base::figures::{percent, short};
use wellfit_record::Event;

/// More than this would be a log, not a page; the first and the last are kept.
const MOST: usize = 120;

/// Something that happened.
#[derive(Debug, Clone)]
pub struct Happened {
    /// When: a time, or an epoch.
    pub when: String,
    /// What.
    pub what: String,
}

/// All that is worth telling, in order. Checkpoints are not: the charts show them.
pub fn history(run: &RunReport) -> Vec<Happened> {
    let mut all: Vec<Happened> = run.events.iter().filter_map(of).collect();
    if all.len() > MOST {
        let left_out = all.len() - MOST;
        let what = format!("{left_out} more, which are in events.jsonl");
        all.splice(MOST / 2..all.len() - MOST / 2, [Happened { when: "…".to_owned(), what }]);
    }
    all
}

fn of(event: &Event) -> Option<Happened> {
    let (when, what) = match event {
        Event::Start { host, threads, time, .. } => {
            (day(time), format!("began on {host} with {threads} threads"))
        }
        Event::LrChange { epoch, from, to, reason } => {
            (after(*epoch), format!("learning rate from {} to {}: {reason}", short(*from), short(*to)))
        }
        Event::Interrupted { epoch, reason, time, .. } => {
            (day(time), format!("interrupted after epoch {epoch}: {reason}"))
        }
        Event::Resumed { epoch, checkpoint, time, .. } => {
            let from = if checkpoint.is_empty() { "the beginning".to_owned() } else { checkpoint.clone() };
            (day(time), format!("resumed from {from}, after epoch {epoch}"))
        }
        Event::Requested { request, epoch, step, time } => {
            (day(time), format!("asked to {request}: done after step {step}, in epoch {epoch}"))
        }
        Event::Stop { message, time, .. } => (day(time), message.clone()),
        Event::Evaluated { part, accuracy, images, time, .. } => {
            (day(time), format!("evaluated on {part}: {} of {images} images right", percent(*accuracy)))
        }
        Event::Warning { message } => ("warning".to_owned(), message.clone()),
        _ => return None,
    };
    Some(Happened { when, what })
}

fn after(epoch: u32) -> String {
    format!("after epoch {epoch}")
}

/// `2026-11-26T21:05:33Z` as `2026-11-26 21:05 UTC`.
fn day(time: &str) -> String {
    time.get(..16).map_or_else(|| time.to_owned(), |time| format!("{} UTC", time.replace('T', " ")))
}
