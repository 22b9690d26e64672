// SPDX-License-Identifier: GPL-2.0

//! Plots of a group, as SVG: dots with bars for figures, curves for series.

use crate::{
    data::{
        mean,
        Figure,
        Group, //
    },
    text::amount, //
};
use plotters::{
    prelude::*,
    style::text_anchor::{
        HPos,
        Pos,
        VPos, //
    }, //
};

type Drawn = Result<(), Box<dyn std::error::Error>>;

/// Where a plot is shown.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Width {
    /// On a page: labels stand before the dots.
    Wide,
    /// On a telephone: labels stand above the dots.
    Narrow,
}

impl Width {
    /// Pixels.
    fn pixels(self) -> u32 {
        match self {
            Self::Wide => 760,
            Self::Narrow => 340,
        }
    }
}

/// Text, lines of the grid, the line of C.
const INK: RGBColor = RGBColor(0x1a, 0x1a, 0x1a);
const GRID: RGBColor = RGBColor(0xd0, 0xd0, 0xd0);
const BAND: RGBColor = RGBColor(0xf3, 0xf4, 0xf6);
/// At or below 1.00, above it, and what is no measure of that.
const GOOD: RGBColor = RGBColor(0x0b, 0x5c, 0xad);
const BAD: RGBColor = RGBColor(0xb0, 0x1e, 0x1e);
const GREY: RGBColor = RGBColor(0x76, 0x76, 0x76);
/// Of series, to be told apart by the colour-blind too (Okabe and Ito).
const SERIES: [RGBColor; 6] = [
    RGBColor(0x00, 0x72, 0xb2),
    RGBColor(0xd5, 0x5e, 0x00),
    RGBColor(0x00, 0x9e, 0x73),
    RGBColor(0xcc, 0x79, 0xa7),
    RGBColor(0x8a, 0x6d, 0x00),
    RGBColor(0x56, 0xb4, 0xe9),
];
/// Pixels of the axis' numbers, above and below.
const AXIS: u32 = 26;
/// Pixels of a letter, about.
const LETTER: u32 = 7;

/// plotters shrinks what it calls the size.
fn font(pixels: f64) -> (&'static str, f64) {
    ("sans-serif", pixels * 1.24)
}

fn label(h: HPos, v: VPos) -> TextStyle<'static> {
    font(13.0).into_font().color(&INK).pos(Pos::new(h, v))
}

/// A line of a plot: a figure, or those that differ by a number at the end of their names.
struct Row<'a> {
    label: String,
    figures: Vec<&'a Figure>,
}

impl<'a> Row<'a> {
    /// The row, or one for each of its figures: if there is one alone, or more than can be told apart.
    fn unless_crowded(self) -> Vec<Self> {
        if (2..=6).contains(&self.figures.len()) {
            return vec![self];
        }
        let alone = |figure: &'a Figure| Row {
            label: figure.name.clone(),
            figures: vec![figure],
        };
        self.figures.into_iter().map(alone).collect()
    }
}

/// The name without a number, perhaps of bytes, at its end.
fn stem(name: &str) -> &str {
    let whole = name.strip_suffix(" B").unwrap_or(name);
    let start = whole.trim_end_matches(|c: char| c.is_ascii_digit());
    if start.len() < whole.len() && start.ends_with(' ') {
        start.trim_end()
    } else {
        name
    }
}

fn rows(group: &Group) -> Vec<Row> {
    let mut rows: Vec<Row> = Vec::new();
    for figure in &group.figures {
        let stem = stem(&figure.name);
        match rows.iter_mut().find(|row| row.label == stem) {
            Some(row) => row.figures.push(figure),
            None => rows.push(Row {
                label: stem.to_owned(),
                figures: vec![figure],
            }),
        }
    }
    rows.into_iter().flat_map(Row::unless_crowded).collect()
}

fn shortened(text: &str, letters: usize) -> String {
    if text.chars().count() <= letters {
        return text.to_owned();
    }
    let kept: String = text.chars().take(letters.saturating_sub(1)).collect();
    kept.trim_end().to_owned() + "…"
}

/// A number of an axis.
fn tick(n: f64) -> String {
    let text = amount(n);
    match text.split_once('.') {
        Some((whole, part)) if part.trim_end_matches('0').is_empty() => whole.to_owned(),
        _ => text,
    }
}

