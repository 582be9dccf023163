//! Is this session still alive? For back ends, and for apps that hold no socket.

use std::sync::Arc;

use super::Hub;
use super::caller::Person;
use super::denied::Denied;
use super::sessions::Sight;
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
        if standing.ended_by.is_none() {
            self.note_session(&person.sign_in, person.device.clone(), Sight::Used);
        }
        Ok(standing.ended_by)
    }

    /// The person did something in their app. In a session that is over there is nothing
    /// to be put off: the app learns of that on its channel, or by asking.
    ///
    /// # Errors
    /// Those of [`Hub::may_speak`].
    pub async fn report_activity(self: &Arc<Self>, person: &Person) -> Result<(), Denied> {
        self.may_speak(person).await?;
        if self.life.timeouts().idle.is_some() && self.store.standing(&person.sign_in).await?.ended_by.is_none() {
            self.note_activity(&person.sign_in);
        }
        Ok(())
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
