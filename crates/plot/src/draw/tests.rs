//! What the pixels of drawn charts say.

use super::*;
use crate::{Color, Mark, Scatter};
use proptest::prelude::*;

fn line(points: Vec<(f64, f64)>) -> Series {
    Series::new("", points, Color::RED)
}

fn view(chart: &Chart) -> View {
    Layout::new(chart, (chart.size.0 as i32, chart.size.1 as i32), Room::default()).view
}

/// The colour drawn at a place in the data's units.
fn color(chart: &Chart, point: (f64, f64)) -> Color {
    let (x, y) = view(chart).visible(point).unwrap();
    chart.draw(Look::PLAIN).pixel(x as u32, y as u32).unwrap()
}

#[test]
fn points_have_their_colours_and_lines_lie_over_dots() {
    let wide = Series { width: 4.0, ..line(vec![(0.0, 0.0), (10.0, 5.0)]) };
    let dots = Scatter { alpha: 0.5, ..Scatter::new("", vec![(2.0, 4.0), (4.0, 2.0)], Color::PURPLE) };
    let chart = Chart { lines: vec![wide], scatters: vec![dots], ..Chart::default() };
    assert_eq!(color(&chart, (7.0, 3.5)), Color::RED);
    assert_eq!(color(&chart, (4.0, 2.0)), Color::RED);
    assert_eq!(color(&chart, (2.3, 3.3)), Color::WHITE);
    let mut faint = chart.clone();
    faint.lines.clear();
    // (2, 4) lies on grid lines; half of purple over white or over the grid's grey.
    assert!(matches!(color(&faint, (2.0, 4.0)), Color { red: 180..=192, green: 116..=128, blue: 180..=192 }));
}

#[test]
fn gaps_break_the_line_and_lone_points_are_dots() {
    let chart = Chart {
        lines: vec![Series {
            width: 3.0,
            ..line(vec![
                (0.0, 1.1),
                (1.0, 1.1),
                (2.0, f64::NAN),
                (3.0, 1.1),
                (4.0, f64::INFINITY),
                (5.0, 2.3),
            ])
        }],
        ..Chart::default()
    };
    assert_eq!(color(&chart, (0.5, 1.1)), Color::RED);
    assert_eq!(color(&chart, (1.7, 1.1)), Color::WHITE);
    assert_eq!(color(&chart, (3.0, 1.1)), Color::RED);
    assert_eq!(color(&chart, (3.3, 1.1)), Color::WHITE);
    assert_eq!(color(&chart, (5.0, 2.3)), Color::RED);
}

#[test]
fn a_band_lies_between_its_lines_and_below_others() {
    let edges = [vec![(0.0, 1.0), (10.0, 2.0)], vec![(0.0, 3.0), (10.0, 4.0)]].map(line);
    let band =
        crate::Band { points: vec![(0.0, 1.0, 3.0), (10.0, 2.0, 4.0)], color: Color::RED.into(), alpha: 1.0 };
    let none = crate::Band { points: vec![(0.0, f64::NAN, 9.0), (10.0, 0.0, 9.0)], ..band.clone() };
    let over = Series::new("", vec![(0.0, 2.0), (10.0, 3.0)], Color::PURPLE);
    let lines = edges.into_iter().chain([over]).collect();
    let chart = Chart { bands: vec![band, none], lines, ..Chart::default() };
    assert_eq!(color(&chart, (5.3, 2.1)), Color::RED);
    assert_eq!(color(&chart, (5.3, 3.3)), Color::RED);
    assert_eq!(color(&chart, (5.0, 2.5)), Color::PURPLE);
    assert_eq!(color(&chart, (2.3, 3.6)), Color::WHITE);
    assert_eq!(color(&chart, (8.3, 1.3)), Color::WHITE);
    assert!(chart.svg(Theme::Light).contains("<polygon"));
}

#[test]
fn dashes_alternate() {
    let mut chart = Chart { lines: vec![line(vec![(0.0, 0.3), (1.0, 0.3)])], ..Chart::default() };
    let changes = |chart: &Chart| {
        let (_, y) = view(chart).visible((0.0, 0.3)).unwrap();
        let picture = chart.draw(Look::PLAIN);
        let row: Vec<bool> = (0..640)
            .map(|x| picture.pixel(x, y as u32).is_some_and(|c| c.red > 200 && c.green < 90))
            .collect();
        row.windows(2).filter(|pair| pair[0] != pair[1]).count()
    };
    assert_eq!(changes(&chart), 2);
    chart.lines[0].style = LineStyle::Dashed;
    // About 530 pixels of dashes and gaps of 5.3 widths of 2.08 pixels: 48 dashes, 96 ends.
    assert!((90..=102).contains(&changes(&chart)), "{}", changes(&chart));
}

