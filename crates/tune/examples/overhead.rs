//! What a study costs besides training: time per trial for sampler and storage, as a study grows.
//!
//! ```text
//! cargo run --release -p wellfit-tune --example overhead -- journal:///tmp/study.log 10000
//! ```

use serde_json::Map;
use std::error::Error;
use std::time::Instant;
use wellfit_tune::{Address, Change, Direction, Known, Sampler, Space, State, Tpe, open};

/// Times are means over so many trials.
const WINDOW: usize = 100;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [address, trials] = &arguments[..] else { return Err("usage: overhead URL TRIALS".into()) };
    let (address, trials): (Address, usize) = (address.parse()?, trials.parse()?);
    let (space, _) = Space::parse(
        "lr = { low = 1e-4, high = 1e-1, log = true }\nweight_decay = { low = 0.0, high = 0.1 }\n\
         batch_size = { choices = [16, 32, 64] }\nepochs = { low = 2, high = 20 }\n",
    )?;
    let mut storage = open(&address, "overhead", Direction::Minimize, true)?;
    let (sampler, given) = (Sampler::Tpe(Tpe::default()), Map::new());
    let mut began = Instant::now();
    for done in 1..=trials {
        let id = storage.begin(usize::MAX, &[])?.ok_or("no trial")?;
        let all = storage.trials()?;
        let known = Known { trials: all, direction: Direction::Minimize, seed: 1, given: &given };
        let number = all.last().map_or(0, |trial| trial.number);
        let chosen = sampler.suggest(&space, &known, number).ok_or("no values")?;
        let value: f64 = chosen.iter().flatten().map(|x| x * x).sum();
        let parameters = space.parameters_of(chosen);
        let changes: Vec<_> =
            parameters.map(|(name, parameter)| Change::Parameter(name, parameter)).collect();
        storage.change(id, &changes)?;
        storage.change(id, &[Change::Report(1, value)])?;
        storage.finish(id, State::Complete, Some(value), None)?;
        if done % WINDOW == 0 && (done == WINDOW || done % 1000 == 0 || done == trials) {
            println!("{done} {:.3} ms", began.elapsed().as_secs_f64() * 1e3 / WINDOW as f64);
        }
        if done % WINDOW == 0 {
            began = Instant::now();
        }
    }
    Ok(())
}
