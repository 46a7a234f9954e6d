//! Writes TensorBoard's event file of a run: `cargo run -p wellfit-report --example events -- OUT RUN`.

use std::path::Path;
use wellfit_record::RunDir;
use wellfit_report::{RunReport, tensorboard};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [out, run] = args.as_slice() else { return Err("give OUT and a RUN".into()) };
    let (report, steps) = (RunReport::read(Path::new(run))?, RunDir::open(run)?.steps()?.rows);
    Ok(wellfit_base::atomic::replace(Path::new(out), &tensorboard::events(&report, &steps).0)?)
}
