//! Whether a message is the payment provider's: `X-Signature` is the HMAC-SHA256 of the body as it came, in hexadecimal
//! digits (<https://docs.lemonsqueezy.com/help/webhooks/signing-requests>).

use hmac::{Hmac, Mac};
use sha2::Sha256;

/// Whether the signature is of this body and this secret, found out in a time that tells nothing. An empty secret signs
/// nothing.
pub fn is_signed(secret: &str, body: &[u8], signature: &str) -> bool {
    let (Some(given), false) = (unhex(signature.trim()), secret.is_empty()) else { return false };
    // HMAC takes keys of any length (RFC 2104), so no key is refused.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.as_bytes()) else { return false };
    mac.update(body);
    mac.verify_slice(&given).is_ok()
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    let bytes = pairs.iter().map(|[high, low]| Some((digit(*high)? << 4) | digit(*low)?));
    rest.is_empty().then(|| bytes.collect::<Option<Vec<u8>>>()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Computed with Python alone: `hmac.new(b"whsec", b"{\"a\":1}", "sha256").hexdigest()`.
    const SIGNED: &str = "19373ef0e8c66f206e49d251e4402291615bbce6ef00922e94a47a213fb76ee1";

    #[test]
    fn only_the_right_signature_is_taken() {
        let body = br#"{"a":1}"#;
        for (secret, body, signature, expected) in [
            ("whsec", &body[..], SIGNED, true),
            ("whsec", &body[..], &SIGNED.to_uppercase(), true),
            ("whsec", br#"{"a": 1}"#, SIGNED, false),
            ("other", &body[..], SIGNED, false),
            ("", &body[..], SIGNED, false),
            ("whsec", &body[..], &SIGNED[..62], false),
            ("whsec", &body[..], "", false),
            ("whsec", &body[..], "zz", false),
            ("whsec", &body[..], "ü", false),
        ] {
            assert_eq!(is_signed(secret, body, signature), expected, "{secret} {signature}");
        }
    }
}
