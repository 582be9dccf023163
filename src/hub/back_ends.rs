//! Which of an issuer's apps take logout tokens at their back ends.

use std::collections::HashMap;
use std::sync::Arc;

use crate::domain::app::Directory;
use crate::domain::ids::{ClientId, Issuer};
use crate::store::BackEnd;

/// The back ends of each issuer's apps, found once: every logout asks for them.
#[derive(Debug)]
pub struct BackEnds(HashMap<Issuer, Arc<[BackEnd]>>);

impl BackEnds {
    /// Those of everyone who is registered.
    #[must_use]
    pub fn of(directory: &Directory) -> Self {
        let mut found: HashMap<Issuer, Vec<BackEnd>> = HashMap::new();
        for app in directory.apps().iter().filter(|app| app.backchannel_logout_uri.is_some()) {
            let back_end = BackEnd { client_id: app.client_id.clone(), token: app.backchannel_logout_token };
            found.entry(app.issuer.clone()).or_default().push(back_end);
        }
        Self(found.into_iter().map(|(issuer, back_ends)| (issuer, back_ends.into())).collect())
    }

    /// The back ends of one issuer's apps.
    #[must_use]
    pub fn at(&self, issuer: &Issuer) -> Arc<[BackEnd]> {
        self.0.get(issuer).cloned().unwrap_or_default()
    }

    /// Whether any of these apps takes its issuer's own tokens.
    #[must_use]
    pub fn take_issuers_tokens(&self, issuer: &Issuer, audiences: &[ClientId]) -> bool {
        use crate::domain::app::BackchannelToken::Issuer as Own;
        let back_ends = self.0.get(issuer).into_iter().flat_map(|back_ends| back_ends.iter());
        back_ends.filter(|it| it.token == Own).any(|it| audiences.contains(&it.client_id))
    }
}
