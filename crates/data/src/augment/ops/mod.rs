//! Changes to the 8-bit pixels of an image, to the level as torchvision makes them with Pillow's images.

mod affine;
mod enhance;
mod hue;
mod image;
mod levels;
mod op;
mod perspective;
mod sharpness;

pub use affine::About;
pub use image::Image;
pub use op::Op;
pub use perspective::Corners;
