//! What the elements of SVG documents say, read back by an XML parser.

use super::*;
use crate::layout::Layout;
use crate::layout::Room;
use crate::{Color, LineStyle, Mark, Scatter, Series, accuracy_chart, loss_chart};
use proptest::prelude::*;
use roxmltree::{Document as Xml, Node};

fn elements<'a>(xml: &'a Xml<'_>, name: &'a str) -> impl Iterator<Item = Node<'a, 'a>> {
    xml.descendants().filter(move |node| node.has_tag_name(("http://www.w3.org/2000/svg", name)))
}

fn texts(xml: &Xml<'_>) -> Vec<String> {
    elements(xml, "text").filter_map(|node| node.text().map(str::to_owned)).collect()
}

fn points(line: Node<'_, '_>) -> Vec<Point> {
    let pair = |pair: &str| {
        let (x, y) = pair.split_once(',').unwrap();
        (x.parse().unwrap(), y.parse().unwrap())
    };
    line.attribute("points").unwrap().split(' ').map(pair).collect()
}

#[test]
fn lines_run_through_the_points_of_the_png() {
    let chart = loss_chart(&[0.9, 0.5, f64::NAN, 0.3, 0.2], &[0.8, 0.6, 0.55, 0.7, 0.8]);
    let svg = chart.svg(Theme::Light);
    let xml = Xml::parse(&svg).unwrap();
    let view = Layout::new(&chart, (1000, 700), Room::default()).view;
    let expected: Vec<Vec<Point>> = chart
        .lines
        .iter()
        .flat_map(|line| view.pieces(&line.points))
        .filter(|piece| piece.len() > 1)
        .collect();
    assert_eq!(expected.len(), 3, "the gap cuts the first line");
    // The samples in the legend come last.
    let lines: Vec<_> = elements(&xml, "polyline").collect();
    assert_eq!(lines.len(), 3 + 2);
    for (line, expected) in lines.into_iter().zip(&expected) {
        let found = points(line);
        assert_eq!(found.len(), expected.len());
        for (found, expected) in found.iter().zip(expected) {
            assert!((found.0 - expected.0).abs() <= 0.0051 && (found.1 - expected.1).abs() <= 0.0051);
        }
    }
    let colors: Vec<_> = elements(&xml, "polyline").filter_map(|line| line.attribute("stroke")).collect();
    assert_eq!(colors, ["#11588f", "#11588f", "#c63c06", "#11588f", "#c63c06"]);
}

#[test]
fn words_are_text_and_a_screen_reader_hears_what_is_shown() {
    let mut chart = accuracy_chart(&[0.5, 0.6], &[0.4, 0.7]);
    chart.marks.push(Mark { x: 2.0, label: "best".to_owned() });
    let svg = chart.svg(Theme::Light);
    let xml = Xml::parse(&svg).unwrap();
    let texts = texts(&xml);
    for word in ["Accuracy", "Epochs", "train accuracy", "validation accuracy", "best", "1", "2", "50 %"] {
        assert!(texts.iter().any(|text| text == word), "{word} in {texts:?}");
    }
    let only = |name| elements(&xml, name).next().and_then(|node| node.text().map(str::to_owned));
    assert_eq!(only("title").as_deref(), Some("Accuracy"));
    let described = "Accuracy over Epochs: train accuracy (2 points), validation accuracy (2 points)";
    assert_eq!(only("desc").as_deref(), Some(described));
    let root = xml.root_element();
    assert_eq!((root.attribute("width"), root.attribute("height")), (Some("1000"), Some("700")));
    assert_eq!(root.attribute("viewBox"), Some("0 0 1000 700"));
    assert!(root.attribute("font-family").unwrap().ends_with(", sans-serif"));
}

#[test]
fn hostile_labels_stay_text() {
    let hostile = "</text><script>alert(\"1\")</script>&lt;<!-- ]]> \u{0}\u{1b}\u{ffff}\u{202e}'";
    let mut chart = loss_chart(&[1.0, 0.5], &[1.0, 0.7]);
    chart.title = hostile.to_owned();
    chart.size = (2000, 700);
    chart.x.label = hostile.to_owned();
    chart.lines[0].name = hostile.to_owned();
    chart.marks.push(Mark { x: 1.5, label: hostile.to_owned() });
    let svg = chart.svg(Theme::Light);
    let xml = Xml::parse(&svg).unwrap();
    assert_eq!(elements(&xml, "script").count(), 0);
    let shown = hostile.replace(['\0', '\u{1b}', '\u{ffff}'], " ").replace('\u{202e}', "[U+202E]");
    assert_eq!(texts(&xml).iter().filter(|text| **text == shown).count(), 4, "title, axis, legend, mark");
    assert_eq!(elements(&xml, "title").next().unwrap().text(), Some(&*shown));
}

