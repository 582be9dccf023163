//! What a session was used from: as the hub saw it, as its issuer did, and what both
//! know together.

use crate::domain::clock::UnixMillis;
use crate::oidc::management::IssuerSession;
use crate::store::SessionRecord;

/// What somebody saw of the device that a session is used on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Sighting {
    /// When the session was last seen.
    pub(super) at: UnixMillis,
    /// What the browser calls itself.
    pub(super) user_agent: Option<String>,
    /// The address, or its network.
    pub(super) address: Option<String>,
    /// The number of the autonomous system that the address belongs to.
    pub(super) asn: Option<u32>,
}

impl Sighting {
    /// What the hub saw.
    pub(super) fn by_hub(record: &SessionRecord) -> Self {
        Self {
            at: record.last_seen(),
            user_agent: record.user_agent.clone(),
            address: record.address.clone(),
            asn: None,
        }
    }

    /// What the issuer saw last. A clock that is ahead has seen nothing that is yet to come.
    pub(super) fn by_issuer(found: &IssuerSession, now: UnixMillis) -> Self {
        let at = found.last_interacted_at.or(found.authenticated_at).or(found.created_at);
        let device = &found.device;
        Self {
            at: at.unwrap_or(UnixMillis(0)).min(now),
            user_agent: device.last_user_agent.clone(),
            address: device.last_ip.clone(),
            asn: device.last_asn,
        }
    }

    /// The same; the browser that began the session, where no other is known.
    pub(super) fn or_at_first(mut self, found: &IssuerSession) -> Self {
        self.user_agent = self.user_agent.or_else(|| found.device.initial_user_agent.clone());
        self
    }

    /// What both know, field by field: what is newer, where both know it; of two at the
    /// same time, this one. A network's number stays with the address that it was seen with.
    pub(super) fn and(self, other: Self) -> Self {
        let (newer, older) = if self.at >= other.at { (self, other) } else { (other, self) };
        let asn = match (&newer.address, &older.address) {
            (Some(address), Some(same)) if address == same => newer.asn.or(older.asn),
            (Some(_), _) => newer.asn,
            (None, Some(_)) => older.asn,
            (None, None) => newer.asn.or(older.asn),
        };
        Self {
            at: newer.at,
            user_agent: newer.user_agent.or(older.user_agent),
            address: newer.address.or(older.address),
            asn,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(at: i64, user_agent: Option<&str>, address: Option<&str>, asn: Option<u32>) -> Sighting {
        let text = |text: Option<&str>| text.map(str::to_owned);
        Sighting { at: UnixMillis(at), user_agent: text(user_agent), address: text(address), asn }
    }

    #[test]
    fn whoever_saw_a_session_last_says_what_it_is_used_on() {
        let hub = seen(5, Some("Firefox"), Some("192.0.2.1"), None);
        let issuer = seen(7, Some("Chrome"), Some("203.0.113.7"), Some(64500));
        assert_eq!(hub.clone().and(issuer.clone()), issuer);
        assert_eq!(issuer.and(hub.clone()).address.as_deref(), Some("203.0.113.7"));
        let same_time = seen(5, Some("Chrome"), None, None);
        assert_eq!(hub.and(same_time).user_agent.as_deref(), Some("Firefox"));
    }

    #[test]
    fn what_only_one_of_them_knows_is_kept_however_old_it_is() {
        let hub = seen(9, None, Some("192.0.2.1"), None);
        let issuer = seen(2, Some("Chrome"), None, None);
        assert_eq!(hub.and(issuer), seen(9, Some("Chrome"), Some("192.0.2.1"), None));
        let hub = seen(1, Some("Firefox"), None, None);
        let issuer = seen(2, None, Some("203.0.113.7"), Some(64500));
        assert_eq!(hub.and(issuer), seen(2, Some("Firefox"), Some("203.0.113.7"), Some(64500)));
    }

    #[test]
    fn a_networks_number_goes_with_the_address_that_it_was_seen_with_and_no_other() {
        let there = seen(2, None, Some("203.0.113.7"), Some(64500));
        let elsewhere = seen(9, None, Some("192.0.2.1"), None);
        let again = seen(9, None, Some("203.0.113.7"), None);
        let nowhere = seen(9, None, None, None);
        assert_eq!(elsewhere.and(there.clone()).asn, None);
        assert_eq!(again.and(there.clone()).asn, Some(64500));
        assert_eq!(nowhere.and(there).asn, Some(64500));
    }
}
