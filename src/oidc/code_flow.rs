//! The hub's own sign-in at an issuer: authorization code flow with PKCE (OpenID
//! Connect Core 1.0, section 3.1; RFC 7636).
//!
//! `openidconnect` builds the requests and redeems the code. The ID token that comes of
//! it is verified by the same strict rules as every other one.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use openidconnect::core::{CoreAuthPrompt, CoreAuthenticationFlow, CoreClient, CoreJsonWebKeySet};
use openidconnect::{
    AuthType, AuthorizationCode, ClientId, ClientSecret, CsrfToken, EndpointNotSet, EndpointSet, IssuerUrl, Nonce,
    PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, TokenResponse,
};
use serde::{Deserialize, Serialize};
use tracing::{Instrument as _, field};
use url::Url;

use super::discovery::Metadata;
use super::fault::VerifyError;
use super::fetch::Fetcher;
use super::id_token::{Answered, RawIdToken};
use super::keys::{Arrival, IssuerKeys};
use super::verifier::Verifier;
use crate::domain::app::{HubClient, IssuerSettings};
use crate::telemetry::spans::step;

/// Asks issuers, through a browser, who is signed in there.
pub struct CodeFlow {
    fetcher: Fetcher,
    keys: Arc<IssuerKeys>,
    verifier: Verifier,
}

/// How the issuer is to ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Prompt {
    /// It shows nothing: it tells who is signed in, or that nobody is.
    Silent,
    /// It has the person sign in where nobody is signed in.
    IfNeeded,
    /// It has the person prove once more who they are, whoever is signed in.
    Again,
}

/// No session is this old, so nobody is asked again because of it. But an issuer that is
/// given any `max_age` has to say when the person last proved who they are
/// (OpenID Connect Core 1.0, section 2, `auth_time`).
const ANY_AGE: Duration = Duration::from_secs(10 * 365 * 24 * 3600);

/// What has to be known again when the browser comes back.
#[derive(Serialize, Deserialize)]
pub struct Question {
    pkce_verifier: String,
    nonce: String,
}

impl Question {
    /// One that has to be kept.
    #[must_use]
    pub fn random() -> Self {
        let (_, verifier) = PkceCodeChallenge::new_random_sha256();
        Self { pkce_verifier: verifier.into_secret(), nonce: Nonce::new_random().secret().clone() }
    }

    /// One that can be made again. Both have to be unguessable and used for nothing else;
    /// the verifier has 43 to 128 letters, digits, `-` and `_` (RFC 7636, section 4.1).
    #[must_use]
    pub fn of(pkce_verifier: String, nonce: String) -> Self {
        Self { pkce_verifier, nonce }
    }
}

/// What is asked never reaches a log.
impl fmt::Debug for Question {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Question(…)")
    }
}

