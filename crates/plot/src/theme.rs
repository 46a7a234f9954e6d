//! What a picture is drawn for, and the colour of each thing in it.

use crate::Color;

/// Whether a picture stands on a light or on a dark page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Theme {
    /// White paper.
    #[default]
    Light,
    /// Near-black paper.
    Dark,
}

/// How a chart becomes pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Look {
    /// Its paper and colours.
    pub theme: Theme,
    /// Pixels across and down for each pixel of the layout, taken as 1–4. Lines and letters grow with it.
    pub scale: u32,
}

impl Look {
    /// For screens of today: two pixels for one, on white.
    pub const SCREEN: Self = Self { theme: Theme::Light, scale: 2 };
    /// The same on dark paper.
    pub const DARK: Self = Self { theme: Theme::Dark, scale: 2 };
    /// A pixel for a pixel, on white: for animations.
    pub const PLAIN: Self = Self { theme: Theme::Light, scale: 1 };

    pub(crate) fn scale(self) -> u32 {
        self.scale.clamp(1, 4)
    }
}

/// The colour of a thing on either paper.
///
/// The same thing has the same paint in every picture. The paints for lines stand out from their paper with a
/// contrast of at least 3:1 (WCAG 2.2, criterion 1.4.11) and, by 20 units of CIELAB, from each other for people with
/// any or no deficiency of colour vision; a test computes both.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Paint {
    /// On white.
    pub light: Color,
    /// On near-black.
    pub dark: Color,
}

impl From<Color> for Paint {
    /// The same on both.
    fn from(color: Color) -> Self {
        Self { light: color, dark: color }
    }
}

impl Paint {
    /// What the training images give: blue.
    pub const TRAIN: Self = Self::hex(0x11_58_8f, 0x8c_cb_ff);
    /// What the validation images give: orange.
    pub const VALIDATION: Self = Self::hex(0xc6_3c_06, 0xe0_7b_39);
    /// What the test images give: green.
    pub const TEST: Self = Self::hex(0x34_a0_5a, 0xb9_f2_8c);
    /// The learning rate: purple.
    pub const LEARNING_RATE: Self = Self::hex(0xb5_3f_dc, 0xc9_4f_e0);
    /// The best epoch and other marks, remarks: grey.
    pub const MARK: Self = Self::hex(0x75_75_75, 0x9a_a0_a6);

    /// What everything is drawn on.
    pub const PAPER: Self = Self::hex(0xff_ff_ff, 0x16_18_1d);
    /// Titles.
    pub const TITLE: Self = Self::hex(0x00_00_00, 0xf4_f4_f4);
    /// Axes and labels.
    pub const INK: Self = Self::hex(0x33_33_33, 0xd0_d3_d6);
    /// Frames of legends and images.
    pub const FRAME: Self = Self::hex(0xcc_cc_cc, 0x4a_4e_55);
    /// Grid lines.
    pub const GRID: Self = Self::hex(0xe8_e8_e8, 0x2a_2d_33);

    /// `0xrrggbb` on white and on near-black.
    const fn hex(light: u32, dark: u32) -> Self {
        Self { light: Color::hex(light), dark: Color::hex(dark) }
    }

    /// The colour on that paper.
    #[must_use]
    pub fn on(self, theme: Theme) -> Color {
        match theme {
            Theme::Light => self.light,
            Theme::Dark => self.dark,
        }
    }
}

/// The colours of the book's chapter, which the labs' pictures keep; on dark paper lighter ones of the same hue.
pub mod chapter {
    use super::{Color, Paint};

    /// Accuracy of training; the fit with dropout.
    pub const GREEN: Paint = Paint { light: Color::GREEN, dark: Color::hex(0x4c_c9_4c) };
    /// Accuracy of validation; the network with batch normalisation; the plain fit.
    pub const BLUE: Paint = Paint { light: Color::BLUE, dark: Color::hex(0x82_96_ff) };
    /// Loss of training.
    pub const ORANGE: Paint = Paint { light: Color::ORANGE, dark: Color::ORANGE };
    /// Loss of validation.
    pub const RED: Paint = Paint { light: Color::RED, dark: Color::hex(0xff_6b_6b) };
    /// Training points.
    pub const PURPLE: Paint = Paint { light: Color::PURPLE, dark: Color::hex(0xd7_7b_d7) };
    /// Test points; the network without batch normalisation.
    pub const AMBER: Paint = Paint { light: Color::AMBER, dark: Color::AMBER };
}

#[cfg(test)]
mod tests;
