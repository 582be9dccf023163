//! "Sign out" beside a device on the person's list of sessions, to the last frame there.

use std::time::Duration;

use serde_json::Value;

use crate::Failure;
use crate::crowd::{AT_ONCE, Crowd, Order, Pace};
use crate::fleet::Manner;
use crate::http::{Caller, request};
use crate::people::{Alg, Person};
use crate::world::World;

/// How many people sign out a device of theirs.
const PEOPLE: usize = 100;
/// Far enough apart that one is over before the next.
const APART: Duration = Duration::from_millis(20);

pub async fn run(world: &mut World) -> Result<(), Failure> {
    let issuers = std::sync::Arc::clone(&world.issuers);
    let sockets = world.sockets;
    let (crowd, report) = world.hub().await?;
    // Room for those who come now.
    crowd.fill(sockets.saturating_sub(PEOPLE * crate::APPS)).await?;
    let (phones, seats) = crowd.newcomers(PEOPLE, Alg::Es256);
    let laptops: Vec<Person> = phones.iter().map(|phone| issuers.sign_in_again(phone)).collect();
    crowd.fleet.open(seats, Manner::Acknowledges, AT_ONCE).await?.all()?;
    let mut orders = Vec::with_capacity(PEOPLE);
    for (phone, laptop) in phones.iter().zip(&laptops) {
        orders.push(order(crowd, &issuers.id_token(laptop, 0), phone, laptop).await?);
    }
    let ended = crowd.end(orders, Pace::Every(APART)).await?;
    report.latencies(
        "list",
        "\"Sign out\" of a device to the last of its four frames",
        crowd.server.side(),
        ended.latencies,
    );
    Ok(())
}

/// Reads the list as the page does, and makes the request that its button sends.
async fn order(crowd: &Crowd, token: &str, phone: &Person, laptop: &Person) -> Result<Order, Failure> {
    let bearer = format!("Bearer {token}");
    let headers = [("authorization", bearer.as_str()), ("origin", &laptop.origin(0))];
    let list = request("GET", "/api/v1/me/sessions", &headers, "");
    let list: Value = serde_json::from_slice(&Caller::new(crowd.server.door()).succeed(&list).await?)?;
    let sessions = list["sessions"].as_array().ok_or("no list of sessions")?;
    let other = sessions.iter().find(|session| session["current"] == false).ok_or("the other device is not listed")?;
    let id = other["id"].as_str().ok_or("a session without a name")?;
    let request = request("DELETE", &format!("/api/v1/me/sessions/{id}"), &headers, "");
    Ok(Order { session: phone.session, request })
}
