//! Networks in 8-bit integers, for serving: static quantisation after training (Jacob et al. 2018, arXiv:1712.05877;
//! Krishnamoorthi 2018, arXiv:1806.08342).
//!
//! A [`Calibration`] watches the values of a trained network on images and chooses a range for each value that a product
//! reads. A [`Quantised`] network is made of the two. Its convolutions and linear layers are computed in integers, with
//! one scale for the weights of each output channel, the normalisation behind them being part of what is done to the
//! sums; max pooling of their results stays in integers as well. All other operations are computed in f32, so every
//! architecture works.
//!
//! ```
//! use wellfit_models::int8::{Calibration, Quantised};
//! use wellfit_models::{Shape, build};
//! let mut network = build("resnet20", Shape::image(8, 8, 3), 10)?;
//! network.initialise(0);
//! let images = vec![0.5; 4 * 8 * 8 * 3];
//! let mut calibration = Calibration::new(&network);
//! calibration.watch(&network, &images)?;
//! let quantised = Quantised::new(&network, &calibration.ranges(&network)?)?;
//! assert_eq!(quantised.evaluate(&images).len(), 4 * 10);
//! # Ok::<(), wellfit_models::ModelError>(())
//! ```
//!
//! * [`calibration`] from images to ranges; `histogram`: the range with the least error
//! * `layers`: which steps are computed in integers
//! * [`quantised`] the network and its pass
//! * `file`: to and from arrays

pub mod calibration;
mod file;
mod histogram;
mod layers;
mod pass;
pub mod quantised;

pub use calibration::{Calibration, Ranges};
pub use quantised::Quantised;
