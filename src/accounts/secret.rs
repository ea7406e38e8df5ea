//! 256 bits that prove something: a session, a link. They are shown once and stored as a hash.

use subtle::ConstantTimeEq;

/// The bits; they come from the system's generator, through the caller.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret([u8; 32]);

impl Secret {
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Reads what [`Secret::to_text`] wrote, and nothing else.
    pub fn parse(text: &str) -> Option<Self> {
        let hash = blake3::Hash::from_hex(text).ok()?;
        let secret = Self(*hash.as_bytes());
        // Upper-case digits would be a second name of the same secret.
        (secret.to_text() == text).then_some(secret)
    }

    /// 64 hexadecimal digits, for a cookie or a link.
    pub fn to_text(&self) -> String {
        blake3::Hash::from_bytes(self.0).to_hex().to_string()
    }

    /// How the store knows it. A plain hash is enough: nobody can go through 2^256 secrets.
    pub fn hash(&self) -> [u8; 32] {
        *blake3::hash(&self.0).as_bytes()
    }

    /// Whether this is the secret of a hash, in a time that tells nothing.
    pub fn is(&self, hash: &[u8; 32]) -> bool {
        self.hash().ct_eq(hash).into()
    }

    /// What a form of this session carries to show that our page sent it. It can be made from the session's secret
    /// and not the other way round.
    pub fn csrf(&self) -> String {
        hex(&blake3::derive_key("neverafk 2026 token of forms", &self.0))
    }

    /// Bits that tell two events apart and give nothing of the secret away.
    pub fn distinct(&self) -> [u8; 16] {
        let key = blake3::derive_key("neverafk 2026 name of an event", &self.0);
        let mut bits = [0; 16];
        bits.copy_from_slice(&key[..16]);
        bits
    }

    /// A password of four groups of five letters and digits: 100 bits, read aloud without confusion.
    pub fn password(&self) -> String {
        const LETTERS: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
        let key = blake3::derive_key("neverafk 2026 made password", &self.0);
        let letters: Vec<char> =
            key.iter().take(20).map(|byte| char::from(LETTERS[usize::from(byte & 31)])).collect();
        letters.chunks(5).map(|group| group.iter().collect::<String>()).collect::<Vec<_>>().join("-")
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret")
    }
}

/// Whether two texts are the same, in a time that depends on their lengths alone.
pub fn same(a: &str, b: &str) -> bool {
    a.as_bytes().ct_eq(b.as_bytes()).into()
}

fn hex(bytes: &[u8; 32]) -> String {
    blake3::Hash::from_bytes(*bytes).to_hex().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_reads_as_it_was_written_and_shows_nothing() {
        let secret = Secret::from_bytes([0xab; 32]);
        let text = secret.to_text();
        assert_eq!(Secret::parse(&text), Some(secret.clone()));
        for wrong in ["", "ab", &text.to_uppercase(), &format!("{text}0"), &text[1..]] {
            assert!(Secret::parse(wrong).is_none(), "{wrong}");
        }
        assert!(!format!("{secret:?}").contains("ab"));
        assert!(secret.is(&secret.hash()) && !secret.is(&[0; 32]));
        let derived = [secret.csrf(), secret.password(), hex(&secret.hash())];
        assert!(derived.iter().all(|other| *other != text && !text.contains(other.as_str())));
        assert_ne!(secret.csrf(), Secret::from_bytes([0xac; 32]).csrf());
        assert_eq!(secret.password().len(), 23);
    }
}
