//! What was found: a line for each thing that was looked at.

use std::error::Error;
use std::fmt::Write as _;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mark {
    /// As it should be.
    Fine,
    /// It works, but not in every case, or nobody could tell.
    Careful,
    /// Logouts will be missed, or people will be stuck.
    Wrong,
}

impl Mark {
    /// The sign at the beginning of the line.
    #[must_use]
    pub const fn sign(self) -> char {
        match self {
            Self::Fine => '✓',
            Self::Careful => '!',
            Self::Wrong => '✗',
        }
    }
}

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// How bad it is.
    pub mark: Mark,
    /// What was found.
    pub what: String,
    /// Why, where something is not as it should be, and what would mend it.
    pub why_and_remedy: Option<(String, String)>,
}

impl Finding {
    pub(super) fn fine(what: impl Into<String>) -> Self {
        Self { mark: Mark::Fine, what: what.into(), why_and_remedy: None }
    }

    pub(super) fn careful(what: impl Into<String>, why: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { mark: Mark::Careful, what: what.into(), why_and_remedy: Some((why.into(), remedy.into())) }
    }

    pub(super) fn wrong(what: impl Into<String>, why: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { mark: Mark::Wrong, what: what.into(), why_and_remedy: Some((why.into(), remedy.into())) }
    }
}

/// What was found about one issuer, one app, or the hub itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chapter {
    /// What it is about.
    pub title: String,
    /// What was found, in the order in which it was looked at.
    pub findings: Vec<Finding>,
}

impl Chapter {
    /// As text: the title, then a line for each finding, with cause and remedy below it.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = format!("{}\n", self.title);
        for finding in &self.findings {
            let _infallible = writeln!(text, "  {} {}", finding.mark.sign(), finding.what);
            if let Some((why, remedy)) = &finding.why_and_remedy {
                let _infallible = writeln!(text, "      cause:  {why}");
                let remedy = remedy.replace('\n', "\n              ");
                let _infallible = writeln!(text, "      remedy: {remedy}");
            }
        }
        text
    }
}

/// The worst of it all.
#[must_use]
pub fn worst(chapters: &[Chapter]) -> Mark {
    let marks = chapters.iter().flat_map(|chapter| &chapter.findings).map(|finding| finding.mark);
    marks.max().unwrap_or(Mark::Fine)
}

/// An error with everything that led to it.
pub(super) fn in_full(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let _infallible = write!(text, ": {cause}");
        source = cause.source();
    }
    text
}

/// Text that came from elsewhere, harmless on a terminal.
pub(super) fn quoted(text: &str) -> String {
    format!("“{}”", text.chars().take(200).flat_map(char::escape_debug).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finding_that_is_not_fine_says_why_and_what_to_do() {
        let findings = vec![Finding::fine("keys"), Finding::wrong("clock", "it is slow", "set it\nand keep it so")];
        let chapter = Chapter { title: "https://acme.example/".to_owned(), findings };
        assert_eq!(
            chapter.text(),
            "https://acme.example/\n  ✓ keys\n  ✗ clock\n      cause:  it is slow\n      remedy: set it\n              and keep it so\n"
        );
        assert_eq!(worst(&[chapter]), Mark::Wrong);
        assert_eq!(worst(&[]), Mark::Fine);
    }

    #[test]
    fn what_others_say_cannot_move_the_cursor() {
        assert_eq!(quoted("a\u{1b}[2Jb\n"), "“a\\u{1b}[2Jb\\n”");
    }
}
