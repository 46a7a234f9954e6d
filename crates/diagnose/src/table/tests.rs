//! Texts as tools and spreadsheets write them.

use super::column;
use super::read::Column;
use proptest::prelude::*;

fn values(text: &str, wanted: Option<&str>) -> Result<Vec<f64>, String> {
    column(text, wanted).map(|column| column.values).map_err(|problem| problem.at("f").to_string())
}

#[test]
fn a_number_a_line() {
    assert_eq!(values("\u{feff}0.5\r\n\n .25 \r\n1e-3", None), Ok(vec![0.5, 0.25, 0.001]));
    let special = values("nan\n-Infinity\nINF\n+NaN\n", None).unwrap();
    assert!(special[0].is_nan() && special[3].is_nan());
    assert_eq!(special[1..3], [f64::NEG_INFINITY, f64::INFINITY]);
}

#[test]
fn columns_with_names() {
    let text = "epoch,\"a, b\",val_loss\n0,1,0.5\n1,2,0.25\n";
    assert_eq!(values(text, None), Ok(vec![0.5, 0.25]));
    assert_eq!(values(text, Some("a, b")), Ok(vec![1.0, 2.0]));
    assert_eq!(values("loss\n3\n", None), Ok(vec![3.0]));
}

/// As spreadsheets and pandas write: quotes within quotes, blanks around them, an empty field in quotes.
#[test]
fn quotes_are_read() {
    let text = "\"a \"\"b\"\", c\", \"val_loss\" \r\n\"1\",\"2.5\"\r\n\r\n1, \"3\"\r\n";
    assert_eq!(values(text, None), Ok(vec![2.5, 3.0]));
    assert_eq!(values(text, Some("a \"b\", c")), Ok(vec![1.0, 1.0]));
    let expected = Column { name: "loss".to_owned(), values: vec![1.0, 2.0], empty: 1, repeated: 0 };
    assert_eq!(column("loss\n1\n\"\"\n  \n2\n", None), Ok(expected), "a blank line is no row");
}

#[test]
fn rows_without_the_metric_are_counted() {
    let lightning = "step,train_loss,val_loss\n9,0.7,\n9,,0.6\n19,0.5,\n19,,0.4\n";
    let expected = Column { name: "val_loss".to_owned(), values: vec![0.6, 0.4], empty: 2, repeated: 0 };
    assert_eq!(column(lightning, None), Ok(expected));
}

#[test]
fn problems_name_the_line() {
    for (text, wanted, problem) in [
        ("", None, "f holds no metrics: one number a line is expected"),
        ("val_loss\n\n", None, "f holds no metrics: one number a line is expected"),
        ("0.5x\n0.4\n", None, "f, line 1: `0.5x` is not a number"),
        ("loss\n0.5\n\nhalf\n", None, "f, line 4: `half` is not a number"),
        ("\n\r\nloss\r\n0.5\r\n\r\n \nhalf\n", None, "f, line 7: `half` is not a number"),
        ("0.4\n\"0.5\n0.6\n", None, "f, line 2: `0.5…` is not a number"),
        ("a,val_loss\n1,2\n3\n", None, "f, line 3: 1 fields, but the first line has 2"),
        ("0.5,0.4\n", None, "f has 2 columns without names: put a line of names first"),
        ("a,a\n1,2\n", Some("a"), "f has two columns `a`: rename one"),
        ("a,b\n1,2\n", None, "f has no column val_loss: choose one with --column; it has a, b"),
        ("a,b\n1,2\n", Some("c"), "f has no column `c`; it has a, b"),
        ("1\n2\n", Some("c"), "f has no line of names, so no column `c`: leave --column out"),
    ] {
        assert_eq!(values(text, wanted), Err(problem.to_owned()), "{text:?}");
    }
}

proptest! {
    /// No text makes it panic.
    #[test]
    fn any_text_is_read_or_refused(text in "[a-z\",;.0-9\\n\\r é-]{0,60}", wanted in "[a-c]?") {
        let _ = column(&text, Some(wanted.as_str()).filter(|name| !name.is_empty()));
    }

    /// Numbers come back as they were written, in whichever column.
    #[test]
    fn written_numbers_are_read(rows in prop::collection::vec([any::<f64>(), any::<f64>()], 1..9), last: bool) {
        let lines: String = rows.iter().map(|[a, b]| format!("{a},{b}\n")).collect();
        let index = usize::from(last);
        let read = values(&format!("a,b\n{lines}"), Some(["a", "b"][index])).unwrap();
        let written: Vec<u64> = rows.iter().map(|row| row[index].to_bits()).collect();
        let same = |(read, written): (&f64, &u64)| read.to_bits() == *written || read.is_nan();
        prop_assert!(read.len() == written.len() && read.iter().zip(&written).all(same));
    }
}

