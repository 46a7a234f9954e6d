//! Decodes files for scripts: the pixels of each path that standard input names, one a line.
//!
//! For each it writes `HEIGHT WIDTH` and the RGB bytes behind that line, or `refused REASON`.

use std::io::{self, BufRead, Write};
use std::path::Path;

use wellfit_images::decode_file;

fn main() -> io::Result<()> {
    let mut out = io::stdout().lock();
    for line in io::stdin().lock().lines() {
        match decode_file(Path::new(&line?)) {
            Ok(image) => {
                writeln!(out, "{} {}", image.height, image.width)?;
                out.write_all(&image.pixels)?;
            }
            Err(error) => writeln!(out, "refused {}", error.reason().replace('\n', " "))?,
        }
        out.flush()?;
    }
    Ok(())
}
