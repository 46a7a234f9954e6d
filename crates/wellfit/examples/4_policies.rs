//! What early stopping and the plateau scheduler would do to a recorded curve.

use wellfit::policy::{EarlyStoppingConfig, PlateauConfig, RateRule, Replay, Semantics};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // The validation losses of a run with early stopping.
    #[allow(clippy::approx_constant, reason = "0.7071 is a loss here, not a root")]
    let losses = [64.6766, 1.6799, 0.5631, 0.5125, 0.6830, 0.7071, 0.5996, 1.4061, 1.4];
    let plateau = PlateauConfig { patience: 2, ..PlateauConfig::textbook(Semantics::Torch) };
    let early_stopping = Some(EarlyStoppingConfig::default());
    let replay = Replay { lr: 0.001, rate: RateRule::Plateau(plateau), early_stopping };
    for epoch in replay.run((1..).zip(losses))? {
        let (metric, lr, counter) = (epoch.metric, epoch.lr, epoch.counter().unwrap_or(0));
        println!("epoch {}: loss {metric:.4}, lr {lr}, counter {counter}", epoch.epoch);
        if let Some(reason) = epoch.stop() {
            println!("stopped: {reason}");
        }
    }
    Ok(())
}