/// What every way of writing the numbers 0.5, none, 0.25 comes to: the values, the rows without one, the lines of
/// names that came again.
#[test]
fn one_table_in_many_ways() {
    let missing = [
        "", "NA", "N/A", "n/a", "#N/A", "null", "NULL", "None", "none", "nil", "-", "--", "\u{2013}", "?",
        ".", "<NA>", "\"\"", "\" NA \"", "\\N", "missing",
    ];
    for word in missing {
        for (separator, comma) in [(",", "."), (";", "."), (";", ","), ("\t", "."), ("\t", ",")] {
            for end in ["\n", "\r\n", "\r"] {
                for (before, quote) in [("", ""), ("\u{feff}", ""), ("", "\"")] {
                    let cell = |text: &str| format!("{quote}{}{quote}", text.replace('.', comma));
                    let head = format!("{quote}epoch{quote}{separator}{quote}val_loss{quote}{end}");
                    let row = |epoch: &str, value: &str| format!("{epoch}{separator}{value}{end}");
                    let (first, last) = (row("1", &cell("0.5")), row("3", &cell("2.5e-1")));
                    let text = format!("{before}{head}{first}{}{head}{last}", row("2", word));
                    let name = "val_loss".to_owned();
                    let expected = Column { name, values: vec![0.5, 0.25], empty: 1, repeated: 1 };
                    assert_eq!(column(&text, None), Ok(expected), "{text:?}");
                }
            }
        }
    }
}

#[test]
fn numbers_that_are_none_are_numbers() {
    let text = "nan\n-nan\n1.#QNAN\n-1.#IND\ninf\n-1.#INF\n\u{2212}0.5\n";
    let read = values(text, None).unwrap();
    assert!(read[..4].iter().all(|value| value.is_nan()), "{read:?}");
    assert_eq!(read[4..], [f64::INFINITY, f64::NEG_INFINITY, -0.5]);
}

#[test]
fn separators_follow_from_the_first_line() {
    for (text, wanted, expected) in [
        ("sep=;\r\nepoch;val_loss\r\n1;0,5\r\n", None, vec![0.5]),
        ("sep=,\nepoch,val_loss\n1,0.5\n", None, vec![0.5]),
        ("\"a;b\",val_loss\n1,0.5\n", None, vec![0.5]),
        ("\"a,b\";val_loss\n1;1,5\n", None, vec![1.5]),
        ("epoch\tloss, mean\tval_loss\n0\t1\t2\n", Some("loss, mean"), vec![1.0]),
        ("epoch,val_loss,\n1,0.5,\n", None, vec![0.5]),
        ("epoch,val_loss\n1,0.5,,\n", None, vec![0.5]),
        ("      epoch,      val/loss\n     1,       0.5\n", Some("val/loss"), vec![0.5]),
        ("epoch;val_loss\n1;1e-3\n2;0,25\n3;7\n", None, vec![0.001, 0.25, 7.0]),
    ] {
        assert_eq!(values(text, wanted), Ok(expected), "{text:?}");
    }
    let mixed = "epoch;val_loss\n1;0,5\n2;0.4\n";
    assert_eq!(
        values(mixed, None).unwrap_err(),
        "f, line 3: `0.4`: some numbers have a decimal comma, others a decimal point"
    );
    assert_eq!(
        values("epoch;val_loss\n1;1.234,5\n", None).unwrap_err(),
        "f, line 2: `1.234,5` is not a number"
    );
}

#[test]
fn json_is_read_in_every_usual_form() {
    let lines =
        "{\"epoch\": 1, \"val_loss\": 0.5}\n{\"loss\": 2}\n\n{\"val_loss\": null}\n{\"val_loss\": 0.25}\n";
    let expected =
        |empty| Ok(Column { name: "val_loss".to_owned(), values: vec![0.5, 0.25], empty, repeated: 0 });
    for (text, empty) in [
        (lines, 2),
        ("[{\"val_loss\": 0.5}, {\"loss\": 1}, {\"val_loss\": \"0.25\"}]", 1),
        ("{\"best\": 1, \"log_history\": [{\"val_loss\": 0.5}, {\"val_loss\": 0.25}]}", 0),
        ("{\"loss\": [3, 2, 1], \"val_loss\": [0.5, null, 0.25]}", 1),
        ("\u{feff}{\"val_loss\": 0.5}\r\n{\"val_loss\": \"NA\"}\r\n{\"val_loss\": 0.25}", 1),
    ] {
        assert_eq!(column(text, None), expected(empty), "{text}");
    }
    assert_eq!(values("[0.5, 0.25]", None), Ok(vec![0.5, 0.25]));
    assert_eq!(values("{\"val\": {\"loss\": 0.5}}", Some("val.loss")), Ok(vec![0.5]));
    let bare =
        "{\"note\": \"a \\\" NaN\", \"val_loss\": NaN}\n{\"val_loss\": -Infinity}\n{\"val_loss\": \"inf\"}";
    let read = values(bare, None).unwrap();
    assert!(read[0].is_nan() && read[1..] == [f64::NEG_INFINITY, f64::INFINITY], "{read:?}");
    for (text, problem) in [
        ("{\"val_loss\": 1}\n{\"val_loss\": [1], \"b\": 2}", "f, line 2: val_loss: `[1]` is not a number"),
        ("{\"a\": 1}\n\n{\"a\": \"x\"}", "f, line 3: a: `x` is not a number"),
        ("{\"a\": 1}\n{\"a\": ", "f is no JSON: EOF while parsing a value at line 2 column 6"),
        ("[]", "f holds no metrics: one number a line is expected"),
        ("{\"a\": 1, \"b\": 2}", "f has no column val_loss: choose one with --column; it has a, b"),
    ] {
        assert_eq!(values(text, None), Err(problem.to_owned()), "{text}");
    }
}
