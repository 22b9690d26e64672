// SPDX-License-Identifier: GPL-2.0

//! The report and the gate, on figures of all kinds of groups that are made up: `fixture.json`.

use bench_report::{
    data::Run,
    judge::{
        judge,
        Verdict, //
    },
    native,
    page,
    recorded,
    text, //
};
use std::{
    fs,
    path::Path,
    process::Command, //
};

const FIXTURE: &str = include_str!("fixture.json");

fn fixture() -> Run {
    Run::parse(FIXTURE).unwrap()
}

/// The fixture with one piece of its text replaced, which must be there.
fn with(old: &str, new: &str) -> Run {
    assert_eq!(FIXTURE.matches(old).count(), 1, "{old}");
    Run::parse(&FIXTURE.replace(old, new)).unwrap()
}

fn recorded() -> Vec<Run> {
    recorded::read(&recorded::write(&fixture(), &[])).unwrap()
}

fn failures(verdict: &Verdict) -> Vec<&str> {
    verdict.failures.iter().map(String::as_str).collect()
}

#[test]
fn what_was_recorded_passes() {
    assert_eq!(failures(&judge(&fixture(), &recorded(), &[])), [""; 0]);
    assert_eq!(failures(&judge(&fixture(), &[], &[])), [""; 0]);
}

#[test]
fn more_than_recorded_fails() {
    let run = with(
        "\"rust\": [90.00], \"ratio\": 0.9000",
        "\"rust\": [91.90], \"ratio\": 0.9190",
    );
    let expected = "operations: local, read 8: 1.021 of what was recorded, more than 1.02: \
                    91.90 against 90.00 instructions";
    assert_eq!(failures(&judge(&run, &recorded(), &[])), [expected]);
    let run = with(
        "\"rust\": [90.00], \"ratio\": 0.9000",
        "\"rust\": [91.70], \"ratio\": 0.9170",
    );
    assert_eq!(failures(&judge(&run, &recorded(), &[])), [""; 0]);
}

#[test]
fn more_than_c_fails() {
    let run = with(
        "\"rust\": [148.50, 148.50], \"ratio\": 0.9900, \"low\": 0.9900, \"high\": 0.9900",
        "\"rust\": [153.30, 153.30], \"ratio\": 1.0220, \"low\": 1.0220, \"high\": 1.0220",
    );
    let expected = "operations: ring, reserve + submit: 1.022 of C, more than 1.02: \
                    153.30 against 150.00 instructions";
    assert_eq!(failures(&judge(&run, &[], &[])), [expected]);
    assert_eq!(failures(&judge(&run, &recorded(), &[])).len(), 2);
}

/// What has nothing to compare with, or something else, is held to what was recorded alone.
#[test]
fn what_has_no_c_is_held_to_itself() {
    let heap = with(
        "\"rust\": [480.00], \"ratio\": 1.2000",
        "\"rust\": [490.00], \"ratio\": 1.2250",
    );
    assert_eq!(failures(&judge(&heap, &[], &[])), [""; 0]);
    assert!(failures(&judge(&heap, &recorded(), &[]))[0]
        .starts_with("operations: heap, alloc + put: 1.021"));
    let load = with("[120.5, 121.0]", "[130.0, 130.5]");
    assert!(failures(&judge(&load, &recorded(), &[]))[0].starts_with("module: load: 1.079"));
}

/// Noisy samples are judged by the best, what is no measure not at all, nor is the machine's own time.
#[test]
fn noise_is_no_failure() {
    let noisy = with(
        "\"rust\": [290.00, 325.00], \"ratio\": 1.0082, \"low\": 0.9355",
        "\"rust\": [305.00, 360.00], \"ratio\": 1.0900, \"low\": 0.9839",
    );
    let verdict = judge(&noisy, &recorded(), &[]);
    assert_eq!(failures(&verdict), [""; 0]);
    assert!(verdict
        .notes
        .iter()
        .any(|note| note.starts_with("upstream: 1 judged, 1 of them by the best sample")));
    let worse = with(
        "\"rust\": [290.00, 325.00], \"ratio\": 1.0082, \"low\": 0.9355",
        "\"rust\": [330.00, 360.00], \"ratio\": 1.1311, \"low\": 1.0645",
    );
    let verdict = judge(&worse, &recorded(), &[]);
    assert_eq!(failures(&verdict).len(), 2);
    assert!(
        verdict.failures[0].contains("1.065 of C, at best, more than 1.02: 330.00 against 310.00")
    );
    let loose = with("[300.00, 60.00]", "[3000.00, 6000.00]");
    assert_eq!(failures(&judge(&loose, &recorded(), &[])), [""; 0]);
    let native = with(
        "\"rust\": [31.2], \"low\": 31.0",
        "\"rust\": [312.0], \"low\": 310.0",
    );
    assert_eq!(failures(&judge(&native, &recorded(), &[])), [""; 0]);
}

