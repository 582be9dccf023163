//! `[[issuers]]` and `[[apps]]`.

use url::Url;

use super::reader::Section;
use super::url::web_url;
use crate::domain::app::{App, BackchannelToken, HubClient, IssuerSettings, Origin, SigningAlg};
use crate::domain::ids::{ClientId, Issuer};

/// Reads every issuer; what is wrong is kept as a fault.
pub(super) fn issuers(root: &mut Section<'_>) -> Vec<IssuerSettings> {
    if !root.has("issuers") {
        root.fault("issuers", "is missing; the hub needs at least one [[issuers]] table");
    }
    let mut issuers: Vec<IssuerSettings> = Vec::new();
    for mut section in root.sections("issuers") {
        let name = section.required_text("issuer").and_then(|text| issuer_name(&section, &text));
        if name.as_ref().is_some_and(|name| issuers.iter().any(|other| other.issuer == *name)) {
            section.fault("issuer", "stands twice; each issuer has one table");
        }
        let signing_algs = signing_algs(&mut section);
        let require_logout_jwt_typ = section.flag("require_logout_jwt_typ", false);
        let allow_missing_exp = section.flag("allow_missing_exp", false);
        let client = hub_client(&mut section);
        let management = section.has("auth0_management").then(|| {
            let mut inner = section.section("auth0_management");
            let client = hub_client(&mut inner);
            if client.is_none() {
                inner.fault(
                    "client_id",
                    "and client_secret are needed; leave the table out where there is no such client",
                );
            }
            inner.finish();
            client
        });
        section.finish();
        if let Some(issuer) = name {
            let management = management.flatten();
            issuers.push(IssuerSettings {
                issuer,
                signing_algs,
                require_logout_jwt_typ,
                allow_missing_exp,
                client,
                management,
            });
        }
    }
    issuers
}

fn issuer_name(section: &Section<'_>, text: &str) -> Option<Issuer> {
    let name = web_url(text).and_then(|url| {
        if url.query().is_some() || url.fragment().is_some() {
            return Err("must have no query and no fragment");
        }
        Issuer::parse(text).map_err(|_| "must be at most 255 bytes long")
    });
    name.map_err(|wrong| section.fault("issuer", wrong)).ok()
}

fn signing_algs(section: &mut Section<'_>) -> Vec<SigningAlg> {
    let Some(names) = section.texts("signing_algs") else { return vec![SigningAlg::RS256] };
    if names.is_empty() {
        section.fault("signing_algs", "is empty; leave it out for [\"RS256\"]");
    }
    let known = SigningAlg::ALL.map(SigningAlg::as_str).join(", ");
    let algs = names.iter().filter_map(|name| {
        let alg = SigningAlg::from_name(name);
        if alg.is_none() {
            section.fault("signing_algs", format!("{name:?} is not taken; these are: {known}"));
        }
        alg
    });
    algs.collect()
}

/// A client of the hub's own: both its name and its secret, or neither.
fn hub_client(section: &mut Section<'_>) -> Option<HubClient> {
    let client_id = section.text("client_id");
    let secret = section.secret("client_secret", "client_secret_file");
    match (client_id, secret) {
        (None, None) => None,
        (Some(text), Some(client_secret)) => {
            let client_id = client_id_of(section, &text)?;
            Some(HubClient { client_id, client_secret })
        }
        (Some(_), None) => {
            section.fault("client_secret", "is missing beside client_id");
            None
        }
        (None, Some(_)) => {
            section.fault("client_id", "is missing beside client_secret");
            None
        }
    }
}

fn client_id_of(section: &Section<'_>, text: &str) -> Option<ClientId> {
    let parsed = ClientId::parse(text);
    parsed.map_err(|wrong| section.fault("client_id", wrong)).ok()
}

/// Reads every app; what is wrong is kept as a fault.
pub(super) fn apps(root: &mut Section<'_>, issuers: &[IssuerSettings]) -> Vec<App> {
    if !root.has("apps") {
        root.fault("apps", "is missing; the hub needs at least one [[apps]] table");
    }
    let mut apps: Vec<App> = Vec::new();
    for mut section in root.sections("apps") {
        let app = app(&mut section, issuers);
        if let Some(app) = app {
            let same = |other: &App| other.issuer == app.issuer && other.client_id == app.client_id;
            if apps.iter().any(same) {
                section.fault("client_id", "stands twice at this issuer; each app has one table");
            }
            apps.push(app);
        }
        section.finish();
    }
    apps
}

