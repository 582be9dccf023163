//! A browser as far as redirects, cookies and links go.

use std::collections::BTreeMap;

use url::Url;

use crate::hub::{Answer, TestHub};

/// What browsers call the hub of the tests.
pub const HUB: &str = "https://logout.example";

pub struct Browser<'a> {
    hub: &'a TestHub,
    cookies: BTreeMap<String, String>,
    user_agent: &'static str,
}

impl<'a> Browser<'a> {
    pub fn new(hub: &'a TestHub) -> Self {
        Self::called(hub, "")
    }

    /// A browser that calls itself so.
    pub fn called(hub: &'a TestHub, user_agent: &'static str) -> Self {
        Self { hub, cookies: BTreeMap::new(), user_agent }
    }

    /// What the browser sends along.
    pub fn cookie(&self) -> String {
        let cookies: Vec<_> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        cookies.join("; ")
    }

    /// One request to the hub, and no further.
    pub async fn gets(&mut self, path: &str, query: &[(&str, &str)]) -> Answer {
        let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(query).finish();
        self.opens(&format!("{HUB}{path}?{query}")).await
    }

    /// The same, from a link on a page of that origin.
    pub async fn asks_from(&mut self, origin: &str, path: &str, query: &[(&str, &str)]) -> Answer {
        let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(query).finish();
        self.request(&format!("{HUB}{path}?{query}"), Some(origin)).await
    }

    /// One request to an address of the hub, and no further.
    pub async fn opens(&mut self, url: &str) -> Answer {
        self.request(url, None).await
    }

    /// A form on a page of that origin is sent to the hub.
    pub async fn posts_from(&mut self, origin: &str, path: &str, fields: &[(&str, &str)]) -> Answer {
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let request = self.hub.http.post(self.hub.url(path)).header("origin", origin).body(body);
        self.navigates(request.header("content-type", "application/x-www-form-urlencoded")).await
    }

    async fn request(&mut self, url: &str, from: Option<&str>) -> Answer {
        let path = url.strip_prefix(HUB).unwrap_or_else(|| panic!("not the hub's: {url}"));
        let request = self.hub.http.get(self.hub.url(path));
        self.navigates(match from {
            Some(origin) => request.header("referer", format!("{origin}/")),
            None => request,
        })
        .await
    }

    async fn navigates(&mut self, request: reqwest::RequestBuilder) -> Answer {
        let request = request.header("cookie", self.cookie()).header("user-agent", self.user_agent);
        let request = request.header("sec-fetch-mode", "navigate").header("sec-fetch-dest", "document");
        let answer = Answer::of(request).await;
        for line in answer.headers.get_all("set-cookie") {
            let pair = line.to_str().unwrap().split(';').next().unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            self.cookies.insert(name.to_owned(), value.to_owned());
        }
        answer
    }

    /// The page that the hub sends the browser to.
    pub async fn lands(&mut self, answer: &Answer) -> (Url, Answer) {
        let url = location(answer);
        let page = self.opens(url.as_str()).await;
        assert_eq!(page.status, 200, "{page:?}");
        (url, page)
    }

    /// On from a page that has the person wait.
    pub async fn goes_on(&mut self, page: &Url) -> Answer {
        let ticket = param(page, "ticket");
        self.gets("/logout/onward", &[("ticket", &ticket)]).await
    }

    /// The whole way, as a browser without scripts goes it, until it leaves the hub.
    pub async fn until_away(&mut self, answer: Answer) -> Url {
        let mut answer = answer;
        loop {
            if answer.status == 303 && !location(&answer).as_str().starts_with(HUB) {
                return location(&answer);
            }
            let next = if answer.status == 303 { location(&answer).to_string() } else { refresh(&answer) };
            answer = self.opens(&next).await;
        }
    }
}

/// Where an answer sends the browser.
#[track_caller]
pub fn location(answer: &Answer) -> Url {
    assert_eq!(answer.status, 303, "{answer:?}");
    Url::parse(answer.header("location")).unwrap()
}

/// Where a page goes by itself.
#[track_caller]
pub fn refresh(page: &Answer) -> String {
    let rest = page.text.split("http-equiv=\"refresh\" content=\"1; url=").nth(1);
    let path = rest.unwrap_or_else(|| panic!("no refresh: {page:?}")).split('"').next().unwrap();
    format!("{HUB}{}", path.replace("&amp;", "&").replace("&#38;", "&"))
}

pub fn param(url: &Url, name: &str) -> String {
    url.query_pairs().find(|(own, _)| own == name).map(|(_, value)| value.into_owned()).unwrap_or_default()
}

/// An error page: the browser is sent nowhere.
#[track_caller]
pub fn is_error_page(answer: &Answer, status: u16, code: &str) {
    assert_eq!(answer.status, status, "{answer:?}");
    assert!(!answer.headers.contains_key("location"), "{answer:?}");
    assert!(answer.header("content-type").starts_with("text/html"), "{answer:?}");
    assert!(answer.text.contains(&format!("<code>{code}</code>")), "{answer:?}");
}

/// How far an app is, as the page shows it.
#[track_caller]
pub fn state_of(page: &Answer, client_id: &str) -> String {
    let row = page.text.split(&format!("data-app=\"{client_id}\" data-state=\"")).nth(1);
    row.unwrap_or_else(|| panic!("no row of {client_id}: {page:?}")).split('"').next().unwrap().to_owned()
}
