//! Signatures of deliveries, as the Standard Webhooks specification has them
//! (<https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md>), so that receivers
//! can use that project's libraries.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac};
use sha2::Sha256;

use crate::domain::Timestamp;

/// Bytes of a secret: the specification wants 24 to 64.
pub const SECRET_BYTES: usize = 32;

/// A secret as people copy it.
pub fn shown(secret: &[u8]) -> String {
    format!("whsec_{}", STANDARD.encode(secret))
}

/// Seconds since 1970, as the headers give times.
pub fn seconds(time: Timestamp) -> u64 {
    time.0 / 1000
}

/// The value of `webhook-signature`: HMAC-SHA256 over id, time and body.
pub fn signature(secret: &[u8], id: &str, seconds: u64, body: &str) -> String {
    // HMAC takes keys of any length (RFC 2104), so no key is refused.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret) else { return String::new() };
    mac.update(format!("{id}.{seconds}.{body}").as_bytes());
    format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Computed with Python's `hmac` and `hashlib` alone:
    /// `base64.b64encode(hmac.new(bytes(range(32)), b"msg_1.1700000000.{\"a\":1}", "sha256").digest())`.
    #[test]
    fn a_signature_is_what_another_program_computes() {
        let secret: Vec<u8> = (0..32).collect();
        assert_eq!(signature(&secret, "msg_1", 1_700_000_000, "{\"a\":1}"), EXPECTED);
        assert_ne!(signature(&secret, "msg_1", 1_700_000_001, "{\"a\":1}"), EXPECTED);
        assert_eq!(shown(&[0xff; 3]), "whsec_////");
    }

    const EXPECTED: &str = "v1,AMaOha7DUT/0J0JMycRuYOBSvbx3WtwLd2khXXbaVj4=";
}
