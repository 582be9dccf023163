//! What a person signed in on: the browser's own words for itself, and where it was.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The longest `User-Agent` that is kept, in bytes. Real ones have about 150.
pub const USER_AGENT_MAX_BYTES: usize = 400;

/// A device, as far as a request tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Device {
    /// What the client calls itself, as sent, cut to [`USER_AGENT_MAX_BYTES`]; absent
    /// where it says nothing, or nothing printable.
    pub user_agent: Option<Box<str>>,
    /// Where it called from, behind whatever proxies are trusted.
    pub address: IpAddr,
}

impl Device {
    /// A device by its `User-Agent` and its address.
    #[must_use]
    pub fn new(user_agent: Option<&str>, address: IpAddr) -> Self {
        let printable = user_agent.filter(|text| !text.is_empty() && !text.chars().any(char::is_control));
        let kept = printable.map(|text| {
            let ends = text.char_indices().map(|(at, char)| at + char.len_utf8());
            text[..ends.take_while(|end| *end <= USER_AGENT_MAX_BYTES).last().unwrap_or(0)].into()
        });
        Self { user_agent: kept, address: address.to_canonical() }
    }

    /// The network that the address lies in: the first 24 bits of IPv4, 48 of IPv6.
    /// Enough to tell home from work, and too little to find a person by.
    #[must_use]
    pub fn network(&self) -> String {
        match self.address {
            IpAddr::V4(address) => {
                let [a, b, c, _] = address.octets();
                format!("{}/24", Ipv4Addr::new(a, b, c, 0))
            }
            IpAddr::V6(address) => {
                let [a, b, c, ..] = address.segments();
                format!("{}/48", Ipv6Addr::new(a, b, c, 0, 0, 0, 0, 0))
            }
        }
    }
}

/// What a `User-Agent` must name, and what people call that. The first that fits
/// counts: most browsers also claim to be those further down.
type Names = [(&'static str, &'static str)];

const BROWSERS: &Names = &[
    ("Edg/", "Edge"),
    ("EdgA/", "Edge"),
    ("EdgiOS/", "Edge"),
    ("OPR/", "Opera"),
    ("OPX/", "Opera"),
    ("Vivaldi/", "Vivaldi"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("DuckDuckGo/", "DuckDuckGo"),
    ("Ddg/", "DuckDuckGo"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("HeadlessChrome/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
];

const SYSTEMS: &Names = &[
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("iPod", "iPod"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("CrOS", "ChromeOS"),
    // Also an iPad that asks for desktop pages: it says nothing else.
    ("Macintosh", "macOS"),
    ("Linux", "Linux"),
    ("FreeBSD", "FreeBSD"),
];

/// What people call the device with that `User-Agent`: "Chrome on macOS". It is a hint
/// for recognising one's own devices, and no more: anyone can send any text.
#[must_use]
pub fn name_of(user_agent: Option<&str>) -> String {
    let named = |names: &Names| {
        let text = user_agent?;
        names.iter().find(|(sign, _)| text.contains(sign)).map(|(_, name)| *name)
    };
    // Old Android browsers and many programs say Safari; only Safari says its version so.
    let is_no_safari = |name: &&str| *name != "Safari" || user_agent.is_some_and(|text| text.contains("Version/"));
    let browser = named(BROWSERS).filter(is_no_safari).unwrap_or("Unknown browser");
    named(SYSTEMS).map_or_else(|| browser.to_owned(), |system| format!("{browser} on {system}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_is_called_what_people_call_it() {
        let like_gecko = "AppleWebKit/537.36 (KHTML, like Gecko)";
        let cases = [
            (format!("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) {like_gecko} Chrome/140.0.0.0 Safari/537.36"), "Chrome on macOS"),
            (format!("Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) {like_gecko} Chrome/140.0.0.0 Safari/537.36"), "Chrome on ChromeOS"),
            (format!("Mozilla/5.0 (X11; Linux x86_64) {like_gecko} HeadlessChrome/140.0.0.0 Safari/537.36"), "Chrome on Linux"),
            (format!("Mozilla/5.0 (Linux; Android 10; K) {like_gecko} Chrome/140.0.0.0 Mobile Safari/537.36"), "Chrome on Android"),
            ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/140.0 Mobile/15E148 Safari/604.1".into(), "Chrome on iPhone"),
            ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 Mobile/15E148 Safari/604.1".into(), "Safari on iPhone"),
            ("Mozilla/5.0 (iPad; CPU OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 Mobile/15E148 Safari/604.1".into(), "Safari on iPad"),
            ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 Safari/605.1.15".into(), "Safari on macOS"),
            ("Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:143.0) Gecko/20100101 Firefox/143.0".into(), "Firefox on Windows"),
            ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) FxiOS/143.0 Mobile/15E148 Safari/605.1.15".into(), "Firefox on iPhone"),
            (format!("Mozilla/5.0 (Windows NT 10.0; Win64; x64) {like_gecko} Chrome/140.0.0.0 Safari/537.36 Edg/140.0.0.0"), "Edge on Windows"),
            (format!("Mozilla/5.0 (Linux; Android 10; HD1913) {like_gecko} Chrome/140.0.0.0 Mobile Safari/537.36 EdgA/140.0.0.0"), "Edge on Android"),
            (format!("Mozilla/5.0 (Windows NT 10.0; Win64; x64) {like_gecko} Chrome/140.0.0.0 Safari/537.36 OPR/124.0.0.0"), "Opera on Windows"),
            (format!("Mozilla/5.0 (X11; Linux x86_64) {like_gecko} Chrome/140.0.0.0 Safari/537.36 Vivaldi/7.5"), "Vivaldi on Linux"),
            (format!("Mozilla/5.0 (Linux; Android 10; K) {like_gecko} SamsungBrowser/28.0 Chrome/130.0.0.0 Mobile Safari/537.36"), "Samsung Internet on Android"),
            ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 Safari/605.1.15 Ddg/18.6".into(), "DuckDuckGo on macOS"),
            ("Mozilla/5.0 (compatible; thing/1.0; Linux) Safari/537.36".into(), "Unknown browser on Linux"),
            ("curl/8.16.0".into(), "Unknown browser"),
            (String::new(), "Unknown browser"),
        ];
        for (user_agent, name) in cases {
            assert_eq!(name_of(Some(&user_agent)), name, "{user_agent}");
        }
        assert_eq!(name_of(None), "Unknown browser");
    }

    #[test]
    fn a_user_agent_is_kept_as_sent_but_not_at_any_length() {
        let device = |text: &str| Device::new(Some(text), IpAddr::from([192, 0, 2, 7])).user_agent;
        assert_eq!(device("curl/8 (ü)").as_deref(), Some("curl/8 (ü)"));
        assert_eq!(device(&"ü".repeat(400)).map(|kept| kept.len()), Some(USER_AGENT_MAX_BYTES));
        assert_eq!(device(&format!("x{}", "ü".repeat(400))).map(|kept| kept.len()), Some(USER_AGENT_MAX_BYTES - 1));
        assert_eq!(device(""), None);
        assert_eq!(device("one\ntwo"), None);
    }

    #[test]
    fn a_network_is_the_part_of_an_address_that_names_no_household() {
        let network = |address: &str| Device::new(None, address.parse().unwrap()).network();
        assert_eq!(network("203.0.113.77"), "203.0.113.0/24");
        assert_eq!(network("::ffff:203.0.113.77"), "203.0.113.0/24");
        assert_eq!(network("2001:db8:17:2a::9"), "2001:db8:17::/48");
    }
}
