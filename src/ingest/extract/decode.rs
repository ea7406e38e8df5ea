//! Bytes to characters: whatever encoding a text file has.
//!
//! A byte order mark decides; else UTF-16 shows itself by its zero bytes; else the bytes are UTF-8 if they can be;
//! else the page's own `<meta charset>` (HTML only) or a guess from the letters' frequencies. Zero bytes and many
//! control characters mean that the file is no text at all.

use chardetng::EncodingDetector;
use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE};

use super::ExtractError;

/// Characters, and what was lost on the way.
#[derive(Debug)]
pub struct Decoded {
    pub text: String,
    pub warning: Option<String>,
}

/// Where the bytes may name their encoding themselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Declared {
    Nothing,
    Html,
}

/// How many of the first bytes are looked at for a declaration (the HTML standard says 1024).
const DECLARATION_BYTES: usize = 1024;
/// How many of the bytes the guess is made from.
const GUESS_BYTES: usize = 1 << 20;

/// The characters of a text file.
pub fn decode(bytes: &[u8], declared: Declared) -> Result<Decoded, ExtractError> {
    let encoding = match Encoding::for_bom(bytes) {
        Some((encoding, _)) => encoding,
        None => utf16_by_zeros(bytes)
            .or_else(|| std::str::from_utf8(bytes).is_ok().then_some(UTF_8))
            .or_else(|| if declared == Declared::Html { declared_in_html(bytes) } else { None })
            .unwrap_or_else(|| guess(bytes)),
    };
    let (text, _, lossy) = encoding.decode(bytes);
    if is_binary(&text) {
        return Err(ExtractError::NotText);
    }
    let lost = if lossy { text.matches('\u{fffd}').count() } else { 0 };
    // A text in which every twentieth character is unreadable was never text.
    if lost > 0 && lost > text.chars().count() / 20 {
        return Err(ExtractError::NotText);
    }
    let warning = (lost > 0).then(|| format!("{lost} characters could not be read as {}", encoding.name()));
    Ok(Decoded { text: text.into_owned(), warning })
}

/// Text holds no zero characters and few control characters.
fn is_binary(text: &str) -> bool {
    let odd = |c: char| c.is_control() && !matches!(c, '\n' | '\r' | '\t' | '\u{c}' | '\u{1b}' | '\u{85}');
    let sample = &text[..text.floor_char_boundary(GUESS_BYTES)];
    text.contains('\0') || sample.chars().filter(|&c| odd(c)).count() > sample.chars().count() / 50
}

/// UTF-16 without a mark: every other byte of Western text is zero.
fn utf16_by_zeros(bytes: &[u8]) -> Option<&'static Encoding> {
    let sample = &bytes[..bytes.len().min(4096) & !1];
    let pairs = sample.len() / 2;
    let zeros = |offset: usize| sample.iter().skip(offset).step_by(2).filter(|&&b| b == 0).count();
    let (even, odd) = (zeros(0), zeros(1));
    match pairs {
        0..4 => None,
        _ if odd * 10 > pairs * 7 && even * 20 <= pairs => Some(UTF_16LE),
        _ if even * 10 > pairs * 7 && odd * 20 <= pairs => Some(UTF_16BE),
        _ => None,
    }
}

fn declared_in_html(bytes: &[u8]) -> Option<&'static Encoding> {
    let head = String::from_utf8_lossy(&bytes[..bytes.len().min(DECLARATION_BYTES)]).to_ascii_lowercase();
    let after = &head[head.find("charset")? + "charset".len()..];
    let label = after.trim_start().strip_prefix('=')?.trim_start().trim_start_matches(['"', '\'']);
    let end = label.find(|c: char| !(c.is_ascii_alphanumeric() || "-_:.".contains(c))).unwrap_or(label.len());
    // A page that calls itself UTF-16 inside ASCII text is not (HTML standard); one that says UTF-8 was tried before.
    Encoding::for_label(&label.as_bytes()[..end]).filter(|e| ![UTF_16LE, UTF_16BE, UTF_8].contains(e))
}

fn guess(bytes: &[u8]) -> &'static Encoding {
    let mut detector = EncodingDetector::new(chardetng::Iso2022JpDetection::Deny);
    let sample = &bytes[..bytes.len().min(GUESS_BYTES)];
    detector.feed(sample, sample.len() == bytes.len());
    detector.guess(None, chardetng::Utf8Detection::Allow)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(bytes: &[u8], expected: &str) {
        assert_eq!(decode(bytes, Declared::Html).unwrap().text, expected);
    }

    #[test]
    fn any_common_encoding_is_read() {
        check("grün".as_bytes(), "grün");
        check(b"\xef\xbb\xbfmarked", "marked");
        check(b"\xff\xfeh\0i\0", "hi");
        check(b"t\0e\0x\0t\0 \0o\0f\0 \x001\x006\0", "text of 16");
        check(b"\0t\0e\0x\0t\0 \0o\0f", "text of");
        check(
            b"Die Gr\xf6\xdfe der Pinsel f\xfcr sch\xf6ne \xdcbungen",
            "Die Größe der Pinsel für schöne Übungen",
        );
        check(
            b"<meta charset=\"windows-1251\"><p>\xcf\xf0\xe8\xe2\xe5\xf2",
            "<meta charset=\"windows-1251\"><p>Привет",
        );
        let japanese = "これは日本語の文章です。筆は水で洗います。";
        let (bytes, ..) = encoding_rs::SHIFT_JIS.encode(japanese);
        check(&bytes, japanese);
    }

    #[test]
    fn binary_data_is_refused_and_losses_are_told() {
        for binary in [&b"abc\0def"[..], &[1, 2, 3, 4, 5, 6, 7, 8], &[0x89, b'P', b'N', b'G', 0, 0, 0, 13]] {
            assert!(matches!(decode(binary, Declared::Nothing), Err(ExtractError::NotText)), "{binary:?}");
        }
        let mut broken = b"\xef\xbb\xbf".to_vec();
        broken.extend("words ".repeat(50).bytes());
        broken.push(0xff);
        assert!(decode(&broken, Declared::Nothing).unwrap().warning.unwrap().starts_with("1 character"));
    }
}
