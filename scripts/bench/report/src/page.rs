// SPDX-License-Identifier: GPL-2.0

//! The report as one HTML file that needs nothing else.

use crate::{
    data::{
        mean,
        Figure,
        Group,
        Run, //
    },
    plot::{
        self,
        Width, //
    },
    text::{
        amount,
        bounds,
        remark,
        sum, //
    }, //
};

const STYLE: &str = "
:root { color-scheme: light; }
body { font: 16px/1.5 system-ui, sans-serif; color: #1a1a1a; background: #fff;
  max-width: 760px; margin: 0 auto; padding: 1rem; }
h1 { font-size: 1.5rem; line-height: 1.25; }
h2 { font-size: 1.25rem; margin-top: 2.5rem; }
a { color: #0b4f94; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .1rem 1rem; }
dt { font-weight: 600; }
dd { margin: 0; overflow-wrap: anywhere; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: .875rem; }
th, td { padding: .25rem .6rem; text-align: left; border-bottom: 1px solid #ddd; vertical-align: top; }
.n { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; }
.above td { color: #9c1414; font-weight: 600; }
figure { margin: 1rem 0; }
figcaption { font-size: .875rem; margin-bottom: .5rem; }
svg { display: block; max-width: 100%; height: auto; }
.swatch { display: inline-block; width: .8em; height: .8em; margin: 0 .3em 0 .8em; border-radius: 50%; }
summary { cursor: pointer; }
.narrow { display: none; }
@media (max-width: 700px) { .wide { display: none; } .narrow { display: block; } }
";

fn escaped(text: &str) -> String {
    let text = text.replace('&', "&amp;").replace('<', "&lt;");
    text.replace('>', "&gt;").replace('"', "&quot;")
}

/// What a group's figures are.
fn about(name: &str) -> &'static str {
    match name {
        "operations" => "What one call costs, counted by the emulator.",
        "upstream" => {
            "The kernel's own benchmark tool, unmodified, with two emulated processors that take turns. What \
             it does itself counts too, and its samples differ."
        }
        "heap" => "Allocating a heap dynptr's block and freeing it, against objects of as many bytes.",
        "parts" => "The kernel's own functions that operations on either side are made of.",
        "programs" => "Loading programs that use many dynptrs: what the verifier does.",
        "module" => "Loading the module, taking over, and giving back.",
        "copied" => "A record whose size is known at run time: made in the ring by a dynptr, against copied.",
        "native" => {
            "The same code (rust/logic) on this machine's processors, without a kernel: reserving and \
             committing records in one ring, time of the wall by records of all threads together. The lock is \
             the standard library's."
        }
        _ => "",
    }
}

fn cell(text: &str) -> String {
    format!("<td class=\"n\">{}</td>", escaped(text))
}

fn table_row(figure: &Figure) -> String {
    let c = (!figure.c.is_empty()).then(|| amount(mean(&figure.c)));
    let ratio = figure.ratio.map(|n| format!("{n:.3}"));
    format!(
        "<tr{}><td>{}</td>{}{}{}{}<td>{}</td></tr>\n",
        if figure.is_above() {
            " class=\"above\""
        } else {
            ""
        },
        escaped(&figure.name),
        cell(&c.unwrap_or_default()),
        cell(&amount(mean(&figure.rust))),
        cell(&ratio.unwrap_or_default()),
        cell(&bounds(figure)),
        escaped(&remark(figure)),
    )
}

/// A plot in both widths; the style sheet shows the one that fits.
fn both(draw: impl Fn(Width) -> Result<String, String>) -> Result<String, String> {
    Ok(format!(
        "<div class=\"wide\">{}</div>\n<div class=\"narrow\">{}</div>\n",
        draw(Width::Wide)?,
        draw(Width::Narrow)?
    ))
}

fn figure(group: &Group) -> Result<String, String> {
    let unit = escaped(&group.unit);
    if plot::has_curves(group) {
        let mut swatches = String::new();
        for (name, colour) in plot::legend(group) {
            let swatch = format!("<span class=\"swatch\" style=\"background:{colour}\"></span>");
            swatches += &(swatch + &escaped(&name));
        }
        let plots = both(|width| plot::curves(group, width))?;
        return Ok(format!(
            "<figure><figcaption>In {unit}, by number of threads:{swatches}</figcaption>\n{plots}</figure>\n"
        ));
    }
    let is_ratio = group.figures.iter().any(|figure| figure.ratio.is_some());
    let mut caption = if is_ratio {
        format!("Rust by C, {unit}. Left of the line, Rust takes less.")
    } else {
        format!("In {unit}.")
    };
    if group.figures.iter().any(Figure::is_above) {
        caption += " Red: above 1.00.";
    }
    if group.figures.iter().any(|figure| figure.loose) {
        caption +=
            " Grey rings: no measure (selftests/cost/bench.sh says why); they may lie outside.";
    }
    if group.figures.iter().any(|figure| figure.against.is_some()) {
        caption += " Grey dots: compared with something else than the same in C.";
    }
    let plots = both(|width| plot::dots(group, width))?;
    Ok(format!(
        "<figure><figcaption>{caption}</figcaption>\n{plots}</figure>\n"
    ))
}

fn section(group: &Group) -> Result<String, String> {
    let rows: String = group.figures.iter().map(table_row).collect();
    Ok(format!(
        "<section id=\"{name}\">\n<h2>{name}</h2>\n<p>{}</p>\n{}<details><summary>All figures ({})</summary>\n\
         <div class=\"scroll\"><table>\n<tr><th>what</th><th class=\"n\">C</th><th class=\"n\">Rust</th>\
         <th class=\"n\">ratio</th><th class=\"n\">between</th><th></th></tr>\n{rows}</table></div></details>\n\
         </section>\n",
        about(&group.name),
        figure(group)?,
        group.figures.len(),
        name = escaped(&group.name),
    ))
}

fn summary(run: &Run) -> String {
    let mut rows = String::new();
    for group in &run.groups {
        let cells = match sum(group) {
            Some(sum) => [
                format!("{:.3}", sum.mean),
                format!("{:.3}", sum.low),
                format!("{:.3}", sum.high),
                sum.above.to_string(),
            ],
            None => std::array::from_fn(|_| "-".to_owned()),
        };
        let cells: String = cells.iter().map(|text| cell(text)).collect();
        let minute: String = group.date.chars().take(16).collect();
        rows += &format!(
            "<tr><td><a href=\"#{name}\">{name}</a></td><td>{}</td>{}{cells}{}</tr>\n",
            escaped(&group.unit),
            cell(&group.figures.len().to_string()),
            cell(&minute.replace('T', " ")),
            name = escaped(&group.name),
        );
    }
    format!(
        "<div class=\"scroll\"><table>\n<tr><th>group</th><th>counts</th><th class=\"n\">figures</th>\
         <th class=\"n\">mean</th><th class=\"n\">lowest</th><th class=\"n\">highest</th>\
         <th class=\"n\">above 1.00</th><th class=\"n\">measured (UTC)</th></tr>\n{rows}</table></div>\n"
    )
}

/// The whole page; an error if something cannot be drawn.
pub fn page(run: &Run) -> Result<String, String> {
    let mut facts = String::new();
    for (name, value) in [
        ("Made", &run.date),
        ("Commit", &run.commit),
        ("Kernel", &run.kernel),
        ("Emulator", &run.qemu),
        ("Machine", &run.machine),
    ] {
        facts += &format!("<dt>{name}</dt><dd>{}</dd>\n", escaped(value));
    }
    let above: String = run
        .groups
        .iter()
        .flat_map(|group| &group.figures)
        .filter(|figure| figure.is_above())
        .map(table_row)
        .collect();
    let compares = run.groups.iter().any(|group| sum(group).is_some());
    let above = if !compares {
        String::new()
    } else if above.is_empty() {
        "<p>Nothing is above 1.00.</p>\n".to_owned()
    } else {
        format!(
            "<h2>Above 1.00</h2>\n<div class=\"scroll\"><table>\n<tr><th>what</th><th class=\"n\">C</th>\
             <th class=\"n\">Rust</th><th class=\"n\">ratio</th><th class=\"n\">between</th><th></th></tr>\n\
             {above}</table></div>\n"
        )
    };
    let sections: Result<String, String> = run.groups.iter().map(section).collect();
    Ok(format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>rust_dynptr: C against Rust</title>\n<style>{STYLE}</style>\n</head>\n<body>\n\
         <h1>rust_dynptr: C against Rust</h1>\n<dl>\n{facts}</dl>\n\
         <p>A ratio is Rust's mean by C's, so less than 1.00 is better than C. A bar goes from the lowest to the \
         highest ratio that the samples allow: least of Rust by most of C, and most by least. Of figures that \
         have no ratio, it is the range of the samples or, of native ones, the 95 % confidence interval. \
         Figures that differ in a size alone may share a line; the tables have each.</p>\n\
         {}{above}{}</body>\n</html>\n",
        summary(run),
        sections?
    ))
}
