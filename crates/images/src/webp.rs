//! What WebP's decoder takes memory for, checked before it does.

/// Whether the picture is stored lossily (`VP8 `), each macroblock of 16×16 pixels then taking a bit or more: the
/// modes of its luma and chroma are coded with fixed probabilities (RFC 6386, 11.2), the likeliest in two bits.
pub(crate) fn is_lossy(bytes: &[u8]) -> bool {
    let mut rest = bytes.get(12..).unwrap_or_default();
    while let Some((name, after)) = rest.split_first_chunk::<4>() {
        match (name, after.split_first_chunk::<4>()) {
            (b"VP8 ", _) => return true,
            (b"VP8L" | b"ANMF", _) | (_, None) => return false,
            // Chunks begin at even places.
            (_, Some((length, body))) => {
                let length = u32::from_le_bytes(*length) as usize;
                rest = body.get(length.next_multiple_of(2)..).unwrap_or_default();
            }
        }
    }
    false
}
