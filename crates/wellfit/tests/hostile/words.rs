//! Words that no option expects.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;

/// Numbers that follow from a seed (SplitMix64, Steele and others 2014), so that every case can be had again.
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let x = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        x ^ (x >> 31)
    }

    /// A number below `end`.
    pub fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }

    pub fn of<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        &items[self.below(items.len())]
    }
}

/// Values at and beyond the edges of what can be meant.
const TEXTS: &[&str] = &[
    "",
    " ",
    "0",
    "-0",
    "1",
    "-1",
    "+1",
    "00",
    "1.5",
    "-1.5",
    "1e400",
    "-1e400",
    "1e-400",
    "5e-324",
    "1e308",
    "NaN",
    "nan",
    "-nan",
    "inf",
    "-inf",
    "infinity",
    "127",
    "255",
    "256",
    "65535",
    "65536",
    "2147483647",
    "2147483648",
    "4294967295",
    "4294967296",
    "9007199254740993",
    "9223372036854775807",
    "9223372036854775808",
    "18446744073709551615",
    "18446744073709551616",
    "-9223372036854775809",
    "340282366920938463463374607431768211456",
    "0x10",
    "1_000",
    "1,5",
    "１２",
    "٣",
    "½",
    "1e",
    "e",
    ".",
    "..",
    "./",
    ".//",
    "-",
    "--",
    "---",
    "=",
    "==",
    ",",
    ",,",
    ":",
    "a=b",
    "a=",
    "=b",
    "a,b,c",
    "1,2,3,4,5,6,7,8,9,10",
    "0,0,0",
    "true",
    "false",
    "off",
    "none",
    "null",
    "*",
    "?",
    "[",
    "**/**/**",
    "{",
    "{epoch:99999999d}",
    "%s%n%x",
    "$HOME",
    "`id`",
    "\u{1b}[31m",
    "a\nFORGED",
    "a\tb\r",
    "\u{202e}gpj",
    "é",
    "\u{1f469}\u{200d}\u{1f469}",
    "\u{feff}",
];

/// Files that a value can name. Devices are behind links of the scene, which a command of root's may replace.
const FILES: &[&str] = &[
    "data",
    "data/a/0.ppm",
    "run",
    "run/run.toml",
    "run/events.jsonl",
    "run/model.safetensors",
    "none",
    "none/none",
    "dev/null",
    "dev/zero",
    "dev/full",
    "dev/tty",
    "/proc/self/mem",
    "/proc/self/environ",
    "table.csv",
    "config.toml",
    "pipe",
    "data/a/0.ppm/x",
];

/// A value: short, long, no UTF-8, or a file.
pub fn value(random: &mut Random) -> OsString {
    match random.below(20) {
        0 => OsString::from_vec(vec![0xff, 0xfe, b'a']),
        1 => OsString::from_vec(b"caf\xe9".to_vec()),
        2 => "9".repeat(1 + random.below(5000)).into(),
        3 => random.of(&["x", "./", "a,", "(", "é", "a=1,", "-"]).repeat(1 + random.below(20_000)).into(),
        4..=7 => random.of(FILES).into(),
        8 => format!("{}={}", random.of(TEXTS), random.of(TEXTS)).into(),
        9 => format!("{},{}", random.of(TEXTS), random.of(TEXTS)).into(),
        10 => format!(
            "{}:{}",
            random.of(&["step", "cosine", "one-cycle", "sgd", "hf", "cuda", "torchvision"]),
            random.of(TEXTS)
        )
        .into(),
        _ => random.of(TEXTS).into(),
    }
}
