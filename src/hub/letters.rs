//! What waits for back ends and issuers, what was given up, and once more from there: for the
//! operator's console.

use super::Hub;
use super::denied::Denied;
use crate::domain::app::BackchannelToken;
use crate::domain::ids::{ClientId, Issuer};
use crate::store::{Letter, LetterState, Retry};

/// How many of each kind are shown.
pub const SHOWN: u32 = 100;
/// How far back what was given up is taken up again with all of its app, in seconds: a week.
pub const TAKEN_UP_SECONDS: i64 = 7 * 24 * 3_600;

/// What becomes of a letter that is tried again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Chance {
    /// It can be tried again.
    Open,
    /// Its token was the issuer's own, and is gone: only the issuer can send another.
    TokenGone,
    /// Its app, or the app's back end, is no longer configured; or the issuer's Management
    /// API.
    NoAddress,
}

/// What waits, and what was given up.
pub struct Letters {
    /// Posts and ends that wait, the first to be given up first.
    pub waiting: Vec<(Letter, Chance)>,
    /// Posts and ends that were given up or refused, the latest first.
    pub given_up: Vec<(Letter, Chance)>,
}

/// What an operator has tried again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Again {
    /// One post to a back end.
    Post(i64),
    /// All posts to one app's back end.
    App(Issuer, ClientId),
    /// One end at an issuer.
    End(i64),
}

impl Hub {
    /// What waits, and what was given up: at most [`SHOWN`] posts and as many ends of each.
    ///
    /// # Errors
    /// [`Denied::Store`].
    pub async fn letters(&self) -> Result<Letters, Denied> {
        Ok(Letters {
            waiting: self.letters_in(LetterState::Waiting).await?,
            given_up: self.letters_in(LetterState::GivenUp).await?,
        })
    }

    /// Tries again now; says how many.
    ///
    /// # Errors
    /// [`Denied::NotFound`] for an app that has no back end any more; [`Denied::Store`].
    pub async fn try_again(&self, again: Again) -> Result<u64, Denied> {
        let now = self.clock.now();
        let retry = match again {
            Again::Post(id) => Retry::Post(self.post_that_may(id).await?),
            Again::End(place) => Retry::End(place),
            Again::App(issuer, client_id) => {
                let chance = self.chance_of(&issuer, Some(&client_id), LetterState::GivenUp);
                if chance == Chance::NoAddress {
                    return Err(Denied::NotFound);
                }
                let since = now.plus_seconds(-TAKEN_UP_SECONDS);
                Retry::App { issuer, client_id, since, takes_up: chance == Chance::Open }
            }
        };
        let moved = self.store.retry(retry, now).await?;
        tracing::info!(moved, "an operator had deliveries tried again");
        Ok(moved)
    }

    async fn letters_in(&self, state: LetterState) -> Result<Vec<(Letter, Chance)>, Denied> {
        let mut letters = self.store.posts(state, SHOWN).await?;
        letters.extend(self.store.ends(state, SHOWN).await?);
        letters.sort_by_key(|letter| match state {
            LetterState::Waiting => letter.good_until.0,
            LetterState::GivenUp => -letter.good_until.0,
        });
        let with_chance = |letter: Letter| {
            let chance = self.chance_of(&letter.issuer, letter.client_id.as_ref(), state);
            (letter, chance)
        };
        Ok(letters.into_iter().map(with_chance).collect())
    }

    fn chance_of(&self, issuer: &Issuer, client_id: Option<&ClientId>, state: LetterState) -> Chance {
        let Some(client_id) = client_id else {
            return if self.management.at(issuer).is_some() { Chance::Open } else { Chance::NoAddress };
        };
        let app = self.directory.app(issuer, client_id.as_str());
        match app.filter(|app| app.backchannel_logout_uri.is_some()) {
            None => Chance::NoAddress,
            // The hub makes a new one; the issuer's own is kept only while it waits.
            Some(app) if state == LetterState::GivenUp && app.backchannel_logout_token == BackchannelToken::Issuer => {
                Chance::TokenGone
            }
            Some(_) => Chance::Open,
        }
    }

    /// The post of that place, where it may be tried again: a form may be older than the
    /// configuration.
    async fn post_that_may(&self, id: i64) -> Result<i64, Denied> {
        let (line, state) = self.store.post(id).await?.ok_or(Denied::NotFound)?;
        let chance = self.chance_of(&line.issuer, Some(&line.client_id), state);
        if chance == Chance::Open { Ok(id) } else { Err(Denied::NotFound) }
    }
}
