//! What the layout of the source promises: files build on each other without circles, and long files say why they are.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// The text of each file of a crate, by its path in `src`.
type Sources = BTreeMap<String, String>;
/// For each file those that it names something of.
type Graph = BTreeMap<String, BTreeSet<String>>;

#[test]
fn files_build_on_each_other_without_circles() {
    for (name, least) in [("kernels", 20), ("simd", 10)] {
        let sources = read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(name).join("src"));
        let graph = graph(&sources).unwrap_or_else(|problem| panic!("{name}: {problem}"));
        let edges: usize = graph.values().map(BTreeSet::len).sum();
        assert!(graph.len() >= least && edges >= least, "{name}: {graph:?}");
        assert_eq!(circle(&graph), None, "{name}");
    }
}

#[test]
fn long_files_say_why() {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut long = Vec::new();
    for entry in std::fs::read_dir(crates).unwrap() {
        let source = entry.unwrap().path().join("src");
        let unexplained = read(&source).into_iter().filter(|(_, text)| is_long(text) && !says_why(text));
        long.extend(unexplained.map(|(file, _)| format!("{}/{file}", source.display())));
    }
    assert!(long.is_empty(), "more than 500 lines, and no reason in the first five: {long:?}");
}

fn is_long(text: &str) -> bool {
    text.lines().count() > 500
}

fn says_why(text: &str) -> bool {
    text.lines().take(5).any(|line| line.starts_with("//!") && line.contains("500 lines"))
}

#[test]
fn a_long_file_without_a_reason_is_found() {
    let long = "fn f() {}\n".repeat(501);
    assert!(is_long(&long) && !is_long(&long[10..]) && !says_why(&long));
    assert!(!says_why(&format!("//! A list.\n\n\n\n\n//! More than 500 lines.\n{long}")), "not in the head");
    assert!(says_why(&format!("//! A list.\n//! More than 500 lines: it is read as one.\n{long}")));
}

fn made(files: &[(&str, &str)]) -> Sources {
    files.iter().map(|&(file, text)| (file.to_owned(), text.to_owned())).collect()
}

#[test]
fn a_circle_is_found_and_named() {
    let files = [
        ("lib.rs", "#![warn(unused)]\nmod a;\npub mod b;"),
        ("a.rs", "// crate::b::c\nuse crate::b::{C, d::{self as e, D}};\nfn f(_: &'static str) {}"),
        ("b/mod.rs", "mod c;\nmod d;\npub use c::C;\npub(crate) use self::d::D;"),
        ("b/c.rs", "/* use /* super:: */ d */ fn f() -> &'static str { \"crate::a::f()\" }"),
        ("b/d.rs", "mod tests { use super::D; fn g() { let _ = ('\\'', r#\"super::c\"#); } }"),
    ];
    let straight = graph(&made(&files)).unwrap();
    assert_eq!(straight["a.rs"], BTreeSet::from(["b/c.rs", "b/d.rs"].map(str::to_owned)));
    assert_eq!(circle(&straight), None);
    for (file, text, found) in [
        ("b/c.rs", "fn f() { super::D::g(); } use crate::a;", "a.rs -> b/c.rs -> a.rs"),
        (
            "b/d.rs",
            "mod tests { mod x { use super::super::super::C; } } use super::super::a::f;",
            "a.rs -> b/d.rs -> a.rs",
        ),
    ] {
        let mut sources = made(&files);
        sources.insert(file.to_owned(), text.to_owned());
        assert_eq!(circle(&graph(&sources).unwrap()).as_deref(), Some(found));
    }
}

#[test]
fn what_a_module_hides_is_a_problem() {
    let problem = |root: &str, other: &str| graph(&made(&[("lib.rs", root), ("a.rs", other)])).unwrap_err();
    assert!(problem("mod a;\nfn f() {}", "").contains("lib.rs holds more than"));
    assert!(problem("mod a { }", "").contains("lib.rs holds more than"));
    assert!(problem("mod a; pub use a::*;", "").contains("lib.rs re-exports everything"));
    assert!(problem("mod a;", "use crate::Lost;").contains("a.rs: crate::Lost"));
    assert!(problem("mod a;", "mod b;").contains("a.rs declares a module"));
}

/// All Rust files below a folder.
fn read(folder: &Path) -> Sources {
    fn add(folder: &Path, within: &str, sources: &mut Sources) {
        for entry in std::fs::read_dir(folder).into_iter().flatten() {
            let path = entry.unwrap().path();
            let name = format!("{within}{}", path.file_name().unwrap().to_str().unwrap());
            if path.is_dir() {
                add(&path, &format!("{name}/"), sources);
            } else if name.ends_with(".rs") {
                sources.insert(name, std::fs::read_to_string(&path).unwrap());
            }
        }
    }
    let mut sources = Sources::new();
    add(folder, "", &mut sources);
    sources
}

