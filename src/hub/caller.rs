//! Who is asking: a person's app, by a token; or a back end, by its secret.

use std::sync::Arc;

use super::Hub;
use super::denied::Denied;
use crate::domain::app::App;
use crate::domain::device::Device;
use crate::domain::digest::sha256;
use crate::domain::logout::SignIn;
use crate::oidc::fault::TokenFault;
use crate::oidc::id_token::RawIdToken;
use crate::oidc::resume_ticket::ResumeTickets;

/// An app that speaks for a person, with a verified token.
#[derive(Clone, Debug)]
pub struct Person {
    /// The app.
    pub app: Arc<App>,
    /// Its sign-in.
    pub sign_in: SignIn,
    /// What it showed.
    pub proof: Proof,
    /// SHA-256 of the token or ticket that it showed.
    pub shown: [u8; 32],
    /// What it runs on, where that is known.
    pub device: Option<Arc<Device>>,
}

/// What an app showed to speak for a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proof {
    /// An ID token that is in date.
    IdToken,
    /// An ID token that expired so many seconds ago.
    ExpiredIdToken {
        /// Seconds since its `exp`.
        since: i64,
    },
    /// A resume ticket that is in date.
    Ticket,
    /// A resume ticket past its time.
    ExpiredTicket,
}

impl Proof {
    /// Whether it is past its time.
    #[must_use]
    pub fn is_expired(self) -> bool {
        matches!(self, Self::ExpiredIdToken { .. } | Self::ExpiredTicket)
    }
}

impl Hub {
    /// Verifies an ID token or a resume ticket. What has expired is told, not
    /// refused: the hub may still have to say that its session is over.
    ///
    /// # Errors
    /// [`Denied::Token`] for a token that breaks a rule, [`Denied::KeysUnavailable`].
    pub async fn person(&self, raw: &str) -> Result<Person, Denied> {
        let (sign_in, proof) =
            if ResumeTickets::is_ticket(raw) { self.ticket_holder(raw)? } else { self.token_holder(raw).await? };
        let app = self.directory.app(&sign_in.issuer, sign_in.client_id.as_str());
        let app = Arc::clone(app.ok_or(Denied::Token(TokenFault::AudNotAllowed))?);
        Ok(Person { app, sign_in, proof, shown: sha256(raw.as_bytes()), device: None })
    }

    fn ticket_holder(&self, raw: &str) -> Result<(SignIn, Proof), Denied> {
        let ticket = self.tickets.verify(raw, self.clock.now().floor(), &self.directory).map_err(Denied::Token)?;
        let proof = if ticket.is_expired { Proof::ExpiredTicket } else { Proof::Ticket };
        Ok((ticket.sign_in, proof))
    }

    async fn token_holder(&self, raw: &str) -> Result<(SignIn, Proof), Denied> {
        let token = RawIdToken::new(raw).verify(&self.verifier, self.keys.arrival()).await?;
        let since = self.clock.now().floor().0 - token.expires_at().0;
        let proof = if token.is_expired() { Proof::ExpiredIdToken { since } } else { Proof::IdToken };
        Ok((token.sign_in().clone(), proof))
    }

    /// The app whose back end shows that name and secret.
    ///
    /// # Errors
    /// [`Denied::Client`] when none does; it does not say which of the two is wrong.
    pub fn back_end(&self, client_id: &str, secret: &str) -> Result<Arc<App>, Denied> {
        // Two issuers may use one client_id; the secret then says which app it is.
        let mut named = self.directory.apps_named(client_id);
        let app = named.find(|app| app.secret.as_ref().is_some_and(|own| own.matches(secret)));
        app.cloned().ok_or(Denied::Client)
    }
}

impl Person {
    /// The same, on that device.
    #[must_use]
    pub fn on(self, device: Option<Arc<Device>>) -> Self {
        Self { device, ..self }
    }

    /// Whether the page that asks may speak for this app. A request that changes
    /// something must come from a page of the app, or from a native app that is
    /// allowed to have none; reading needs no `Origin`.
    ///
    /// # Errors
    /// [`Denied::Origin`].
    pub fn asks_from(&self, origin: Option<&str>, changes_something: bool) -> Result<(), Denied> {
        let may_lack = !changes_something && origin.is_none();
        if may_lack || self.app.admits_origin(origin) { Ok(()) } else { Err(Denied::Origin) }
    }
}