/// Why nobody can be said to be signed in.
#[derive(Debug, thiserror::Error)]
pub enum NoAnswer {
    /// The hub has no client at this issuer, or its metadata cannot be had, or lacks an
    /// endpoint for it.
    #[error("the issuer cannot be asked")]
    CannotAsk,
    /// The issuer did not redeem the code.
    #[error("the issuer did not redeem the code: {0}")]
    Code(&'static str),
    /// The answer holds no ID token.
    #[error("the issuer gave no ID token")]
    NoIdToken,
    /// Its ID token breaks a rule.
    #[error("the issuer's ID token: {0}")]
    Token(#[from] VerifyError),
    /// Its ID token is another issuer's.
    #[error("the issuer gave another issuer's ID token")]
    Issuer,
    /// Its ID token answers another question.
    #[error("the issuer's ID token has another nonce")]
    Nonce,
}

type Client = CoreClient<EndpointSet, EndpointNotSet, EndpointNotSet, EndpointNotSet, EndpointSet>;

impl CodeFlow {
    /// Asks and redeems by this client, verifies by this verifier.
    #[must_use]
    pub fn new(fetcher: Fetcher, keys: Arc<IssuerKeys>, verifier: Verifier) -> Self {
        Self { fetcher, keys, verifier }
    }

    /// Where a browser goes to say who is signed in, before it comes back to
    /// `redirect_uri`.
    ///
    /// # Errors
    /// [`NoAnswer::CannotAsk`].
    pub async fn ask(
        &self,
        settings: &IssuerSettings,
        redirect_uri: &str,
        state: String,
        prompt: Prompt,
        question: &Question,
    ) -> Result<Url, NoAnswer> {
        let client = self.client(settings, redirect_uri).await?;
        let verifier = PkceCodeVerifier::new(question.pkce_verifier.clone());
        let challenge = PkceCodeChallenge::from_code_verifier_sha256(&verifier);
        let nonce = Nonce::new(question.nonce.clone());
        let request = client
            .authorize_url(CoreAuthenticationFlow::AuthorizationCode, || CsrfToken::new(state), || nonce)
            .set_pkce_challenge(challenge);
        let request = match prompt {
            Prompt::Silent => request.add_prompt(CoreAuthPrompt::None),
            Prompt::IfNeeded => request.set_max_age(ANY_AGE),
            Prompt::Again => request.add_prompt(CoreAuthPrompt::Login).set_max_age(Duration::ZERO),
        };
        Ok(request.url().0)
    }

    /// Redeems the code that a browser came back with.
    ///
    /// # Errors
    /// [`NoAnswer`].
    pub async fn answer(
        &self,
        settings: &IssuerSettings,
        redirect_uri: &str,
        question: Question,
        code: String,
    ) -> Result<Answered, NoAnswer> {
        let own = settings.client.as_ref().ok_or(NoAnswer::CannotAsk)?;
        let client = self.client(settings, redirect_uri).await?;
        let arrival = self.keys.arrival();
        let raw = self.redeem(client, &question, code).await?;
        let answered = self.verified(&raw, own, &question, arrival).await?;
        // Another issuer's token is no answer of this one's (OpenID Connect Core 1.0,
        // section 3.1.3.7, rule 2), though it may hold for a client of the same name there.
        if answered.sign_in().issuer == settings.issuer { Ok(answered) } else { Err(NoAnswer::Issuer) }
    }

    /// Most issuers take the client's secret as Basic authentication. Some clients are
    /// registered for the form instead, and a code that was not redeemed is still good.
    async fn redeem(&self, client: Client, question: &Question, code: String) -> Result<String, NoAnswer> {
        match self.redeem_once(&client, question, &code).await {
            Err(NoAnswer::Code("invalid_client")) => {
                let client = client.set_auth_type(AuthType::RequestBody);
                self.redeem_once(&client, question, &code).await
            }
            outcome => outcome,
        }
    }

    async fn redeem_once(&self, client: &Client, question: &Question, code: &str) -> Result<String, NoAnswer> {
        use openidconnect::RequestTokenError as Error;
        use openidconnect::core::CoreErrorResponseType as Type;
        let request = client
            .exchange_code(AuthorizationCode::new(code.to_owned()))
            .set_pkce_verifier(PkceCodeVerifier::new(question.pkce_verifier.clone()));
        let asking = step!(
            "token endpoint",
            otel.kind = "client",
            http.request.method = "POST",
            http.response.status_code = field::Empty,
        );
        let response = request.request_async(&self.fetcher).instrument(asking).await.map_err(|error| match error {
            Error::ServerResponse(said) if *said.error() == Type::InvalidClient => NoAnswer::Code("invalid_client"),
            Error::ServerResponse(_) => NoAnswer::Code("it was refused"),
            Error::Request(_) => NoAnswer::Code("no answer"),
            Error::Parse(..) | Error::Other(_) => NoAnswer::Code("a strange answer"),
        })?;
        Ok(response.id_token().ok_or(NoAnswer::NoIdToken)?.to_string())
    }

    async fn verified(
        &self,
        raw: &str,
        own: &HubClient,
        question: &Question,
        arrival: Arrival,
    ) -> Result<Answered, NoAnswer> {
        let token = RawIdToken::new(raw).verify_own(&self.verifier, arrival, &own.client_id).await?;
        token.answering(&question.nonce).ok_or(NoAnswer::Nonce)
    }

    async fn client(&self, settings: &IssuerSettings, redirect_uri: &str) -> Result<Client, NoAnswer> {
        let own = settings.client.as_ref().ok_or(NoAnswer::CannotAsk)?;
        let metadata = self.keys.metadata_or_fetch(&settings.issuer).await.ok_or(NoAnswer::CannotAsk)?;
        client_for(settings, own, &metadata, redirect_uri).ok_or(NoAnswer::CannotAsk)
    }
}

fn client_for(settings: &IssuerSettings, own: &HubClient, metadata: &Metadata, redirect_uri: &str) -> Option<Client> {
    let issuer = IssuerUrl::new(settings.issuer.as_str().to_owned()).ok()?;
    let client =
        CoreClient::new(ClientId::new(own.client_id.as_str().to_owned()), issuer, CoreJsonWebKeySet::default())
            .set_client_secret(ClientSecret::new(own.client_secret.reveal().to_owned()))
            .set_auth_uri(metadata.authorization_endpoint.clone()?)
            .set_token_uri(metadata.token_endpoint.clone()?)
            .set_redirect_uri(RedirectUrl::new(redirect_uri.to_owned()).ok()?);
    Some(client)
}
