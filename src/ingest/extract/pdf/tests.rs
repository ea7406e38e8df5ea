//! Whole documents, made here: small PDFs written by [`File`], broken in every way that people meet.

use super::super::tests::{read, shown};
use super::super::{ExtractOptions, Limits, extract};
use super::*;
use crate::domain::MediaType;

mod places;

/// A PDF in the making: pages of lines.
#[derive(Default)]
struct File {
    pages: Vec<String>,
    info: String,
    /// More of the catalog, and objects after those of the pages.
    catalog: String,
    /// More fonts of the pages.
    resources: String,
    objects: Vec<String>,
}

impl File {
    /// Adds a page of `(x, y, size, words)`; y grows upwards, the page is 600 by 800.
    fn page(mut self, lines: &[(f32, f32, f32, &str)]) -> Self {
        let mut content = String::new();
        for (x, y, size, words) in lines {
            let words = words.replace('\\', "\\\\").replace('(', "\\(").replace(')', "\\)");
            content += &format!("BT /F1 {size} Tf 1 0 0 1 {x} {y} Tm ({words}) Tj ET\n");
        }
        self.pages.push(content);
        self
    }

    fn catalog(mut self, more: &str) -> Self {
        self.catalog += more;
        self
    }

    /// Adds an object; the first has the number 4 + 2 × pages.
    fn object(mut self, body: &str) -> Self {
        self.objects.push(body.to_owned());
        self
    }

    fn raw_page(mut self, content: &str) -> Self {
        self.pages.push(content.to_owned());
        self
    }

    fn bytes(self) -> Vec<u8> {
        let kids: Vec<String> = (0..self.pages.len()).map(|n| format!("{} 0 R", 4 + 2 * n)).collect();
        let mut objects = vec![
            format!("<</Type/Catalog/Pages 2 0 R{}>>", self.catalog).into_bytes(),
            format!("<</Type/Pages/Kids[{}]/Count {}>>", kids.join(" "), kids.len()).into_bytes(),
            b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding/WinAnsiEncoding>>".to_vec(),
        ];
        for (n, content) in self.pages.iter().enumerate() {
            let resources =
                format!("/MediaBox[0 0 600 800]/Resources<</Font<</F1 3 0 R{}>>>>", self.resources);
            objects.push(
                format!("<</Type/Page/Parent 2 0 R{resources}/Contents {} 0 R>>", 5 + 2 * n).into_bytes(),
            );
            objects.push(format!("<</Length {}>>\nstream\n{content}\nendstream", content.len()).into_bytes());
        }
        objects.extend(self.objects.into_iter().map(String::into_bytes));
        write(objects, &self.info)
    }
}

fn write(mut objects: Vec<Vec<u8>>, info: &str) -> Vec<u8> {
    objects.push(format!("<<{info}>>").into_bytes());
    let (mut pdf, mut places) = (b"%PDF-1.4\n".to_vec(), Vec::new());
    for (n, body) in objects.iter().enumerate() {
        places.push(pdf.len());
        pdf.extend(format!("{} 0 obj\n", n + 1).bytes());
        pdf.extend(body);
        pdf.extend(b"\nendobj\n");
    }
    let start = pdf.len();
    pdf.extend(format!("xref\n0 {}\n0000000000 65535 f \n", objects.len() + 1).bytes());
    for place in places {
        pdf.extend(format!("{place:010} 00000 n \n").bytes());
    }
    let size = objects.len() + 1;
    pdf.extend(
        format!("trailer\n<</Size {size}/Root 1 0 R/Info {} 0 R>>\nstartxref\n{start}\n%%EOF\n", size - 1)
            .bytes(),
    );
    pdf
}

fn blocks(file: File) -> Vec<String> {
    shown(&read(file.bytes(), MediaType::Pdf).unwrap())
}

/// Reads with limits and a password; for what goes wrong.
fn with(bytes: Vec<u8>, limits: Limits, password: Option<&str>) -> Result<Text, ExtractError> {
    extract(
        &Bytes::from(bytes),
        MediaType::Pdf,
        &ExtractOptions { limits: &limits, password, stop: &|| false },
    )
}

#[test]
fn a_line_is_found_on_its_page_with_the_title() {
    let mut file = File::default()
        .page(&[(60.0, 700.0, 12.0, "The cobalt blue of lesson three.")])
        .page(&[(60.0, 700.0, 12.0, "Pigment PB28.")]);
    file.info = "/Title(Colours of lesson 3)".to_owned();
    let text = read(file.bytes(), MediaType::Pdf).unwrap();
    assert_eq!(shown(&text), ["p The cobalt blue of lesson three.", "p Pigment PB28."]);
    assert_eq!((text.title.as_deref(), text.pages), (Some("Colours of lesson 3"), Some(2)));
    assert_eq!(text.blocks.iter().map(|b| b.anchor.page).collect::<Vec<_>>(), [Some(1), Some(2)]);
}

