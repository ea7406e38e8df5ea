//! What a PDF says about itself: its outline becomes headings, its labels the names of pages; and no page is off.

use super::{File, read, shown};
use crate::domain::area::areas;
use crate::domain::{MediaType, Span, Text};

/// A file of pages with a heading set no larger than the text, and one sentence.
fn book(pages: &[(&str, &str)]) -> File {
    pages.iter().fold(File::default(), |file, (head, words)| {
        file.page(&[(60.0, 700.0, 10.0, head), (60.0, 660.0, 10.0, words)])
    })
}

fn text(file: File) -> Text {
    read(file.bytes(), MediaType::Pdf).unwrap()
}

fn labels(text: &Text) -> Vec<Option<&str>> {
    text.sheets.iter().map(|sheet| sheet.label.as_deref()).collect()
}

/// Six pages take the objects up to 15; the first that is added is 16.
fn six() -> File {
    book(&[
        ("Preface", "Words about the book."),
        ("Thanks", "To many people."),
        ("Colours", "Cobalt is blue."),
        ("More colours", "Ochre is yellow."),
        ("Tools", "A knife is sharp."),
        ("Answers", "All of them."),
    ])
}

#[test]
fn pages_have_the_names_that_are_printed_on_them() {
    let styles = "[0 <</S/r>> 2 <</S/D>> 4 <</S/A/P(App. )/St 2>> 5 <</P(End)>>]";
    let expected = [Some("i"), Some("ii"), Some("1"), Some("2"), Some("App. B"), Some("End")];
    let flat = six().catalog(&format!("/PageLabels<</Nums{styles}>>"));
    let flat = text(flat);
    assert_eq!(labels(&flat), expected);
    // The label is where a citation takes it from, beside the page's place in the file.
    let start = flat.text.find("Cobalt").unwrap();
    let found = areas(&flat.lines, &flat.sheets, Span { start, end: start + 6 });
    assert_eq!((found[0].page, found[0].sheet.label.as_deref()), (3, Some("1")));
    // As a tree, one branch of which is the tree itself.
    let tree = six()
        .catalog("/PageLabels 16 0 R")
        .object("<</Kids[17 0 R 16 0 R 18 0 R]>>")
        .object("<</Nums[0 <</S/r>> 2 <</S/D>>]/Limits[0 2]>>")
        .object("<</Nums[4 <</S/A/P(App. )/St 2>> 5 19 0 R]/Limits[4 5]>>")
        .object("<</P(End)>>");
    assert_eq!(labels(&text(tree)), expected);
    // Labels that say no more than the place in the file, and broken ones, are left out.
    for broken in ["[0 <</S/D>>]", "[-3 <</S/r>> 900 <</S/r>> (x) 7]", "[0 <</S/r/St 4000>>]"] {
        let read = text(six().catalog(&format!("/PageLabels<</Nums{broken}>>")));
        assert_eq!(labels(&read), [None; 6], "{broken}");
    }
}

#[test]
fn the_outline_says_what_is_a_heading() {
    // By page, by name (old and new), by action; nested; one of a title that is not on its page.
    let file = six()
        .catalog(
            "/Outlines 16 0 R/Dests<</old[6 0 R/Fit]>>/Names<</Dests<</Names[(new)<</D[8 0 R/XYZ 0 720 0]>>]>>>>",
        )
        .object("<</First 17 0 R/Last 21 0 R>>")
        .object("<</Title(Preface)/Dest[4 0 R/Fit]/Next 18 0 R>>")
        .object("<</Title(Painting)/A<</S/GoTo/D(new)>>/First 19 0 R/Next 21 0 R>>")
        .object("<</Title(Colours)/Dest(new)/Next 20 0 R>>")
        .object("<</Title(More Colours)/Dest[3/FitH 705]>>")
        .object("<</Title(Thanks)/Dest/old/Next 22 0 R>>")
        .object("<</Title(Page 6)/Dest[14 0 R/Fit]>>");
    let read = text(file);
    assert_eq!(
        shown(&read),
        [
            "h1 Preface",
            "p Words about the book.",
            "h1 Thanks",
            "p To many people.",
            "h1 Painting",
            "h2 Colours",
            "p Cobalt is blue.",
            "h2 More colours",
            "p Ochre is yellow.",
            "p Tools",
            "p A knife is sharp.",
            "p Answers",
            "p All of them.",
        ]
    );
    // A title that no line says stands on the page that it leads to.
    let pages: Vec<u32> = read.lines.iter().map(|line| line.page).collect();
    assert_eq!(pages, [1, 1, 2, 2, 3, 3, 3, 4, 4, 5, 5, 6, 6]);
}

