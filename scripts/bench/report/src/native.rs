// SPDX-License-Identifier: GPL-2.0

//! What criterion left of `selftests/native`, as a group.

use serde_json::{
    json,
    Value, //
};
use std::{
    fs,
    path::Path, //
};

fn read(path: &Path) -> Result<Value, String> {
    let text = fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
    serde_json::from_str(&text).map_err(|error| format!("{}: {error}", path.display()))
}

/// The benchmarks under `dir`: a directory `new` of each holds what it is and what was estimated.
fn find(dir: &Path, found: &mut Vec<(String, u64, Value)>) -> Result<(), String> {
    let entries = fs::read_dir(dir).map_err(|error| format!("{}: {error}", dir.display()))?;
    for entry in entries.flatten() {
        let path = entry.path();
        if !path.is_dir() {
            continue;
        }
        if entry.file_name() != "new" {
            find(&path, found)?;
            continue;
        }
        let what = read(&path.join("benchmark.json"))?;
        let series = what["function_id"].as_str().unwrap_or_default().to_owned();
        let threads = what["value_str"].as_str().and_then(|n| n.parse().ok());
        let threads = threads.ok_or_else(|| format!("{}: no threads", path.display()))?;
        found.push((series, threads, read(&path.join("estimates.json"))?));
    }
    Ok(())
}

/// The group's JSON. Bounds are those of criterion's confidence interval of the mean.
pub fn group(dir: &Path) -> Result<String, String> {
    let mut found = Vec::new();
    find(dir, &mut found)?;
    if found.is_empty() {
        return Err(format!("{}: no benchmarks", dir.display()));
    }
    // By the size at the name's start.
    let size = |name: &str| name.split(' ').next().and_then(|n| n.parse::<u64>().ok());
    found.sort_by(|a, b| (size(&a.0), &a.0, a.1).cmp(&(size(&b.0), &b.0, b.1)));
    let results: Vec<_> = found
        .iter()
        .map(|(series, threads, estimates)| {
            let mean = &estimates["mean"];
            let bounds = &mean["confidence_interval"];
            json!({
                "name": format!("{series}, {threads} thread{}", if *threads == 1 { "" } else { "s" }),
                "series": series, "x": threads, "rust": [mean["point_estimate"]],
                "low": bounds["lower_bound"], "high": bounds["upper_bound"],
            })
        })
        .collect();
    let group = json!({"group": "native", "unit": "ns a record", "results": results});
    Ok(group.to_string())
}
