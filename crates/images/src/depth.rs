//! What becomes of grey numbers that do not fit a byte.

/// How grey of more than 8 bits becomes a level from 0 to 255. (Colours of 16 bits always keep their high byte.)
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Depth {
    /// Cut off at 255, as Pillow and so torchvision do: a picture that uses all 16 bits turns white.
    #[default]
    Clip,
    /// Divided, so that the largest number of the file's type becomes 255 (for floating-point numbers: 1).
    Scale,
}

impl Depth {
    /// The level of `value`, a number of a type whose largest is `most`. NaN is 0.
    #[must_use]
    pub fn level(self, value: f64, most: f64) -> u8 {
        match self {
            // The cast cuts off at both ends.
            Self::Clip => value as u8,
            Self::Scale => (value * 255.0 / most).round() as u8,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_are_cut_off_or_scaled() {
        let both = |value, most| [Depth::Clip, Depth::Scale].map(|depth| depth.level(value, most));
        assert_eq!(both(65535.0, 65535.0), [255, 255]);
        assert_eq!(both(300.0, 65535.0), [255, 1]);
        assert_eq!(both(200.0, 65535.0), [200, 1]);
        assert_eq!(both(-3.0, 32767.0), [0, 0]);
        assert_eq!(both(0.5, 1.0), [0, 128]);
        assert_eq!(both(f64::NAN, 1.0), [0, 0]);
    }
}