#[test]
fn the_legend_hides_no_data() {
    for bend in [0.2, 1.0, 5.0] {
        for falling in [false, true] {
            let curve = |i: i32| {
                let x = f64::from(i) / 50.0;
                (x, if falling { -x.powf(bend) } else { x.powf(bend) })
            };
            let mut chart = Chart { lines: vec![line((0..=50).map(curve).collect())], ..Chart::default() };
            let plain = chart.draw(Look::PLAIN);
            chart.lines[0].name = "validation accuracy".to_owned();
            let named = chart.draw(Look::PLAIN);
            assert_ne!(plain, named, "there is a legend");
            let pixels = plain.rgb().chunks(3).zip(named.rgb().chunks(3));
            let hidden =
                pixels.filter(|(plain, named)| plain[0] > plain[1].saturating_add(30) && plain != named);
            assert_eq!(hidden.count(), 0, "bend {bend}, falling {falling}");
        }
    }
}

#[test]
fn where_curves_are_everywhere_the_axis_makes_room_for_the_legend() {
    let wave = |phase: f64| (0..200).map(|x| (f64::from(x), (f64::from(x) / 9.0 + phase).sin())).collect();
    let lines = (0..7).map(|i| Series { name: format!("line {i}"), ..line(wave(f64::from(i))) }).collect();
    let mut chart = Chart { lines, ..Chart::default() };
    let (layout, shown, legend) = chart.arranged();
    let (legend, place) = legend.unwrap();
    assert_eq!(legend.place(layout.view.area, &shown.points), (place, 0));
    assert!(layout.view.y.1 > 1.2 && layout.y_ticks.iter().all(|tick| tick.at <= 1.1), "no ticks beside it");
    // A range that was asked for stays.
    chart.y.range = Some((-1.0, 1.0));
    assert_eq!(chart.arranged().0.view.y, (-1.0, 1.0));
}

/// Above the plot and within the picture, in rows and columns that do not touch, also where the range is given.
#[test]
fn a_legend_of_many_lines_stands_above_the_plot() {
    let wave = |phase: f64| (0..200).map(|x| (f64::from(x), (f64::from(x) / 9.0 + phase).sin())).collect();
    for (count, size) in [(20, (1000, 700)), (40, (1000, 700)), (9, (640, 300)), (400, (640, 480))] {
        let line = |i: usize| Series { name: format!("run {i} val accuracy"), ..line(wave(i as f64)) };
        let mut chart = Chart { lines: (0..count).map(line).collect(), size, ..Chart::default() };
        chart.title = "Many".to_owned();
        chart.y.range = Some((-1.0, 1.0));
        let (layout, _, legend) = chart.arranged();
        let (legend, place) = legend.unwrap();
        assert!(legend.above, "{count}");
        assert!(place.top > 0 && place.bottom < layout.view.area.top, "{count}: {}", place.bottom);
        assert!(place.left >= 0 && place.right <= size.0 as i32, "{count}: {}", place.right);
        assert!(layout.view.area.height() >= size.1 as i32 / 3, "{count}: {}", layout.view.area.height());
        let document = chart.svg(Theme::Light);
        let named = |i: usize| document.contains(&format!(">run {i} val accuracy<"));
        let all = (0..count).filter(|&i| named(i)).count();
        let told = format!(">and {} more<", count - all);
        assert!(all == count || document.contains(&told), "{count}: {all}");
        assert_eq!(all == count, count < 100);
    }
    let few = Chart {
        lines: (0..14).map(|i| Series { name: i.to_string(), ..line(wave(i.into())) }).collect(),
        size: (1000, 700),
        ..Chart::default()
    };
    assert!(!few.arranged().2.unwrap().0.above);
}

#[test]
fn marks_are_dotted_lines_with_labels() {
    let mut chart = Chart { lines: vec![line(vec![(0.0, 0.0), (10.0, 0.0)])], ..Chart::default() };
    let grey = |chart: &Chart| {
        chart.draw(Look::PLAIN).rgb().chunks(3).filter(|c| *c == Paint::MARK.light.channels()).count()
    };
    let before = grey(&chart);
    chart.marks.push(Mark { x: 3.3, label: String::new() });
    let height = view(&chart).area.height() as usize;
    assert!((grey(&chart) - before).abs_diff(height / 2) < 4, "half of a column");
    let top = view(&chart).area.top;
    chart.marks[0].label = "best epoch".to_owned();
    assert!(view(&chart).area.top > top, "room for the label");
}