fn value(figure: &Figure) -> f64 {
    figure.ratio.unwrap_or_else(|| mean(&figure.rust))
}

/// What the axis shows: ratios around 1.00, anything else from 0 on. What is no measure may be outside.
fn range(group: &Group) -> (f64, f64) {
    let is_ratio = group.figures.iter().any(|figure| figure.ratio.is_some());
    let (mut low, mut high): (f64, f64) = if is_ratio { (0.95, 1.05) } else { (0.0, 0.0) };
    for figure in group.figures.iter().filter(|figure| !figure.loose) {
        low = low.min(figure.low);
        high = high.max(figure.high);
    }
    let margin = (high - low).max(f64::MIN_POSITIVE) * 0.04;
    (if is_ratio { low - margin } else { low }, high + margin)
}

fn colour(figure: &Figure) -> RGBColor {
    match figure {
        Figure { loose: true, .. }
        | Figure {
            against: Some(_), ..
        } => GREY,
        figure if figure.is_above() => BAD,
        _ => GOOD,
    }
}

/// Dots with bars from low to high; with ratios, a line at 1.00.
pub fn dots(group: &Group, width: Width) -> Result<String, String> {
    let mut svg = String::new();
    draw_dots(group, width, &mut svg).map_err(|error| error.to_string())?;
    Ok(svg)
}

fn draw_dots(group: &Group, width: Width, svg: &mut String) -> Drawn {
    let rows = rows(group);
    let pixels = width.pixels();
    let longest = rows.iter().map(|row| row.label.chars().count()).max();
    let (step, left) = match width {
        Width::Wide => {
            let wanted = longest.unwrap_or(0) as u32 * LETTER + 16;
            (22, wanted.min(pixels * 45 / 100))
        }
        Width::Narrow => (40, 24),
    };
    let height = rows.len() as u32 * step;
    let root = SVGBackend::with_string(svg, (pixels, height + 2 * AXIS)).into_drawing_area();
    let letters = match width {
        Width::Wide => (left - 16) / LETTER,
        Width::Narrow => (pixels - 16) / LETTER,
    };
    let band = |i: usize| if i % 2 == 0 { BAND } else { WHITE };
    for i in 0..rows.len() {
        let top = (AXIS + i as u32 * step) as i32;
        let corners = [(0, top), (pixels as i32, top + step as i32)];
        root.draw(&Rectangle::new(corners, band(i).filled()))?;
    }

    let (low, high) = range(group);
    let mut chart = ChartBuilder::on(&root)
        .margin_left(left)
        .margin_right(24)
        .x_label_area_size(AXIS)
        .top_x_label_area_size(AXIS)
        .build_cartesian_2d(low..high, 0.0..f64::from(height))?;
    let is_ratio = group.figures.iter().any(|figure| figure.ratio.is_some());
    let format = |n: &f64| {
        if is_ratio {
            format!("{n:.2}")
        } else {
            tick(*n)
        }
    };
    chart
        .configure_mesh()
        .disable_y_mesh()
        .y_labels(0)
        .x_labels(if width == Width::Wide { 8 } else { 5 })
        .x_max_light_lines(0)
        .x_label_formatter(&format)
        .bold_line_style(GRID)
        .axis_style(GRID)
        .label_style(font(12.0).into_font().color(&INK))
        .draw()?;
    if is_ratio {
        let line = vec![(1.0, 0.0), (1.0, f64::from(height))];
        chart.draw_series([PathElement::new(line, INK.stroke_width(2))])?;
    }
    let inside = |n: f64| n.clamp(low, high);
    for (i, row) in rows.iter().enumerate() {
        let middle = match width {
            Width::Wide => step / 2,
            Width::Narrow => step * 7 / 10,
        };
        let middle = f64::from(height) - f64::from(i as u32 * step + middle);
        let apart = (12.0 / row.figures.len() as f64).min(5.0);
        for (j, figure) in row.figures.iter().enumerate() {
            let y = middle - (j as f64 - (row.figures.len() - 1) as f64 / 2.0) * apart;
            let bar = vec![(inside(figure.low), y), (inside(figure.high), y)];
            let colour = colour(figure);
            let dot = ShapeStyle {
                color: colour.to_rgba(),
                filled: !figure.loose,
                stroke_width: 1,
            };
            chart.draw_series([PathElement::new(bar, colour.stroke_width(2))])?;
            chart.draw_series([Circle::new((inside(value(figure)), y), 4, dot)])?;
        }
    }
    // The grid does not go through labels.
    for (i, row) in rows.iter().enumerate() {
        let top = (AXIS + i as u32 * step) as i32;
        let text = shortened(&row.label, letters as usize);
        let (place, style) = match width {
            Width::Wide => ((8, top + step as i32 / 2), label(HPos::Left, VPos::Center)),
            Width::Narrow => ((8, top + 4), label(HPos::Left, VPos::Top)),
        };
        if width == Width::Narrow {
            let corners = [(0, top), (pixels as i32, top + 20)];
            root.draw(&Rectangle::new(corners, band(i).filled()))?;
        }
        root.draw(&Text::new(text, place, style))?;
    }
    root.present()?;
    drop(chart);
    Ok(())
}

