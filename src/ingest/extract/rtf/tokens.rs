//! Rich text as tokens: groups, control words with their numbers, and bytes of text.

/// A step through a rich text.
#[derive(Debug, PartialEq, Eq)]
pub enum Token<'a> {
    Open,
    Close,
    /// `\par`, `\u233`.
    Word(&'a str, Option<i32>),
    /// `\~`, `\*`.
    Symbol(u8),
    /// `\'e4`.
    Byte(u8),
    /// Text as it stands, without line breaks.
    Text(&'a [u8]),
}

/// The tokens of a rich text; data of `\bin` is passed over.
pub fn tokens(bytes: &[u8]) -> impl Iterator<Item = Token<'_>> {
    let mut rest = bytes;
    std::iter::from_fn(move || {
        loop {
            let (&first, after) = rest.split_first()?;
            match first {
                b'{' => {
                    rest = after;
                    return Some(Token::Open);
                }
                b'}' => {
                    rest = after;
                    return Some(Token::Close);
                }
                b'\r' | b'\n' | 0 => rest = after,
                b'\\' => {
                    let (token, then) = control(after);
                    rest = then;
                    if let Some(Token::Word("bin", number)) = token {
                        let length = usize::try_from(number.unwrap_or(0)).unwrap_or(0);
                        rest = rest.get(length..).unwrap_or_default();
                        continue;
                    }
                    if token.is_some() {
                        return token;
                    }
                }
                _ => {
                    let special = |b: &u8| matches!(b, b'{' | b'}' | b'\\' | b'\r' | b'\n' | 0);
                    let length = rest.iter().position(special).unwrap_or(rest.len());
                    let (text, then) = rest.split_at(length);
                    rest = then;
                    return Some(Token::Text(text));
                }
            }
        }
    })
}

/// What follows a backslash.
fn control(bytes: &[u8]) -> (Option<Token<'_>>, &[u8]) {
    let letters = bytes.iter().take_while(|b| b.is_ascii_alphabetic()).count();
    if letters == 0 {
        let Some((&symbol, after)) = bytes.split_first() else { return (None, bytes) };
        if symbol != b'\'' {
            return (Some(Token::Symbol(symbol)), after);
        }
        let hex = after.get(..2).and_then(|two| std::str::from_utf8(two).ok());
        return match hex.and_then(|two| u8::from_str_radix(two, 16).ok()) {
            Some(byte) => (Some(Token::Byte(byte)), &after[2..]),
            None => (None, after),
        };
    }
    let (word, after) = bytes.split_at(letters);
    let minus = usize::from(after.first() == Some(&b'-'));
    let digits = after[minus..].iter().take_while(|b| b.is_ascii_digit()).count();
    let (number, mut after) = if digits > 0 { after.split_at(minus + digits) } else { (&after[..0], after) };
    if after.first() == Some(&b' ') {
        after = &after[1..];
    }
    let number = std::str::from_utf8(number).ok().and_then(|number| number.parse().ok());
    (Some(Token::Word(std::str::from_utf8(word).unwrap_or_default(), number)), after)
}
