//! Best of many trials of a function: `tune`'s sampler asks for values on standard output, a line of JSON each, and reads what
//! comes of them on standard input. For `scripts/tune_landscapes.py`.
//!
//! ```text
//! ask SPACE.toml TRIALS SEEDS
//! ```

use serde_json::{Map, Value};
use std::error::Error;
use std::io::{BufRead, Write};
use wellfit_tune::{Direction, Known, Sampler, Space, State, Tpe, Trial};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [space, trials, seeds] = &arguments[..] else {
        return Err("usage: ask SPACE.toml TRIALS SEEDS".into());
    };
    let (space, _) = Space::parse(&std::fs::read_to_string(space)?)?;
    let (trials, seeds): (u32, u64) = (trials.parse()?, seeds.parse()?);
    let mut answers = std::io::stdin().lock().lines();
    let mut asked = std::io::stdout().lock();
    let (sampler, given, direction) = (Sampler::Tpe(Tpe::default()), Map::new(), Direction::Maximize);
    for seed in 0..seeds {
        let mut done: Vec<Trial> = Vec::new();
        for number in 0..trials {
            let known = Known { trials: &done, direction, seed, given: &given };
            let values = sampler.suggest(&space, &known, number).ok_or("no values")?;
            let mut trial = Trial::new(i64::from(number), number, State::Complete);
            trial.parameters = space.parameters_of(values).collect();
            let told: Map<String, Value> =
                trial.parameters.iter().map(|(name, one)| (name.clone(), one.value())).collect();
            writeln!(asked, "{}", Value::Object(told))?;
            asked.flush()?;
            trial.value = Some(answers.next().ok_or("no answer")??.trim().parse()?);
            done.push(trial);
        }
    }
    Ok(())
}
