//! When two addresses mean the same page, or the same site, and which ones are no pages at all.

use url::Url;

/// Parameters that say where a reader came from and nothing about the page.
const TRACKING: [&str; 6] = ["gclid", "fbclid", "msclkid", "mc_cid", "mc_eid", "igshid"];

/// The one form of an address: without fragment and without what only tracks readers.
pub fn plain(mut url: Url) -> Url {
    url.set_fragment(None);
    let Some(query) = url.query() else { return url };
    let is_kept = |pair: &&str| {
        let name = pair.split('=').next().unwrap_or_default().to_ascii_lowercase();
        !name.starts_with("utm_") && !TRACKING.contains(&name.as_str())
    };
    let kept: Vec<&str> = query.split('&').filter(|pair| !pair.is_empty()).filter(is_kept).collect();
    let kept = kept.join("&");
    url.set_query((!kept.is_empty()).then_some(&kept));
    url
}

/// Whether both are on one site: scheme, host and port are the same.
pub fn same_site(one: &Url, other: &Url) -> bool {
    one.scheme() == other.scheme()
        && one.host() == other.host()
        && one.port_or_known_default() == other.port_or_known_default()
}

/// Whether something to read may lie there, as far as its name tells: pictures, programs and the like are not fetched.
pub fn may_be_read(url: &Url) -> bool {
    let last = url.path().rsplit('/').next().unwrap_or_default().to_ascii_lowercase();
    let Some((_, ending)) = last.rsplit_once('.') else { return true };
    ![
        "png", "jpg", "jpeg", "gif", "svg", "webp", "avif", "bmp", "ico", "tif", "tiff", "css", "js", "mjs",
        "map", "woff", "woff2", "ttf", "otf", "eot", "mp3", "mp4", "m4a", "m4v", "mov", "avi", "webm", "mkv",
        "ogg", "wav", "flac", "zip", "gz", "tgz", "bz2", "xz", "7z", "rar", "dmg", "exe", "msi", "apk",
        "iso", "xml", "rss", "atom",
    ]
    .contains(&ending)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_page_has_one_address() {
        for (address, expected) in [
            ("https://School.example:443/a#b", "https://school.example/a"),
            (
                "https://school.example/a?utm_source=x&id=7&UTM_Medium=y&fbclid=z",
                "https://school.example/a?id=7",
            ),
            ("https://school.example/a?utm_source=x", "https://school.example/a"),
            ("https://school.example/a?&b=1&c", "https://school.example/a?b=1&c"),
            ("https://school.example", "https://school.example/"),
        ] {
            assert_eq!(plain(Url::parse(address).unwrap()).as_str(), expected);
        }
    }

    #[test]
    fn a_site_is_scheme_host_and_port() {
        let site = Url::parse("https://school.example/a").unwrap();
        for (address, expected) in [
            ("https://school.example:443/b?c", true),
            ("http://school.example/a", false),
            ("https://www.school.example/a", false),
            ("https://school.example:8443/a", false),
            ("https://school.example.evil.example/a", false),
        ] {
            assert_eq!(same_site(&site, &Url::parse(address).unwrap()), expected, "{address}");
        }
        for (path, expected) in [("/a.PNG", false), ("/a.html", true), ("/a.pdf", true), ("/v1.2/a", true)] {
            assert_eq!(may_be_read(&site.join(path).unwrap()), expected, "{path}");
        }
    }
}
