//! Draws one picture of every kind: `cargo run --release -p wellfit-plot --example gallery -- DIRECTORY`.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::time::Instant;

use wellfit_plot::{
    Axis, Chart, Color, DropoutChart, GridCell, Mark, Numbers, Picture, Series, accuracy_chart, animation,
    dropout_chart, image_grid, loss_chart, twin_loss_chart,
};

fn main() -> Result<(), Box<dyn Error>> {
    let directory = PathBuf::from(std::env::args_os().nth(1).ok_or("say where: gallery DIRECTORY")?);
    std::fs::create_dir_all(&directory)?;
    let save = |name: &str, chart: &Chart| save(&directory, name, chart);

    let (train, validation) = losses();
    let accuracy = |losses: &[f64]| losses.iter().map(|loss| 1.0 - 0.5 * loss).collect::<Vec<_>>();
    save("accuracy", &accuracy_chart(&accuracy(&train), &accuracy(&validation)))?;
    save("loss", &marked(loss_chart(&train, &validation)))?;
    save("one-epoch", &accuracy_chart(&[0.71], &[0.74]))?;
    save("twin-loss", &twin_loss_chart(&iterations(2.3, 0.012, 0.06), &iterations(2.2, 0.03, 0.04)))?;
    save("awkward", &awkward())?;
    save("empty", &Chart { title: "Nothing yet".to_owned(), ..Chart::default() })?;
    grids(&directory)?;
    dropout(&directory)
}

fn save(directory: &Path, name: &str, chart: &Chart) -> Result<(), Box<dyn Error>> {
    let start = Instant::now();
    let picture = chart.draw();
    let drawn = start.elapsed();
    let bytes = picture.to_png_bytes()?;
    println!(
        "{name}: drawn in {drawn:.1?}, encoded in {:.1?}, {} bytes",
        start.elapsed() - drawn,
        bytes.len()
    );
    picture.save_png(directory.join(name).with_extension("png"))?;
    chart.save_svg(directory.join(name).with_extension("svg"))?;
    Ok(())
}

/// A number in −1..1 that looks random.
fn noise(i: usize) -> f64 {
    let bits = (i as u32 + 1).wrapping_mul(0x9E37_79B9);
    f64::from((bits ^ bits >> 15).wrapping_mul(0x85EB_CA6B) >> 8) / f64::from(1 << 23) - 1.0
}

/// Training goes on falling; validation turns at epoch 10 and rises.
fn losses() -> (Vec<f64>, Vec<f64>) {
    let train = (0..40).map(|i| 0.7 * (-0.1 * i as f64).exp() + 0.02 * noise(i)).collect();
    let validation =
        (0..40).map(|i| 0.45 + 0.0006 * (i as f64 - 10.0).powi(2) + 0.03 * noise(i + 99)).collect();
    (train, validation)
}

fn iterations(from: f64, rate: f64, wobble: f64) -> Vec<f64> {
    (0..236).map(|i| from * (-rate * i as f64).exp() + 0.4 + wobble * noise(3 * i)).collect()
}

fn marked(mut chart: Chart) -> Chart {
    let mark = |x, label: &str| Mark { x, label: label.to_owned() };
    chart.marks = vec![
        mark(10.0, "best epoch 10"),
        mark(16.0, "LR 0.0005"),
        mark(17.0, "LR 0.00025"),
        mark(40.0, "stopped at epoch 40"),
    ];
    chart
}

/// Gaps, lone points, an outlier, missing glyphs, names too long, large and small numbers.
fn awkward() -> Chart {
    let gaps = [0.1, 0.4, f64::NAN, 0.3, f64::INFINITY, 0.35, 0.5, 0.45, 1e9];
    let mut line =
        Series::counted("validation loss of a model with quite a long name, 핫도그", &gaps, Color::RED);
    line.marker = Some(3.0);
    Chart {
        title:
            "핫도그 Précision – Größe (Ω ≤ 5 µm) →  a title that is far too long for one line of this chart"
                .to_owned(),
        x: Axis::new("Epochs", Numbers::Whole),
        y: Axis { label: "Loss ✓".to_owned(), range: Some((0.0, 6e-1)), numbers: Numbers::Real },
        lines: vec![line, Series::counted("flat", &[0.2; 12], Color::BLUE)],
        ..Chart::default()
    }
}

/// A picture with a ring, for want of a shirt.
fn ring(side: usize, channels: usize, radius: f64) -> Vec<u8> {
    let value = |i: usize| {
        let (y, x) = ((i / channels / side) as f64, (i / channels % side) as f64);
        let middle = side as f64 / 2.0 - 0.5;
        let distance = (y - middle).hypot(x - middle) / side as f64;
        let shade = 255.0 * (-((distance - radius) * 12.0).powi(2)).exp();
        if i % channels == 1 { shade as u8 / 2 } else { shade as u8 }
    };
    (0..side * side * channels).map(value).collect()
}

fn grids(directory: &Path) -> Result<(), Box<dyn Error>> {
    let names = ["T-shirt/top", "Trouser", "Pullover", "Ankle boot"];
    let cell = |title: &str, side, channels, i: usize| GridCell {
        title: title.to_owned(),
        height: side,
        width: side,
        channels,
        pixels: ring(side, channels, 0.1 + 0.08 * i as f64),
    };
    let batch: Vec<_> = names.iter().enumerate().map(|(i, name)| cell(name, 28, 1, i)).collect();
    image_grid("A batch of 4", &batch, 4, 160)?.save_png(directory.join("batch.png"))?;
    let photos: Vec<_> =
        (0..10).map(|i| cell("hot dog, said to be not_hot_dog with 97 %", 224, 3, i % 4)).collect();
    image_grid("Worst mistakes", &photos, 4, 128)?.save_png(directory.join("photos.png"))?;
    Ok(())
}

/// The pictures of the dropout experiment and their animation.
fn dropout(directory: &Path) -> Result<(), Box<dyn Error>> {
    let x: Vec<f64> = (0..50).map(|i| f64::from(i) / 24.5 - 1.0).collect();
    let noisy = |from| x.iter().enumerate().map(|(i, x)| x + 0.5 * noise(i + from)).collect::<Vec<_>>();
    let (train, test) = (noisy(0), noisy(100));
    let start = Instant::now();
    let charts: Vec<Chart> = (1..=20)
        .map(|step| {
            let chase = f64::from(step) / 20.0;
            let fit: Vec<_> = x.iter().zip(&train).map(|(x, y)| x + chase * (y - x)).collect();
            let smooth: Vec<_> = x.iter().map(|x| x + 0.1 * chase * (3.0 * x).sin()).collect();
            dropout_chart(&DropoutChart {
                train: (&x, &train),
                test: (&x, &test),
                fit_x: &x,
                fit: &fit,
                fit_dropout: &smooth,
                epoch: 50 * step as usize,
                loss: 0.1 + 0.1 * chase,
                loss_dropout: 0.11,
            })
        })
        .collect();
    let frames: Vec<Picture> = charts.iter().map(Chart::draw).collect();
    let drawn = start.elapsed();
    for (i, frame) in frames.iter().enumerate() {
        frame.save_png(directory.join(format!("dropout-{:04}.png", 50 * (i + 1))))?;
    }
    charts[19].save_svg(directory.join("dropout-1000.svg"))?;
    let saved = start.elapsed();
    animation(&frames, 300, directory.join("dropout.gif"))?;
    println!(
        "dropout: 20 pictures drawn in {drawn:.1?}, saved in {:.1?}, animated in {:.1?}",
        saved - drawn,
        start.elapsed() - saved
    );
    Ok(())
}