/// The gate's status is what `make bench-check` fails by.
#[test]
fn status_says_what_failed() {
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let check = |json: &str| {
        let file = dir.join("status.json");
        fs::write(&file, json).unwrap();
        let gate = dir.join("status.recorded");
        fs::write(&gate, recorded::write(&fixture(), &[])).unwrap();
        let out = Command::new(env!("CARGO_BIN_EXE_bench-report"))
            .arg("check")
            .args([&file, &gate])
            .output()
            .unwrap();
        (out.status.code(), String::from_utf8(out.stdout).unwrap())
    };
    let (status, text) = check(FIXTURE);
    assert_eq!(status, Some(0), "{text}");
    assert!(text.contains("\nok - bench: nothing above 1.02"));
    let (status, text) = check(&FIXTURE.replace(
        "[4999.00], \"ratio\": 0.9998",
        "[5105.00], \"ratio\": 1.0210",
    ));
    assert_eq!(status, Some(1), "{text}");
    assert_eq!(
        text.matches("\nnot ok - bench operations: local, crypto")
            .count(),
        2,
        "{text}"
    );
    assert_eq!(check("{").0, Some(2));
    let record = Command::new(env!("CARGO_BIN_EXE_bench-report"))
        .args([
            "record",
            "tests/fixture.json",
            "none",
            "operations",
            "other",
        ])
        .output()
        .unwrap();
    assert_eq!(record.status.code(), Some(2));
    assert!(record.stdout.is_empty());
}

/// Nothing gets better by not being measured.
#[test]
fn what_is_gone_fails() {
    let gone = with(
        "\"name\": \"local, read 256\"",
        "\"name\": \"local, read 512\"",
    );
    let verdict = judge(&gone, &recorded(), &[]);
    assert_eq!(
        failures(&verdict),
        ["operations: local, read 256: recorded, but not measured"]
    );
    assert_eq!(
        verdict.notes[0],
        "operations: 5 judged, 1 of them not recorded yet"
    );
    let other = ["other".to_owned()];
    assert_eq!(
        failures(&judge(&fixture(), &recorded(), &other)),
        ["other: was not measured", "nothing was measured"]
    );
    let empty = Run::default();
    assert_eq!(failures(&judge(&empty, &[], &[])), ["nothing was measured"]);
}

#[test]
fn what_is_recorded_is_read_again() {
    let text = recorded::write(&fixture(), &[]);
    let runs = recorded::read(&text).unwrap();
    let names: Vec<_> = runs.iter().map(|run| run.groups[0].name.as_str()).collect();
    assert_eq!(
        names,
        ["operations", "upstream", "programs", "module", "copied"]
    );
    let merged = runs
        .iter()
        .fold(String::new(), |_, run| recorded::write(run, &runs));
    assert_eq!(merged, text);
    assert!(recorded::read("figure\toperations\tname\t1").is_err());
    assert!(recorded::read("run\ta\tb\n").is_err());
}

/// One group renewed leaves the others as they were.
#[test]
fn groups_are_recorded_one_by_one() {
    let mut run = with(
        "\"rust\": [64], \"ratio\": 0.5",
        "\"rust\": [32], \"ratio\": 0.25",
    );
    run.groups.retain(|group| group.name == "copied");
    run.groups[0].date = "2027-01-01T00:00:00Z".to_owned();
    let runs = recorded::read(&recorded::write(&run, &recorded())).unwrap();
    assert_eq!(runs[4].groups[0].figures[0].rust, [32.0]);
    assert_eq!(
        (runs[4].date.as_str(), runs[0].date.as_str()),
        ("2027-01-01T00:00:00Z", "2026-11-26T03:00:00Z")
    );
    assert_eq!(runs[..4], recorded()[..4]);
}

