//! `GET` and `POST /console/checks`: what `slo-hub doctor` finds. It makes requests, so it runs
//! when an operator presses the button, one run at a time, in the background.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use askama::Template;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;

use super::Console;
use super::page::{Refusal, Shell, go, show};
use super::sessions::Operator;
use super::words::Moment;
use crate::config::Config;
use crate::doctor::finding::{Chapter, Finding, Mark};
use crate::doctor::{Doctor, Visit};
use crate::domain::clock::{Clock, UnixMillis};

/// The last run, and whether one is under way. Clones share it.
#[derive(Clone)]
pub(super) struct Checks {
    config: Arc<Config>,
    state: Arc<Mutex<Progress>>,
}

#[derive(Default)]
struct Progress {
    running_since: Option<UnixMillis>,
    last: Option<Last>,
}

#[derive(Clone)]
struct Last {
    at: UnixMillis,
    outcome: Outcome,
}

/// What was found; or why nothing could be.
type Outcome = Result<Arc<Visit>, String>;

/// A run, until it is dropped: also one that breaks down is over.
struct Run {
    checks: Checks,
    clock: Arc<dyn Clock>,
    outcome: Option<Outcome>,
}

impl Drop for Run {
    fn drop(&mut self) {
        let outcome = self.outcome.take().unwrap_or_else(|| Err("it broke down; the log says why".to_owned()));
        let mut state = self.checks.lock();
        state.running_since = None;
        state.last = Some(Last { at: self.clock.now(), outcome });
    }
}

impl Checks {
    pub(super) fn new(config: Arc<Config>) -> Self {
        Self { config, state: Arc::default() }
    }

    /// Begins a run, unless one is under way.
    fn begin(&self, clock: &Arc<dyn Clock>) -> Option<Run> {
        let mut state = self.lock();
        if state.running_since.is_some() {
            return None;
        }
        state.running_since = Some(clock.now());
        Some(Run { checks: self.clone(), clock: Arc::clone(clock), outcome: None })
    }

    fn lock(&self) -> MutexGuard<'_, Progress> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Run {
    async fn examine(mut self) {
        let checks = self.checks.clone();
        self.outcome = Some(match Doctor::new(&checks.config, Arc::clone(&self.clock)) {
            Ok(doctor) => Ok(Arc::new(doctor.examine().await)),
            Err(error) => Err(error.to_string()),
        });
    }
}

#[derive(Template)]
#[template(path = "checks.html")]
struct ChecksPage {
    shell: Shell,
    is_running: bool,
    at: Option<Moment>,
    summary: String,
    trouble: Option<String>,
    chapters: Vec<ChapterView>,
    /// What would mend some of it: whose, and the request.
    fixes: Vec<(String, String)>,
}

struct ChapterView {
    title: String,
    findings: Vec<FindingView>,
}

struct FindingView {
    mark: &'static str,
    words: &'static str,
    what: String,
    why_and_remedy: Option<(String, String)>,
}

impl FindingView {
    fn of(finding: &Finding) -> Self {
        let (mark, words) = match finding.mark {
            Mark::Fine => ("good", "fine"),
            Mark::Careful => ("careful", "to look at"),
            Mark::Wrong => ("wrong", "wrong"),
        };
        Self { mark, words, what: finding.what.clone(), why_and_remedy: finding.why_and_remedy.clone() }
    }
}

/// What the last run has found.
pub(super) async fn findings(State(console): State<Console>, operator: Operator) -> Response {
    let now = console.hub.clock.now();
    let state = console.checks.lock();
    let (is_running, last) = (state.running_since.is_some(), state.last.clone());
    drop(state);
    let mut page = ChecksPage {
        shell: console.shell(&operator, "/console/checks"),
        is_running,
        at: last.as_ref().map(|last| Moment::of(last.at, now)),
        summary: String::new(),
        trouble: None,
        chapters: Vec::new(),
        fixes: Vec::new(),
    };
    match last.map(|last| last.outcome) {
        Some(Ok(visit)) => {
            page.summary = visit.summary();
            page.chapters = visit.chapters.iter().map(view).collect();
            page.fixes = visit.fixes.iter().map(|fix| (fix.name.clone(), fix.text())).collect();
        }
        Some(Err(why)) => page.trouble = Some(why),
        None => {}
    }
    show(&page, StatusCode::OK)
}

fn view(chapter: &Chapter) -> ChapterView {
    ChapterView { title: chapter.title.clone(), findings: chapter.findings.iter().map(FindingView::of).collect() }
}

/// Has everything looked at.
pub(super) async fn run(State(console): State<Console>, request: Request) -> Result<Response, Refusal> {
    console.form(request).await?;
    if let Some(run) = console.checks.begin(&console.hub.clock) {
        let tasks = console.hub.tasks.clone();
        console.hub.tasks.spawn(async move {
            tokio::select! {
                () = tasks.stopping() => {}
                () = run.examine() => {}
            }
        });
    }
    Ok(go("/console/checks"))
}
