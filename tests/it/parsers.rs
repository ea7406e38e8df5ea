//! Every reader of a format, fed with pieces of its own grammar in any order, and with bytes: words or a sentence, and
//! what comes out keeps the contract of its type.

use bytes::Bytes;
use neverafk::domain::MediaType;
use neverafk::ingest::detect::{CorpusFormat, detect};
use neverafk::ingest::extract::corpus::Corpus;
use neverafk::ingest::extract::{ExtractError, ExtractOptions, Limits, extract};
use proptest::prelude::*;

const PLAIN: &[&str] =
    &["words ", "\n", "\n\n", "• ", "1. ", "\t", "\r\n", "ÄÖ", "\u{202e}", "\u{feff}", "\0", "A\nB\n", "   "];
const MARKDOWN: &[&str] = &[
    "# ",
    "\n",
    "\n\n",
    "- ",
    "> ",
    "```",
    "~~~\n",
    "| a | b |\n|---|:-:|\n",
    "[x](y)",
    "![",
    "](",
    "**",
    "_",
    "`",
    "<b>",
    "</p>",
    "1) ",
    "    ",
    "---\ntitle: t\n---\n",
    "&amp;",
    "[^1]",
    "\\",
    "==\n",
    "words",
];
const HTML: &[&str] = &[
    "<p>",
    "</p>",
    "<table><tr><td>",
    "</table>",
    "<ul><li>",
    "<h1>",
    "</h1>",
    "<script>",
    "</script>",
    "<!--",
    "-->",
    "&#x0;",
    "&amp",
    "<a href='",
    "'>",
    "<pre>",
    "<br/>",
    "<svg>",
    "<title>",
    "<template>",
    "<![CDATA[",
    "<meta charset=x>",
    "words",
    "<select>",
    "<",
];
const CAPTIONS: &[&str] = &[
    "WEBVTT\n\n",
    "1\n",
    "00:00:01,000 --> 00:00:02,000\n",
    "00:01.000 --> 99:99:99.999 align:start\n",
    "99999999999:00:00.000 --> x\n",
    "<v Ann>",
    "</v>",
    "NOTE x\n",
    "\n\n",
    "words\n",
    "<tt ><body><div>",
    "<p begin='1s' end='2.5s'>",
    "<p begin='9999999999h' dur='-1t'>",
    "</p>",
    "</tt>",
    "{\\an8}",
    "STYLE\n",
];
const ASCIIDOC: &[&str] = &[
    "= ",
    "== ",
    "\n",
    "\n\n",
    "* ",
    ". ",
    "----\n",
    "====\n",
    "|===\n",
    "| a | b\n",
    ":a: b\n",
    "[source]\n",
    "//// \n",
    "words",
    "::",
    "+\n",
];
const RST: &[&str] = &[
    "Title\n",
    "=====\n",
    "-----\n",
    "\n",
    "\n\n",
    ".. ",
    "note::",
    "   ",
    "* ",
    "#. ",
    "::",
    "+---+\n",
    "| a |\n",
    "===  ===\n",
    ":f: x\n",
    "`x`_",
    "words",
];
const JSON: &[&str] = &[
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "\"key\"",
    "\"",
    "\\u12",
    "1e999",
    "-0",
    "null",
    "true",
    "\n",
    "\"words of a lesson\"",
    "[[[[",
];
const RTF: &[&str] = &[
    "{\\rtf1",
    "{",
    "}",
    "\\par ",
    "\\u-9999999999?",
    "\\u228?",
    "\\'ff",
    "\\bin99999999999 ",
    "\\bin3 abc",
    "{\\fonttbl",
    "{\\f0\\fcharset128 x;}",
    "\\f9",
    "\\trowd",
    "\\cell",
    "\\row",
    "\\pntext",
    "{\\*\\x",
    "\\uc9",
    "words",
    "\\",
    "\\ansicpg99999",
];
const MAIL: &[&str] = &[
    "From: a@b\r\n",
    "To: c@d\r\n",
    "Subject: =?utf-8?B?w7w=?=\r\n",
    "Subject: =?x?Q?=FF?=\r\n",
    "Date: x\r\n",
    "MIME-Version: 1.0\r\n",
    "Content-Type: multipart/mixed; boundary=b\r\n",
    "\r\n--b\r\n",
    "--b--\r\n",
    "Content-Type: text/html\r\n",
    "Content-Transfer-Encoding: base64\r\n",
    "\r\n\r\n",
    "> quoted\r\n",
    "On x wrote:\r\n",
    "words\r\n",
    "Content-Type: message/rfc822\r\n",
    "=\r\n",
    "====",
];
const PDF: &[&str] = &[
    "%PDF-1.7\n",
    "1 0 obj\n",
    "<</Type/Catalog/Pages 2 0 R>>",
    "2 0 obj\n",
    "<</Type/Pages/Kids[3 0 R]/Count 1>>",
    "3 0 obj\n",
    "<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]/Contents 4 0 R>>",
    "4 0 obj\n",
    "<</Length 9/Filter/FlateDecode>>",
    "stream\n",
    "endstream\n",
    "endobj\n",
    "xref\n0 2\n",
    "0000000000 65535 f \n",
    "trailer\n<</Root 1 0 R/Size 5>>\n",
    "startxref\n9\n%%EOF\n",
    "BT (x) Tj ET",
    "[[[",
    "<<",
    ">>",
    "(",
    ")",
    "99999999999",
    "/Encrypt 4 0 R",
    "<</Type/ObjStm/N 9999999/First 9>>",
];
const TABLE: &[&str] =
    &["id,title,text\n", "1,", "\"", "\"\"", "words", "\n", "\r\n", ";", "\t", "|", ",,,,", "ü"];

