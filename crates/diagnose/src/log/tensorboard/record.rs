//! TFRecord: the frame around each event. A record is its length (u64, little-endian), the masked CRC-32C of that, the
//! content, and the masked CRC-32C of that (<https://www.tensorflow.org/tutorials/load_data/tfrecord>).

/// What a masked sum has been added to.
const MASK: u32 = 0xa282_ead8;
/// Bytes before the content.
const HEAD: usize = 12;

/// The masked CRC-32C of some bytes.
fn masked(bytes: &[u8]) -> u32 {
    crc32c::crc32c(bytes).rotate_right(15).wrapping_add(MASK)
}

/// Whether a file begins with a record.
pub fn is_events(bytes: &[u8]) -> bool {
    bytes.get(..HEAD).is_some_and(|head| head[8..] == masked(&head[..8]).to_le_bytes())
}

/// Some content in its frame.
#[must_use]
pub fn framed(content: &[u8]) -> Vec<u8> {
    let length = (content.len() as u64).to_le_bytes();
    [&length[..], &masked(&length).to_le_bytes(), content, &masked(content).to_le_bytes()].concat()
}

/// The contents of all records, and whether the file ends within one: its writer crashed, or is writing just now.
///
/// # Errors
/// If a sum is wrong.
pub fn records(mut bytes: &[u8]) -> Result<(Vec<&[u8]>, bool), String> {
    let (mut found, mut place) = (Vec::new(), 0);
    let damaged = |place: usize| format!("the record at byte {place} is damaged: its CRC-32C is wrong");
    while let Some((head, rest)) = bytes.split_at_checked(HEAD) {
        if !is_events(head) {
            return Err(damaged(place));
        }
        let length = head.first_chunk().map_or(0, |length| u64::from_le_bytes(*length));
        let parts = usize::try_from(length).ok().and_then(|length| {
            let (content, rest) = rest.split_at_checked(length)?;
            let (sum, rest) = rest.split_first_chunk::<4>()?;
            Some((content, sum, rest))
        });
        let Some((content, sum, rest)) = parts else { return Ok((found, true)) };
        if *sum != masked(content).to_le_bytes() {
            return Err(damaged(place));
        }
        found.push(content);
        place += HEAD + content.len() + sum.len();
        bytes = rest;
    }
    Ok((found, !bytes.is_empty()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_taken_out_of_their_frames_and_damage_is_found() {
        let file = [framed(b"one"), framed(b""), framed(b"three")].concat();
        assert!(is_events(&file) && !is_events(b"epoch,loss\n1,2\n"));
        assert_eq!(records(&file), Ok((vec![&b"one"[..], b"", b"three"], false)));
        for end in 0..file.len() {
            let (found, torn) = records(&file[..end]).unwrap();
            let whole = [framed(b"one").len(), framed(b"one").len() + framed(b"").len()];
            assert_eq!(found.len(), whole.iter().filter(|whole| **whole <= end).count(), "{end}");
            assert_eq!(torn, end != 0 && !whole.contains(&end), "{end}");
        }
        for place in 0..file.len() {
            let mut file = file.clone();
            file[place] ^= 1;
            assert!(records(&file).is_err(), "{place}");
        }
    }
}
