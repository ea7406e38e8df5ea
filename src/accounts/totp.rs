//! A second proof at sign-in: codes of an authenticator (RFC 6238 over RFC 4226: HMAC-SHA-1, six digits, thirty
//! seconds, as every authenticator knows them), and one-time codes for the day it is lost.

use hmac::{Hmac, Mac};
use sha1::Sha1;

use super::Secret;
use crate::domain::{Email, Timestamp};
use crate::store::SecondFactor;

/// RFC 6238, 4.1: a step of thirty seconds.
const STEP: u64 = 30_000;
/// RFC 6238, 5.2: a step before and after, for clocks that differ and fingers that are slow.
const AROUND: u64 = 1;
const DIGITS: u32 = 6;
/// RFC 4226, 4: 160 bits are recommended.
const SECRET_BYTES: usize = 20;
const RECOVERY_CODES: u8 = 8;

/// A secret for an authenticator that is set up.
pub fn secret(fresh: &Secret) -> Vec<u8> {
    blake3::derive_key("neverafk 2026 secret of an authenticator", fresh.hash().as_slice())[..SECRET_BYTES]
        .to_vec()
}

/// What an authenticator reads from a picture.
pub fn address(email: &Email, secret: &[u8]) -> String {
    let name: String = url::form_urlencoded::byte_serialize(email.as_str().as_bytes()).collect();
    format!("otpauth://totp/neverafk:{name}?secret={}&issuer=neverafk", base32(secret))
}

/// The step whose code this is, if it is one that may be used now and was not used before.
pub fn step_of(secret: &[u8], code: &str, last_step: u64, now: Timestamp) -> Option<u64> {
    let given: String = code.chars().filter(|c| !c.is_whitespace()).collect();
    let step = now.0 / STEP;
    (step.saturating_sub(AROUND)..=step + AROUND)
        .filter(|step| super::secret::same(&self::code(secret, *step), &given))
        .find(|step| *step > last_step)
}

/// What becomes of a second factor when this code is used: `None` when the code is not right.
pub fn used(factor: &SecondFactor, code: &str, now: Timestamp) -> Option<SecondFactor> {
    let mut after = factor.clone();
    if let Some(step) = step_of(&factor.secret, code, factor.last_step, now) {
        after.last_step = step;
        return Some(after);
    }
    let hash = recovery_hash(code);
    let place = after.recovery.iter().position(|known| *known == hash)?;
    after.recovery.remove(place);
    Some(after)
}

/// One-time codes, to be shown once, and how they are kept.
pub fn recovery(fresh: &Secret) -> (Vec<String>, Vec<[u8; 32]>) {
    let codes: Vec<String> = (0..RECOVERY_CODES)
        .map(|number| {
            let mut bytes = fresh.hash().to_vec();
            bytes.push(number);
            let bits = blake3::derive_key("neverafk 2026 recovery code", &bytes);
            // 80 bits in two groups.
            let text = base32(&bits[..10]).to_lowercase();
            format!("{}-{}", &text[..8], &text[8..])
        })
        .collect();
    let hashes = codes.iter().map(|code| recovery_hash(code)).collect();
    (codes, hashes)
}

/// Typed with or without dashes, spaces and capitals, it is the same code. 80 random bits need no slow hash.
fn recovery_hash(code: &str) -> [u8; 32] {
    let plain: String = code.chars().filter(char::is_ascii_alphanumeric).collect();
    *blake3::hash(plain.to_lowercase().as_bytes()).as_bytes()
}

/// RFC 4226, 5.3.
fn code(secret: &[u8], step: u64) -> String {
    // HMAC takes keys of every length, so there is no error to meet.
    let Ok(mut mac) = Hmac::<Sha1>::new_from_slice(secret) else { return String::new() };
    mac.update(&step.to_be_bytes());
    let hash = mac.finalize().into_bytes();
    let at = usize::from(hash[hash.len() - 1] & 0xf);
    let bits = u32::from_be_bytes([hash[at] & 0x7f, hash[at + 1], hash[at + 2], hash[at + 3]]);
    format!("{:0width$}", bits % 10u32.pow(DIGITS), width = DIGITS as usize)
}

