//! Writes the page of a run, or of several: `cargo run -p wellfit-report --example page -- OUT RUN…`.

use std::path::Path;
use wellfit_report::{RunReport, comparison_page, run_page};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [out, paths @ ..] = args.as_slice() else { return Err("give OUT and one RUN or more".into()) };
    let runs = paths.iter().map(|path| RunReport::read(Path::new(path))).collect::<Result<Vec<_>, _>>()?;
    let page = match runs.as_slice() {
        [one] => run_page(one)?,
        all => comparison_page(all)?,
    };
    wellfit_base::atomic::replace(Path::new(out), page.as_bytes())?;
    println!("{out}: {} bytes", page.len());
    Ok(())
}
