//! What of a message its sender wrote, without what it quotes.

/// The lines that are the sender's own, and whether something was left out.
pub fn own_words(text: &str) -> (String, bool) {
    let text = text.replace("\r\n", "\n");
    let lines: Vec<&str> = text.lines().collect();
    let mut own: Vec<&str> = Vec::new();
    let mut quoted = false;
    for (at, line) in lines.iter().enumerate() {
        let bare = line.trim();
        if is_divider(bare) {
            quoted = true;
            break;
        }
        if bare == "--" && at > 0 {
            break; // the signature
        }
        if bare.starts_with('>') {
            // The line that says who wrote it goes with the quotation.
            while own.last().is_some_and(|last| last.trim().is_empty()) {
                own.pop();
            }
            let is_attribution = |line: &&str| line.trim_end().ends_with(':');
            if !quoted && own.last().is_some_and(is_attribution) {
                own.pop();
                // It may be wrapped: "On Monday, Bob" / "<b@example.org> wrote:".
                if own.last().is_some_and(|last| begins_attribution(last)) {
                    own.pop();
                }
            }
            quoted = true;
            own.push("");
            continue;
        }
        own.push(line);
    }
    (own.join("\n"), quoted)
}

/// Lines by which mail programs begin the message that is answered or forwarded.
fn is_divider(line: &str) -> bool {
    let words = line.trim_matches(['-', '_', ' ', '=']);
    (line.starts_with("--") || line.starts_with("__"))
        && [
            "Original Message",
            "Forwarded message",
            "Ursprüngliche Nachricht",
            "Message d'origine",
            "Mensaje original",
        ]
        .iter()
        .any(|known| words.eq_ignore_ascii_case(known))
        || line.len() >= 20 && line.bytes().all(|b| b == b'_')
}

fn begins_attribution(line: &str) -> bool {
    ["On ", "Am ", "Le ", "El ", "Il ", "Op "].iter().any(|word| line.trim_start().starts_with(word))
}

/// The page up to the first element that mail programs put around a quoted message, and whether there was one.
pub fn own_html(page: &str) -> (&str, bool) {
    const MARKS: [&str; 6] = [
        "gmail_quote",
        "divRplyFwdMsg",
        "moz-cite-prefix",
        "yahoo_quoted",
        "type=\"cite\"",
        "OLK_SRC_BODY_SECTION",
    ];
    let at = MARKS.iter().filter_map(|mark| page.find(mark)).min();
    match at.and_then(|at| page[..at].rfind('<')) {
        Some(begin) => (&page[..begin], true),
        None => (page, false),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotations_and_signatures_go() {
        for (text, expected) in [
            ("Yes.\n\nOn Monday, Bob\n<b@x.org> wrote:\n> Is it?\n> really\n\nThanks", "Yes.\n\n\nThanks"),
            ("Fine.\n-----Original Message-----\nFrom: x", "Fine."),
            ("a\n--\nAnna, Studio", "a"),
            ("You need:\nb", "You need:\nb"),
        ] {
            assert_eq!(own_words(text).0, expected, "{text}");
        }
        assert_eq!(own_html("<p>a</p><div class=\"gmail_quote\">b"), ("<p>a</p>", true));
    }
}
