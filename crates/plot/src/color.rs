//! Colours, with the names a chart needs.

/// An opaque sRGB colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Color {
    /// Red.
    pub red: u8,
    /// Green.
    pub green: u8,
    /// Blue.
    pub blue: u8,
}

impl Color {
    /// White.
    pub const WHITE: Self = Self::hex(0xff_ff_ff);
    /// Black.
    pub const BLACK: Self = Self::hex(0x00_00_00);
    /// CSS green, darker than pure green.
    pub const GREEN: Self = Self::hex(0x00_80_00);
    /// Pure blue.
    pub const BLUE: Self = Self::hex(0x00_00_ff);
    /// CSS orange.
    pub const ORANGE: Self = Self::hex(0xff_a5_00);
    /// Pure red.
    pub const RED: Self = Self::hex(0xff_00_00);
    /// CSS purple.
    pub const PURPLE: Self = Self::hex(0x80_00_80);
    /// A yellow dark enough to read on white.
    pub const AMBER: Self = Self::hex(0xe3_b5_05);

    /// The colour written `#rrggbb`, as the number `0xrrggbb`.
    #[must_use]
    pub const fn hex(rgb: u32) -> Self {
        Self { red: (rgb >> 16) as u8, green: (rgb >> 8) as u8, blue: rgb as u8 }
    }

    pub(crate) const fn channels(self) -> [u8; 3] {
        [self.red, self.green, self.blue]
    }
}
