//! Signing in to the operator's console by name, at an issuer: who has the claim that the
//! configuration asks for is an operator, for as long as the session that they came from
//! lasts.

use url::Url;

use super::Hub;
use super::ask_who::Reply;
use super::denied::Denied;
use super::own_questions::{Door, SignInFault};
use super::seal::Purpose;
use crate::config::ConsoleLogin;
use crate::domain::logout::SignIn;
use crate::oidc::code_flow::Prompt;

/// Who came back from the issuer.
#[derive(Debug)]
pub enum Comer {
    /// An operator.
    Operator(SignIn),
    /// Somebody else, who has signed in all the same.
    Stranger,
    /// An operator whose session was over when they came.
    Over,
}

impl Hub {
    /// Where the browser goes to sign in. Only this browser can come back from there. Whoever
    /// `is_another` is asked to sign in though somebody is signed in there.
    ///
    /// # Errors
    /// [`SignInFault::Issuer`] where the issuer cannot be asked.
    pub async fn begin_console_sign_in(
        &self,
        login: &ConsoleLogin,
        browser: &str,
        is_another: bool,
    ) -> Result<Url, SignInFault> {
        let prompt = if is_another { Prompt::Again } else { Prompt::IfNeeded };
        self.send_to_sign_in(&door(login), &login.issuer, browser, prompt).await
    }

    /// Takes the browser back from the issuer. What makes an operator is read in the ID token
    /// of this very answer.
    ///
    /// # Errors
    /// [`SignInFault`].
    pub async fn finish_console_sign_in(
        &self,
        login: &ConsoleLogin,
        reply: Reply,
        browser: &str,
    ) -> Result<Comer, SignInFault> {
        let door = door(login);
        let asked = self.asked(&door, &reply.state, browser, vec![login.issuer.clone()]);
        let answered = self.answer_to(&door, asked.ok_or(SignInFault::NotThisBrowsers)?, reply).await?;
        if !answered.has(&login.claim, &login.values) {
            return Ok(Comer::Stranger);
        }
        let sign_in = answered.into_sign_in();
        Ok(if self.is_over(&sign_in).await? { Comer::Over } else { Comer::Operator(sign_in) })
    }

    /// Whether the session of a sign-in is over, by every logout that is on disk.
    ///
    /// # Errors
    /// [`Denied::Store`]: nobody can tell.
    pub async fn is_over(&self, sign_in: &SignIn) -> Result<bool, Denied> {
        // A sweep reaches also who was never seen in any app.
        Ok(self.store.standing(sign_in).await?.is_over())
    }
}

fn door(login: &ConsoleLogin) -> Door {
    Door { purpose: Purpose::ConsoleSignIn, callback_url: login.callback_url() }
}