#[test]
fn titles_are_found_with_their_numbers_and_over_several_lines() {
    let file = File::default()
        .page(&[
            (60.0, 700.0, 10.0, "Running text about the use of the"),
            (60.0, 688.0, 10.0, "palette knife and so on to the end."),
            (60.0, 650.0, 10.0, "2.1 The use of the"),
            (60.0, 638.0, 10.0, "palette knife"),
            (60.0, 600.0, 10.0, "It is for mixing."),
        ])
        .page(&[
            (60.0, 700.0, 10.0, "Chapter 3"),
            (60.0, 680.0, 10.0, "Brushes"),
            (60.0, 650.0, 10.0, "Hog hair."),
        ])
        .catalog("/Outlines 8 0 R")
        .object("<</First 9 0 R>>")
        .object("<</Title(The use of the palette knife)/Dest[4 0 R/XYZ 60 660 null]/Next 10 0 R>>")
        // Leads to the end of the page before, as some programs have it.
        .object("<</Title(Brushes)/Dest[4 0 R/XYZ 60 20 null]>>");
    assert_eq!(
        shown(&text(file)),
        [
            "p Running text about the use of the palette knife and so on to the end.",
            "h1 2.1 The use of the palette knife",
            "p It is for mixing.",
            "h1 Chapter 3 Brushes",
            "p Hog hair.",
        ]
    );
}

#[test]
fn outlines_that_loop_or_lead_nowhere_do_no_harm() {
    let plain = shown(&text(six()));
    for objects in [
        // Its own neighbour and its own child, and no page.
        vec!["<</First 17 0 R>>", "<</Title(Loop)/Next 17 0 R/First 16 0 R/Dest[99 0 R/Fit]>>"],
        // A name that means itself.
        vec!["<</First 17 0 R>>", "<</Title(Loop)/Dest/a>>"],
        vec![
            "<</First 17 0 R>>",
            "<</Title(Far)/Dest[7000/Fit]/Next 18 0 R>>",
            "<</Title(Web)/A<</S/URI/URI(x)>>>>",
        ],
        vec!["[]"],
        vec!["<</First 17 0 R>>", "<</Title 5/Dest 5/Next 5>>"],
    ] {
        let file = six().catalog("/Outlines 16 0 R/Dests<</a/a>>");
        let file = objects.iter().fold(file, |file, object| file.object(object));
        assert_eq!(shown(&text(file)), plain, "{objects:?}");
    }
    let deep = (0..3000).fold(six().catalog("/Outlines 16 0 R").object("<</First 17 0 R>>"), |file, n| {
        file.object(&format!("<</Title(Deep)/Dest[4 0 R/Fit]/First {} 0 R>>", 18 + n))
    });
    assert!(shown(&text(deep)).contains(&"p Cobalt is blue.".to_owned()));
}

