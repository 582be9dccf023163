//! Words that many stories share.

use crate::hub::TestHub;
use crate::support::issuer::TestSession;

/// An ID token of the first issuer.
pub fn id_token(hub: &TestHub, who: &TestSession, client: &str) -> String {
    hub.issuer.id_token(who, client).sign()
}

/// A logout token of the first issuer for one session, as Auth0 sends it: with `sid` and `sub`.
pub fn logout_token(hub: &TestHub, who: &TestSession, client: &str) -> String {
    hub.issuer.logout_token(who, client).sign()
}

/// A logout token that names the person only.
pub fn everywhere(hub: &TestHub, who: &TestSession, client: &str) -> String {
    hub.issuer.logout_token(who, client).without("sid").sign()
}