/// Pieces of a grammar with bytes in between.
fn made_of(pieces: &'static [&'static str]) -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        8 => prop::sample::select(pieces).prop_map(|piece| piece.as_bytes().to_vec()),
        1 => prop::collection::vec(any::<u8>(), 0..6),
        1 => (prop::sample::select(pieces), 1usize..300).prop_map(|(piece, times)| piece.as_bytes().repeat(times)),
    ];
    prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

fn check(bytes: Vec<u8>, media: MediaType) -> Result<(), TestCaseError> {
    let limits =
        Limits { stream_bytes: 4 << 20, unpacked_bytes: 8 << 20, words_bytes: 4 << 20, ..Limits::default() };
    let options = ExtractOptions { limits: &limits, password: None, stop: &|| false };
    match extract(&Bytes::from(bytes), media, &options) {
        Ok(text) => {
            let mut end = 0;
            for block in &text.blocks {
                prop_assert!(
                    block.span.start >= end && block.span.start <= block.span.end,
                    "{block:?} after {end}"
                );
                prop_assert!(text.text.get(block.span.start..block.span.end).is_some(), "{block:?}");
                end = block.span.end;
            }
        }
        // What the PDF reader throws is caught there; elsewhere it would have come here as a panic.
        Err(ExtractError::Crashed(_)) if media == MediaType::Pdf => {}
        Err(error) => prop_assert!(!error.to_string().is_empty() && !error.hint().is_empty()),
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn plain(bytes in made_of(PLAIN)) { check(bytes, MediaType::Plain)? }

    #[test]
    fn markdown(bytes in made_of(MARKDOWN)) {
        check(bytes.clone(), MediaType::Markdown)?;
        check(bytes, MediaType::Record)?;
    }

    #[test]
    fn html(bytes in made_of(HTML)) { check(bytes, MediaType::Html)? }

    #[test]
    fn captions(bytes in made_of(CAPTIONS)) { check(bytes, MediaType::Captions)? }

    #[test]
    fn asciidoc(bytes in made_of(ASCIIDOC)) { check(bytes, MediaType::Asciidoc)? }

    #[test]
    fn rst(bytes in made_of(RST)) { check(bytes, MediaType::Rst)? }

    #[test]
    fn json(bytes in made_of(JSON)) { check(bytes, MediaType::Json)? }

    #[test]
    fn rtf(bytes in made_of(RTF)) { check(bytes, MediaType::Rtf)? }

    #[test]
    fn mail(bytes in made_of(MAIL)) { check(bytes, MediaType::Email)? }

    #[test]
    fn pdf(bytes in made_of(PDF)) { check([b"%PDF-1.7\n".to_vec(), bytes].concat(), MediaType::Pdf)? }

    #[test]
    fn anything_as_any_format(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        for media in [
            MediaType::Plain, MediaType::Markdown, MediaType::Html, MediaType::Pdf, MediaType::Captions, MediaType::Docx,
            MediaType::Pptx, MediaType::Spreadsheet, MediaType::Odt, MediaType::Odp, MediaType::Epub, MediaType::Rtf,
            MediaType::Email, MediaType::Asciidoc, MediaType::Rst, MediaType::Json,
        ] {
            check(bytes.clone(), media)?;
        }
    }

    /// This one works on the first bytes of every file in the program itself, so it must take whatever comes.
    #[test]
    fn the_first_bytes(
        bytes in prop_oneof![made_of(HTML), made_of(MAIL), made_of(JSON), made_of(CAPTIONS), made_of(TABLE), made_of(PDF)],
        ending in prop::sample::select(&["", "txt", "md", "html", "pdf", "csv", "tsv", "jsonl", "eml", "mbox", "vtt", "docx", "ipynb"][..]),
    ) {
        if let Err(error) = detect(&bytes, &format!("name.{ending}")) {
            prop_assert!(!error.to_string().is_empty());
        }
    }

    #[test]
    fn records(bytes in prop_oneof![made_of(TABLE), made_of(JSON)], delimiter in prop::sample::select(&b",;\t|"[..])) {
        for format in [CorpusFormat::JsonLines, CorpusFormat::Csv { delimiter }] {
            for record in Corpus::new(bytes.as_slice(), format).flatten() {
                prop_assert!(!record.text.trim().is_empty());
            }
        }
    }
}
