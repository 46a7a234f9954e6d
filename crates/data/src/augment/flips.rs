//! Which ways an image is mirrored.

/// Which ways an image is mirrored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Flips {
    /// Left and right change places.
    pub horizontal: bool,
    /// Top and bottom change places.
    pub vertical: bool,
}

impl Flips {
    /// Both, one after the other: twice the same flip is none.
    #[must_use]
    pub fn followed_by(self, next: Self) -> Self {
        Self { horizontal: self.horizontal != next.horizontal, vertical: self.vertical != next.vertical }
    }
}
