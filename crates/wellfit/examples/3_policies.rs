//! What early stopping and the plateau scheduler would do to a recorded curve.

use wellfit::policy::{EarlyStopping, EarlyStoppingConfig, PlateauConfig, ReduceLrOnPlateau};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // The validation losses of the chapter's run with early stopping.
    #[allow(clippy::approx_constant, reason = "0.7071 is a loss here, not a root")]
    let losses = [64.6766, 1.6799, 0.5631, 0.5125, 0.6830, 0.7071, 0.5996, 1.4061, 1.4];
    let mut stopping = EarlyStopping::new(EarlyStoppingConfig::default())?;
    let mut scheduler =
        ReduceLrOnPlateau::new(PlateauConfig { patience: 2, ..PlateauConfig::chapter() }, 0.001)?;
    for (epoch, &loss) in (0..).zip(&losses) {
        let (seen, step) = (stopping.observe(epoch, loss), scheduler.observe(loss));
        println!("epoch {}: loss {loss:.4}, lr {}, counter {}", epoch + 1, step.lr_after, seen.counter);
        if let Some(reason) = seen.stop {
            println!("stopped: {reason}");
        }
    }
    Ok(())
}
