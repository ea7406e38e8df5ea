//! Personal data in a text, replaced by what it is: the one way by which a student's words may reach a log.
//!
//! Comes in: any text. Goes out: the text with e-mail addresses, telephone numbers, cards, IBANs, IP addresses and long
//! runs of digits masked. It would rather mask a date than leave a number of a person's. Pure.

use std::net::{Ipv4Addr, Ipv6Addr};

/// Digits from which a run is masked.
const LONG_RUN: usize = 7;

/// `text` without personal data.
pub fn masked(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    let mut before = ' ';
    while let Some(c) = rest.chars().next() {
        let begins = !before.is_alphanumeric();
        let found = if begins { email(rest).or_else(|| iban(rest)).or_else(|| address(rest)) } else { None };
        let found = found.or_else(|| if before.is_ascii_digit() { None } else { number(rest) });
        match found {
            Some((name, length)) => {
                out.push('[');
                out.push_str(name);
                out.push(']');
                before = ']';
                rest = &rest[length..];
            }
            None => {
                out.push(c);
                before = c;
                rest = &rest[c.len_utf8()..];
            }
        }
    }
    out
}

/// The first `most` characters of `text`, masked, on one line.
pub fn excerpt(text: &str, most: usize) -> String {
    let line = masked(text).split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(most) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}

type Found = Option<(&'static str, usize)>;

/// `local@domain.tld` at the start of `text`.
fn email(text: &str) -> Found {
    let is_local = |c: char| c.is_alphanumeric() || "._%+-'".contains(c);
    let at = text.find(|c: char| !is_local(c)).filter(|&at| at > 0 && text[at..].starts_with('@'))?;
    let domain = &text[at + 1..];
    let end = domain.find(|c: char| !(c.is_alphanumeric() || c == '.' || c == '-')).unwrap_or(domain.len());
    let domain = domain[..end].trim_end_matches(['.', '-']);
    let dotted =
        domain.rsplit_once('.').is_some_and(|(name, top)| !name.is_empty() && top.chars().count() >= 2);
    dotted.then_some(("email", at + 1 + domain.len()))
}

/// An IBAN with or without spaces (ISO 13616), its check digits right.
fn iban(text: &str) -> Found {
    let mut letters = Vec::new();
    let mut end = 0;
    let mut best = None;
    for (at, c) in text.char_indices() {
        if c == ' ' && at > 0 && !text[..at].ends_with(' ') {
            continue;
        }
        if !c.is_ascii_alphanumeric() || letters.len() == 34 {
            break;
        }
        letters.push(c.to_ascii_uppercase());
        end = at + 1;
        if letters.len() >= 15 && is_iban(&letters) {
            best = Some(("iban", end));
        }
    }
    best.filter(|&(_, length)| length <= end && !text[length..].starts_with(|c: char| c.is_alphanumeric()))
}

fn is_iban(letters: &[char]) -> bool {
    let country = letters[..2].iter().all(char::is_ascii_uppercase);
    let check = letters[2..4].iter().all(char::is_ascii_digit);
    country
        && check
        && letters[4..].iter().chain(&letters[..4]).fold(0u32, |rest, c| match c.to_digit(36) {
            Some(value) if value > 9 => (rest * 100 + value) % 97,
            Some(value) => (rest * 10 + value) % 97,
            None => rest,
        }) == 1
}

/// An IPv4 or IPv6 address.
fn address(text: &str) -> Found {
    let end = text.find(|c: char| !(c.is_ascii_hexdigit() || c == '.' || c == ':')).unwrap_or(text.len());
    let follows = text[end..].chars().next().is_some_and(char::is_alphanumeric);
    let token = text[..end].trim_end_matches(['.', ':']);
    // `10.0.0.7:8080` is an address and a port.
    let host = token.split_once(':').map_or(token, |(host, _)| host);
    if host.parse::<Ipv4Addr>().is_ok() {
        return Some(("ip", host.len()));
    }
    (!follows && token.matches(':').count() >= 2 && token.len() > 2 && token.parse::<Ipv6Addr>().is_ok())
        .then_some(("ip", token.len()))
}

/// A card, a telephone number, or digits in number.
fn number(text: &str) -> Found {
    let mut digits = Vec::new();
    let (mut end, mut gap, mut separated) = (0, 0, false);
    for (at, c) in text.char_indices() {
        if let Some(digit) = c.to_digit(10) {
            separated |= gap > 0 && !digits.is_empty();
            digits.push(digit);
            (end, gap) = (at + 1, 0);
        } else if matches!(c, ' ' | '-' | '.' | '/' | '(' | ')' | '+' | '\u{a0}')
            && gap < 2
            && (c != '+' || at == 0)
        {
            if digits.is_empty() && !matches!(c, '+' | '(') {
                return None;
            }
            gap += 1;
        } else {
            break;
        }
    }
    let is_phone = text.starts_with(['+', '(', '0']) || separated;
    match digits.len() {
        13..=19 if is_card(&digits) => Some(("card", end)),
        count if count < LONG_RUN => None,
        _ if is_phone => Some(("phone", end)),
        _ => Some(("number", end)),
    }
}

/// The check digit of payment cards (Luhn, ISO/IEC 7812-1).
fn is_card(digits: &[u32]) -> bool {
    let doubled = |digit: u32| if digit > 4 { digit * 2 - 9 } else { digit * 2 };
    let sum: u32 =
        digits.iter().rev().enumerate().map(|(place, &d)| if place % 2 == 1 { doubled(d) } else { d }).sum();
    sum.is_multiple_of(10)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn personal_data_is_named_and_not_shown() {
        for (text, expected) in [
            ("Write to ann.lee+course@mail.example.org, please.", "Write to [email], please."),
            ("call +49 (0)30 1234-567 now", "call [phone] now"),
            ("my number is 030 1234567.", "my number is [phone]."),
            ("card 4111 1111 1111 1111 expired", "card [card] expired"),
            ("IBAN DE89 3704 0044 0532 0130 00 is mine", "IBAN [iban] is mine"),
            ("from 192.168.0.17:8080 and 2001:db8::1", "from [ip]:8080 and [ip]"),
            ("order 123456789", "order [number]"),
            ("lesson 12, page 345 of 2024", "lesson 12, page 345 of 2024"),
            ("std::fs::read in Rust", "std::fs::read in Rust"),
            ("why is 3 x 4 = 12?", "why is 3 x 4 = 12?"),
            ("@home and me@", "@home and me@"),
            ("", ""),
        ] {
            assert_eq!(masked(text), expected);
        }
    }

    #[test]
    fn an_excerpt_is_masked_before_it_is_cut() {
        assert_eq!(excerpt("a\nb ann@example.org c", 7), "a b [em…");
        assert_eq!(excerpt("short", 7), "short");
    }

    proptest! {
        #[test]
        fn any_text_is_masked_without_panic(text in any::<String>()) {
            masked(&text);
        }

        #[test]
        fn no_address_and_no_long_number_is_left(before in "[a-z .,]{0,9}", name in "[a-z]{1,8}", n in 10_000_000u64..) {
            let out = masked(&format!("{before} {name}@{name}.org and {n}"));
            prop_assert!(!out.contains('@') && !out.contains(&n.to_string()), "{}", out);
        }

        #[test]
        fn words_alone_stay(text in "[a-zA-Zäß ,?!]{0,60}") {
            prop_assert_eq!(masked(&text), text);
        }
    }
}
