// SPDX-License-Identifier: GPL-2.0

//! `selftests/cost/bench.recorded`: figures that a change is held to. A line is
//! `run<TAB>group<TAB>unit<TAB>date<TAB>commit<TAB>kernel<TAB>qemu<TAB>machine` or
//! `figure<TAB>group<TAB>name<TAB>c<TAB>rust<TAB>ratio<TAB>low<TAB>high<TAB>note`, where `-` is nothing,
//! and a note is `loose`, `against …` or nothing.

use crate::data::{
    mean,
    Figure,
    Group,
    Run, //
};

/// Groups that are not recorded: time of the machine itself, which says nothing about another one.
pub const UNRECORDED: [&str; 1] = ["native"];

/// The first lines of the file.
const HEAD: &str = "\
# What `make bench-record` measured. `make bench-check` holds changes to it, and README has its summary;
# scripts/bench/report/src/recorded.rs says what the columns are.
";

fn field(number: Option<f64>, decimals: usize) -> String {
    number.map_or("-".to_owned(), |n| format!("{n:.decimals$}"))
}

fn lines_of(run: &Run, group: &Group) -> String {
    let mut text = format!(
        "run\t{}\t{}\t{}\t{}\t{}\t{}\t{}\n",
        group.name, group.unit, group.date, group.commit, run.kernel, run.qemu, run.machine
    );
    for figure in &group.figures {
        let note = match &figure.against {
            _ if figure.loose => "loose".to_owned(),
            Some(other) => format!("against {other}"),
            None => "-".to_owned(),
        };
        let c = (!figure.c.is_empty()).then(|| mean(&figure.c));
        let fields = [
            field(c, 2),
            field(Some(mean(&figure.rust)), 2),
            field(figure.ratio, 4),
            field(Some(figure.low), 4),
            field(Some(figure.high), 4),
        ];
        text += &format!(
            "figure\t{}\t{}\t{}\t{note}\n",
            group.name,
            figure.name,
            fields.join("\t")
        );
    }
    text
}

/// The file's text: the groups of `run`, and of `before` those that `run` has not.
pub fn write(run: &Run, before: &[Run]) -> String {
    let mut parts: Vec<(String, String)> = before
        .iter()
        .flat_map(|old| old.groups.iter().map(move |group| (old, group)))
        .map(|(old, group)| (group.name.clone(), lines_of(old, group)))
        .collect();
    for group in &run.groups {
        if UNRECORDED.contains(&group.name.as_str()) || group.figures.is_empty() {
            continue;
        }
        let lines = lines_of(run, group);
        match parts.iter_mut().find(|(name, _)| *name == group.name) {
            Some(part) => part.1 = lines,
            None => parts.push((group.name.clone(), lines)),
        }
    }
    let body: String = parts.into_iter().map(|(_, lines)| lines).collect();
    format!("{HEAD}{body}")
}

fn parse_figure(fields: &[&str]) -> Option<Figure> {
    let [name, c, rust, ratio, low, high, note] = fields else {
        return None;
    };
    let number = |text: &str| match text {
        "-" => Some(None),
        text => text.parse::<f64>().ok().map(Some),
    };
    Some(Figure {
        name: (*name).to_owned(),
        c: number(c)?.into_iter().collect(),
        rust: vec![number(rust)??],
        ratio: number(ratio)?,
        low: number(low)??,
        high: number(high)??,
        loose: *note == "loose",
        against: note.strip_prefix("against ").map(str::to_owned),
        point: None,
    })
}

/// What the file holds: a run for each group.
pub fn read(text: &str) -> Result<Vec<Run>, String> {
    let mut runs: Vec<Run> = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let fault = || format!("line {} of the recorded figures: {line}", number + 1);
        let fields: Vec<_> = line.split('\t').collect();
        match fields.as_slice() {
            [first, ..] if first.starts_with('#') => {}
            ["run", group, unit, date, commit, kernel, qemu, machine] => runs.push(Run {
                date: (*date).to_owned(),
                commit: (*commit).to_owned(),
                kernel: (*kernel).to_owned(),
                qemu: (*qemu).to_owned(),
                machine: (*machine).to_owned(),
                groups: vec![Group {
                    name: (*group).to_owned(),
                    unit: (*unit).to_owned(),
                    date: (*date).to_owned(),
                    commit: (*commit).to_owned(),
                    figures: Vec::new(),
                }],
            }),
            ["figure", name, rest @ ..] => {
                let group = runs.last_mut().and_then(|run| run.groups.last_mut());
                let group = group
                    .filter(|group| group.name == *name)
                    .ok_or_else(fault)?;
                group.figures.push(parse_figure(rest).ok_or_else(fault)?);
            }
            _ => return Err(fault()),
        }
    }
    Ok(runs)
}
