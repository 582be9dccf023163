//! The table: a row for each, and what is not to be seen in figures.

use std::fmt::Write as _;
use std::time::Duration;

use serde_json::{Value, json};

use super::workload::Figures;
use crate::APPS;
use crate::report::rounded;
use crate::scenarios::millis;

/// One of those that were to be compared.
pub struct Row {
    /// What it is called.
    pub name: &'static str,
    /// As it says itself.
    pub version: String,
    /// What it could do about verifying, recording and recovering, and does not here;
    /// nothing of the hub, which does.
    pub otherwise: Option<&'static str>,
    /// What came of it.
    pub outcome: Outcome,
}

/// What came of one.
pub enum Outcome {
    /// It ran, and every socket was told.
    Measured(Figures),
    /// It cannot be run here; why.
    Skipped(String),
}

/// All rows of a run.
pub struct Table {
    machine: String,
    command: String,
    rows: Vec<Row>,
}

const HEADS: [&str; 10] = [
    "memory a socket, B",
    "before the first, MB",
    "CPU a connect, µs",
    "p50, ms",
    "p99, ms",
    "max, ms",
    "publishes /s",
    "deliveries /s",
    "CPU a delivery, µs",
    "CPU a publish unheard, µs",
];

impl Table {
    /// Nothing was measured yet.
    pub const fn new(machine: String, command: String) -> Self {
        Self { machine, command, rows: Vec::new() }
    }

    /// Adds a row.
    pub fn add(&mut self, row: Row) {
        self.rows.push(row);
    }

    /// As Markdown: the figures, then what stands behind them.
    pub fn markdown(&self) -> String {
        let mut text = format!("`{}`\n\n{}.\n\n", self.command, self.machine);
        let _ = writeln!(text, "| | {} | verifies | records | recovers |", HEADS.join(" | "));
        let _ = writeln!(text, "| --- {}| --- | --- | --- |", "| ---: ".repeat(HEADS.len()));
        for row in &self.rows {
            let cells = match &row.outcome {
                Outcome::Measured(figures) => cells(figures).join(" | "),
                Outcome::Skipped(reason) => format!("skipped: {reason}{}", " | ".repeat(HEADS.len() - 1)),
            };
            let does = if row.otherwise.is_none() { "yes | yes | yes" } else { "no | no | no" };
            let _ = writeln!(text, "| {} | {cells} | {does} |", row.name);
        }
        text.push_str("\n| | version | what it can do otherwise about verifying, recording, recovering |\n");
        text.push_str("| --- | --- | --- |\n");
        for row in &self.rows {
            let otherwise = row.otherwise.unwrap_or("does all three in these figures");
            let _ = writeln!(text, "| {} | {} | {otherwise} |", row.name, row.version);
        }
        text
    }

    /// For people at a terminal.
    pub fn text(&self) -> String {
        let mut text = self.machine.clone() + "\n";
        let width = HEADS.iter().map(|head| head.chars().count()).max().unwrap_or(0);
        for row in &self.rows {
            let _ = writeln!(text, "{} {}", row.name, row.version);
            match &row.outcome {
                Outcome::Measured(figures) => {
                    for (head, cell) in HEADS.iter().zip(cells(figures)) {
                        let _ = writeln!(text, "  {head:width$}  {cell:>9}");
                    }
                }
                Outcome::Skipped(reason) => drop(writeln!(text, "  skipped: {reason}")),
            }
        }
        text + "Only the hub verifies a token, records durably and tells later what was missed."
    }

    /// Everything, unrounded.
    pub fn json(&self) -> Value {
        let row = |row: &Row| {
            let (figures, skipped) = match &row.outcome {
                Outcome::Measured(figures) => (Some(figures_json(figures)), None),
                Outcome::Skipped(reason) => (None, Some(reason)),
            };
            json!({"name": row.name, "version": row.version, "figures": figures, "skipped": skipped})
        };
        json!({"machine": self.machine, "command": self.command, "peers": self.rows.iter().map(row).collect::<Vec<_>>()})
    }
}

fn cells(it: &Figures) -> [String; 10] {
    let connect = match it.again {
        Some(again) => format!("{}; {} by ticket", rounded(it.connect), rounded(again)),
        None => rounded(it.connect),
    };
    let [p50, p99, max] = it.latency.map(|latency: Duration| rounded(millis(latency)));
    [
        rounded(it.socket.round()),
        rounded(it.empty / 1e6),
        connect,
        p50,
        p99,
        max,
        rounded(it.publishes.round()),
        rounded((it.publishes * APPS as f64).round()),
        rounded(it.delivery),
        rounded(it.unheard),
    ]
}

fn figures_json(it: &Figures) -> Value {
    let [p50, p99, max] = it.latency.map(millis);
    json!({
        "bytes_a_socket": it.socket, "bytes_before_the_first": it.empty,
        "connect_us": it.connect, "connect_by_ticket_us": it.again,
        "latency_ms": {"p50": p50, "p99": p99, "max": max},
        "publishes_a_second": it.publishes, "deliveries_a_second": it.publishes * APPS as f64,
        "delivery_us": it.delivery, "publish_unheard_us": it.unheard,
    })
}