#[test]
fn tables_say_what_is_above() {
    let table = text::table(&fixture(), &[]);
    assert!(table.lines().all(|line| line.starts_with('#')));
    assert!(
        table.contains("operations: 4 compared, mean ratio 0.960 (0.900 to 1.000), 0 above 1.00")
    );
    assert!(table.contains("upstream: 1 compared, mean ratio 1.008 (1.008 to 1.008), 1 above 1.00"));
    assert!(!text::table(&fixture(), &["copied".to_owned()]).contains("operations"));
    let summary = text::markdown(&recorded());
    assert!(summary
        .contains("| operations | instructions | 4 | 0.960 | 0.900 | 1.000 | 0 | 2026-11-26 |"));
}

/// The page stands alone, shows each figure and escapes what could be markup.
#[test]
fn page_has_all_figures() {
    let run = fixture();
    let page = page::page(&run).unwrap();
    for group in &run.groups {
        for figure in &group.figures {
            assert!(
                page.contains(&format!("<td>{}</td>", figure.name)),
                "{}",
                figure.name
            );
        }
    }
    assert!(page.contains("A &quot;processor&quot; &lt;of&gt; two &amp; more"));
    assert!(!page.contains("NaN") && !page.contains("inf,") && !page.contains("src="));
    let links = page.replace("http://www.w3.org/2000/svg", "");
    assert!(!links.contains("://"), "no address of anything else");
    assert_eq!(page.matches("<svg").count(), 2 * run.groups.len());
    assert_eq!(page.matches("<svg").count(), page.matches("</svg>").count());
}

/// Where nothing is compared, nothing is said of it; figures above 1.00 are, at the top too.
#[test]
fn page_says_what_is_above() {
    let mut run = fixture();
    let text = page::page(&run).unwrap();
    assert_eq!(
        text.matches("<tr class=\"above\"><td>rb-libbpf</td>")
            .count(),
        2
    );
    assert_eq!(text.matches("class=\"above\"").count(), 2);
    run.groups.retain(|group| group.name == "copied");
    assert!(page::page(&run).unwrap().contains("Nothing is above 1.00."));
    run.groups = fixture().groups;
    run.groups.retain(|group| group.name == "native");
    assert!(!page::page(&run).unwrap().contains("above 1.00."));
}

#[test]
fn unreadable_runs_are_refused() {
    let parse = |old: &str, new: &str| {
        assert!(FIXTURE.contains(old));
        Run::parse(&FIXTURE.replacen(old, new, 1)).unwrap_err()
    };
    assert_eq!(parse("\"schema\": 1", "\"schema\": 2"), "not of schema 1");
    assert_eq!(
        parse("\"c\": [100.00]", "\"c\": 100.00"),
        "operations: \"c\" is no list"
    );
    assert_eq!(
        parse("\"rust\": [90.00]", "\"rust\": []"),
        "operations: local, read 8: no samples with Rust"
    );
    assert!(Run::parse("{").is_err());
}

#[test]
fn criterions_estimates_become_a_group() {
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join("criterion");
    for (series, threads) in [("256 bytes", "2"), ("8 bytes", "16"), ("8 bytes", "2")] {
        let place = dir.join("ring").join(series).join(threads).join("new");
        fs::create_dir_all(&place).unwrap();
        let what = format!("{{\"function_id\": \"{series}\", \"value_str\": \"{threads}\"}}");
        fs::write(place.join("benchmark.json"), what).unwrap();
        let mean = "{\"mean\": {\"point_estimate\": 50.5, \"confidence_interval\": \
                    {\"confidence_level\": 0.95, \"lower_bound\": 50.0, \"upper_bound\": 52.0}}}";
        fs::write(place.join("estimates.json"), mean).unwrap();
    }
    let group = native::group(&dir).unwrap();
    let json = format!(
        "{{\"schema\": 1, \"date\": \"\", \"commit\": \"\", \"kernel\": \"\", \"qemu\": \"\", \
         \"machine\": \"\", \"groups\": [{group}]}}"
    );
    let run = Run::parse(&json).unwrap();
    let names: Vec<_> = run.groups[0]
        .figures
        .iter()
        .map(|f| f.name.as_str())
        .collect();
    assert_eq!(
        names,
        [
            "8 bytes, 2 threads",
            "8 bytes, 16 threads",
            "256 bytes, 2 threads"
        ]
    );
    let figure = &run.groups[0].figures[0];
    assert_eq!(
        (figure.rust[0], figure.low, figure.high),
        (50.5, 50.0, 52.0)
    );
}
