//! The picture of a confusion matrix.

use std::collections::BTreeMap;

use crate::canvas::Canvas;
use crate::layout::{GAP, SMALL, TEXT, TITLE};
use crate::surface::{Anchor, Area, Surface};
use crate::svg::Document;
use crate::text::{fit, fit_middle, width};
use crate::{Look, Paint, Picture, PlotError, Theme};

/// The side of the whole square, which fewer classes do not fill and thousands exceed, in pixels of the layout.
const SIDE: usize = 780;
/// The largest side of a cell.
const LARGEST_CELL: usize = 64;
/// From this side on a cell has its number in it.
const NUMBERED_CELL: i32 = 22;
/// Below this side a cell is hard to see.
const SMALL_CELL: i32 = 5;
/// Room for the names of classes at most.
const NAMES: f32 = 180.0;
/// Beside the names: what rows and columns are.
const AXIS: i32 = 26;
/// Room for the title, and for the line below it.
const HEADINGS: [i32; 2] = [34, 26];
/// So that a title has room above two classes.
const NARROWEST: i32 = 420;
/// With a pixel for each, more classes than this make a picture that no screen shows.
const MOST_CLASSES: usize = 4000;

/// How often each class was taken for each: a square with a row for each class and a column for each answer.
///
/// A cell is the darker, the larger the share of its row's samples; right answers are blue, wrong ones orange. Few
/// classes have the counts in the cells and all names; of many classes some names are left out.
#[derive(Debug, Clone, Copy)]
pub struct ConfusionMatrix<'a> {
    /// Above the square; its middle is left out if it is too long.
    pub title: &'a str,
    /// In smaller letters below the title; shortened to fit.
    pub subtitle: &'a str,
    /// The names of the classes; shortened to fit.
    pub classes: &'a [String],
    /// Class, what it was taken for, and how many samples; pairs beyond the classes are left out.
    pub counts: &'a [(u32, u32, u64)],
}

