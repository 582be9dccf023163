//! The ways an app can be told of a logout.

/// A way to tell an app. These words are on the wire and on disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Via {
    /// An open WebSocket.
    WebSocket,
    /// An open stream of server-sent events.
    Sse,
    /// An iframe on the logout page.
    Frontchannel,
    /// A post to its back end.
    Backchannel,
    /// A top-level redirect.
    Chain,
}

impl Via {
    /// Each of them.
    pub const ALL: [Self; 5] = [Self::WebSocket, Self::Sse, Self::Frontchannel, Self::Backchannel, Self::Chain];

    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::WebSocket => "websocket",
            Self::Sse => "sse",
            Self::Frontchannel => "frontchannel",
            Self::Backchannel => "backchannel",
            Self::Chain => "chain",
        }
    }

    /// The way that a word means; `None` for a word that means none.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|via| via.as_str() == word)
    }
}
