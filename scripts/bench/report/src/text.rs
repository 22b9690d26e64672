// SPDX-License-Identifier: GPL-2.0

//! Tables: for a terminal, and for README.

use crate::data::{
    extremes,
    mean,
    Figure,
    Group,
    Run, //
};

/// A figure of that unit as a reader wants it: no more than four digits that say something.
pub fn amount(n: f64) -> String {
    let decimals = match n.abs() {
        n if n >= 1000.0 => 0,
        n if n >= 100.0 => 1,
        _ => 2,
    };
    format!("{n:.decimals$}")
}

/// Bounds, as in "0.912 to 0.934"; empty if they are the same.
pub fn bounds(figure: &Figure) -> String {
    let format = |n: f64| match figure.ratio {
        Some(_) => format!("{n:.3}"),
        None => amount(n),
    };
    let (low, high) = (format(figure.low), format(figure.high));
    if low == high {
        return String::new();
    }
    format!("{low} to {high}")
}

/// What is to be said of a figure.
pub fn remark(figure: &Figure) -> String {
    match &figure.against {
        _ if figure.loose => "no measure".to_owned(),
        Some(other) => format!("compared with {other}"),
        None if figure.is_above() => "above 1.00".to_owned(),
        None => String::new(),
    }
}

/// The group's sum: how many figures, their mean ratio and its extremes, how many are above 1.00.
pub struct Sum {
    /// Figures that compare the same thing and are measures.
    pub compared: usize,
    /// All.
    pub all: usize,
    /// Mean of the ratios.
    pub mean: f64,
    /// The lowest.
    pub low: f64,
    /// The highest.
    pub high: f64,
    /// How many are above 1.00.
    pub above: usize,
}

/// Sums up `group`; `None` if it compares nothing with C.
pub fn sum(group: &Group) -> Option<Sum> {
    let ratios = group.ratios();
    if ratios.is_empty() {
        return None;
    }
    let (low, high) = extremes(&ratios);
    Some(Sum {
        compared: ratios.len(),
        all: group.figures.len(),
        mean: mean(&ratios),
        low,
        high,
        above: group.figures.iter().filter(|f| f.is_above()).count(),
    })
}

fn pad(text: &str, width: usize, right: bool) -> String {
    let fill = " ".repeat(width.saturating_sub(text.chars().count()));
    if right {
        fill + text
    } else {
        text.to_owned() + &fill
    }
}

/// Columns of one figure.
fn columns(figure: &Figure) -> [String; 6] {
    let c = (!figure.c.is_empty()).then(|| amount(mean(&figure.c)));
    [
        figure.name.clone(),
        c.unwrap_or_default(),
        amount(mean(&figure.rust)),
        figure.ratio.map_or(String::new(), |n| format!("{n:.3}")),
        bounds(figure),
        remark(figure),
    ]
}

/// A table for the terminal: a comment of TAP in each line. Of the groups `only`; without any, of all.
pub fn table(run: &Run, only: &[String]) -> String {
    let mut text = String::new();
    for group in &run.groups {
        if !only.is_empty() && !only.contains(&group.name) {
            continue;
        }
        let head = ["", "C", "Rust", "ratio", "between", ""].map(str::to_owned);
        let mut rows = vec![head];
        rows.extend(group.figures.iter().map(columns));
        let widths: [usize; 6] = std::array::from_fn(|i| {
            let widths = rows.iter().map(|row| row[i].chars().count());
            widths.max().unwrap_or(0)
        });
        text += &format!("#\n# {}: {}\n", group.name, group.unit);
        for row in &rows {
            let cells = (0..6).map(|i| pad(&row[i], widths[i], (1..5).contains(&i)));
            let line = cells.collect::<Vec<_>>().join("  ");
            text += &format!("#   {}\n", line.trim_end());
        }
        if let Some(sum) = sum(group) {
            text += &format!(
                "# {}: {} compared, mean ratio {:.3} ({:.3} to {:.3}), {} above 1.00\n",
                group.name, sum.compared, sum.mean, sum.low, sum.high, sum.above
            );
        }
    }
    text
}

/// README's summary of what was recorded.
pub fn markdown(recorded: &[Run]) -> String {
    let mut text = String::from(
        "| group | counts | figures | mean of Rust by C | lowest | highest | above 1.00 | measured |\n\
         |---|---|---|---|---|---|---|---|\n",
    );
    for group in recorded.iter().flat_map(|run| &run.groups) {
        let day = group.date.split('T').next().unwrap_or_default();
        if let Some(sum) = sum(group) {
            text += &format!(
                "| {} | {} | {} | {:.3} | {:.3} | {:.3} | {} | {day} |\n",
                group.name, group.unit, sum.compared, sum.mean, sum.low, sum.high, sum.above
            );
        }
    }
    let mut places: Vec<String> = Vec::new();
    for run in recorded {
        let place = format!("kernel {}, {}", run.kernel, run.qemu);
        if !places.contains(&place) {
            places.push(place);
        }
    }
    text + &format!(
        "\n`make bench-record` measured these ({}), `make bench-check` holds changes to them.\n",
        places.join("; ")
    )
}
