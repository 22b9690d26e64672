// SPDX-License-Identifier: GPL-2.0

//! Whether a run is worse than C, or than what was recorded.

use crate::{
    data::{
        extremes,
        mean,
        spread,
        Figure,
        Group,
        Run, //
    },
    recorded::UNRECORDED, //
};

/// What a figure may be, by C's and by its recorded one.
pub const LIMIT: f64 = 1.02;
/// Where samples lie further apart than this, by their mean, only what even the best of them exceeds counts.
pub const NOISE: f64 = 0.02;

/// What came of it.
#[derive(Debug, Default)]
pub struct Verdict {
    /// What failed, with figures.
    pub failures: Vec<String>,
    /// What is good to know: counts, and what could not be judged.
    pub notes: Vec<String>,
}

/// Whether the samples of either side are noisy.
fn is_noisy(figure: &Figure) -> bool {
    spread(&figure.c) > NOISE || spread(&figure.rust) > NOISE
}

fn judge_figure(group: &Group, figure: &Figure, recorded: Option<&Figure>) -> Vec<String> {
    let mut failures = Vec::new();
    let noisy = is_noisy(figure);
    let how = if noisy { ", at best" } else { "" };
    let mut exceeds = |ratio: f64, of: &str, rust: f64, other: f64| {
        if ratio > LIMIT {
            failures.push(format!(
                "{}: {}: {ratio:.3} of {of}{how}, more than {LIMIT}: {rust:.2} against {other:.2} {}",
                group.name, figure.name, group.unit
            ));
        }
    };
    let rust = if noisy {
        extremes(&figure.rust).0
    } else {
        mean(&figure.rust)
    };
    if let (true, Some(ratio)) = (figure.is_compared(), figure.ratio) {
        let (ratio, c) = if noisy {
            (figure.low, extremes(&figure.c).1)
        } else {
            (ratio, mean(&figure.c))
        };
        exceeds(ratio, "C", rust, c);
    }
    if let Some(recorded) = recorded {
        let before = mean(&recorded.rust);
        exceeds(rust / before, "what was recorded", rust, before);
    }
    failures
}

/// Judges `group` by C and by what is `recorded` of it.
fn judge_group(group: &Group, recorded: Option<&Group>, verdict: &mut Verdict) {
    let mut new = 0;
    for figure in group.figures.iter().filter(|figure| !figure.loose) {
        let old = recorded.and_then(|old| old.figures.iter().find(|f| f.name == figure.name));
        new += usize::from(old.is_none());
        verdict.failures.extend(judge_figure(group, figure, old));
    }
    for old in recorded.iter().flat_map(|recorded| &recorded.figures) {
        if !group.figures.iter().any(|figure| figure.name == old.name) {
            let fault = format!("{}: {}: recorded, but not measured", group.name, old.name);
            verdict.failures.push(fault);
        }
    }
    let count = |test: fn(&Figure) -> bool| group.figures.iter().filter(|f| test(f)).count();
    let noisy = count(|figure| !figure.loose && is_noisy(figure));
    let parts = [
        (count(|figure| !figure.loose), "judged".to_owned()),
        (
            noisy,
            format!(
                "of them by the best sample, as samples lie more than {:.0} % apart",
                NOISE * 100.0
            ),
        ),
        (new, "of them not recorded yet".to_owned()),
        (
            count(|figure| figure.loose),
            "not judged, as they are no measure".to_owned(),
        ),
    ];
    let parts = parts.iter().filter(|(n, _)| *n > 0);
    let parts: Vec<_> = parts.map(|(n, what)| format!("{n} {what}")).collect();
    verdict
        .notes
        .push(format!("{}: {}", group.name, parts.join(", ")));
}

/// Judges `run` by C and by `recorded`. Groups of `only` must be there; without any, all are judged that
/// are, and one must be.
pub fn judge(run: &Run, recorded: &[Run], only: &[String]) -> Verdict {
    let mut verdict = Verdict::default();
    let mut judged = 0;
    for group in &run.groups {
        let known = UNRECORDED.contains(&group.name.as_str());
        if known || !only.is_empty() && !only.contains(&group.name) {
            continue;
        }
        judged += group.figures.len();
        let old = recorded
            .iter()
            .flat_map(|run| &run.groups)
            .find(|old| old.name == group.name);
        judge_group(group, old, &mut verdict);
    }
    for name in only {
        if !run.groups.iter().any(|group| group.name == *name) {
            verdict.failures.push(format!("{name}: was not measured"));
        }
    }
    if judged == 0 {
        verdict.failures.push("nothing was measured".to_owned());
    }
    verdict
}