fn app(section: &mut Section<'_>, issuers: &[IssuerSettings]) -> Option<App> {
    let client_id = section.required_text("client_id").and_then(|text| client_id_of(section, &text));
    let issuer = app_issuer(section, issuers);
    // For people; the client_id says at least something.
    let name = section.text("name").or_else(|| client_id.as_ref().map(|id| id.as_str().to_owned()));
    let origins = origins(section);
    let allow_no_origin = section.flag("allow_no_origin", false);
    let post_logout_redirect_uris = redirect_uris(section, allow_no_origin);
    let secret = section.secret("secret", "secret_file");
    if let Some(secret) = &secret {
        section.caution_if_short("secret", secret);
    }
    let frontchannel_logout_uri = optional_url(section, "frontchannel_logout_uri");
    let backchannel_logout_uri = optional_url(section, "backchannel_logout_uri");
    let backchannel_logout_token = match section.text("backchannel_logout_token").as_deref() {
        None | Some("issuer") => BackchannelToken::Issuer,
        Some("hub") => BackchannelToken::Hub,
        Some(_) => {
            section.fault("backchannel_logout_token", "must be \"issuer\" or \"hub\"");
            BackchannelToken::Issuer
        }
    };
    let chain_logout_uri = optional_url(section, "chain_logout_uri");
    let has_a_way = secret.is_some() || backchannel_logout_uri.is_some() || frontchannel_logout_uri.is_some();
    let is_sent_here = !post_logout_redirect_uris.is_empty() || chain_logout_uri.is_some();
    if origins.is_empty() && !allow_no_origin && !has_a_way && !is_sent_here {
        section
            .fault("origins", "names none, so nothing of this app could ever reach the hub; name its pages' origins");
    }
    Some(App {
        client_id: client_id?,
        issuer: issuer?,
        name: name?,
        origins,
        allow_no_origin,
        post_logout_redirect_uris,
        secret,
        frontchannel_logout_uri,
        backchannel_logout_uri,
        backchannel_logout_token,
        chain_logout_uri,
    })
}

fn app_issuer(section: &mut Section<'_>, issuers: &[IssuerSettings]) -> Option<Issuer> {
    let named = section.text("issuer");
    match (named, issuers) {
        (None, [only]) => Some(only.issuer.clone()),
        // No issuer, or none that is right: said already.
        (None, []) => None,
        (None, _) => {
            section.fault("issuer", "is missing; with several issuers each app says which is its own");
            None
        }
        (Some(text), _) => {
            let known = issuers.iter().find(|settings| settings.issuer.as_str() == text);
            if known.is_none() {
                section
                    .fault("issuer", "is not among [[issuers]]; write it byte for byte as there, the slash included");
            }
            known.map(|settings| settings.issuer.clone())
        }
    }
}

fn origins(section: &mut Section<'_>) -> Vec<Origin> {
    let texts = section.texts("origins").unwrap_or_default();
    let parsed = texts.iter().enumerate().filter_map(|(index, text)| {
        let key = format!("origins[{index}]");
        if let Err(wrong) = web_url(text) {
            section.fault(&key, wrong);
            return None;
        }
        Origin::parse(text).map_err(|wrong| section.fault(&key, wrong)).ok()
    });
    parsed.collect()
}

/// A native app may have a scheme of its own, with a dot in it (RFC 8252, section 7.1).
fn redirect_uris(section: &mut Section<'_>, is_native: bool) -> Vec<String> {
    let texts = section.texts("post_logout_redirect_uris").unwrap_or_default();
    let is_private_use = |text: &str| Url::parse(text).is_ok_and(|url| url.scheme().contains('.'));
    for (index, text) in texts.iter().enumerate() {
        if is_native && is_private_use(text) {
            continue;
        }
        if let Err(wrong) = web_url(text) {
            section.fault(&format!("post_logout_redirect_uris[{index}]"), wrong);
        }
    }
    texts
}

fn optional_url(section: &mut Section<'_>, name: &'static str) -> Option<Url> {
    let text = section.text(name)?;
    let url =
        web_url(&text).and_then(|url| if url.fragment().is_some() { Err("must have no fragment") } else { Ok(url) });
    url.map_err(|wrong| section.fault(name, wrong)).ok()
}