impl ConfusionMatrix<'_> {
    /// The matrix as a picture.
    ///
    /// # Errors
    /// [`PlotError::TooLarge`] with more than 4000 classes.
    pub fn draw(&self, look: Look) -> Result<Picture, PlotError> {
        let layout = Layout::new(self)?;
        let mut canvas = Canvas::new(layout.size, look);
        self.draw_on(&mut canvas, &layout);
        Ok(canvas.into_picture())
    }

    /// The matrix as an SVG document with the same layout.
    ///
    /// # Errors
    /// [`PlotError::TooLarge`] with more than 4000 classes.
    pub fn svg(&self, theme: Theme) -> Result<String, PlotError> {
        let layout = Layout::new(self)?;
        let description = format!("Confusion matrix of {} classes", self.classes.len());
        let mut document = Document::new(layout.size, self.title, &description, theme);
        self.draw_on(&mut document, &layout);
        Ok(document.finish())
    }

    fn draw_on(&self, surface: &mut impl Surface, layout: &Layout) {
        let Area { left, top, right, bottom } = layout.area;
        let middle = layout.size.0 as f32 / 2.0;
        let room = layout.size.0 as f32 - 2.0 * GAP as f32;
        let baseline = GAP as f32 + 17.0;
        surface.text(
            &fit_middle(self.title, TITLE, room),
            TITLE,
            (middle, baseline),
            Anchor::Middle,
            Paint::TITLE,
        );
        let baseline = (HEADINGS[0] + 17) as f32;
        surface.text(&fit(self.subtitle, TEXT, room), TEXT, (middle, baseline), Anchor::Middle, Paint::INK);
        self.cells(surface, layout);
        surface.outline(
            Area { left: left - 1, top: top - 1, right: right + 1, bottom: bottom + 1 },
            Paint::FRAME,
        );
        let names = self.classes.iter().enumerate().step_by(layout.step);
        for (place, name) in names {
            let centre = place as f32 * layout.cell as f32 + layout.cell as f32 / 2.0;
            let name = fit(name, SMALL, layout.names);
            let (x, y) = (left as f32 - 6.0, top as f32 + centre + 0.36 * SMALL);
            surface.text(&name, SMALL, (x, y), Anchor::End, Paint::INK);
            let (x, y) = (left as f32 + centre + 0.36 * SMALL, bottom as f32 + 6.0);
            surface.text_up(&name, SMALL, (x, y), Anchor::End, Paint::INK);
        }
        let centre = |from: i32, to: i32| (from + to) as f32 / 2.0;
        surface.text_up("class", TEXT, (20.0, centre(top, bottom)), Anchor::Middle, Paint::INK);
        let y = layout.size.1 as f32 - 10.0;
        surface.text("taken for", TEXT, (centre(left, right), y), Anchor::Middle, Paint::INK);
    }

    fn cells(&self, surface: &mut impl Surface, layout: &Layout) {
        let count = self.classes.len() as u32;
        let mut counts: BTreeMap<(u32, u32), u64> = BTreeMap::new();
        for &(row, column, samples) in self.counts.iter().filter(|(row, column, _)| row.max(column) < &count)
        {
            *counts.entry((row, column)).or_default() += samples;
        }
        let mut totals: BTreeMap<u32, u64> = BTreeMap::new();
        counts.iter().for_each(|(&(row, _), samples)| *totals.entry(row).or_default() += samples);
        // A cell of a few pixels has to be darker to be seen.
        let faintest = if layout.cell < SMALL_CELL { 0.4 } else { 0.08 };
        for (&(row, column), &samples) in counts.iter().filter(|(_, samples)| **samples > 0) {
            let share = samples as f64 / totals.get(&row).map_or(1.0, |&total| total as f64);
            // By the root, so that a single mistake among a hundred samples is seen.
            let alpha = faintest + (1.0 - faintest) * share.sqrt() as f32;
            let color = if row == column { Paint::TRAIN } else { Paint::VALIDATION };
            let (left, top) =
                (layout.area.left + column as i32 * layout.cell, layout.area.top + row as i32 * layout.cell);
            let area = Area { left, top, right: left + layout.cell, bottom: top + layout.cell };
            surface.fill(area, color, alpha);
            let text = samples.to_string();
            if layout.cell >= NUMBERED_CELL && width(&text, SMALL) < layout.cell as f32 - 2.0 {
                let half = layout.cell as f32 / 2.0;
                let at = (left as f32 + half, top as f32 + half + 0.36 * SMALL);
                let color = if alpha > 0.55 { Paint::PAPER } else { Paint::INK };
                surface.text(&text, SMALL, at, Anchor::Middle, color);
            }
        }
    }
}

/// Where everything goes.
struct Layout {
    size: (u32, u32),
    /// The square of the cells.
    area: Area,
    /// The side of a cell.
    cell: i32,
    /// Every how many classes one is named.
    step: usize,
    /// Room for a name.
    names: f32,
}

impl Layout {
    fn new(matrix: &ConfusionMatrix<'_>) -> Result<Self, PlotError> {
        let count = matrix.classes.len();
        if count > MOST_CLASSES {
            return Err(PlotError::TooLarge { width: count as u64, height: count as u64 });
        }
        let cell = (SIDE / count.max(1)).clamp(1, LARGEST_CELL) as i32;
        let side = cell * count as i32;
        let step = (SMALL as usize + 2).div_ceil(cell as usize);
        let widest = matrix.classes.iter().step_by(step).map(|name| width(name, SMALL)).fold(0.0, f32::max);
        let names = widest.min(NAMES).ceil();
        let beside = AXIS + names as i32 + GAP;
        let across = (beside + side + 2 * GAP).max(NARROWEST);
        let left = beside + (across - beside - 2 * GAP - side) / 2;
        let top = HEADINGS.iter().sum::<i32>() + GAP;
        let area = Area { left, top, right: left + side, bottom: top + side };
        let size = (across as u32, (area.bottom + names as i32 + GAP + AXIS + 4) as u32);
        Ok(Self { size, area, cell, step, names })
    }
}
