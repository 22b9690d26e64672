// SPDX-License-Identifier: GPL-2.0

//! `build/bench/bench.json`, whose form `scripts/bench/run` describes.

use serde_json::Value;

/// A run: groups of figures, and where they come from.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Run {
    /// When the groups were put together, UTC.
    pub date: String,
    /// The sources' commit then.
    pub commit: String,
    /// The guest's kernel.
    pub kernel: String,
    /// QEMU's version.
    pub qemu: String,
    /// The processor that it ran on.
    pub machine: String,
    /// The figures.
    pub groups: Vec<Group>,
}

/// Figures of one kind.
#[derive(Clone, Debug, PartialEq)]
pub struct Group {
    /// Its name, as an argument of `scripts/bench/run`.
    pub name: String,
    /// What is counted.
    pub unit: String,
    /// When it was measured, UTC.
    pub date: String,
    /// The sources' commit then.
    pub commit: String,
    /// The figures.
    pub figures: Vec<Figure>,
}

/// What one thing costs.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Figure {
    /// What was measured.
    pub name: String,
    /// Samples with C; empty if there is nothing to compare with.
    pub c: Vec<f64>,
    /// Samples with Rust; never empty.
    pub rust: Vec<f64>,
    /// Mean with Rust by mean with C.
    pub ratio: Option<f64>,
    /// The bounds of [`Self::ratio`] or, if there is none, of the figure itself.
    pub low: f64,
    /// See [`Self::low`].
    pub high: f64,
    /// It is no measure.
    pub loose: bool,
    /// What `c` is of, if not of the same thing in C.
    pub against: Option<String>,
    /// For a curve: its name, and the place on its axis.
    pub point: Option<(String, u64)>,
}

/// The mean of some samples; 0 of none.
pub fn mean(samples: &[f64]) -> f64 {
    if samples.is_empty() {
        return 0.0;
    }
    samples.iter().sum::<f64>() / samples.len() as f64
}

/// Smallest and largest of some samples.
pub fn extremes(samples: &[f64]) -> (f64, f64) {
    samples
        .iter()
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), n| {
            (low.min(*n), high.max(*n))
        })
}

/// How far samples lie apart, by their mean.
pub fn spread(samples: &[f64]) -> f64 {
    let (low, high) = extremes(samples);
    let mean = mean(samples);
    if samples.len() < 2 || mean <= 0.0 {
        return 0.0;
    }
    (high - low) / mean
}

impl Group {
    /// Ratios of the figures that compare the same thing and are measures.
    pub fn ratios(&self) -> Vec<f64> {
        let compared = self.figures.iter().filter(|figure| figure.is_compared());
        compared.filter_map(|figure| figure.ratio).collect()
    }
}

impl Figure {
    /// Whether the same thing was measured with C, and that says something.
    pub fn is_compared(&self) -> bool {
        self.ratio.is_some() && !self.loose && self.against.is_none()
    }

    /// Whether it costs more than in C, as far as a table of three decimals shows.
    pub fn is_above(&self) -> bool {
        self.is_compared() && self.ratio.is_some_and(|ratio| ratio > 1.0005)
    }

    fn parse(value: &Value) -> Result<Self, String> {
        let name = text(value, "name")?;
        let fault = |what: &str| format!("{name}: {what}");
        let (c, rust) = (samples(value, "c")?, samples(value, "rust")?);
        if rust.is_empty() {
            return Err(fault("no samples with Rust"));
        }
        let given = |key: &str| value.get(key).and_then(Value::as_f64);
        let ratio = match given("ratio") {
            None if !c.is_empty() => Some(mean(&rust) / mean(&c)),
            ratio => ratio,
        };
        if ratio.is_some_and(|ratio| !ratio.is_finite()) {
            return Err(fault("no ratio: C costs nothing"));
        }
        let (least, most) = extremes(&rust);
        let (low, high) = match ratio {
            Some(_) if !c.is_empty() => (least / extremes(&c).1, most / extremes(&c).0),
            Some(ratio) => (ratio, ratio),
            None => (least, most),
        };
        let point = value
            .get("series")
            .and_then(Value::as_str)
            .map(str::to_owned);
        Ok(Self {
            low: given("low").unwrap_or(low),
            high: given("high").unwrap_or(high),
            loose: value.get("loose").and_then(Value::as_bool) == Some(true),
            against: value
                .get("against")
                .and_then(Value::as_str)
                .map(str::to_owned),
            point: point.zip(value.get("x").and_then(Value::as_u64)),
            name,
            c,
            rust,
            ratio,
        })
    }
}

fn text(value: &Value, key: &str) -> Result<String, String> {
    let found = value.get(key).and_then(Value::as_str);
    found
        .map(str::to_owned)
        .ok_or_else(|| format!("no text \"{key}\""))
}

fn samples(value: &Value, key: &str) -> Result<Vec<f64>, String> {
    let Some(found) = value.get(key) else {
        return Ok(Vec::new());
    };
    let list = found
        .as_array()
        .ok_or_else(|| format!("\"{key}\" is no list"))?;
    list.iter()
        .map(|n| n.as_f64().ok_or_else(|| format!("\"{key}\" has {n}")))
        .collect()
}

/// The entries of the list `key`.
fn list<'a>(value: &'a Value, key: &str) -> Result<&'a Vec<Value>, String> {
    value
        .get(key)
        .and_then(Value::as_array)
        .ok_or_else(|| format!("no list \"{key}\""))
}

impl Run {
    /// The run that `json` describes; an error says what is missing.
    pub fn parse(json: &str) -> Result<Self, String> {
        let value: Value = serde_json::from_str(json).map_err(|error| error.to_string())?;
        if value.get("schema").and_then(Value::as_u64) != Some(1) {
            return Err("not of schema 1".to_owned());
        }
        let (date, commit) = (text(&value, "date")?, text(&value, "commit")?);
        let mut groups = Vec::new();
        for group in list(&value, "groups")? {
            let name = text(group, "group")?;
            let figures: Result<_, _> = list(group, "results")?.iter().map(Figure::parse).collect();
            groups.push(Group {
                figures: figures.map_err(|error| format!("{name}: {error}"))?,
                unit: text(group, "unit")?,
                date: text(group, "date").unwrap_or_else(|_| date.clone()),
                commit: text(group, "commit").unwrap_or_else(|_| commit.clone()),
                name,
            });
        }
        Ok(Self {
            date,
            commit,
            kernel: text(&value, "kernel")?,
            qemu: text(&value, "qemu")?,
            machine: text(&value, "machine")?,
            groups,
        })
    }
}
