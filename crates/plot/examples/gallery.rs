//! Draws one picture of every kind: `cargo run --release -p wellfit-plot --example gallery -- DIRECTORY`.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::time::Instant;

use wellfit_base::atomic::replace;
use wellfit_plot::{
    Axis, Chart, ConfusionMatrix, DropoutChart, GridCell, ImageGrid, Look, Mark, Numbers, Paint, Picture,
    Series, Theme, accuracy_chart, animation, calibration_chart, dropout_chart, loss_chart, twin_loss_chart,
};

fn main() -> Result<(), Box<dyn Error>> {
    let directory = PathBuf::from(std::env::args_os().nth(1).ok_or("say where: gallery DIRECTORY")?);
    std::fs::create_dir_all(&directory)?;
    let save = |name: &str, chart: &Chart| save(&directory, name, chart);

    let (train, validation) = losses(40);
    let accuracy = |losses: &[f64]| losses.iter().map(|loss| 1.0 - 0.5 * loss).collect::<Vec<_>>();
    let titled = |title: &str, subtitle: &str, chart: Chart| Chart {
        title: title.to_owned(),
        subtitle: subtitle.to_owned(),
        ..chart
    };
    let best = "best epoch 10 of 40: validation accuracy 77.9 %, loss 0.4421";
    let chart = accuracy_chart(&accuracy(&train), &accuracy(&validation));
    save("accuracy", &marked(titled("Accuracy of animals-resnet20-1", best, chart)))?;
    save("loss", &marked(titled("Loss of animals-resnet20-1", best, loss_chart(&train, &validation))))?;
    let long = "Loss of a-folder-with-quite-a-long-name-as-people-have-them-on-their-disks-with-all-the-words-that-come-\
                to-mind-resnet18-17";
    save("long-name", &marked(titled(long, best, loss_chart(&train, &validation))))?;
    save(
        "one-epoch",
        &titled("Accuracy of sample-mlp-1", "best epoch 1 of 1", accuracy_chart(&[0.71], &[0.74])),
    )?;
    let (train, validation) = losses(300);
    save("long-run", &titled("Loss of sample-mlp-1", best, loss_chart(&train, &validation)))?;
    let mut gaps = train.clone();
    gaps[50..90].fill(f64::NAN);
    gaps[120] = f64::INFINITY;
    save("gaps", &titled("Loss of sample-mlp-1", best, loss_chart(&gaps, &[f64::NAN; 300])))?;
    save("twin-loss", &twin_loss_chart(&iterations(2.3, 0.012, 0.06), &iterations(2.2, 0.03, 0.04)))?;
    save("awkward", &awkward())?;
    save("scripts", &scripts())?;
    save("paints", &paints())?;
    save("empty", &titled("Nothing yet", "", Chart::default()))?;
    matrices(&directory)?;
    save("calibration", &calibration_chart(&[(0.3, 0.2, 0.05), (0.5, 0.44, 0.1), (0.97, 0.9, 0.85)]))?;
    grids(&directory)?;
    dropout(&directory)
}

/// The chart as PNG and SVG, on light and on dark paper.
fn save(directory: &Path, name: &str, chart: &Chart) -> Result<(), Box<dyn Error>> {
    let start = Instant::now();
    let picture = chart.draw(Look::SCREEN);
    let drawn = start.elapsed();
    let bytes = picture.to_png_bytes()?;
    println!(
        "{name}: drawn in {drawn:.1?}, encoded in {:.1?}, {} bytes",
        start.elapsed() - drawn,
        bytes.len()
    );
    picture.save_png(directory.join(name).with_extension("png"))?;
    chart.save_svg(Theme::Light, directory.join(name).with_extension("svg"))?;
    chart.draw(Look::DARK).save_png(directory.join(format!("{name}-dark.png")))?;
    Ok(chart.save_svg(Theme::Dark, directory.join(format!("{name}-dark.svg")))?)
}

/// Names in many scripts, each the name of a line.
fn scripts() -> Chart {
    let names = [
        "热狗 (中文)",
        "熱狗 (正體)",
        "ホットドッグ",
        "핫도그",
        "хот-дог, ґанок",
        "χοτ ντογκ",
        "נקניקייה",
        "هوت دوغ 12",
        "हॉट डॉग",
        "হট ডগ",
        "ஹாட் டாக்",
        "ฮอตดอก กี่",
        "bánh mì kẹp ậ",
        "𠮷野家 🌭",
    ];
    let line =
        |(i, name): (usize, &&str)| Series::new(*name, vec![(0.0, i as f64), (9.0, i as f64)], Paint::TRAIN);
    Chart {
        title: "Genauigkeit von 动物识别-ネコ-고양이-कुत्ता-خيول-resnet18-3".to_owned(),
        subtitle: "最佳 epoch 12 – כלב וחתול".to_owned(),
        x: Axis::new("Epochs – 轮次", Numbers::Whole),
        y: Axis::new("Verlust – 손실 – ความสูญเสีย", Numbers::Real),
        lines: names.iter().enumerate().map(line).collect(),
        marks: vec![Mark { x: 3.0, label: "最佳".to_owned() }],
        size: (1000, 700),
        ..Chart::default()
    }
}

