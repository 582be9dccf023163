//! An operator at the console: a browser that holds one cookie, and sends forms as browsers do.

use crate::admin::TOKEN;
use crate::hub::{Answer, TestHub};

pub struct Operator<'a> {
    hub: &'a TestHub,
    pub cookie: String,
}

impl<'a> Operator<'a> {
    /// Nobody yet.
    pub fn stranger(hub: &'a TestHub) -> Self {
        Self { hub, cookie: String::new() }
    }

    /// Somebody who has signed in.
    pub async fn of(hub: &'a TestHub) -> Self {
        let mut operator = Self::stranger(hub);
        operator.signs_in(TOKEN).await.goes_to("/console");
        operator
    }

    /// Types a token into the first page.
    pub async fn signs_in(&mut self, token: &str) -> Answer {
        let answer = self.posts("/console/sign-in", &[("admin_token", token)]).await;
        if let Some(line) = answer.headers.get("set-cookie") {
            line.to_str().unwrap().split(';').next().unwrap().clone_into(&mut self.cookie);
        }
        answer
    }

    pub async fn opens(&self, path: &str) -> Answer {
        Answer::of(self.request(reqwest::Method::GET, path)).await
    }

    /// The page's script looks for news.
    pub async fn refreshes(&self, path: &str) -> Answer {
        Answer::of(self.request(reqwest::Method::GET, path).header("x-console-refresh", "1")).await
    }

    /// Opens a page, and sends a form of it with these fields to `action`.
    pub async fn sends(&self, page: &str, action: &str, fields: &[(&str, &str)]) -> Answer {
        let token = token_of(&self.opens(page).await);
        self.posts(action, &[&[("token", token.as_str())], fields].concat()).await
    }

    /// A form as it stands here, from one of the console's own pages.
    pub async fn posts(&self, action: &str, fields: &[(&str, &str)]) -> Answer {
        let origin = format!("http://{}", self.hub.running.admin_addr);
        let request = self.form(action, fields).header("origin", origin);
        Answer::of(request.header("sec-fetch-site", "same-origin")).await
    }

    /// The same, with nothing that says which page it is from.
    pub fn form(&self, action: &str, fields: &[(&str, &str)]) -> reqwest::RequestBuilder {
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let request = self.request(reqwest::Method::POST, action).body(body);
        request.header("content-type", "application/x-www-form-urlencoded")
    }

    pub fn request(&self, method: reqwest::Method, path: &str) -> reqwest::RequestBuilder {
        self.hub.http.request(method, self.hub.admin_url(path)).header("cookie", &self.cookie)
    }
}

/// What every form of a page carries.
#[track_caller]
pub fn token_of(page: &Answer) -> String {
    let rest = page.text.split("name=\"token\" value=\"").nth(1);
    rest.unwrap_or_else(|| panic!("no form: {page:?}")).split('"').next().unwrap().to_owned()
}

impl Answer {
    #[track_caller]
    pub fn goes_to(&self, path: &str) {
        assert_eq!((self.status, self.header("location")), (303, path), "{self:?}");
    }

    /// A page, which holds that.
    #[track_caller]
    pub fn shows(&self, text: &str) -> &Self {
        assert_eq!(self.status, 200, "{self:?}");
        assert!(self.text.contains(text), "“{text}” is not in {}", self.text);
        self
    }

    #[track_caller]
    pub fn lacks(&self, text: &str) -> &Self {
        assert!(!self.text.contains(text), "“{text}” is in {}", self.text);
        self
    }

    /// A page that says no, and nothing else.
    #[track_caller]
    pub fn is_refusal(&self, status: u16, code: &str) {
        assert_eq!(self.status, status, "{self:?}");
        assert!(self.text.contains(&format!("<code>{code}</code>")), "{self:?}");
        assert!(!self.text.contains("<nav"), "{self:?}");
    }
}