#[test]
fn nothing_is_fetched_from_elsewhere() {
    let svg = loss_chart(&[1.0, 0.5], &[1.0, 0.7]).svg(Theme::Light);
    let without_namespace = svg.replace("xmlns=\"http://www.w3.org/2000/svg\"", "");
    for address in ["http", "href", "url(", "@import", "//"] {
        assert!(!without_namespace.contains(address), "{address}");
    }
}

#[test]
fn dots_dashes_and_opacity_are_those_of_the_png() {
    let line = Series {
        style: LineStyle::Dashed,
        width: 3.0,
        alpha: 0.25,
        ..Series::new("", vec![(0.0, 0.0), (10.0, 5.0)], Color::BLUE)
    };
    let dots = Scatter { alpha: 0.5, ..Scatter::new("", vec![(2.0, 4.0), (f64::NAN, 2.0)], Color::PURPLE) };
    let chart = Chart { lines: vec![line], scatters: vec![dots], ..Chart::default() };
    let svg = chart.svg(Theme::Light);
    let xml = Xml::parse(&svg).unwrap();
    let circles: Vec<_> = elements(&xml, "circle").collect();
    assert_eq!(circles.len(), 1, "the other one is no place");
    let (x, y) = Layout::new(&chart, (640, 480), Room::default()).view.visible((2.0, 4.0)).unwrap();
    let attribute = |name| circles[0].attribute(name).unwrap();
    assert_eq!((attribute("cx"), attribute("cy")), (&*number(x), &*number(y)));
    assert_eq!((attribute("r"), attribute("fill-opacity")), ("4.86", "0.5"));
    let line = elements(&xml, "polyline").next().unwrap();
    // 3 points are 4.17 pixels; a dash is 2.7 of them and its round ends, a gap 2.6 without them.
    assert_eq!(line.attribute("stroke-dasharray"), Some("11.25 10.83"));
    assert_eq!(
        (line.attribute("stroke-width"), line.attribute("stroke-opacity")),
        (Some("4.17"), Some("0.25"))
    );
}

#[test]
fn names_stay_as_they_are_written() {
    let chart = Chart { title: "핫도그 शहर 🌭".to_owned(), ..Chart::default() };
    let svg = chart.svg(Theme::Light);
    assert!(svg.contains(">핫도그 शहर 🌭</text>"), "a viewer's fonts may have what ours lack");
}

#[test]
fn dark_paper_has_the_colours_for_it() {
    let svg = loss_chart(&[1.0, 0.5], &[1.0, 0.7]).svg(Theme::Dark);
    for color in [Paint::PAPER, Paint::TITLE, Paint::TRAIN, Paint::VALIDATION] {
        let [red, green, blue] = color.dark.channels();
        assert!(svg.contains(&format!("#{red:02x}{green:02x}{blue:02x}")), "{color:?}");
    }
    assert!(!svg.contains("#ffffff") && !svg.contains("#11588f"));
}

#[test]
fn numbers_are_short_and_finite() {
    let cases = [(1.0, "1"), (0.5, "0.5"), (-0.001, "0"), (10.126, "10.13"), (f32::NAN, "0"), (100.0, "100")];
    for (value, text) in cases {
        assert_eq!(number(value), text);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn any_chart_is_valid_xml(
        points: Vec<(f64, f64)>, title: String, name: String, at: f64, width: f32, alpha: f32,
        size in (0_u32..300, 0_u32..300)
    ) {
        let line = Series {
            width, alpha, marker: Some(width), ..Series::new(name.clone(), points.clone(), Color::RED)
        };
        let dots = Scatter { radius: width, alpha, ..Scatter::new(name.clone(), points, Color::BLUE) };
        let mut chart = Chart { title, size, lines: vec![line], scatters: vec![dots], ..Chart::default() };
        chart.marks = vec![Mark { x: at, label: name }];
        let svg = chart.svg(Theme::Light);
        let xml = Xml::parse(&svg).unwrap();
        for node in xml.descendants() {
            for attribute in node.attributes() {
                prop_assert!(!attribute.value().contains("NaN") && !attribute.value().contains("inf"));
            }
        }
    }
}
