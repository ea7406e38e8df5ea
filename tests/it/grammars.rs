//! Readers that say where else to look, what a package holds, what a mailbox or a recording is: each fed with pieces of its
//! own grammar in any order, or with files whose bytes were changed. `parsers.rs` does the same for documents.

use std::io::Cursor;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::time::{Duration, Instant};

use bytes::Bytes;
use neverafk::ingest::Item;
use neverafk::ingest::extract::audio::Sound;
use neverafk::ingest::extract::links::{self, Sought, robots};
use neverafk::ingest::extract::{ExtractOptions, Limits, captions};
use neverafk::ingest::items::expand;
use proptest::prelude::*;

use crate::support::zipped;

const PAGE: &[&str] = &[
    "<html>",
    "<head>",
    "<base href='/b/'>",
    "<base href='javascript:x'>",
    "<link rel=canonical href='https://school.example/a'>",
    "<link rel='canonical' href='//'>",
    "<meta name=robots content='noindex, nofollow'>",
    "<a href='/wax?utm_source=x#y'>",
    "<a rel=nofollow href='b'>",
    "<a href='http://[::1'>",
    "<a href='mailto:a@b'>",
    "<a href=\"https://\u{fc}ber.example:99999/\">",
    "</a>",
    "<!--",
    "words",
    "<a href='",
];
const LIST: &[&str] = &[
    "<?xml version=\"1.0\"?>",
    "<!DOCTYPE x [<!ENTITY a 'aaaaaaaa'><!ENTITY b '&a;&a;&a;'>]>",
    "<urlset>",
    "<url><loc>https://school.example/a</loc></url>",
    "<loc>not an address</loc>",
    "<sitemapindex><sitemap><loc>https://school.example/b.xml</loc></sitemap>",
    "<rss><channel>",
    "<item><title>T</title><link>https://school.example/c</link>",
    "<content:encoded><![CDATA[<p>words</p>]]></content:encoded>",
    "<description>&lt;p&gt;</description></item>",
    "<feed><entry><link href='/d' rel='alternate'/><content type='html'>&amp;lt;",
    "</entry></feed>",
    "</urlset>",
    "&b;",
    "<![CDATA[",
    "]]>",
    "\u{1f}\u{8b}\u{8}",
    "https://school.example/line\n",
];
const ROBOTS: &[&str] = &[
    "User-agent: *\n",
    "User-agent: neverafk\n",
    "user-AGENT\t:\tneverafk # x\n",
    "Disallow: /\n",
    "Disallow:\n",
    "Allow: /a*b$\n",
    "Allow: /%C3%BC%zz\n",
    "Disallow: *************a\n",
    "Crawl-delay: 1e99\n",
    "Crawl-delay: -1\n",
    "Sitemap: https://school.example/s.xml\n",
    "\u{feff}",
    "\r",
    "\0",
    "words without a colon\n",
];
const CUES: &[&str] = &[
    "WEBVTT\n\n",
    "00:01.000 --> 00:02.000\nwords\n\n",
    "1\n00:00:01,000 --> 00:00:00,000\nbackwards\n\n",
    "<tt><body><div><p begin='1s' end='2s'>words</p></div></body></tt>",
    "\u{feff}",
    "\n\n",
    "words\n",
];
const MAILBOX: &[&str] = &[
    "From a@b Mon Nov 23 22:00:00 2026\n",
    "From: a@b\n",
    ">From the beginning\n",
    "Subject: Wax\n",
    "Message-ID: <1@x>\n",
    "Content-Type: multipart/mixed; boundary=b\n",
    "\n--b\n",
    "Content-Disposition: attachment; filename=\"../../a.md\"\n",
    "--b--\n",
    "\n\n",
    "words\n",
];
const MANIFEST: &[&str] = &[
    "<manifest>",
    "<organizations><organization>",
    "<item identifierref='r1'><title>Week 1</title>",
    "<item identifierref='nowhere'>",
    "</item>",
    "</organization></organizations>",
    "<resources>",
    "<resource identifier='r1' type='webcontent' href='a.html'>",
    "<file href='a.html'/>",
    "<file href='../../etc/passwd'/>",
    "<dependency identifierref='r1'/>",
    "</resource>",
    "</resources>",
    "</manifest>",
    "<activity><moduleid>1</moduleid><directory>activities/page_1</directory></activity>",
    "<section><title>One</title><directory>sections/section_1</directory></section>",
    "<page><name>Wax</name><content>&lt;p&gt;Warm it.&lt;/p&gt;</content></page>",
    "<![CDATA[",
    "&x;",
    "<",
];

/// Pieces of a grammar with bytes in between.
fn made_of(pieces: &'static [&'static str]) -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        8 => prop::sample::select(pieces).prop_map(|piece| piece.as_bytes().to_vec()),
        1 => prop::collection::vec(any::<u8>(), 0..6),
        1 => (prop::sample::select(pieces), 1usize..100).prop_map(|(piece, times)| piece.as_bytes().repeat(times)),
    ];
    prop::collection::vec(piece, 0..30).prop_map(|pieces| pieces.concat())
}

