//! Animations, read back by the GIF decoder.

#![expect(clippy::unwrap_used, reason = "a helper that fails fails its test")]

use std::fs::File;
use std::path::Path;

use wellfit_plot::{DropoutChart, Look, Picture, animation, dropout_chart, loss_chart};

/// The frames as shown, RGB, and their delays in hundredths of a second.
fn shown(path: &Path) -> (Vec<Vec<u8>>, Vec<u16>, gif::Repeat) {
    let mut options = gif::DecodeOptions::new();
    options.set_color_output(gif::ColorOutput::RGBA);
    let mut decoder = options.read_info(File::open(path).unwrap()).unwrap();
    let width = usize::from(decoder.width());
    let mut screen = vec![0; width * usize::from(decoder.height()) * 3];
    let (mut frames, mut delays) = (Vec::new(), Vec::new());
    while let Some(frame) = decoder.read_next_frame().unwrap() {
        for (y, row) in frame.buffer.chunks(usize::from(frame.width) * 4).enumerate() {
            for (x, pixel) in row.chunks(4).enumerate() {
                let start = ((y + usize::from(frame.top)) * width + x + usize::from(frame.left)) * 3;
                screen[start..start + 3].copy_from_slice(&pixel[..3]);
            }
        }
        frames.push(screen.clone());
        delays.push(frame.delay);
    }
    (frames, delays, decoder.repeat())
}

fn dropout_frames() -> Vec<Picture> {
    let x: Vec<f64> = (0..20).map(|i| f64::from(i) / 10.0 - 1.0).collect();
    let frame = |step: usize| {
        let fit: Vec<f64> = x.iter().map(|x| x + 0.1 * step as f64 * (9.0 * x).sin()).collect();
        dropout_chart(&DropoutChart {
            train: (&x, &x),
            test: (&x, &fit),
            fit_x: &x,
            fit: &fit,
            fit_dropout: &x,
            epoch: 50 * step,
            loss: 0.1,
            loss_dropout: 0.05,
        })
        .draw(Look::PLAIN)
    };
    (1..=5).map(frame).collect()
}

#[test]
fn an_animation_reads_back_as_its_frames() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("dropout.gif");
    let frames = dropout_frames();
    animation(&frames, 304, &path).unwrap();
    let (decoded, delays, repeat) = shown(&path);
    assert_eq!(decoded.len(), 5);
    assert_eq!(delays, [30; 5]);
    assert_eq!(repeat, gif::Repeat::Infinite);
    for (decoded, frame) in decoded.iter().zip(&frames) {
        let errors: Vec<u8> = decoded.iter().zip(frame.rgb()).map(|(a, b)| a.abs_diff(*b)).collect();
        // Most pixels are paper or full colours, which stay as they are; edges may be a few levels off.
        assert!(errors.iter().filter(|&&error| error > 1).count() < errors.len() / 50);
        let squares: f64 = errors.iter().map(|&error| f64::from(error).powi(2)).sum();
        let deviation = (squares / errors.len() as f64).sqrt();
        assert!(deviation < 1.0, "{deviation}");
    }
}

#[test]
fn the_same_frames_give_the_same_bytes() {
    let directory = tempfile::tempdir().unwrap();
    let bytes = |name| {
        let path = directory.path().join(name);
        animation(&dropout_frames(), 300, &path).unwrap();
        std::fs::read(path).unwrap()
    };
    assert_eq!(bytes("a.gif"), bytes("b.gif"));
}

#[test]
fn unchanged_frames_cost_almost_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let (one, ten) = (directory.path().join("1.gif"), directory.path().join("10.gif"));
    let picture = loss_chart(&[1.0, 0.5], &[1.0, 0.7]).draw(Look::PLAIN);
    animation(std::slice::from_ref(&picture), 300, &one).unwrap();
    animation(&vec![picture; 10], 0, &ten).unwrap();
    let size = |path: &Path| std::fs::metadata(path).unwrap().len();
    assert!(size(&ten) < size(&one) + 500, "{} {}", size(&ten), size(&one));
    assert_eq!(shown(&ten).1, [2; 10], "no faster than viewers show");
}

#[test]
fn impossible_animations_are_refused_by_name() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a.gif");
    let message = animation(&[], 300, &path).unwrap_err().to_string();
    assert!(message.contains("a.gif") && message.contains("no frames"), "{message}");
    let small = wellfit_plot::Chart { size: (100, 90), ..Default::default() }.draw(Look::PLAIN);
    let large = loss_chart(&[], &[]).draw(Look::PLAIN);
    let message = animation(&[large, small], 300, &path).unwrap_err().to_string();
    assert!(
        message.contains("frame 1") && message.contains("100×90") && message.contains("1000×700"),
        "{message}"
    );
    assert!(!path.exists());
}
