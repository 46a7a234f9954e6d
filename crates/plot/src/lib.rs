//! Pictures of training: curves, scatter plots, image grids and animations.
//!
//! A [`Chart`] is plain data; [`Chart::draw`] makes a [`Picture`] of it, as large and as light or dark as a [`Look`] says, which goes to a PNG file or, with
//! others, into a GIF ([`animation`]); [`Chart::svg`] makes an SVG document with the same layout. Ready-made are
//! [`accuracy_chart`], [`loss_chart`], [`twin_loss_chart`] and [`dropout_chart`]. The same data give the same
//! bytes on any number of threads.
//!
//! ```
//! use wellfit_plot::{Look, Mark, Theme, loss_chart};
//! let mut chart = loss_chart(&[0.9, 0.5, 0.3, 0.2], &[0.8, 0.6, 0.55, 0.7]);
//! chart.marks.push(Mark { x: 3.0, label: "best epoch".to_owned() });
//! let picture = chart.draw(Look::SCREEN);
//! assert_eq!((picture.width(), picture.height()), (2000, 1400));
//! assert!(chart.svg(Theme::Light).contains("best epoch"));
//! ```

mod animation;
mod canvas;
mod chart;
mod charts;
mod color;
mod draw;
mod error;
mod fonts;
mod grid;
mod layout;
mod legend;
mod matrix;
mod palette;
mod picture;
mod range;
mod stroke;
mod surface;
mod svg;
mod text;
mod theme;
mod ticks;
mod view;

pub use animation::animation;
pub use chart::{Axis, Band, Chart, LineStyle, Mark, Numbers, Scatter, Series};
pub use charts::{
    DropoutChart, accuracy_chart, calibration_chart, dropout_chart, loss_chart, twin_loss_chart,
};
pub use color::Color;
pub use error::PlotError;
pub use grid::{GridCell, ImageGrid};
pub use matrix::ConfusionMatrix;
pub use picture::Picture;
pub use theme::{Look, Paint, Theme, recipe};
pub use ticks::ticks;