/// RFC 4648, 6, without padding.
pub fn base32(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let mut text = String::new();
    for group in bytes.chunks(5) {
        let mut bits = [0u8; 8];
        bits[3..3 + group.len()].copy_from_slice(group);
        let value = u64::from_be_bytes(bits);
        for place in 0..(group.len() * 8).div_ceil(5) {
            text.push(char::from(LETTERS[(value >> (35 - 5 * place) & 31) as usize]));
        }
    }
    text
}

/// Reads what [`base32`] wrote.
pub fn from_base32(text: &str) -> Option<Vec<u8>> {
    let (mut value, mut bits, mut bytes) = (0u32, 0, Vec::new());
    for letter in text.chars() {
        let digit = match letter {
            'A'..='Z' => letter as u32 - 'A' as u32,
            '2'..='7' => letter as u32 - '2' as u32 + 26,
            _ => return None,
        };
        value = value << 5 | digit;
        bits += 5;
        if bits >= 8 {
            bits -= 8;
            bytes.push((value >> bits) as u8);
            value &= (1 << bits) - 1;
        }
    }
    (bytes.len() == SECRET_BYTES && value == 0).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    const RFC: &[u8] = b"12345678901234567890";

    #[test]
    fn codes_are_those_of_the_rfcs() {
        // RFC 4226, appendix D.
        for (step, expected) in [
            "755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583", "399871",
            "520489",
        ]
        .into_iter()
        .enumerate()
        {
            assert_eq!(code(RFC, step as u64), expected);
        }
        // RFC 6238, appendix B: the last six of its eight digits.
        for (seconds, expected) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
            (20_000_000_000, "353130"),
        ] {
            assert!(step_of(RFC, expected, 0, Timestamp(seconds * 1000)).is_some(), "{seconds}");
        }
    }

    #[test]
    fn a_code_lasts_a_minute_and_a_half_and_works_once() {
        let factor = SecondFactor { secret: RFC.to_vec(), recovery: Vec::new(), last_step: 0 };
        let at = |step: u64| Timestamp(step * STEP);
        let right = code(RFC, 100);
        for (step, works) in [(98, false), (99, true), (100, true), (101, true), (102, false)] {
            assert_eq!(used(&factor, &right, at(step)).is_some(), works, "{step}");
        }
        let after = used(&factor, &format!("{} {}", &right[..3], &right[3..]), at(100)).unwrap();
        assert!(used(&after, &right, at(100)).is_none(), "not twice");
        assert!(used(&after, &code(RFC, 99), at(100)).is_none(), "nor an older one");
        assert!(used(&after, &code(RFC, 101), at(100)).is_some());
        for wrong in ["", "000000", "75522", "7552244"] {
            assert!(used(&factor, wrong, at(100)).is_none(), "{wrong}");
        }
    }

    #[test]
    fn recovery_codes_work_once_each_however_they_are_typed() {
        let (codes, recovery) = recovery(&Secret::from_bytes([3; 32]));
        assert_eq!(codes.len(), 8);
        let factor = SecondFactor { secret: RFC.to_vec(), recovery, last_step: 0 };
        let typed = codes[2].to_uppercase().replace('-', " ");
        let after = used(&factor, &typed, Timestamp(0)).unwrap();
        assert_eq!(after.recovery.len(), 7);
        assert!(used(&after, &codes[2], Timestamp(0)).is_none());
        assert!(used(&after, &codes[3], Timestamp(0)).is_some());
    }

    #[test]
    fn secrets_go_through_base_32() {
        // RFC 4648, 10.
        for (bytes, text) in
            [("", ""), ("f", "MY"), ("fo", "MZXQ"), ("foo", "MZXW6"), ("foobar", "MZXW6YTBOI")]
        {
            assert_eq!(base32(bytes.as_bytes()), text);
        }
        let secret = secret(&Secret::from_bytes([5; 32]));
        assert_eq!(from_base32(&base32(&secret)), Some(secret));
        assert!(from_base32("MZXW6").is_none() && from_base32("mzxw6").is_none());
        let email: Email = "a+b@x.example".parse().unwrap();
        assert!(
            address(&email, RFC).starts_with("otpauth://totp/neverafk:a%2Bb%40x.example?secret=GEZDGNBV")
        );
    }
}
