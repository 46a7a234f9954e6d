//! Turning the hue, as torchvision does it with Pillow: RGB to HSV in 8 bits, and back (`Convert.c`).

use super::image::Image;

/// Turn the hue by a part of a whole turn, from −0.5 to 0.5; a grey image stays.
pub fn turn_hue(image: &mut Image, turn: f64) {
    if image.channels == 1 {
        return;
    }
    let shift = (turn * 255.0) as i32 as u8;
    for pixel in image.pixels.as_chunks_mut::<3>().0 {
        let [hue, saturation, value] = to_hsv(*pixel);
        *pixel = to_rgb([hue.wrapping_add(shift), saturation, value]);
    }
}

fn to_hsv([r, g, b]: [u8; 3]) -> [u8; 3] {
    let (most, least) = (r.max(g).max(b), r.min(g).min(b));
    if most == least {
        return [0, 0, most];
    }
    let range = f32::from(most - least);
    let saturation = range / f32::from(most);
    let [rc, gc, bc] = [r, g, b].map(|c| f32::from(most - c) / range);
    let hue = if r == most {
        bc - gc
    } else if g == most {
        (2.0 + f64::from(rc) - f64::from(bc)) as f32
    } else {
        (4.0 + f64::from(gc) - f64::from(rc)) as f32
    };
    let hue = ((f64::from(hue) / 6.0 + 1.0) % 1.0) as f32;
    let level = |share: f32| (f64::from(share) * 255.0) as u8;
    [level(hue), level(saturation), most]
}

fn to_rgb([hue, saturation, value]: [u8; 3]) -> [u8; 3] {
    if saturation == 0 {
        return [value; 3];
    }
    let sixths = f64::from(hue) * 6.0 / 255.0;
    let sector = sixths.floor();
    let part = f64::from((sixths - sector) as f32);
    let share = f64::from((f64::from(saturation) / 255.0) as f32);
    let level = |loss: f64| (f64::from(value) * (1.0 - loss)).round() as u8;
    let (p, q, t) = (level(share), level(share * part), level(share * (1.0 - part)));
    match sector as u8 % 6 {
        0 => [value, t, p],
        1 => [q, value, p],
        2 => [p, value, t],
        3 => [p, q, value],
        4 => [t, p, value],
        _ => [value, p, q],
    }
}
