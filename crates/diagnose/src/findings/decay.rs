//! Weight decay as the cause of what is found.

use super::advice::{Advice, Flag};
use super::look::{Look, short};

/// The most that is usual, and what to try instead: a penalty in the loss (torch's `Adam` and `SGD`), whose gradient competes
/// with that of the answers.
const PENALTY: (f64, &str) = (0.01, "1e-4");
/// The same where a step shrinks the weights apart from the gradient (`AdamW`; Loshchilov & Hutter 2019).
const DECOUPLED: (f64, &str) = (0.3, "0.01");

/// A usual weight decay, where the training had one that is far stronger. Such a decay pulls weights to zero faster than they
/// learn, whatever the rate: it is to be tried before other changes.
pub fn usual_decay(look: &Look<'_>) -> Option<Advice> {
    let decoupled = look.facts().settings.get("optimizer").is_some_and(|name| name == "adamw");
    let (most, usual) = if decoupled { DECOUPLED } else { PENALTY };
    let decay = look.facts().number("weight_decay")?;
    (decay > most).then(|| look.advise(Flag::WeightDecay, usual))
}

/// A tenth of the weight decay, where there is one of a usual strength.
pub fn weaker_decay(look: &Look<'_>) -> Option<Advice> {
    let decay = look.facts().number("weight_decay").filter(|decay| *decay > 0.0)?;
    usual_decay(look).is_none().then(|| look.advise(Flag::WeightDecay, short(decay / 10.0)))
}
