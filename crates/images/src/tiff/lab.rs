//! CIELab under D50 to sRGB, as Pillow lets LittleCMS do it.
//!
//! LittleCMS computes 33 steps of each coordinate and goes straight between them, which is off by up to nine levels
//! where colours leave sRGB. A network was trained on that, so it is done here, too.

use std::sync::OnceLock;

/// Steps of each coordinate that are computed.
const STEPS: usize = 33;

/// RGB from 0 to 1 at each step of L, a and b.
type Grid = Vec<[f32; 3]>;

/// L from 0 to 255, a and b signed.
pub(super) fn lab_to_rgb(l: u8, a: i8, b: i8) -> [u8; 3] {
    static GRID: OnceLock<Grid> = OnceLock::new();
    let grid = GRID.get_or_init(grid);
    let places =
        [l, (a as u8) ^ 128, (b as u8) ^ 128].map(|value| f32::from(value) / 255.0 * (STEPS - 1) as f32);
    let lows = places.map(|place| (place as usize).min(STEPS - 2));
    let parts: [f32; 3] = std::array::from_fn(|i| places[i] - lows[i] as f32);
    // From the lower corner of a cube to the upper one along its edges, the coordinate with the largest part first:
    // the corners of the tetrahedron that the colour is in.
    let mut order = [0, 1, 2];
    order.sort_by(|&i, &j| parts[j].total_cmp(&parts[i]));
    let corner = |at: [usize; 3]| grid[(at[0] * STEPS + at[1]) * STEPS + at[2]];
    let (mut at, mut before) = (lows, corner(lows));
    let mut rgb = before;
    for i in order {
        at[i] += 1;
        let here = corner(at);
        for (level, (here, before)) in rgb.iter_mut().zip(here.into_iter().zip(before)) {
            *level += parts[i] * (here - before);
        }
        before = here;
    }
    rgb.map(|level| (level * 255.0).round() as u8)
}

fn grid() -> Grid {
    let share = |i: usize| i as f64 / (STEPS - 1) as f64;
    let all = (0..STEPS).flat_map(|l| (0..STEPS).flat_map(move |a| (0..STEPS).map(move |b| [l, a, b])));
    all.map(|[l, a, b]| exact(100.0 * share(l), 255.0 * share(a) - 128.0, 255.0 * share(b) - 128.0)).collect()
}

/// CIE 1976, and sRGB's matrix and curve (IEC 61966-2-1) with its white brought to D50 by Bradford's method.
fn exact(l: f64, a: f64, b: f64) -> [f32; 3] {
    const MATRIX: [[f64; 3]; 3] = [
        [3.134_136, -1.617_386, -0.490_662],
        [-0.978_796, 1.916_254, 0.033_443],
        [0.071_955, -0.228_977, 1.405_386],
    ];
    let edge = 6.0_f64 / 29.0;
    let cube = |t: f64| if t > edge { t.powi(3) } else { 3.0 * edge * edge * (t - 4.0 / 29.0) };
    let y = (l + 16.0) / 116.0;
    let xyz = [0.9642 * cube(y + a / 500.0), cube(y), 0.8249 * cube(y - b / 200.0)];
    MATRIX.map(|row| {
        let light: f64 = row.iter().zip(xyz).map(|(factor, value)| factor * value).sum();
        let light = light.clamp(0.0, 1.0);
        (if light <= 0.003_130_8 { 12.92 * light } else { 1.055 * libm::pow(light, 1.0 / 2.4) - 0.055 })
            as f32
    })
}
