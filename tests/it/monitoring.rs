//! What an operator watches: the dashboard and the alerts ask for what the hub has.

use std::collections::BTreeSet;
use std::path::Path;

use slo_hub::domain::clock::{UnixMillis, UnixSeconds};
use slo_hub::domain::ids::LogoutId;
use slo_hub::domain::logout::Source;
use slo_hub::domain::via::Via;
use slo_hub::metrics::LogoutOutcome;

use crate::hub::{Answer, NOTES, TestHub};
use crate::stories::{id_token, logout_token};
use crate::tab::Tab;
use crate::wait::until;

/// Names as a query has them, without what a histogram or a counter adds.
fn asked_for(file: &str) -> BTreeSet<String> {
    let text = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("monitoring").join(file)).unwrap();
    let names = text.split("slo_hub_").skip(1).map(|rest| {
        let name: String = rest.chars().take_while(|c| c.is_ascii_lowercase() || *c == '_').collect();
        let bare = ["_bucket", "_total", "_info"].iter().find_map(|suffix| name.strip_suffix(suffix));
        format!("slo_hub_{}", bare.unwrap_or(&name))
    });
    names.collect()
}

/// Every metric that there is, by name: one that has counted nothing yet is not shown, so each counts once.
async fn names(hub: &TestHub) -> BTreeSet<String> {
    // What is read from the store is read now, and not again while the clock stands still.
    Answer::of(hub.http.get(hub.admin_url("/metrics"))).await;
    let metrics = &hub.running.hub.metrics;
    metrics.logout(Source::App, LogoutOutcome::Recorded);
    metrics.rejected("logouts", "bad_json");
    metrics.acknowledged(Via::WebSocket, LogoutId::new(UnixMillis(0), 0), UnixMillis(1));
    metrics.closed(4510);
    metrics.subscribe("live");
    metrics.delivery_attempt("acknowledged");
    metrics.issuer_end("ended");
    metrics.readings().unconfirmed(std::iter::once(("notes", "pending", 1)));
    metrics.readings().listener("public", 1, Some(UnixSeconds(1)));
    let _open = metrics.socket(Via::Sse);
    let text = Answer::of(hub.http.get(hub.admin_url("/metrics"))).await.text;
    let types = text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next());
    types.map(str::to_owned).collect()
}

#[tokio::test]
async fn the_dashboard_and_the_alerts_ask_for_metrics_that_there_are_and_leave_none_out() {
    let hub = TestHub::start().await;
    let there = names(&hub).await;
    let dashboard = asked_for("grafana.json");
    for (file, asked) in [("grafana.json", &dashboard), ("alerts.yml", &asked_for("alerts.yml"))] {
        let missing: Vec<_> = asked.difference(&there).collect();
        assert!(missing.is_empty(), "{file} asks for what the hub does not have: {missing:?}");
    }
    let unseen: Vec<_> = there.difference(&dashboard).collect();
    assert!(unseen.is_empty(), "the dashboard shows no {unseen:?}");
}

#[tokio::test]
async fn every_metric_is_explained_in_the_docs() {
    let hub = TestHub::start().await;
    let docs = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/metrics.md")).unwrap();
    let missing: Vec<_> = names(&hub).await.into_iter().filter(|name| !docs.contains(&format!("`{name}"))).collect();
    assert!(missing.is_empty(), "docs/metrics.md does not name {missing:?}");
}

#[tokio::test]
async fn the_time_of_a_logout_is_measured_to_its_commit_its_push_and_its_confirmation() {
    let hub = TestHub::start().await;
    let ada = hub.issuer.sign_in("ada");
    let (mut tab, _) = Tab::live(&hub, NOTES, &id_token(&hub, &ada, "notes")).await;
    hub.receives(&logout_token(&hub, &ada, "notes")).await.expect(200);
    let event = tab.logged_out().await;
    hub.advance(std::time::Duration::from_secs(90));
    tab.ack(&event).await;
    let text = until("the confirmation is counted", async || {
        let text = Answer::of(hub.http.get(hub.admin_url("/metrics"))).await.text;
        text.contains("slo_hub_acknowledged_total{via=\"websocket\"} 1").then_some(text)
    })
    .await;
    for line in [
        "slo_hub_commit_seconds_count 1\n",
        "slo_hub_push_seconds_count 1\n",
        "slo_hub_acknowledge_seconds_count{via=\"websocket\"} 1\n",
        // A minute and a half by the hub's clock.
        "slo_hub_acknowledge_seconds_bucket{le=\"65.536\",via=\"websocket\"} 0\n",
        "slo_hub_acknowledge_seconds_bucket{le=\"262.144\",via=\"websocket\"} 1\n",
    ] {
        assert!(text.contains(line), "{line} is not in\n{text}");
    }
}

#[tokio::test]
async fn who_has_not_confirmed_is_named_by_its_app_and_the_store_is_not_asked_at_every_scrape() {
    let hub = TestHub::start().await;
    let ada = hub.issuer.sign_in("ada");
    let (tab, _) = Tab::live(&hub, NOTES, &id_token(&hub, &ada, "notes")).await;
    tab.leave().await;
    let scrape = async || Answer::of(hub.http.get(hub.admin_url("/metrics"))).await.text;
    assert!(scrape().await.contains("slo_hub_store_up 1\n"));
    hub.receives(&logout_token(&hub, &ada, "notes")).await.expect(200);
    let line = "slo_hub_unconfirmed{client_id=\"notes\",status=\"pending\"} 1\n";
    assert!(!scrape().await.contains(line), "asked a moment ago");
    hub.advance(std::time::Duration::from_secs(5));
    let text = scrape().await;
    assert!(text.contains(line), "{text}");
}