#[test]
fn lines_keep_their_place_on_the_page() {
    let file = File::default()
        .page(&[
            (60.0, 700.0, 10.0, "A sentence that goes on over a hy-"),
            (60.0, 688.0, 10.0, "phen and the end of its line."),
        ])
        .page(&[(120.0, 400.0, 10.0, "Another page.")]);
    let text = read(file.bytes(), MediaType::Pdf).unwrap();
    let found: Vec<(u32, &str)> =
        text.lines.iter().map(|line| (line.page, text.text[line.start..].get(..7).unwrap())).collect();
    assert_eq!(found, [(1, "A sente"), (1, "phen an"), (2, "Another")]);
    // 700 points above the lower edge of a page of 800 is 100 below its upper one; the baseline lies within the frame.
    let frame = text.lines[0].frame;
    assert!(frame.x0 == 600 && frame.y0 < 1000 && frame.y1 > 1000 && frame.y1 - frame.y0 < 120, "{frame:?}");
    assert_eq!((text.lines[2].frame.x0, text.sheets.len()), (1200, 2));
    assert_eq!((text.sheets[0].width, text.sheets[0].height), (6000, 8000));
}

#[test]
fn columns_are_read_one_after_the_other() {
    let mut lines = vec![(60.0, 760.0, 18.0, "Two columns")];
    let left = [
        "The first line of the left side ends with a hy-",
        "phen and the second line of it goes on like",
        "this until the end of the column is here",
    ];
    let right = [
        "where the sentence of the left side ends now.",
        "The right side has three lines as well, each",
        "of them about as long as those on the left.",
    ];
    for (row, (l, r)) in left.iter().zip(right).enumerate() {
        let y = 700.0 - 12.0 * row as f32;
        lines.extend([(60.0, y, 10.0, *l), (320.0, y, 10.0, r)]);
    }
    assert_eq!(
        blocks(File::default().page(&lines)),
        [
            "h1 Two columns",
            "p The first line of the left side ends with a hyphen and the second line of it goes on like this until the end of \
             the column is here where the sentence of the left side ends now. The right side has three lines as well, each of \
             them about as long as those on the left."
        ]
    );
}

#[test]
fn tables_lists_and_headings_keep_their_form() {
    let page = [
        (60.0, 740.0, 16.0, "Material"),
        (60.0, 700.0, 10.0, "What you need for the first five lessons of the course:"),
        (60.0, 680.0, 10.0, "\u{95} a knife"),
        (60.0, 666.0, 10.0, "\u{95} an easel"),
        (60.0, 630.0, 10.0, "Colour"),
        (200.0, 630.0, 10.0, "Tube"),
        (60.0, 616.0, 10.0, "cobalt"),
        (200.0, 616.0, 10.0, "61"),
        (60.0, 602.0, 10.0, "ochre"),
        (200.0, 602.0, 10.0, "12"),
    ];
    let ascii = page.map(|(x, y, size, words)| {
        (
            x,
            y,
            size,
            if words.starts_with('\u{95}') { words.trim_start_matches('\u{95}').trim() } else { words },
        )
    });
    let found = blocks(File::default().page(&ascii));
    assert_eq!(found[0], "h1 Material");
    assert_eq!(found[found.len() - 3..], ["tr Colour | Tube", "tr cobalt | 61", "tr ochre | 12"]);
}

#[test]
fn what_repeats_on_every_page_is_left_out() {
    let mut file = File::default();
    for n in 1..=4 {
        let (number, words) =
            (n.to_string(), format!("Words of page {}.", ["one", "two", "three", "four"][n - 1]));
        file = file.page(&[
            (60.0, 780.0, 9.0, "Anna's course"),
            (60.0, 500.0, 10.0, &words),
            (300.0, 20.0, 9.0, &number),
        ]);
    }
    assert_eq!(
        blocks(file),
        ["p Words of page one.", "p Words of page two.", "p Words of page three.", "p Words of page four."]
    );
}

#[test]
fn words_without_spaces_invisible_words_and_ligatures_are_read() {
    let apart = "BT /F1 10 Tf 60 700 Td [(cold)-300(water)] TJ ET BT 3 Tr /F1 10 Tf 60 600 Td (recognised) Tj ET \
                 BT /F1 10 Tf 60 500 Td (twice) Tj ET BT /F1 10 Tf 60.3 500 Td (twice) Tj ET BT /F1 .2 Tf 60 400 Td (tiny) Tj ET";
    assert_eq!(blocks(File::default().raw_page(apart)), ["p cold water", "p recognised", "p twice"]);
}