/// The group's series, in order, each with its figures; empty if it has none.
fn series(group: &Group) -> Vec<(&str, Vec<(u64, &Figure)>)> {
    let mut all: Vec<(&str, Vec<(u64, &Figure)>)> = Vec::new();
    for figure in &group.figures {
        let Some((name, x)) = &figure.point else {
            continue;
        };
        match all.iter_mut().find(|(known, _)| known == name) {
            Some((_, points)) => points.push((*x, figure)),
            None => all.push((name, vec![(*x, figure)])),
        }
    }
    all
}

/// Whether [`curves`] has something to draw.
pub fn has_curves(group: &Group) -> bool {
    group.figures.iter().any(|figure| figure.point.is_some())
}

/// The curves' names and their colours, as `#rrggbb`.
pub fn legend(group: &Group) -> Vec<(String, String)> {
    let names = series(group).into_iter().map(|(name, _)| name.to_owned());
    names
        .zip(SERIES.iter().cycle())
        .map(|(name, RGBColor(r, g, b))| (name, format!("#{r:02x}{g:02x}{b:02x}")))
        .collect()
}

/// A curve for each series, with bars from low to high; the places on the axis are equally far apart.
pub fn curves(group: &Group, width: Width) -> Result<String, String> {
    let mut svg = String::new();
    draw_curves(group, width, &mut svg).map_err(|error| error.to_string())?;
    Ok(svg)
}

fn draw_curves(group: &Group, width: Width, svg: &mut String) -> Drawn {
    let all = series(group);
    let points = || all.iter().flat_map(|(_, points)| points);
    let mut places: Vec<u64> = points().map(|(x, _)| *x).collect();
    places.sort_unstable();
    places.dedup();
    let at = |x: u64| places.iter().position(|place| *place == x).unwrap_or(0) as f64;
    let most = points().map(|(_, figure)| figure.high).fold(0.0, f64::max);

    let root = SVGBackend::with_string(svg, (width.pixels(), 320)).into_drawing_area();
    let mut chart = ChartBuilder::on(&root)
        .margin_right(16)
        .margin_top(12)
        .x_label_area_size(AXIS)
        .y_label_area_size(56)
        .build_cartesian_2d(-0.3..places.len() as f64 - 0.7, 0.0..most * 1.08)?;
    chart
        .configure_mesh()
        .disable_x_mesh()
        .x_labels(0)
        .y_labels(6)
        .y_max_light_lines(0)
        .y_label_formatter(&|n| tick(*n))
        .bold_line_style(GRID)
        .axis_style(INK)
        .label_style(font(12.0).into_font().color(&INK))
        .draw()?;
    for (i, x) in places.iter().enumerate() {
        let (across, down) = chart.backend_coord(&(i as f64, 0.0));
        let style = label(HPos::Center, VPos::Top);
        root.draw(&Text::new(x.to_string(), (across, down + 8), style))?;
    }
    for ((_, points), colour) in all.iter().zip(SERIES.iter().cycle()) {
        let line = points.iter().map(|(x, figure)| (at(*x), value(figure)));
        chart.draw_series(LineSeries::new(line.clone(), colour.stroke_width(2)))?;
        chart.draw_series(line.map(|place| Circle::new(place, 4, colour.filled())))?;
        chart.draw_series(points.iter().map(|(x, figure)| {
            let bar = vec![(at(*x), figure.low), (at(*x), figure.high)];
            PathElement::new(bar, colour.stroke_width(2))
        }))?;
    }
    root.present()?;
    drop(chart);
    Ok(())
}