#[test]
fn an_empty_chart_says_so() {
    let chart = Chart { lines: vec![line(vec![(f64::NAN, 1.0)])], ..Chart::default() };
    let area = view(&chart).area;
    let picture = chart.draw(Look::PLAIN);
    let (middle, center) = ((area.left + area.right) / 2, (area.top + area.bottom) / 2);
    let dark = (middle - 30..middle + 30)
        .filter(|&x| picture.pixel(x as u32, center as u32 - 4).is_some_and(|color| color.red < 180));
    assert!(dark.count() > 5);
}

#[test]
fn the_same_chart_gives_the_same_bytes_on_any_thread() {
    let chart = crate::loss_chart(&[0.9, 0.4, 0.3], &[0.8, 0.6, f64::NAN]);
    let here = chart.draw(Look::PLAIN).to_png_bytes().unwrap();
    assert_eq!(here, chart.draw(Look::PLAIN).to_png_bytes().unwrap());
    let there = std::thread::spawn(move || chart.draw(Look::PLAIN).to_png_bytes().unwrap()).join().unwrap();
    assert_eq!(here, there);
}

#[test]
fn twice_the_pixels_show_the_same_layout_finer() {
    let mut chart = crate::loss_chart(&[0.9, 0.4, 0.3], &[0.8, 0.6, 0.5]);
    chart.title = "Loss of 热狗-1".to_owned();
    let (plain, fine) = (chart.draw(Look::PLAIN), chart.draw(Look::SCREEN));
    assert_eq!((fine.width(), fine.height()), (2 * plain.width(), 2 * plain.height()));
    let mut error = 0.0;
    for (y, x) in (0..plain.height()).flat_map(|y| (0..plain.width()).map(move |x| (y, x))) {
        let four =
            [(0, 0), (0, 1), (1, 0), (1, 1)].map(|(j, i)| fine.pixel(2 * x + i, 2 * y + j).unwrap().red);
        let mean = four.map(f64::from).iter().sum::<f64>() / 4.0;
        error += (mean - f64::from(plain.pixel(x, y).unwrap().red)).abs();
    }
    // Averaged back it is the plain picture but for the edges of lines and letters, under a hundredth of the paper.
    let error = error / f64::from(plain.width() * plain.height());
    assert!(error < 0.5, "{error}");
    // The letters themselves are finer: not each a block of two by two.
    let blocks = (0..fine.height() / 2).flat_map(|y| (0..fine.width() / 2).map(move |x| (2 * x, 2 * y)));
    let mixed = blocks.filter(|&(x, y)| fine.pixel(x, y) != fine.pixel(x + 1, y)).count();
    assert!(mixed > 1000, "{mixed}");
}

#[test]
fn on_dark_paper_everything_is_drawn_in_the_colours_for_it() {
    let chart = crate::loss_chart(&[0.9, 0.4, 0.3], &[0.8, 0.6, 0.5]);
    let picture = chart.draw(Look { scale: 1, ..Look::DARK });
    assert_eq!(picture.pixel(0, 0), Some(Paint::PAPER.dark));
    let has = |color: Color| picture.rgb().chunks(3).any(|pixel| pixel == color.channels());
    for paint in [Paint::TRAIN, Paint::VALIDATION, Paint::INK, Paint::FRAME, Paint::GRID] {
        assert!(has(paint.dark), "{paint:?}");
    }
    assert!(!has(Color::WHITE) && !has(Paint::TRAIN.light));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn any_data_give_a_picture(
        points: Vec<(f64, f64)>, title: String, name: String, at: f64, range: Option<(f64, f64)>,
        size in (0_u32..300, 0_u32..300), width: f32, alpha: f32
    ) {
        let series = Series { width, alpha, marker: Some(width), name: name.clone(), ..line(points.clone()) };
        let dots = Scatter { radius: width / 1e30, alpha, ..Scatter::new(name.clone(), points, Color::BLUE) };
        let mut chart = Chart { title, size, ..Chart::default() };
        chart.y.range = range;
        chart.x.label = name.clone();
        chart.marks = vec![Mark { x: at, label: name }];
        chart.scatters = vec![dots];
        chart.lines = vec![series.clone(), Series { style: LineStyle::Dashed, ..series }];
        let picture = chart.draw(Look::PLAIN);
        prop_assert_eq!((picture.width(), picture.height()), (size.0.max(80), size.1.max(80)));
    }
}