/// The paints of lines beside each other.
fn paints() -> Chart {
    let paints = [
        ("train", Paint::TRAIN),
        ("validation", Paint::VALIDATION),
        ("test", Paint::TEST),
        ("learning rate", Paint::LEARNING_RATE),
        ("mark", Paint::MARK),
    ];
    let line = |(i, (name, paint)): (usize, &(&str, Paint))| {
        let points =
            (0..50).map(|x| (f64::from(x), i as f64 + (f64::from(x) / 5.0 + i as f64).sin())).collect();
        Series::new(*name, points, *paint)
    };
    Chart {
        title: "Paints".to_owned(),
        lines: paints.iter().enumerate().map(line).collect(),
        ..Chart::default()
    }
}

/// A number in −1..1 that looks random.
fn noise(i: usize) -> f64 {
    let bits = (i as u32 + 1).wrapping_mul(0x9E37_79B9);
    f64::from((bits ^ bits >> 15).wrapping_mul(0x85EB_CA6B) >> 8) / f64::from(1 << 23) - 1.0
}

/// Training goes on falling; validation turns at epoch 10 and rises.
fn losses(epochs: usize) -> (Vec<f64>, Vec<f64>) {
    let train = (0..epochs).map(|i| 0.7 * (-0.1 * i as f64).exp() + 0.02 * noise(i)).collect();
    let validation = (0..epochs)
        .map(|i| 0.45 + 0.54 * (i as f64 / epochs as f64 - 0.25).powi(2) + 0.03 * noise(i + 99))
        .collect();
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
    let mut line = Series::counted(
        "validation loss of a model with quite a long name, 핫도그",
        &gaps,
        Paint::VALIDATION,
    );
    line.marker = Some(3.0);
    Chart {
        title:
            "핫도그 Précision – Größe (Ω ≤ 5 µm) →  a title that is far too long for one line of this chart"
                .to_owned(),
        x: Axis::new("Epochs", Numbers::Whole),
        y: Axis { label: "Loss ✓".to_owned(), range: Some((0.0, 6e-1)), numbers: Numbers::Real },
        lines: vec![line, Series::counted("flat", &[0.2; 12], Paint::TRAIN)],
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
    let photos: Vec<_> =
        (0..10).map(|i| cell("hot dog, said to be not_hot_dog with 97 %", 224, 3, i % 4)).collect();
    let classes: Vec<_> = (0..100).map(|i| cell(&format!("{i} 类别{i}"), 32, 3, i % 10)).collect();
    let grids = [
        ("batch", "A batch of 4", &batch, 4, 160),
        ("photos", "Worst mistakes", &photos, 4, 128),
        ("classes", "A class a cell", &classes, 10, 96),
    ];
    for (name, title, cells, columns, cell_size) in grids {
        let grid =
            ImageGrid { title, subtitle: "images as the network reads them", cells, columns, cell_size };
        grid.draw(Look::SCREEN)?.save_png(directory.join(format!("{name}.png")))?;
        grid.draw(Look::DARK)?.save_png(directory.join(format!("{name}-dark.png")))?;
    }
    Ok(())
}

/// Confusion matrices from two to a thousand classes.
fn matrices(directory: &Path) -> Result<(), Box<dyn Error>> {
    for classes in [2_u32, 4, 10, 30, 101, 1000] {
        let names: Vec<String> = (0..classes)
            .map(|class| match class % 3 {
                0 => format!("class {class}"),
                1 => format!("핫도그 {class}"),
                _ => format!("a class with quite a long name, number {class}"),
            })
            .collect();
        let mut counts = Vec::new();
        for class in 0..classes {
            counts.push((class, class, 80 + u64::from(class % 15)));
            counts.push((class, (class + 1) % classes, u64::from(class % 9)));
            counts.push((class, class * 7 % classes, u64::from(class % 4)));
        }
        let matrix = ConfusionMatrix {
            title: "Confusion matrix of a-folder-with-quite-a-long-name-resnet18-17",
            subtitle: "test: accuracy 87.5 % of 1,000 images",
            classes: &names,
            counts: &counts,
        };
        let start = Instant::now();
        let bytes = matrix.draw(Look::SCREEN)?.to_png_bytes()?;
        println!("confusion-{classes}: {:.1?}, {} bytes", start.elapsed(), bytes.len());
        matrix.draw(Look::SCREEN)?.save_png(directory.join(format!("confusion-{classes}.png")))?;
        matrix.draw(Look::DARK)?.save_png(directory.join(format!("confusion-{classes}-dark.png")))?;
        replace(&directory.join(format!("confusion-{classes}.svg")), matrix.svg(Theme::Light)?.as_bytes())?;
    }
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
    let frames: Vec<Picture> = charts.iter().map(|chart| chart.draw(Look::PLAIN)).collect();
    let drawn = start.elapsed();
    for (i, frame) in frames.iter().enumerate() {
        frame.save_png(directory.join(format!("dropout-{:04}.png", 50 * (i + 1))))?;
    }
    save(directory, "dropout", &charts[19])?;
    let saved = start.elapsed();
    animation(&frames, 300, directory.join("dropout.gif"))?;
    println!(
        "dropout: 20 pictures drawn in {drawn:.1?}, saved in {:.1?}, animated in {:.1?}",
        saved - drawn,
        start.elapsed() - saved
    );
    Ok(())
}
