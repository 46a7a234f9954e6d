//! Which images of an epoch were answered rightly, as a record holds it.

use crate::event::Event;
use wellfit_base::hash::hex;

impl Event {
    /// The answers to all validation images after an epoch.
    #[must_use]
    pub fn answers(epoch: u32, right: &[bool]) -> Self {
        let byte = |eight: &[bool]| {
            eight
                .iter()
                .enumerate()
                .fold(0_u8, |byte, (place, &right)| byte | (u8::from(right) << (7 - place)))
        };
        let bytes: Vec<u8> = right.chunks(8).map(byte).collect();
        Self::Answers { epoch, images: right.len() as u64, right: hex(&bytes) }
    }
}

/// The recorded answers of each epoch, in the order of the epochs: whether each image was answered rightly. None for an epoch
/// without them, or whose line does not hold as many as it says.
#[must_use]
pub fn answers(events: &[Event], epochs: u32) -> Vec<Option<Vec<bool>>> {
    let mut found = vec![None; epochs as usize];
    for event in events {
        let Event::Answers { epoch, images, right } = event else { continue };
        let place = epoch.checked_sub(1).and_then(|place| found.get_mut(place as usize));
        if let Some(place) = place {
            *place = bits(right, *images);
        }
    }
    found
}

fn bits(digits: &str, images: u64) -> Option<Vec<bool>> {
    let fours: Vec<u32> = digits.chars().map(|digit| digit.to_digit(16)).collect::<Option<_>>()?;
    if fours.len() as u64 != images.div_ceil(8) * 2 {
        return None;
    }
    let all = fours.iter().flat_map(|four| (0..4).map(move |place| four & (8 >> place) != 0));
    Some(all.take(images as usize).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_come_back_as_they_were() {
        for images in [0, 1, 7, 8, 9, 17] {
            let right: Vec<bool> = (0..images).map(|image| image % 3 != 1).collect();
            let events = [Event::answers(2, &right)];
            assert_eq!(answers(&events, 2), [None, Some(right)], "{images}");
        }
        let torn = Event::Answers { epoch: 1, images: 9, right: "ff".to_owned() };
        assert_eq!(answers(&[torn], 1), [None]);
    }
}
