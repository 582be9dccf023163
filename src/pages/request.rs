//! What a request to the common logout redirect endpoint holds.

use crate::hub::denied::RequestFault;
use crate::hub::end_session_wish::Asked;
use crate::web::params::Params;

/// What came with the request.
pub(super) struct Sent {
    pub(super) asked: Asked,
    /// The issuer that the person chose on our page.
    pub(super) issuer: Option<String>,
    /// The token of our own form.
    pub(super) confirm: Option<String>,
}

impl Sent {
    pub(super) fn read(mut params: Params) -> Result<Self, RequestFault> {
        // Two spellings of one parameter are that parameter twice.
        if params.has("post_logout_redirect_uri") && params.has("returnTo") {
            return Err(RequestFault::DuplicateParameter);
        }
        let mut pass_on = Vec::new();
        if params.has("federated") {
            pass_on.push(("federated".to_owned(), params.take("federated").unwrap_or_default()));
        }
        for name in ["logout_hint", "ui_locales"] {
            pass_on.extend(params.take(name).map(|value| (name.to_owned(), value)));
        }
        Ok(Self {
            issuer: params.take("issuer"),
            confirm: params.take("confirm"),
            asked: Asked {
                client_id: params.take("client_id"),
                id_token_hint: params.take("id_token_hint"),
                post_logout_redirect_uri: params.take("post_logout_redirect_uri").or_else(|| params.take("returnTo")),
                // The app's own, to be given back even when it is empty.
                state: params.take_as_given("state"),
                scope: params.take("scope"),
                pass_on,
            },
        })
    }

    /// The request's parameters as our form repeats them.
    pub(super) fn fields(&self) -> Vec<(String, String)> {
        let asked = &self.asked;
        let named = [
            ("client_id", &asked.client_id),
            ("post_logout_redirect_uri", &asked.post_logout_redirect_uri),
            ("state", &asked.state),
            ("scope", &asked.scope),
        ];
        let named = named.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value.clone()?)));
        named.chain(asked.pass_on.iter().cloned()).collect()
    }

    /// What the confirmation is sealed for: all of it.
    pub(super) fn sealed_text(&self) -> String {
        form_urlencoded::Serializer::new(String::new()).extend_pairs(self.fields()).finish()
    }
}
