//! Tokens back to text, as they come and never a part of a character.
//!
//! In: tokens one by one. Out: the characters that are whole by then. Called by [`super::generate`]. A token is
//! a few bytes, and a character may spread over several tokens: [`Writer`] keeps what is not whole yet.

use super::tokenizer::{SPACE, TokenKind};

/// The bytes of each token, all in one stretch.
pub struct Pieces {
    bytes: Vec<u8>,
    ends: Vec<u32>,
    /// The first piece of a text begins with a space that is not part of it.
    space_first: bool,
}

/// Joins the pieces of one answer.
#[derive(Default)]
pub struct Writer {
    pending: Vec<u8>,
    started: bool,
}

impl Pieces {
    pub fn new(tokens: &[String], kinds: &[TokenKind], sentence_piece: bool) -> Self {
        let mut this = Self { bytes: Vec::new(), ends: Vec::new(), space_first: sentence_piece };
        let byte_of = byte_of_letters();
        for (token, kind) in tokens.iter().zip(kinds) {
            match kind {
                TokenKind::Control | TokenKind::Unknown | TokenKind::Unused => {}
                TokenKind::UserDefined => this.bytes.extend(token.bytes()),
                TokenKind::Byte => this.bytes.extend(named_byte(token)),
                TokenKind::Normal if sentence_piece => this.bytes.extend(token.replace(SPACE, " ").bytes()),
                TokenKind::Normal => {
                    let bytes: Option<Vec<u8>> =
                        token.chars().map(|letter| byte_of.get(letter as usize).copied().flatten()).collect();
                    // A token that is not written in byte letters stands for itself.
                    this.bytes.extend(bytes.unwrap_or_else(|| token.bytes().collect()));
                }
            }
            this.ends.push(this.bytes.len() as u32);
        }
        this
    }

    /// The bytes of a token; none for control tokens.
    pub fn bytes(&self, token: u32) -> &[u8] {
        let token = token as usize;
        let Some(end) = self.ends.get(token) else { return &[] };
        let start = if token == 0 { 0 } else { self.ends[token - 1] };
        &self.bytes[start as usize..*end as usize]
    }

    /// How many tokens there are.
    pub fn len(&self) -> usize {
        self.ends.len()
    }
}

impl Writer {
    /// Adds a token to the text and appends to `out` the characters that are whole now.
    pub fn push(&mut self, pieces: &Pieces, token: u32, out: &mut String) {
        let mut bytes = pieces.bytes(token);
        if !self.started && !bytes.is_empty() {
            self.started = true;
            if pieces.space_first {
                bytes = bytes.strip_prefix(b" ").unwrap_or(bytes);
            }
        }
        self.pending.extend(bytes);
        let mut done = 0;
        for chunk in self.pending.utf8_chunks() {
            out.push_str(chunk.valid());
            done += chunk.valid().len();
            let invalid = chunk.invalid();
            let last = done + invalid.len() == self.pending.len();
            // At the very end, up to three bytes may still become a character.
            if invalid.is_empty() || (last && may_go_on(invalid)) {
                continue;
            }
            out.push(char::REPLACEMENT_CHARACTER);
            done += invalid.len();
        }
        self.pending.drain(..done);
    }

    /// What is left when no token comes any more.
    pub fn finish(&mut self, out: &mut String) {
        if !self.pending.is_empty() {
            out.push(char::REPLACEMENT_CHARACTER);
            self.pending.clear();
        }
    }
}

/// Whether bytes that are no character are the beginning of one.
fn may_go_on(bytes: &[u8]) -> bool {
    match std::str::from_utf8(bytes) {
        Ok(_) => false,
        Err(error) => error.error_len().is_none(),
    }
}

/// `<0x0A>` as SentencePiece names a byte.
fn named_byte(token: &str) -> Option<u8> {
    u8::from_str_radix(token.strip_prefix("<0x")?.strip_suffix('>')?, 16).ok()
}

/// Byte-level BPE writes each byte as a visible letter (Radford et al. 2019): printable ones of Latin-1 as
/// themselves, the others in order from U+0100 on. This is the way back, by the letter's number.
fn byte_of_letters() -> Vec<Option<u8>> {
    let mut byte_of = vec![None; 0x200];
    let mut next = 0x100;
    for byte in 0..=255u8 {
        let printable = matches!(byte, b'!'..=b'~' | 0xa1..=0xac | 0xae..=0xff);
        let letter = if printable {
            usize::from(byte)
        } else {
            next += 1;
            next - 1
        };
        byte_of[letter] = Some(byte);
    }
    byte_of
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(pieces: &Pieces, tokens: &[u32]) -> Vec<String> {
        let mut writer = Writer::default();
        let mut parts: Vec<String> = tokens
            .iter()
            .map(|token| {
                let mut out = String::new();
                writer.push(pieces, *token, &mut out);
                out
            })
            .collect();
        let mut rest = String::new();
        writer.finish(&mut rest);
        parts.push(rest);
        parts
    }

    fn of(tokens: &[&str], kinds: &[TokenKind], sentence_piece: bool) -> Pieces {
        let tokens: Vec<String> = tokens.iter().map(|t| (*t).to_owned()).collect();
        Pieces::new(&tokens, kinds, sentence_piece)
    }

    #[test]
    fn byte_letters_become_bytes_and_characters_stay_whole() {
        use TokenKind::*;
        // é is C3 A9; the llama is F0 9F A6 99.
        let tokens = ["Ġcaf", "Ã", "©", "ðŁ", "¦", "Ļ", "<|im_end|>", "<a b>", "Ċ"];
        let pieces = of(
            &tokens,
            &[Normal, Normal, Normal, Normal, Normal, Normal, Control, UserDefined, Normal],
            false,
        );
        assert_eq!(
            written(&pieces, &[0, 1, 2, 3, 4, 5, 6, 7, 8]),
            [" caf", "", "é", "", "", "🦙", "", "<a b>", "\n", ""]
        );
        assert_eq!(written(&pieces, &[3, 0]), ["", "\u{fffd} caf", ""]);
        assert_eq!(written(&pieces, &[2, 3]), ["\u{fffd}", "", "\u{fffd}"]);
        assert_eq!(written(&pieces, &[99]), ["", ""]);
    }

    #[test]
    fn sentence_piece_tokens_lose_the_first_space_only() {
        use TokenKind::*;
        let pieces =
            of(&["▁Hi", "▁there", "<0xC3>", "<0xA9>", "</s>"], &[Normal, Normal, Byte, Byte, Control], true);
        assert_eq!(written(&pieces, &[0, 1, 2, 3, 4, 0]), ["Hi", " there", "", "é", "", " Hi", ""]);
    }
}