#[test]
fn no_page_is_off() {
    // Two columns, an empty page, sentences that go on over the end of a page, running heads and printed numbers that
    // differ from the places of the pages.
    let pages = 12usize;
    let words = |page: usize, side: &str, line: usize| format!("mark{page}{side}{line} goes on with words");
    let file = (1..=pages).fold(File::default(), |file, page| {
        if page == 5 {
            return file.raw_page("");
        }
        let mut lines =
            vec![(60.0, 785.0, 9.0, "A course".to_owned()), (300.0, 20.0, 9.0, (page + 7).to_string())];
        for line in 0..6 {
            let y = 700.0 - 12.0 * line as f32;
            lines.push((60.0, y, 10.0, words(page, "l", line)));
            lines.push((320.0, y, 10.0, words(page, "r", line)));
        }
        let lines: Vec<_> = lines.iter().map(|(x, y, size, words)| (*x, *y, *size, words.as_str())).collect();
        file.page(&lines)
    });
    let read = text(file.catalog("/PageLabels<</Nums[0<</S/D/St 8>>]>>"));
    for page in (1..=pages).filter(|&page| page != 5) {
        for (side, line) in ["l", "r"].into_iter().flat_map(|side| (0..6).map(move |line| (side, line))) {
            let word = format!("mark{page}{side}{line} ");
            let start = read.text.find(&word).unwrap_or_else(|| panic!("{word} is missing"));
            let found = areas(&read.lines, &read.sheets, Span { start, end: start + word.len() });
            let printed = (page + 7).to_string();
            assert_eq!(found.len(), 1, "{word}");
            assert_eq!(
                (found[0].page as usize, found[0].sheet.label.as_deref(), found[0].lines.len()),
                (page, Some(printed.as_str()), 1),
                "{word}"
            );
        }
    }
    assert!(!read.text.contains("A course") && !read.text.contains(" 13 "));
}

#[test]
fn accents_and_letters_become_one() {
    // The accent over its letter, drawn before and after it; one beside a letter stays as it is.
    let content = "BT /F1 10 Tf 60 700 Td (Avia) Tj ET BT /F1 10 Tf 79 700 Td (c) Tj ET BT /F1 10 Tf 79.8 700 Td (\\270) Tj ET \
                   BT /F1 10 Tf 60 600 Td (n) Tj ET BT /F1 10 Tf 66.9 600 Td (\\264) Tj ET BT /F1 10 Tf 65.6 600 Td (e) Tj ET \
                   BT /F1 10 Tf 60 500 Td (a \\264 b) Tj ET";
    let found = shown(&text(File::default().raw_page(content)));
    assert_eq!(found, ["p Aviaç", "p né", "p a ´ b"]);
}

#[test]
fn exponents_and_marks_of_notes_are_no_part_of_a_number() {
    let content = "BT /F1 10 Tf 60 700 Td (about 10) Tj ET BT /F1 7 Tf 99.8 703.6 Td (2) Tj ET \
                   BT /F1 10 Tf 106.4 700 Td (metres and H) Tj ET BT /F1 7 Tf 166.6 698 Td (2) Tj ET \
                   BT /F1 10 Tf 170.8 700 Td (O) Tj ET";
    assert_eq!(shown(&text(File::default().raw_page(content))), ["p about 10² metres and H2O"]);
}

#[test]
fn signs_that_do_not_tell_their_letters_are_read_as_what_they_stand_for() {
    // A font of drawings without names, one of which is said to be a flag; what can be read is never replaced.
    let content = "BT /F1 10 Tf 60 700 Td (Austria) Tj ET /Span <</ActualText <feffd83cdde6d83cddf9>>> BDC \
                   BT /F2 10 Tf 100 700 Td (\\001) Tj ET EMC /Span <</ActualText (Australia)>> BDC \
                   BT /F1 10 Tf 60 600 Td (Not another) Tj ET EMC";
    let mut file = File::default().raw_page(content);
    file.resources = "/F2 6 0 R".to_owned();
    let font = "<</Type/Font/Subtype/Type3/FontBBox[0 0 1000 1000]/FontMatrix[.001 0 0 .001 0 0]/FirstChar 1/LastChar 1\
                /Widths[500]/CharProcs<</g1 7 0 R>>/Encoding<</Type/Encoding/Differences[1/g1]>>/Resources<<>>>>";
    let drawing = "500 0 d0 0 0 400 500 re f";
    let file =
        file.object(font).object(&format!("<</Length {}>>\nstream\n{drawing}\nendstream", drawing.len()));
    assert_eq!(shown(&text(file)), ["p Austria 🇦🇹", "p Not another"]);
}
