//! The line of a normalisation's gradient.

/// dx = of_g·g + (of_x·x + constant), per channel.
#[derive(Debug, Default)]
pub(super) struct Coefficients {
    pub of_g: Vec<f32>,
    pub of_x: Vec<f32>,
    pub constant: Vec<f32>,
}