/// Identifiers, `::` and single other characters, without comments, literals and lifetimes.
fn tokens(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let word = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
        let literal = if word == 0 { rest } else { rest[word..].trim_start_matches('#') };
        let skip = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            comment(rest)
        } else if literal.starts_with('"')
            && (word == 0 || ["b", "c", "r", "br", "cr"].contains(&&rest[..word]))
        {
            string(rest)
        } else if first == '\'' {
            character(rest)
        } else {
            let length = if word > 0 {
                word
            } else if rest.starts_with("::") {
                2
            } else {
                first.len_utf8()
            };
            found.extend(Some(&rest[..length]).filter(|token| !token.trim().is_empty()));
            length
        };
        rest = &rest[skip..];
    }
    found
}

/// The length of the comment, which may hold others, that `text` begins with.
fn comment(text: &str) -> usize {
    let (mut at, mut depth) = (0, 0);
    while at < text.len() {
        let step = match &text.as_bytes()[at..(at + 2).min(text.len())] {
            b"/*" => 1,
            b"*/" => -1,
            _ => 0,
        };
        depth += step;
        at += if step == 0 { 1 } else { 2 };
        if depth == 0 {
            break;
        }
    }
    at
}

/// The length of the string that `text` begins with, with its prefix.
fn string(text: &str) -> usize {
    let quote = text.find('"').unwrap();
    let hashes = text[..quote].matches('#').count();
    if text[..quote].contains('r') {
        let end = format!("\"{}", "#".repeat(hashes));
        return text[quote + 1..].find(&end).map_or(text.len(), |at| quote + 1 + at + end.len());
    }
    let mut escaped = false;
    for (at, c) in text.char_indices().skip_while(|&(at, _)| at <= quote) {
        match c {
            '"' if !escaped => return at + 1,
            _ => escaped = c == '\\' && !escaped,
        }
    }
    text.len()
}

/// The length of the character or lifetime that `text` begins with.
fn character(text: &str) -> usize {
    let second = text[1..].chars().next().map_or(0, char::len_utf8);
    if text[1..].starts_with('\\') {
        return text[3..].find('\'').map_or(text.len(), |at| at + 4);
    }
    if text[1 + second..].starts_with('\'') { second + 2 } else { 1 + second }
}

/// What a file says of others.
#[derive(Default)]
struct Mentions {
    /// Paths from the crate's root.
    paths: Vec<Vec<String>>,
    /// Those of them that a `use` of the file itself brings in, for others to find there.
    used: Vec<Vec<String>>,
    /// Whether modules of other files are declared.
    declares: bool,
}

/// Whether a file is a folder's, and may only declare modules and re-export what is in them.
fn is_folder(file: &str) -> bool {
    matches!(file.rsplit('/').next(), Some("lib.rs" | "mod.rs"))
}

/// The path of the module that a file is.
fn module(file: &str) -> Vec<String> {
    let parts = file.trim_end_matches(".rs").split('/').filter(|part| !["lib", "mod"].contains(part));
    parts.map(str::to_owned).collect()
}

fn mentions(file: &str, text: &str) -> Mentions {
    let (tokens, mut found) = (tokens(text), Mentions::default());
    // Modules written out within the file: their names, and how many braces are open around each.
    let (mut inner, mut depth): (Vec<(&str, usize)>, usize) = (Vec::new(), 0);
    let mut at = 0;
    while at < tokens.len() {
        let [next, second] = [1, 2].map(|ahead| tokens.get(at + ahead).copied().unwrap_or(""));
        let mut here = module(file);
        here.extend(inner.iter().map(|&(name, _)| name.to_owned()));
        match tokens[at] {
            "{" => depth += 1,
            "}" => {
                depth -= 1;
                inner.retain(|&(_, around)| around < depth);
            }
            "mod" if second == "{" => inner.push((next, depth)),
            "mod" if second == ";" => found.declares = true,
            "use" => {
                let mut leaves = Vec::new();
                at = tree(&tokens, at + 1, &[], &mut leaves);
                let paths = leaves.iter().filter_map(|leaf| absolute(&here, leaf, is_folder(file)));
                found.used.extend(paths);
            }
            "crate" | "super" | "self" if next == "::" => {
                let mut path = vec![tokens[at]];
                while let Some(["::", part]) = tokens.get(at + 1..at + 3)
                    && part.starts_with(|c: char| c.is_alphabetic() || c == '_')
                {
                    path.push(part);
                    at += 2;
                }
                found.paths.extend(absolute(&here, &path, false));
            }
            _ => {}
        }
        at += 1;
    }
    found.paths.extend(found.used.iter().cloned());
    found
}

/// Read what a `use` brings in from token `at` on, and say where it ends.
fn tree<'a>(tokens: &[&'a str], mut at: usize, before: &[&'a str], leaves: &mut Vec<Vec<&'a str>>) -> usize {
    let mut path = before.to_vec();
    while at < tokens.len() {
        match tokens[at] {
            "{" => {
                while tokens.get(at).is_some_and(|&token| token != "}") {
                    at = tree(tokens, at + 1, &path, leaves);
                }
                return at + 1;
            }
            "," | "}" | ";" => break,
            "as" => at += 1,
            "::" => {}
            "self" if !before.is_empty() => {}
            part => path.push(part),
        }
        at += 1;
    }
    if path.len() > before.len() || tokens.get(at.wrapping_sub(1)) == Some(&"self") {
        leaves.push(path);
    }
    at
}

