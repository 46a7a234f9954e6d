//! Which files are images: by the ends of their names, and by their first bytes.

/// The ends of the names, in any case, of files that [`decode_file`](crate::decode_file) reads: those that torchvision
/// takes for images, and some more.
pub const EXTENSIONS: [&str; 15] = [
    "jpg", "jpeg", "jpe", "jfif", "png", "ppm", "pgm", "pbm", "pnm", "bmp", "tif", "tiff", "webp", "gif",
    "jxl",
];

/// The ends of the names of images that cannot be read, so that nobody passes over them in silence.
pub const UNREADABLE_EXTENSIONS: [&str; 30] = [
    "avif", "heic", "heif", "hif", "jp2", "j2k", "jpf", "jpx", "svg", "svgz", "ico", "icns", "tga", "psd",
    "raw", "dng", "cr2", "cr3", "nef", "arw", "orf", "rw2", "raf", "pam", "exr", "hdr", "dcm", "npy", "pcx",
    "apng",
];

/// A format that can be decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    Jpeg,
    Png,
    Pnm,
    Bmp,
    Tiff,
    WebP,
    Gif,
    Jxl,
}

/// The format, by the first bytes.
pub(crate) fn format_of(bytes: &[u8]) -> Option<Format> {
    let starts: [(&[u8], Format); 11] = [
        (b"\xff\xd8\xff", Format::Jpeg),
        (b"\x89PNG\r\n\x1a\n", Format::Png),
        (b"GIF87a", Format::Gif),
        (b"GIF89a", Format::Gif),
        (b"BM", Format::Bmp),
        (b"II*\0", Format::Tiff),
        (b"MM\0*", Format::Tiff),
        (b"II+\0", Format::Tiff),
        (b"MM\0+", Format::Tiff),
        (b"\xff\x0a", Format::Jxl),
        (b"\0\0\0\x0cJXL \r\n\x87\n", Format::Jxl),
    ];
    if let Some((_, format)) = starts.into_iter().find(|(start, _)| bytes.starts_with(start)) {
        return Some(format);
    }
    match bytes {
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some(Format::WebP),
        [b'P', b'1'..=b'6', next, ..] if next.is_ascii_whitespace() || *next == b'#' => Some(Format::Pnm),
        _ => None,
    }
}

/// An image of a format that cannot be decoded, by its first bytes.
pub(crate) fn unreadable(bytes: &[u8]) -> Option<&'static str> {
    match bytes.get(4..12) {
        Some(b"ftypavif" | b"ftypavis") => return Some("AVIF"),
        Some(b"ftypheic" | b"ftypheix" | b"ftyphevc" | b"ftypmif1" | b"ftypmsf1") => return Some("HEIC"),
        _ => {}
    }
    let starts: [(&[u8], &str); 7] = [
        (b"\0\0\0\x0cjP  ", "JPEG 2000"),
        (b"\xff\x4f\xff\x51", "JPEG 2000"),
        (b"8BPS", "Photoshop's own format"),
        (b"\0\0\x01\0", "ICO"),
        (b"DDS ", "DDS"),
        (b"\x76\x2f\x31\x01", "OpenEXR"),
        (b"P7\n", "PAM"),
    ];
    starts.into_iter().find(|(start, _)| bytes.starts_with(start)).map(|(_, name)| name)
}
