//! Is this session still alive? For back ends, and for apps that hold no socket.

use std::sync::Arc;

use super::Hub;
use super::caller::Person;
use super::denied::Denied;
use super::subscribe::Seen;
use crate::domain::logout::Logout;
use crate::oidc::fault::TokenFault;

impl Hub {
    /// The logout that ended this person's session, or `None` while it is alive. Asks
    /// the facts, never the issuer.
    ///
    /// # Errors
    /// [`Denied::Token`] with `token_expired` for an expired token whose session is
    /// not over; [`Denied::Store`].
    pub async fn ended_by(self: &Arc<Self>, person: &Person) -> Result<Option<Logout>, Denied> {
        let standing = self.seen(&person.sign_in, person.proof, Seen::Asking).await?;
        if standing.ended_by.is_none() && person.proof.is_expired() {
            return Err(Denied::Token(TokenFault::TokenExpired));
        }
        Ok(standing.ended_by)
    }

    /// Whether a person may still speak for their session: with a token that is in date,
    /// or with any once the session is over, whose end is then theirs to read and confirm.
    ///
    /// # Errors
    /// [`Denied::Token`] with `token_expired`; [`Denied::Store`].
    pub async fn may_speak(self: &Arc<Self>, person: &Person) -> Result<(), Denied> {
        if person.proof.is_expired() { self.ended_by(person).await.map(|_| ()) } else { Ok(()) }
    }
}
