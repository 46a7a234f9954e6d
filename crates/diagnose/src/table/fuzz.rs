//! Damaged CSV files: an answer each time, within bounded memory and time (see `wellfit_fuzz`).

use super::column;
use wellfit_fuzz::{Target, as_it_is, fuzz};

#[test]
fn damaged_csv_files_are_refused_in_peace() {
    let seeds = [
        &b"epoch,loss,val_loss\n0,0.5,0.6\n1,0.4,nan\n2,inf,\n"[..],
        b"0.5\n0.4\n-inf\n1e-400\n",
        b"{\"epoch\": 1, \"loss\": NaN}\n{\"loss\": {\"a\": [0.5, null]}}\n",
        b"{\"log_history\": [{\"loss\": 0.5}, {\"val_loss\": \"-inf\"}]}",
        b"epoch;loss\n1;0,5\nepoch;loss\n2;NA\n",
        b"\xef\xbb\xbf\"a \"\"quoted\"\" name\",\"val_loss\"\r\n\"1\",\"2.5\"\r\n",
    ];
    let tokens: [&[u8]; 14] = [
        b",", b"\"", b"\"\"", b"\r\n", b"\n", b"NaN", b"1e999", b";", b"\t", b"{", b"[", b"}", b"]", b"sep=",
    ];
    let target = Target { name: "csv", seeds: &seeds.map(Vec::from), tokens: &tokens, repair: as_it_is };
    fuzz(&target, |bytes| {
        let text = String::from_utf8_lossy(bytes);
        let usual = column(&text, None);
        column(&text, Some("loss")).or(usual).map_err(|problem| problem.at("x.csv"))
    });
}
