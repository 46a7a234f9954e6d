//! JPEG XL, by the crate `jxl-oxide`: the first frame as sRGB.

use jxl_oxide::{
    AllocTracker, EnumColourEncoding, InitializeResult, JxlImage, JxlThreadPool, RenderingIntent,
};

use crate::error::Defect;
use crate::picture::{RawImage, check_size};

/// The most memory the decoder may take.
const MEMORY: usize = 768 << 20;

/// Decode a whole file to RGB; alpha is dropped.
pub(crate) fn decode(bytes: &[u8]) -> Result<RawImage, Defect> {
    let unreadable = |error: Box<dyn std::error::Error + Send + Sync>| Defect::Unreadable(error.to_string());
    let builder = JxlImage::builder();
    let builder = builder.pool(JxlThreadPool::none()).alloc_tracker(AllocTracker::with_limit(MEMORY));
    let mut start = builder.build_uninit();
    start.feed_bytes(bytes).map_err(unreadable)?;
    let mut image = match start.try_init().map_err(unreadable)? {
        InitializeResult::Initialized(image) => image,
        InitializeResult::NeedMoreData(_) => return Err(Defect::Truncated),
    };
    check_size(image.width().into(), image.height().into())?;
    if !image.is_loading_done() {
        return Err(Defect::Truncated);
    }
    image.request_color_encoding(EnumColourEncoding::srgb(RenderingIntent::Relative));
    let frame = image.render_frame(0).map_err(unreadable)?;
    let mut stream = frame.stream_no_alpha();
    let [width, height, channels] = [stream.width(), stream.height(), stream.channels()].map(|n| n as usize);
    let mut values = vec![0_u8; width * height * channels];
    stream.write_to_buffer(&mut values);
    let pixels = match channels {
        1 => values.into_iter().flat_map(|grey| [grey; 3]).collect(),
        3 => values,
        _ => return Err(Defect::Unsupported("JPEG XL of inks".into())),
    };
    Ok(RawImage { height, width, channels: 3, pixels, deep: false })
}