/// A path from the crate's root, from one written in the module `here`; none for one into another crate.
fn absolute(here: &[String], path: &[&str], from_children: bool) -> Option<Vec<String>> {
    let mut found = if path[0] == "crate" { Vec::new() } else { here.to_vec() };
    if !from_children && !["crate", "super", "self"].contains(&path[0]) {
        return None;
    }
    for part in path.iter().filter(|part| !["crate", "self"].contains(part)) {
        if *part == "super" {
            found.pop();
        } else {
            found.push((*part).to_owned());
        }
    }
    Some(found)
}

/// Which file defines what a path names; none for a folder's module itself.
fn definition(
    path: &[String],
    files: &BTreeMap<Vec<String>, (&str, Mentions)>,
) -> Result<Option<String>, String> {
    let longest = (0..=path.len()).rev().find_map(|length| {
        files.get(&path[..length]).map(|(file, mentions)| (*file, mentions, &path[length..]))
    });
    let (file, mentions, rest) = longest.ok_or("no such module")?;
    let Some((name, rest)) = rest.split_first().filter(|_| is_folder(file)) else {
        return Ok(Some(file.to_owned()).filter(|_| !is_folder(file)));
    };
    let reexport = mentions.used.iter().find(|used| used.last() == Some(name) && **used != path);
    let target = reexport.ok_or_else(|| format!("{file} does not say where {name} is from"))?;
    definition(&[target, rest].concat(), files)
}

/// # Errors
/// The first thing that hides which file builds on which.
fn graph(sources: &Sources) -> Result<Graph, String> {
    let mentioned = sources.iter().map(|(file, text)| (module(file), (file.as_str(), mentions(file, text))));
    let files: BTreeMap<Vec<String>, (&str, Mentions)> = mentioned.collect();
    let macros = exported_macros(sources);
    let mut graph = Graph::new();
    for (file, mentions) in files.values() {
        if is_folder(file) {
            only_declares(file, &sources[*file])?;
            continue;
        }
        if mentions.declares {
            return Err(format!("{file} declares a module: that is for lib.rs and mod.rs"));
        }
        let named = graph.entry((*file).to_owned()).or_default();
        for path in &mentions.paths {
            let found = match macros.get(&path.join("::")[..]) {
                Some(defined) => Some((*defined).to_owned()),
                None => definition(path, &files)
                    .map_err(|why| format!("{file}: crate::{}: {why}", path.join("::")))?,
            };
            named.extend(found.filter(|found| found != file));
        }
    }
    Ok(graph)
}

/// The macros that are named from the crate's root, wherever they are defined, with their files.
fn exported_macros(sources: &Sources) -> BTreeMap<&str, &str> {
    let mut found = BTreeMap::new();
    for (file, text) in sources {
        for after in text.split("#[macro_export]\nmacro_rules! ").skip(1) {
            let name = after.split(|c: char| !c.is_alphanumeric() && c != '_').next();
            found.extend(name.map(|name| (name, file.as_str())));
        }
    }
    found
}

/// A folder's file declares modules and re-exports what is in them by name.
fn only_declares(file: &str, text: &str) -> Result<(), String> {
    let mut tokens = tokens(text);
    while let Some(start) = tokens.iter().position(|&token| token == "#") {
        let mut open = 0;
        let end = tokens[start..].iter().position(|&token| {
            open += i32::from(token == "[") - i32::from(token == "]");
            token == "]" && open == 0
        });
        tokens.drain(start..=start + end.ok_or("an attribute without an end")?);
    }
    for statement in tokens.split(|&token| token == ";") {
        let words: Vec<&str> =
            statement.iter().copied().filter(|word| !["pub", "(", ")", "crate"].contains(word)).collect();
        match words[..] {
            ["use", ..] if words.contains(&"*") => {
                return Err(format!("{file} re-exports everything of a module"));
            }
            [] | ["mod", _] | ["use", ..] => {}
            _ => return Err(format!("{file} holds more than modules and re-exports")),
        }
    }
    Ok(())
}

/// Files that build on each other in a circle, if any do.
fn circle(graph: &Graph) -> Option<String> {
    fn visit<'a>(
        file: &'a str,
        graph: &'a Graph,
        path: &mut Vec<&'a str>,
        done: &mut BTreeSet<&'a str>,
    ) -> bool {
        if path.contains(&file) {
            path.drain(..path.iter().position(|&before| before == file).unwrap());
            path.push(file);
            return true;
        }
        path.push(file);
        let next = graph.get(file).into_iter().flatten();
        if !done.contains(file) && next.into_iter().any(|next| visit(next, graph, path, done)) {
            return true;
        }
        done.insert(file);
        path.pop();
        false
    }
    let mut done = BTreeSet::new();
    graph.keys().find_map(|file| {
        let mut path = Vec::new();
        visit(file, graph, &mut path, &mut done).then(|| path.join(" -> "))
    })
}
