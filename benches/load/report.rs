//! The figures: a table for people, JSON for programs, Markdown for the docs.

use std::fmt::Write as _;
use std::time::Duration;

use serde_json::{Value, json};

/// Whose figure it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The hub's.
    Hub,
    /// The yardstick's: a bare server that verifies, records and recovers nothing.
    Floor,
}

struct Figure {
    scenario: &'static str,
    name: String,
    unit: &'static str,
    hub: Option<f64>,
    floor: Option<f64>,
}

/// All figures of a run.
pub struct Report {
    machine: String,
    command: String,
    figures: Vec<Figure>,
}

impl Report {
    /// Nothing was measured yet.
    pub fn new(machine: String, command: String) -> Self {
        Self { machine, command, figures: Vec::new() }
    }

    /// Adds a figure, beside the other side's where there is one.
    pub fn add(&mut self, scenario: &'static str, name: &str, side: Side, value: f64, unit: &'static str) {
        let place = self.figures.iter().position(|figure| figure.scenario == scenario && figure.name == name);
        let place = place.unwrap_or_else(|| {
            self.figures.push(Figure { scenario, name: name.to_owned(), unit, hub: None, floor: None });
            self.figures.len() - 1
        });
        let figure = &mut self.figures[place];
        match side {
            Side::Hub => figure.hub = Some(value),
            Side::Floor => figure.floor = Some(value),
        }
    }

    /// Adds median, 99th percentile and maximum.
    pub fn latencies(&mut self, scenario: &'static str, name: &str, side: Side, mut all: Vec<Duration>) {
        all.sort();
        let Some(max) = all.last().copied() else { return };
        // The nearest rank: of a hundred, the 99th.
        let rank = |percent: usize| all[(all.len() * percent).div_ceil(100).max(1) - 1];
        for (which, value) in [("p50", rank(50)), ("p99", rank(99)), ("max", max)] {
            self.add(scenario, &format!("{name}, {which}"), side, value.as_secs_f64() * 1_000.0, "ms");
        }
    }

    /// The table.
    pub fn table(&self) -> String {
        let width = self.figures.iter().map(|figure| figure.name.len()).max().unwrap_or(0);
        let mut text = format!("{}\n{:width$}  {:>11} {:>11} {:>7}\n", self.machine, "", "hub", "floor", "ratio");
        let mut scenario = "";
        for figure in &self.figures {
            if figure.scenario != scenario {
                scenario = figure.scenario;
                let _ = writeln!(text, "{scenario}");
            }
            let [hub, floor, ratio] = figure.cells();
            let _ = writeln!(text, "{:width$}  {hub:>11} {floor:>11} {ratio:>7}  {}", figure.name, figure.unit);
        }
        text
    }

    /// The table as Markdown.
    pub fn markdown(&self) -> String {
        let mut text = format!("`{}`\n\n{}.\n\n", self.command, self.machine);
        text.push_str(
            "| scenario | figure | unit | hub | floor | hub ÷ floor |\n| --- | --- | --- | ---: | ---: | ---: |\n",
        );
        for figure in &self.figures {
            let [hub, floor, ratio] = figure.cells();
            let Figure { scenario, name, unit, .. } = figure;
            let _ = writeln!(text, "| {scenario} | {name} | {unit} | {hub} | {floor} | {ratio} |");
        }
        text
    }

    /// Everything, unrounded.
    pub fn json(&self) -> Value {
        let figure = |it: &Figure| json!({"scenario": it.scenario, "name": it.name, "unit": it.unit, "hub": it.hub, "floor": it.floor});
        let figures: Vec<_> = self.figures.iter().map(figure).collect();
        json!({"machine": self.machine, "command": self.command, "figures": figures})
    }
}

impl Figure {
    fn cells(&self) -> [String; 3] {
        let ratio = self.hub.zip(self.floor).filter(|(_, floor)| *floor > 0.0).map(|(hub, floor)| hub / floor);
        [
            self.hub.map_or_else(String::new, rounded),
            self.floor.map_or_else(String::new, rounded),
            ratio.map_or_else(String::new, |ratio| format!("{ratio:.1}×")),
        ]
    }
}

/// Three digits that matter, and all before the point.
pub fn rounded(value: f64) -> String {
    let decimals = match value.abs() {
        size if size >= 100.0 => 0,
        size if size >= 10.0 => 1,
        size if size > 0.0 => 2,
        _ => 0,
    };
    let digits = format!("{value:.decimals$}");
    let (whole, fraction) = digits.split_at(digits.find('.').unwrap_or(digits.len()));
    let mut grouped = String::new();
    for (place, digit) in whole.chars().enumerate() {
        let left = whole.len() - place;
        if place > 0 && left.is_multiple_of(3) && !grouped.ends_with('-') {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped + fraction
}
