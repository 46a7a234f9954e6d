//! At most 256 colours for many pictures, and a quick way to each pixel's.

use std::collections::BTreeMap;

use crate::Picture;

/// Colours are sorted into bins by their upper 5, 6 and 5 bits.
const BINS: usize = 1 << 16;

/// Colours of an animation: exact if they are no more than 256, else the best 256 found.
pub(crate) struct Palette {
    /// Red, green, blue of each colour.
    pub rgb: Vec<u8>,
    index: Index,
}

enum Index {
    Exact(BTreeMap<[u8; 3], u8>),
    Binned(Vec<u8>),
}

impl Palette {
    pub fn of(pictures: &[Picture]) -> Self {
        exact(pictures).unwrap_or_else(|| binned(pictures))
    }

    /// The colour's place in the palette, for each RGB pixel.
    pub fn indices(&self, rgb: &[u8]) -> Vec<u8> {
        let (mut last, mut index) = ([0; 3], self.find([0; 3]));
        let pixel = |&pixel: &[u8; 3]| {
            if pixel != last {
                (last, index) = (pixel, self.find(pixel));
            }
            index
        };
        rgb.as_chunks().0.iter().map(pixel).collect()
    }

    fn find(&self, pixel: [u8; 3]) -> u8 {
        match &self.index {
            Index::Exact(colors) => colors.get(&pixel).copied().unwrap_or(0),
            Index::Binned(bins) => bins[bin(pixel)],
        }
    }
}

/// All colours, if few.
fn exact(pictures: &[Picture]) -> Option<Palette> {
    let mut colors = BTreeMap::new();
    for run in runs(pictures) {
        if !colors.contains_key(&run.0) {
            if colors.len() == 256 {
                return None;
            }
            colors.insert(run.0, 0);
        }
    }
    colors.values_mut().enumerate().for_each(|(i, index)| *index = i as u8);
    Some(Palette { rgb: colors.keys().flatten().copied().collect(), index: Index::Exact(colors) })
}

/// Neighbouring pixels of one colour: the colour and their number. Charts are mostly long runs.
fn runs(pictures: &[Picture]) -> impl Iterator<Item = ([u8; 3], u64)> {
    let pixels = pictures.iter().map(|picture| picture.rgb().as_chunks::<3>().0);
    pixels.flat_map(|pixels| pixels.chunk_by(|a, b| a == b)).map(|run| (run[0], run.len() as u64))
}

fn bin([red, green, blue]: [u8; 3]) -> usize {
    usize::from(red >> 3) << 11 | usize::from(green >> 2) << 5 | usize::from(blue >> 3)
}

/// The pixels of a bin: their number and the sums of their channels.
#[derive(Clone, Copy, Default)]
struct Bin {
    id: usize,
    count: u64,
    sums: [u64; 3],
}

impl Bin {
    fn mean(&self, channel: usize) -> f64 {
        self.sums[channel] as f64 / self.count as f64
    }
}

/// Cut the set of colours again and again where it is most spread out (Heckbert 1982, by variance).
fn binned(pictures: &[Picture]) -> Palette {
    let mut bins: Vec<Bin> = (0..BINS).map(|id| Bin { id, ..Bin::default() }).collect();
    for (color, count) in runs(pictures) {
        let bin = &mut bins[bin(color)];
        bin.count += count;
        bin.sums.iter_mut().zip(color).for_each(|(sum, channel)| *sum += count * u64::from(channel));
    }
    bins.retain(|bin| bin.count > 0);
    let groups = split(bins);
    let mut index = vec![0; BINS];
    let mut rgb = Vec::with_capacity(groups.len() * 3);
    for (i, group) in groups.iter().enumerate() {
        group.bins.iter().for_each(|bin| index[bin.id] = i as u8);
        rgb.extend(group.mean.map(|mean| mean.round() as u8));
    }
    Palette { rgb, index: Index::Binned(index) }
}

struct Group {
    bins: Vec<Bin>,
    mean: [f64; 3],
    /// The channel with the largest sum of squared distances from the mean, and that sum.
    widest: usize,
    spread: f64,
}

impl Group {
    fn new(bins: Vec<Bin>) -> Self {
        let count = bins.iter().map(|bin| bin.count).sum::<u64>() as f64;
        let mean = [0, 1, 2].map(|c| bins.iter().map(|bin| bin.sums[c]).sum::<u64>() as f64 / count);
        let spread =
            |c: usize| bins.iter().map(|bin| bin.count as f64 * (bin.mean(c) - mean[c]).powi(2)).sum::<f64>();
        let spreads = [0, 1, 2].map(spread);
        let widest = (0..3).max_by(|&a, &b| spreads[a].total_cmp(&spreads[b])).unwrap_or(0);
        Self { bins, mean, widest, spread: spreads[widest] }
    }
}

fn split(bins: Vec<Bin>) -> Vec<Group> {
    let mut groups = vec![Group::new(bins)];
    // Counted, not "until there are 256": rounding may leave a group that no cut divides.
    for _ in 1..256 {
        let by_spread = |&a: &usize, &b: &usize| groups[a].spread.total_cmp(&groups[b].spread);
        let Some(most) = (0..groups.len()).filter(|&i| groups[i].spread > 0.0).max_by(by_spread) else {
            break;
        };
        let group = groups.swap_remove(most);
        let (c, mean) = (group.widest, group.mean[group.widest]);
        let (below, above): (Vec<Bin>, Vec<Bin>) = group.bins.into_iter().partition(|bin| bin.mean(c) < mean);
        groups.extend([below, above].into_iter().filter(|half| !half.is_empty()).map(Group::new));
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Color;

    fn picture(pixels: impl Iterator<Item = [u8; 3]>) -> Picture {
        let rgb: Vec<u8> = pixels.flatten().collect();
        Picture::new(rgb.len() as u32 / 3, 1, 1, rgb)
    }

    fn painted(palette: &Palette, picture: &Picture) -> Vec<u8> {
        let colors = palette.rgb.as_chunks::<3>().0;
        palette.indices(picture.rgb()).iter().flat_map(|&i| colors[usize::from(i)]).collect()
    }

    #[test]
    fn few_colours_are_kept_exactly() {
        let pictures = [0_u8, 128].map(|base| picture((0..128).map(|i| [base + i, 255 - i, 7])));
        let palette = Palette::of(&pictures);
        assert_eq!(palette.rgb.len(), 256 * 3);
        for picture in &pictures {
            assert_eq!(painted(&palette, picture), picture.rgb());
        }
    }

    #[test]
    fn many_colours_come_close_and_the_paper_stays_white() {
        let colours = (0..100_000_u32).map(|i| {
            if i % 3 > 0 { [255; 3] } else { Color::hex(i.wrapping_mul(2_654_435_761) >> 8).channels() }
        });
        let picture = picture(colours);
        let palette = Palette::of(std::slice::from_ref(&picture));
        assert_eq!(palette.rgb.len(), 256 * 3);
        let painted = painted(&palette, &picture);
        let errors = painted.iter().zip(picture.rgb()).map(|(a, b)| f64::from(a.abs_diff(*b)).powi(2));
        // A third of the pixels have three wrong channels, so this is the deviation of one channel of one of
        // these. 256 equal cells of the colour cube measure about 40 levels a side: 40/√12 ≈ 12.
        let deviation = (errors.sum::<f64>() / 100_000.0).sqrt();
        assert!(deviation < 14.0, "{deviation}");
        assert!(painted[3..6].iter().all(|&channel| channel >= 254));
    }
}