fn limits() -> Limits {
    Limits { stream_bytes: 4 << 20, unpacked_bytes: 8 << 20, words_bytes: 4 << 20, ..Limits::default() }
}

/// Takes a file apart; whatever comes of it is an item or a sentence.
fn apart(name: &str, bytes: Vec<u8>) -> Result<(), TestCaseError> {
    let (mut parts, mut fault) = (0usize, None);
    expand(Item::upload(name, bytes), &limits(), &mut |found| {
        parts += 1;
        match found {
            Ok(item) if !["upload:", "corpus:"].iter().any(|from| item.source.starts_with(from)) => {
                fault = Some(item.source)
            }
            Ok(_) => {}
            Err(error) if error.to_string().is_empty() || error.hint().is_empty() => {
                fault = Some("an error without a sentence".into());
            }
            Err(_) => {}
        }
        parts < 100_000
    });
    prop_assert!(fault.is_none(), "{name}: {fault:?}");
    prop_assert!(parts < 100_000, "{name}: it never ends");
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn where_else_to_read(
        bytes in prop_oneof![made_of(PAGE), made_of(LIST), made_of(ROBOTS), prop::collection::vec(any::<u8>(), 0..300)],
    ) {
        for (sought, path) in [(Sought::Page, "a/b"), (Sought::List, "s.xml"), (Sought::Robots, "robots.txt")] {
            let address = format!("https://school.example/{path}");
            match links::leads(&bytes, sought, &address, &limits()) {
                Ok(leads) => {
                    prop_assert!(leads.links.len() <= links::MOST && leads.rules.len() <= links::MOST);
                    for link in leads.links.iter().chain(&leads.lists) {
                        prop_assert!(link.len() <= links::ADDRESS_BYTES);
                    }
                    let asked = url::Url::parse("https://school.example/a/ü?b=c").unwrap();
                    robots::allows(&leads.rules, &asked);
                }
                Err(error) => prop_assert!(!error.to_string().is_empty() && !error.hint().is_empty()),
            }
        }
        links::is_list(&bytes, "https://school.example/s.xml");
    }

    #[test]
    fn captions_of_recordings(bytes in made_of(CUES)) {
        let limits = limits();
        let options = ExtractOptions { limits: &limits, password: None, stop: &|| false };
        if let Ok(text) = captions::read(&Bytes::from(bytes), &options) {
            for block in &text.blocks {
                let (start, end) = (block.anchor.start_ms, block.anchor.end_ms);
                prop_assert!(start.is_some() && start <= end, "{block:?}");
            }
        }
    }

    #[test]
    fn mailboxes(bytes in made_of(MAILBOX)) {
        apart("course.mbox", [b"From a@b Mon Nov 23 22:00:00 2026\n".to_vec(), bytes].concat())?;
    }

    #[test]
    fn packages(manifest in made_of(MANIFEST), page in made_of(PAGE)) {
        apart("course.imscc", zipped(&[("imsmanifest.xml", &manifest), ("a.html", &page)]))?;
        apart("course.mbz", zipped(&[
            ("moodle_backup.xml", &manifest),
            ("activities/page_1/page.xml", &manifest),
            ("sections/section_1/section.xml", &manifest),
            ("files.xml", &manifest),
        ]))?;
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 120, failure_persistence: None, ..ProptestConfig::default() })]

    /// Bytes of recordings are changed and cut out; whatever comes is sound or a sentence, and it ends. What a decoder
    /// throws is an answer of the reading process like any other, so it is caught here as it is there.
    #[test]
    fn changed_recordings_end(
        which in any::<prop::sample::Index>(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..24),
        cut in prop::option::of((any::<prop::sample::Index>(), 1usize..2_000)),
    ) {
        let names = ["tone.mp3", "tone.m4a", "tone.aac", "tone-alac.m4a", "tone.ogg", "tone.opus", "tone.flac", "tone.aiff", "tone.webm", "tone.mp4", "tone.mkv"];
        let name = names[which.index(names.len())];
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/media");
        let mut bytes = std::fs::read(folder.join(name)).unwrap();
        for (place, value) in changes {
            let at = place.index(bytes.len());
            bytes[at] = value;
        }
        if let Some((place, length)) = cut {
            let at = place.index(bytes.len());
            bytes.drain(at..(at + length).min(bytes.len()));
        }
        let began = Instant::now();
        let read = catch_unwind(AssertUnwindSafe(|| {
            let mut sound = Sound::open(Box::new(Cursor::new(bytes)), name)?;
            let mut blocks = 0;
            while let Some(block) = sound.next_block()? {
                assert!(!block.is_empty());
                blocks += 1;
                if blocks > 100_000 {
                    return Ok(false);
                }
            }
            Ok::<_, neverafk::ingest::extract::ExtractError>(true)
        }));
        if let Ok(Ok(ended)) = read {
            prop_assert!(ended, "{name}: it never ends");
        }
        prop_assert!(began.elapsed() < Duration::from_secs(20), "{name}");
    }
}
