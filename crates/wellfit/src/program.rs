//! What the user types to start this program, for messages that name commands.

use std::env;
use std::path::Path;
use std::sync::OnceLock;

/// How messages write the program in front of a command.
const OWN: &str = "wellfit ";

/// The commands that messages name.
const COMMANDS: &[&str] = &[
    "train",
    "resume",
    "verify-resume",
    "verify",
    "lab",
    "predict",
    "prove",
    "probe",
    "evaluate",
    "export",
    "serve",
    "data",
    "weights",
    "runs",
    "plot",
    "replay",
    "diagnose",
    "bench",
    "lr-find",
    "report",
    "tune",
    "improve",
    "compare",
    "check",
    "watch",
    "explain",
    "models",
    "--help",
];

/// What the user types in front of a command: `wellfit`, a path, or `cargo run --release --`.
pub fn program() -> &'static str {
    static PROGRAM: OnceLock<String> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        let typed = env::args_os().next().unwrap_or_default().to_string_lossy().into_owned();
        // What cargo sets for what it starts, and for what that starts.
        started(&typed, env::var_os("CARGO").is_some() && env::var_os("CARGO_MANIFEST_DIR").is_some())
    })
}

/// From the first word of the command line, and whether it is cargo's.
fn started(typed: &str, by_cargo: bool) -> String {
    let built = Path::new(typed).parent().and_then(Path::file_name).and_then(|folder| folder.to_str());
    let features = match (cfg!(feature = "wgpu"), cfg!(feature = "cuda")) {
        (false, false) => "",
        (true, false) => " --features wgpu",
        (false, true) => " --features cuda",
        (true, true) => " --features wgpu,cuda",
    };
    // As README's first command has it; with other features Cargo would compile most of it anew.
    let any = cfg!(any(
        feature = "embedded",
        feature = "https",
        feature = "jxl",
        feature = "parquet",
        feature = "serve",
        feature = "tune"
    ));
    let without = if any { "" } else { " --no-default-features" };
    match built {
        Some("release") if by_cargo => format!("cargo run --release{without}{features} --"),
        Some("debug") if by_cargo => format!("cargo run{without}{features} --"),
        // On the search path.
        _ if typed.is_empty() || !typed.contains(std::path::MAIN_SEPARATOR) => "wellfit".to_owned(),
        _ => typed.to_owned(),
    }
}

/// A text in which commands are written `wellfit COMMAND`, with what the user types in their place.
pub fn as_typed(text: &str) -> String {
    written_for(text, program())
}

fn written_for(text: &str, program: &str) -> String {
    let (mut written, mut rest) = (String::new(), text);
    while let Some((before, after)) = rest.split_once(OWN) {
        // A path that ends with the name is what the user typed.
        let is_command = !before.ends_with(std::path::MAIN_SEPARATOR)
            && COMMANDS.iter().filter_map(|command| after.strip_prefix(command)).any(ends_a_word);
        written += before;
        written += if is_command { program } else { OWN.trim_end() };
        written.push(' ');
        rest = after;
    }
    written + rest
}

fn ends_a_word(rest: &str) -> bool {
    !rest.starts_with(|next: char| next.is_alphanumeric() || next == '-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_word_tells_how_it_was_started() {
        let features = if cfg!(any(feature = "wgpu", feature = "cuda")) { return } else { "" };
        assert_eq!(features, "");
        for (typed, by_cargo, program) in [
            ("wellfit", false, "wellfit"),
            ("wellfit", true, "wellfit"),
            ("target/release/wellfit", true, "cargo run --release --"),
            ("target/debug/wellfit", true, "cargo run --"),
            ("target/release/wellfit", false, "target/release/wellfit"),
            ("/usr/bin/wellfit", true, "/usr/bin/wellfit"),
        ] {
            assert_eq!(started(typed, by_cargo), program, "{typed}");
        }
    }

    #[test]
    fn commands_are_named_as_they_are_typed() {
        let text = "the run is saved: wellfit resume runs/x, or `wellfit runs`; wellfit is a program";
        let expected =
            "the run is saved: cargo run -- resume runs/x, or `cargo run -- runs`; wellfit is a program";
        assert_eq!(written_for(text, "cargo run --"), expected);
        assert_eq!(written_for(text, "wellfit"), text);
        let typed = "Usage: bin/wellfit train <DATA>, or wellfit verify-resume; wellfit checks";
        let expected = "Usage: bin/wellfit train <DATA>, or bin/wellfit verify-resume; wellfit checks";
        assert_eq!(written_for(typed, "bin/wellfit"), expected);
    }
}
