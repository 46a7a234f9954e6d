//! Contrast and difference of the paints, for every kind of colour vision.

use super::*;

const LINES: [(&str, Paint); 5] = [
    ("train", Paint::TRAIN),
    ("validation", Paint::VALIDATION),
    ("test", Paint::TEST),
    ("learning rate", Paint::LEARNING_RATE),
    ("mark", Paint::MARK),
];

/// What dichromats see of linear RGB: Machado, Oliveira and Fernandes, "A Physiologically-based Model for Simulation of
/// Color Vision Deficiency" (2009), severity 1.
const VISIONS: [(&str, [[f64; 3]; 3]); 4] = [
    ("normal", [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]),
    (
        "protanopia",
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    ),
    (
        "deuteranopia",
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    ),
    (
        "tritanopia",
        [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
    ),
];

/// sRGB to light (IEC 61966-2-1).
fn linear(color: Color) -> [f64; 3] {
    color.channels().map(|channel| {
        let value = f64::from(channel) / 255.0;
        if value <= 0.04045 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
    })
}

fn product(matrix: &[[f64; 3]; 3], vector: [f64; 3]) -> [f64; 3] {
    matrix.map(|row| row.iter().zip(vector).map(|(a, b)| a * b).sum())
}

/// Contrast of WCAG 2.2, 1 to 21.
fn contrast(a: Color, b: Color) -> f64 {
    let luminance =
        |color| linear(color).iter().zip([0.2126, 0.7152, 0.0722]).map(|(c, w)| c * w).sum::<f64>();
    let (a, b) = (luminance(a) + 0.05, luminance(b) + 0.05);
    a.max(b) / a.min(b)
}

/// CIELAB under D65, of linear RGB.
fn lab(rgb: [f64; 3]) -> [f64; 3] {
    const XYZ: [[f64; 3]; 3] = [
        [0.4124564, 0.3575761, 0.1804375],
        [0.2126729, 0.7151522, 0.0721750],
        [0.0193339, 0.1191920, 0.9503041],
    ];
    let xyz = product(&XYZ, rgb.map(|c| c.clamp(0.0, 1.0)));
    let bend = |t: f64| if t > 0.008856 { t.cbrt() } else { 7.787 * t + 16.0 / 116.0 };
    let [x, y, z] = [bend(xyz[0] / 0.95047), bend(xyz[1]), bend(xyz[2] / 1.08883)];
    [116.0 * y - 16.0, 500.0 * (x - y), 200.0 * (y - z)]
}

fn difference(a: Color, b: Color, vision: &[[f64; 3]; 3]) -> f64 {
    let (a, b) = (lab(product(vision, linear(a))), lab(product(vision, linear(b))));
    a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum::<f64>().sqrt()
}

#[test]
fn the_measures_are_right() {
    assert!((contrast(Color::WHITE, Color::BLACK) - 21.0).abs() < 1e-9);
    // Known from every table of accessible greys.
    assert!((contrast(Color::hex(0x76_76_76), Color::WHITE) - 4.54).abs() < 0.01);
    // Pure red is L*a*b* 53.24, 80.09, 67.20.
    let red = lab(linear(Color::RED));
    assert!(red.iter().zip([53.24, 80.09, 67.20]).all(|(a, b)| (a - b).abs() < 0.05), "{red:?}");
    // Red and green, which the labs keep, are a classic mistake.
    assert!(difference(Color::hex(0xb0_40_00), Color::hex(0x50_70_00), &VISIONS[2].1) < 20.0);
}

#[test]
fn every_paint_stands_out_from_its_paper() {
    for theme in [Theme::Light, Theme::Dark] {
        let paper = Paint::PAPER.on(theme);
        for (name, paint) in LINES {
            let contrast = contrast(paint.on(theme), paper);
            assert!(contrast >= 3.0, "{name} on {theme:?}: {contrast:.2}");
        }
        // Text needs more than lines (WCAG 2.2, criterion 1.4.3).
        for paint in [Paint::TITLE, Paint::INK, Paint::MARK] {
            assert!(contrast(paint.on(theme), paper) >= 4.5, "{paint:?} on {theme:?}");
        }
    }
    for paint in
        [chapter::GREEN, chapter::BLUE, chapter::ORANGE, chapter::RED, chapter::PURPLE, chapter::AMBER]
    {
        assert!(contrast(paint.dark, Paint::PAPER.dark) >= 3.0, "{paint:?}");
    }
}

#[test]
fn every_eye_tells_the_paints_apart() {
    // A difference of 2.3 is just noticeable side by side; 20 is a plain one for thin lines apart from each other.
    for theme in [Theme::Light, Theme::Dark] {
        for (vision, matrix) in &VISIONS {
            for (i, (a, first)) in LINES.iter().enumerate() {
                for (b, second) in &LINES[i + 1..] {
                    let difference = difference(first.on(theme), second.on(theme), matrix);
                    assert!(difference >= 20.0, "{a} and {b}, {vision}, {theme:?}: {difference:.1}");
                }
            }
        }
    }
}