#[test]
fn broken_files_are_refused_in_words() {
    let good = || File::default().page(&[(60.0, 700.0, 12.0, "words")]).bytes();
    assert_eq!(with(b"no pdf".to_vec(), Limits::default(), None), Err(ExtractError::NotPdf));
    assert_eq!(
        with(b"%PDF-1.4\nand then nothing".to_vec(), Limits::default(), None),
        Err(ExtractError::DamagedPdf)
    );
    assert_eq!(with(File::default().bytes(), Limits::default(), None), Err(ExtractError::NoPages));
    assert_eq!(with(File::default().page(&[]).bytes(), Limits::default(), None), Err(ExtractError::NoText));
    for cut in (0..good().len()).step_by(7) {
        // Some cuts leave enough to read; none may crash or hang.
        let result = with(good()[..cut].to_vec(), Limits::default(), None);
        assert!(!matches!(result, Err(ExtractError::Crashed(_))), "{cut}: {result:?}");
    }
    for flipped in (0..good().len()).step_by(3) {
        let mut bytes = good();
        bytes[flipped] ^= 0x15;
        let result = with(bytes, Limits::default(), None);
        assert!(!matches!(result, Err(ExtractError::Crashed(_))), "{flipped}: {result:?}");
    }
}

#[test]
fn limits_hold() {
    let two = File::default().page(&[(60.0, 700.0, 12.0, "words")]).page(&[]).bytes();
    let error = with(two.clone(), Limits { pages: 1, ..Limits::default() }, None).unwrap_err();
    assert_eq!(error, ExtractError::TooMany { what: "pages", limit: 1 });
    let stopped = ExtractOptions { limits: &Limits::default(), password: None, stop: &|| true };
    assert_eq!(extract(&Bytes::from(two), MediaType::Pdf, &stopped), Err(ExtractError::Stopped));
}

#[test]
fn a_packed_bomb_is_refused_before_it_is_unpacked() {
    use std::io::Write;
    let pack = |bytes: &[u8]| {
        let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    };
    let packed = pack(&vec![b' '; 3 << 20]);
    let bomb = |filter: &str, data: &[u8]| {
        let mut stream = format!("<</Length {}/Filter{filter}>>\nstream\n", data.len()).into_bytes();
        stream.extend(data);
        stream.extend(b"\nendstream");
        let page = b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 600 800]/Contents 4 0 R>>".to_vec();
        write(
            vec![
                b"<</Type/Catalog/Pages 2 0 R>>".to_vec(),
                b"<</Type/Pages/Kids[3 0 R]/Count 1>>".to_vec(),
                page,
                stream,
            ],
            "",
        )
    };
    let limits = || Limits { stream_bytes: 1 << 20, ..Limits::default() };
    let error = ExtractError::Bomb { limit: 1 << 20 };
    assert_eq!(with(bomb("/FlateDecode", &packed), limits(), None), Err(error.clone()));
    assert_eq!(with(bomb("[/FlateDecode/FlateDecode]", &pack(&packed)), limits(), None), Err(error));
    assert_eq!(with(bomb("/FlateDecode", &packed), Limits::default(), None), Err(ExtractError::NoText));
}

#[test]
fn nesting_without_end_does_not_break_the_process() {
    for deep in ["[".repeat(200_000), "<<".repeat(100_000), "q ".repeat(200_000), "BT ".repeat(100_000)] {
        let result = with(File::default().raw_page(&deep).bytes(), Limits::default(), None);
        assert!(result.is_err(), "{:?}", &deep[..4]);
    }
}

#[test]
fn a_password_opens_an_encrypted_file() {
    use lopdf::{Document, EncryptionState, EncryptionVersion, Permissions};
    let plain = File::default().page(&[(60.0, 700.0, 12.0, "Behind the lock.")]).bytes();
    let mut document = Document::load_mem(&plain).unwrap();
    let id = || lopdf::Object::String(vec![7; 16], lopdf::StringFormat::Hexadecimal);
    document.trailer.set("ID", vec![id(), id()]);
    let permissions = Permissions::all();
    let version = EncryptionVersion::V2 {
        document: &document,
        owner_password: "owner",
        user_password: "user",
        key_length: 128,
        permissions,
    };
    let state = EncryptionState::try_from(version).unwrap();
    document.encrypt(&state).unwrap();
    let mut locked = Vec::new();
    document.save_to(&mut locked).unwrap();
    let open = |password| with(locked.clone(), Limits::default(), password);
    assert_eq!(open(None), Err(ExtractError::PasswordNeeded));
    assert_eq!(open(Some("guess")), Err(ExtractError::PasswordWrong));
    assert_eq!(shown(&open(Some("user")).unwrap()), ["p Behind the lock."]);
}
