//! What stands on a page, and what must not.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod helper;

use helper::run;
use wellfit_report::{MOST_BYTES, PICTURES, RunReport, Shot, comparison_page, run_page};

/// The text between tags, as a reader sees it; a space for each tag.
fn words(page: &str) -> String {
    let body = page.split("<body>").nth(1).unwrap().split("<script").next().unwrap();
    let mut text = String::new();
    let mut within = false;
    for letter in body.chars() {
        match letter {
            '<' => within = true,
            '>' => {
                within = false;
                text.push(' ');
            }
            _ if !within => text.push(letter),
            _ => {}
        }
    }
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn a_page_shows_the_numbers_of_the_record() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("photos-mlp-1");
    run(&path, 30, ["cat", "dog"]);
    let page = run_page(&RunReport::read(&path).unwrap()).unwrap();
    let words = words(&page);
    for expected in [
        "photos-mlp-1",
        "mlp on photos, 2026-11-27",
        "85.0 % of 20 validation images answered rightly",
        "64.0 % to 94.8 %",
        "Overfitting from epoch",
        "best epoch 15 of 30",
        "1 min 15 s",
        "cat 97 % sure is dog",
        "images of taken for how many dog cat 2",
        "wellfit train photos --model mlp",
        "batch_size 8",
        "learning rate from 0.01 to 0.001: no improvement",
        "80 train, 20 validation",
        "1,234 parameters",
        "after horizontal flip",
    ] {
        assert!(words.contains(expected), "{expected}: {words}");
    }
    // Epoch 15 of the table: the losses as they were recorded.
    assert!(words.contains("15 0.6100 74.5 % 0.4000 80.0 % 0.01 2.5 s"), "{words}");
    assert!(page.len() <= MOST_BYTES);
}

/// A page has no address but within itself, and its policy allows nothing else.
#[test]
fn a_page_needs_nothing_from_anywhere() {
    let folder = tempfile::tempdir().unwrap();
    let paths = [1, 2].map(|number| folder.path().join(format!("photos-mlp-{number}")));
    paths.iter().for_each(|path| run(path, 12, ["cat", "dog"]));
    let runs: Vec<RunReport> = paths.iter().map(|path| RunReport::read(path).unwrap()).collect();
    for page in [run_page(&runs[0]).unwrap(), comparison_page(&runs).unwrap()] {
        for attribute in ["src=\"", "href=\"", "action=\"", "data=\"", "url("] {
            for (_, address) in
                page.match_indices(attribute).map(|(at, _)| (at, &page[at + attribute.len()..]))
            {
                let ours = address.starts_with("data:") || address.starts_with('#');
                assert!(ours, "{}", &address[..40.min(address.len())]);
            }
        }
        // The name space of drawings is a name, which nothing is loaded from.
        let rest = page.replace("http://www.w3.org/2000/svg", "");
        assert!(!rest.contains("http://") && !rest.contains("https://"));
        assert!(page.contains("default-src 'none'; style-src 'sha256-"));
        assert!(!page.contains("unsafe-inline") && !page.contains(" style=") && !page.contains(" onload="));
    }
}

/// Names come from folders, files and configurations of strangers.
#[test]
fn no_name_becomes_markup_or_script() {
    let folder = tempfile::tempdir().unwrap();
    let evil = "<img src=x onerror=alert(1)>\"'&</script><script>alert(2)</script>";
    let path = folder.path().join("run <b>bold");
    run(&path, 12, [evil, "dog"]);
    let report = RunReport::read(&path).unwrap();
    for page in [run_page(&report).unwrap(), comparison_page(&[report.clone(), report]).unwrap()] {
        assert!(
            !page.contains("<img src=x") && !page.contains("alert(2)</script>") && !page.contains("<b>"),
            "escaped"
        );
        // One for the numbers, one for the page's own.
        assert_eq!((page.matches("<script").count(), page.matches("</script>").count()), (2, 2));
        let data = page.split("id=\"charts\">").nth(1).unwrap().split("</script>").next().unwrap();
        assert!(!data.contains('<') && serde_json::from_str::<serde_json::Value>(data).is_ok());
    }
}

/// Pictures of strangers, too: what is no Base64 is left out, whatever it tries.
#[test]
fn pictures_that_are_none_are_left_out() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run");
    run(&path, 3, ["cat", "dog"]);
    let shot = Shot { jpeg: "x\" onerror=\"alert(1)".to_owned(), label: "cat".to_owned(), ..Shot::default() };
    let text = serde_json::json!({ "mistakes": [shot], "seen": [] }).to_string();
    std::fs::write(path.join(PICTURES), text).unwrap();
    let page = run_page(&RunReport::read(&path).unwrap()).unwrap();
    assert!(!page.contains("onerror"));
    // What is no JSON is told.
    std::fs::write(path.join(PICTURES), "{").unwrap();
    let report = RunReport::read(&path).unwrap();
    assert!(
        words(&run_page(&report).unwrap()).contains("pictures.json is left out"),
        "{:?}",
        report.problems
    );
}

#[test]
fn a_page_that_would_be_too_long_does_without_pictures() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run");
    run(&path, 3, ["cat", "dog"]);
    let mut report = RunReport::read(&path).unwrap();
    let long =
        Shot { jpeg: "A".repeat(MOST_BYTES / 4), heat: Some("B".repeat(MOST_BYTES / 4)), ..Shot::default() };
    report.pictures.mistakes = vec![long.clone(); 3];
    report.pictures.seen = vec![long; 2];
    let page = run_page(&report).unwrap();
    assert!(page.len() <= MOST_BYTES && page.len() > MOST_BYTES / 2, "{}", page.len());
}

#[test]
fn a_run_without_epochs_has_a_page() {
    let folder = tempfile::tempdir().unwrap();
    for epochs in [0, 1, 2] {
        let path = folder.path().join(format!("run-{epochs}"));
        run(&path, epochs, ["cat", "dog"]);
        for name in ["evaluation.json", PICTURES] {
            std::fs::remove_file(path.join(name)).unwrap();
        }
        let report = RunReport::read(&path).unwrap();
        let words = words(&run_page(&report).unwrap());
        let expected = if epochs == 0 { "no result yet" } else { "answered rightly, in epoch" };
        assert!(words.contains(expected), "{words}");
        comparison_page(&[report.clone(), report]).unwrap();
    }
}
