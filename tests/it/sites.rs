//! Sites, sitemaps and feeds: read as they allow, within their bounds, and followed when they change.

use std::io::Write;
use std::time::Duration;

use neverafk::domain::{JobState, Receipt};
use neverafk::jobs;
use neverafk::jobs::watch::{Every, queue_due};
use serde_json::{Value, json};

use crate::support::wire::Site;
use crate::support::{Desk, TestApp};

fn desk() -> Desk {
    let desk = Desk::new();
    desk.creator();
    let settings = "[ingest]\nallow_private_addresses = true\nsite_pause_ms = 20\n";
    std::fs::write(desk.data().join("neverafk.toml"), settings).unwrap();
    desk
}

fn crawl(desk: &Desk, address: &str, more: &[&str]) -> Value {
    let mut arguments = vec!["ingest", address, "--creator", "course"];
    arguments.extend(more);
    desk.json(&arguments)
}

/// Paths of all pages that the store holds.
fn held(desk: &Desk, site: &Site) -> Vec<String> {
    let archive = desk.directory.path().join("export.zip");
    desk.ok(&["export", "--creator", "course", "--out", archive.to_str().unwrap()]);
    let mut zip = zip::ZipArchive::new(std::fs::File::open(archive).unwrap()).unwrap();
    let mut lines = String::new();
    std::io::Read::read_to_string(&mut zip.by_name("documents.jsonl").unwrap(), &mut lines).unwrap();
    let sources = lines.lines().map(|line| {
        let line: Value = serde_json::from_str(line).unwrap();
        let source = line["source"].as_str().unwrap().to_owned();
        source.strip_prefix(&site.origin).unwrap_or(&source).to_owned()
    });
    let mut sources: Vec<String> = sources.collect();
    sources.sort();
    sources
}

fn lesson(words: &str, links: &str) -> String {
    format!(
        "<html><head><title>Lesson</title></head><body><nav>{links}</nav><main><p>{words}</p></main></body></html>"
    )
}

#[test]
fn a_crawl_stays_within_its_site_and_its_bounds() {
    let (desk, site, other) = (desk(), Site::start(), Site::start());
    site.put(
        "/robots.txt",
        200,
        "",
        "User-agent: *\nDisallow: /private\n\nUser-agent: neverafk\nDisallow: /staff\n",
    );
    let links = format!(
        "<a href='/wax?utm_source=x#top'>a</a><a href='/wax'>b</a><a href='/staff/plan'>c</a><a href='/private'>d</a>\
         <a href='{}/elsewhere'>e</a><a href='/old'>f</a><a href='/gone'>g</a><a href='/print/wax'>h</a><a href='/photo.jpg'>i</a>\
         <a href='/hidden'>j</a><a href='/away'>k</a><a rel=nofollow href='/advert'>l</a>",
        other.origin
    );
    site.page("/", &lesson("The course begins in May.", &links));
    site.page("/wax", &lesson("Warm the wax to 62 degrees.", "<a href='/deep'>x</a>"));
    site.page("/private", &lesson("Only other programs stay away from here.", ""));
    site.page("/staff/plan", &lesson("Salaries.", ""));
    site.put("/old", 301, "Location: /new\r\n", "");
    site.page("/new", &lesson("The saw hangs on the wall.", ""));
    site.put("/away", 302, &format!("Location: {}/elsewhere\r\n", other.origin), "");
    other.page("/elsewhere", &lesson("Another site.", ""));
    site.page("/print/wax", "<html><head><link rel=canonical href='/wax'></head><body><p>Warm the wax to 62 degrees, printed.</p></body></html>");
    site.page("/hidden", "<html><head><meta name=robots content=noindex></head><body><p>Draft.</p><a href='/from-hidden'>x</a></body></html>");
    site.page("/from-hidden", &lesson("Found through a draft.", ""));
    site.page("/deep", &lesson("The press stands in the attic.", "<a href='/deeper'>x</a>"));
    site.page("/deeper", &lesson("Too far away.", ""));
    site.page("/advert", &lesson("Buy.", ""));

    let said = crawl(&desk, &site.origin, &["--crawl", "--depth", "2"]);
    assert_eq!(said["failed"], json!([]), "{said}");
    assert_eq!(held(&desk, &site), ["/", "/deep", "/from-hidden", "/new", "/private", "/wax"]);
    assert!(said["warnings"].to_string().contains("/gone"), "{said}");
    let requests = site.requests.lock().unwrap().clone();
    let count = |path: &str| requests.iter().filter(|(asked, ..)| asked == path).count();
    assert_eq!(
        (count("/robots.txt"), count("/wax"), count("/staff/plan"), count("/photo.jpg")),
        (1, 1, 0, 0)
    );
    assert!(requests.iter().all(|(_, _, agent)| agent.starts_with("neverafk/")));
    let pauses = requests.windows(2).map(|pair| pair[1].1 - pair[0].1);
    assert!(pauses.min().unwrap() >= Duration::from_millis(19), "one after the other");
    assert!(other.asked().iter().all(|path| path == "/robots.txt"), "nothing of another site is read");

    // What left the site leaves with the next pass; not with one that met trouble.
    site.remove("/deep");
    site.put("/new", 500, "", "");
    let said = desk.run(&["ingest", &site.origin, "--creator", "course", "--crawl", "--json"]);
    assert_eq!(said.code, 1, "{}", said.err);
    assert_eq!(held(&desk, &site).len(), 6);
    site.page("/new", &lesson("The saw hangs on the wall.", ""));
    let said = crawl(&desk, &site.origin, &["--crawl"]);
    assert_eq!((said["removed"].as_array().unwrap().len(), &said["unchanged"]), (1, &json!(5)), "{said}");
    assert_eq!(held(&desk, &site), ["/", "/from-hidden", "/new", "/private", "/wax"]);

    // Fewer pages than there are: that is said, and nothing is taken for gone.
    let said = crawl(&desk, &site.origin, &["--crawl", "--max-pages", "2"]);
    assert_eq!(said["removed"], json!([]), "{said}");
    assert!(said["warnings"].to_string().contains("at least"), "{said}");
    // The page alone is no new version of the site.
    let said = crawl(&desk, &format!("{}/", site.origin), &[]);
    assert_eq!((&said["unchanged"], &said["removed"]), (&json!(1), &json!([])), "{said}");
    assert_eq!(held(&desk, &site).len(), 5);
}

#[test]
fn a_site_whose_rules_cannot_be_read_is_left_alone() {
    for (status, body, reads) in
        [(404, "", true), (500, "", false), (200, "User-agent: *\nDisallow: /", false)]
    {
        let (desk, site) = (desk(), Site::start());
        site.page("/", &lesson("The course begins in May.", ""));
        site.put("/robots.txt", status, "", body);
        let said = desk.run(&["ingest", &site.origin, "--creator", "course", "--crawl", "--json"]);
        assert_eq!(
            (said.code == 0, held(&desk, &site).len()),
            (reads, usize::from(reads)),
            "{status}: {}",
            said.err
        );
        if !reads {
            assert!(said.err.contains("robots.txt"), "{}", said.err);
            assert!(!site.asked().contains(&"/".to_owned()));
        }
    }
    let (desk, site) = (desk(), Site::start());
    site.page("/", &lesson("The course begins in May.", "<a href='/b'>b</a>"))
        .page("/b", &lesson("More.", ""));
    site.put("/robots.txt", 200, "", "User-agent: *\nCrawl-delay: 0.4\n");
    crawl(&desk, &site.origin, &["--crawl"]);
    let requests = site.requests.lock().unwrap().clone();
    assert!(
        requests.windows(2).all(|pair| pair[1].1 - pair[0].1 >= Duration::from_millis(390)),
        "{requests:?}"
    );
    // A page whose links lead to themselves under ever new names ends too.
    let trap = Site::start();
    trap.page("/", &lesson("Round and round.", "<a href='/'>x</a>"));
    crawl(&desk, &trap.origin, &["--crawl", "--depth", "10"]);
    assert_eq!(trap.asked(), ["/robots.txt", "/"]);
}

#[test]
fn sitemaps_and_feeds_name_their_pages() {
    let (desk, site) = (desk(), Site::start());
    let map = |paths: &[&str]| {
        let urls: String =
            paths.iter().map(|path| format!("<url><loc>{}{path}</loc></url>", site.origin)).collect();
        format!(
            "<?xml version=\"1.0\"?><urlset xmlns=\"http://www.sitemaps.org/schemas/sitemap/0.9\">{urls}</urlset>"
        )
    };
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    packed.write_all(map(&["/b"]).as_bytes()).unwrap();
    site.put("/sitemap.xml", 200, "Content-Type: application/xml\r\n", format!(
        "<sitemapindex><sitemap><loc>{0}/one.xml</loc></sitemap><sitemap><loc>{0}/two.xml.gz</loc></sitemap>\
         <sitemap><loc>https://elsewhere.example/three.xml</loc></sitemap></sitemapindex>",
        site.origin
    ));
    site.put("/one.xml", 200, "Content-Type: text/xml\r\n", map(&["/a", "/a#x"]));
    site.put("/two.xml.gz", 200, "Content-Type: application/gzip\r\n", packed.finish().unwrap());
    site.page("/a", &lesson("The saw hangs on the wall.", "<a href='/not-listed'>x</a>"));
    site.page("/b", &lesson("The plane lies on the bench.", ""))
        .page("/not-listed", &lesson("Not listed.", ""));
    let sitemap = format!("{}/sitemap.xml", site.origin);
    let said = crawl(&desk, &sitemap, &[]);
    assert_eq!((&said["added"], &said["failed"]), (&json!(2), &json!([])), "{said}");
    assert_eq!(held(&desk, &site), ["/a", "/b"]);

    site.put("/one.xml", 200, "Content-Type: text/xml\r\n", map(&[]));
    assert_eq!(crawl(&desk, &sitemap, &[])["removed"].as_array().unwrap().len(), 1);
    assert_eq!(held(&desk, &site), ["/b"]);

    site.put("/feed", 200, "Content-Type: application/rss+xml\r\n", format!(
        "<rss version=\"2.0\" xmlns:content=\"http://purl.org/rss/1.0/modules/content/\"><channel><title>News</title>\
         <item><title>Glue</title><link>{0}/glue</link><content:encoded><![CDATA[<p>The glue dries within 9 hours.</p>]]></content:encoded></item>\
         <item><title>Press</title><link>{0}/press</link><description>Short.</description></item></channel></rss>",
        site.origin
    ));
    site.page("/press", &lesson("The press stands in the attic.", ""));
    site.asked();
    let said = crawl(&desk, &format!("{}/feed", site.origin), &[]);
    assert_eq!(said["added"], 2, "{said}");
    assert_eq!(held(&desk, &site), ["/b", "/glue", "/press"]);
    assert!(!site.asked().contains(&"/glue".to_owned()), "its words were in the feed");
    let answer = desk.ask("How long does the glue dry?");
    assert_eq!(answer["citations"][0]["title"], "Glue", "{answer}");

    // A bomb is a sentence.
    let mut bomb = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    (0..40).for_each(|_| bomb.write_all(&vec![b' '; 1 << 20]).unwrap());
    site.put("/bomb.xml.gz", 200, "", bomb.finish().unwrap());
    let said = desk.refused(&["ingest", &format!("{}/bomb.xml.gz", site.origin), "--creator", "course"]);
    assert!(said.contains("unpacks to more"), "{said}");
}

#[tokio::test]
async fn a_watched_site_is_followed() {
    let allow = [("ALLOW_PRIVATE_ADDRESSES", "true"), ("SITE_PAUSE_MS", "5")];
    let allow = allow.map(|(name, value)| (format!("NEVERAFK_INGEST__{name}"), value.to_owned()));
    let (test, site) = (TestApp::configured(&allow).await, Site::start());
    site.page("/", &lesson("The course begins in May.", "<a href='/a'>a</a>"));
    site.page("/a", &lesson("The saw hangs on the wall.", ""));
    let creator = TestApp::course();
    let watched = test.app.watch_site(&creator, &site.origin, (1, 10), false).await.unwrap();
    let look = async || {
        let jobs = test.app.jobs();
        while queue_due(&jobs, Every { folder_ms: 0, site_ms: 1 }).await.unwrap() == 0 {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        assert!(jobs::step(&jobs).await.unwrap());
        match test.app.store().job(&watched.job()).await.unwrap().unwrap().state {
            JobState::Done { receipt, .. } => receipt,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(look().await, Receipt { added: 2, ..Receipt::default() });
    site.page("/", &lesson("The course begins in June.", ""));
    assert_eq!(look().await, Receipt { changed: 1, removed: 1, ..Receipt::default() });
    let watched = test.app.watched(&creator).await.unwrap().remove(0);
    assert_eq!(watched.problem, None);
}

#[tokio::test]
async fn pages_that_did_not_change_are_not_sent_again_and_are_not_gone() {
    let allow = [("ALLOW_PRIVATE_ADDRESSES", "true"), ("SITE_PAUSE_MS", "5")];
    let allow = allow.map(|(name, value)| (format!("NEVERAFK_INGEST__{name}"), value.to_owned()));
    let (test, site) = (TestApp::configured(&allow).await, Site::start());
    let html = |version: &str| format!("Content-Type: text/html\r\n{version}\r\n");
    let first = lesson(
        "The course begins in May.",
        "<a href='/saw'>a</a><a href='/glue'>b</a><a href='/draft'>c</a>",
    );
    site.put("/", 200, &html("ETag: \"1\""), first);
    let saw = lesson("The saw hangs on the wall.", "<a href='/press'>a</a>");
    site.put("/saw", 200, &html("Last-Modified: Mon, 02 Nov 2026 08:00:00 GMT"), saw);
    site.page("/glue", &lesson("The glue dries within 9 hours.", ""));
    site.put("/press", 200, &html("ETag: W/\"7\""), lesson("The press stands in the attic.", ""));
    let draft = "<html><head><meta name=robots content=noindex></head><body><p>Draft.</p><a href='/found'>x</a></body></html>";
    site.put("/draft", 200, &html("ETag: \"d\""), draft);
    site.put("/found", 200, &html("ETag: \"f\""), lesson("Found through a draft.", ""));
    let creator = TestApp::course();
    let watched = test.app.watch_site(&creator, &site.origin, (2, 20), false).await.unwrap();
    let look = async || {
        let jobs = test.app.jobs();
        while queue_due(&jobs, Every { folder_ms: 0, site_ms: 1 }).await.unwrap() == 0 {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        assert!(jobs::step(&jobs).await.unwrap());
        let watched = test.app.watched(&creator).await.unwrap().remove(0);
        assert_eq!(watched.problem, None);
        watched.receipt.unwrap()
    };
    let receipt = |added, changed, unchanged, removed| Receipt { added, changed, unchanged, removed };
    assert_eq!(look().await, receipt(5, 0, 0, 0));
    assert_eq!(site.spared(), [""; 0]);

    // Links are followed from pages that were not sent.
    assert_eq!(look().await, receipt(0, 0, 5, 0));
    assert_eq!(site.spared(), ["/", "/draft", "/found", "/press", "/saw"]);

    let saw = lesson("The saw lies in the box.", "<a href='/press'>a</a>");
    site.put("/saw", 200, &html("Last-Modified: Tue, 03 Nov 2026 08:00:00 GMT"), saw);
    assert_eq!(look().await, receipt(0, 1, 4, 0));
    assert_eq!(site.spared(), ["/", "/draft", "/found", "/press"]);
    let found = test.app.search(&creator, "Where is the saw?", 1).await.unwrap();
    assert!(found.hits[0].text.contains("in the box"), "{:?}", found.hits[0]);

    // What is really gone leaves, and what was deleted here comes again.
    site.remove("/found");
    assert_eq!(look().await, receipt(0, 0, 4, 1));
    site.spared();
    let documents = test.app.store().documents(&creator).await.unwrap();
    let press = documents.into_iter().find(|document| document.source.ends_with("/press")).unwrap();
    test.app.delete_document(&press.id).await.unwrap();
    assert_eq!(look().await, receipt(1, 0, 3, 0));
    assert_eq!(site.spared(), ["/", "/draft", "/saw"]);

    // A site in trouble loses nothing, and neither does what is known of it.
    site.put("/robots.txt", 500, "", "");
    let jobs = test.app.jobs();
    while queue_due(&jobs, Every { folder_ms: 0, site_ms: 1 }).await.unwrap() == 0 {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    assert!(jobs::step(&jobs).await.unwrap());
    assert!(test.app.watched(&creator).await.unwrap()[0].problem.is_some());
    site.remove("/robots.txt");
    assert_eq!(look().await, receipt(0, 0, 4, 0));
    assert_eq!(site.spared(), ["/", "/draft", "/press", "/saw"]);
    // Watched no longer, it is forgotten how its pages were.
    test.app.unwatch(&creator, &watched.id).await.unwrap();
    assert!(test.app.store().page_stamps(&watched.id).await.unwrap().is_empty());
}

#[tokio::test]
async fn sitemaps_and_feeds_that_did_not_change_are_not_sent_again() {
    let allow = [("ALLOW_PRIVATE_ADDRESSES", "true"), ("SITE_PAUSE_MS", "5")];
    let allow = allow.map(|(name, value)| (format!("NEVERAFK_INGEST__{name}"), value.to_owned()));
    let (test, site) = (TestApp::configured(&allow).await, Site::start());
    let named = |version: &str| format!("Content-Type: application/xml\r\nETag: \"{version}\"\r\n");
    let url = |path: &str| format!("<url><loc>{}{path}</loc></url>", site.origin);
    let index = format!("<sitemapindex><sitemap><loc>{}/one.xml</loc></sitemap></sitemapindex>", site.origin);
    site.put("/sitemap.xml", 200, &named("i"), index);
    site.put("/one.xml", 200, &named("1"), format!("<urlset>{}{}</urlset>", url("/a"), url("/b")));
    site.put(
        "/a",
        200,
        "Content-Type: text/html\r\nETag: \"a\"\r\n",
        lesson("The saw hangs on the wall.", ""),
    );
    site.page("/b", &lesson("The plane lies on the bench.", ""));
    let feed = |items: &str| {
        format!(
            "<rss version=\"2.0\" xmlns:content=\"http://purl.org/rss/1.0/modules/content/\"><channel><title>News</title>\
             <item><title>Glue</title><link>{0}/glue</link><content:encoded><![CDATA[<p>The glue dries within 9 hours.</p>]]>\
             </content:encoded></item>{items}</channel></rss>",
            site.origin
        )
    };
    site.put("/feed", 200, &named("f"), feed(""));
    let creator = TestApp::course();
    let watch = async |address: &str| {
        let address = format!("{}{address}", site.origin);
        test.app.watch_site(&creator, &address, (0, 20), false).await.unwrap()
    };
    let look = async |watched: &neverafk::domain::Watched| {
        let jobs = test.app.jobs();
        let id = watched.id.clone();
        while queue_due(&jobs, Every { folder_ms: 0, site_ms: 1 }).await.unwrap() == 0 {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        while jobs::step(&jobs).await.unwrap() {}
        let all = test.app.watched(&creator).await.unwrap();
        let watched = all.into_iter().find(|watched| watched.id == id).unwrap();
        assert_eq!(watched.problem, None);
        watched.receipt.unwrap()
    };
    let receipt = |added, changed, unchanged, removed| Receipt { added, changed, unchanged, removed };
    let watched = watch("/sitemap.xml").await;
    assert_eq!(look(&watched).await, receipt(2, 0, 0, 0));
    assert_eq!(site.spared(), [""; 0]);
    assert_eq!(look(&watched).await, receipt(0, 0, 2, 0));
    assert_eq!(site.spared(), ["/a", "/one.xml", "/sitemap.xml"], "its pages are still looked at");
    // A list that changed is read, and what it names no longer leaves.
    site.put("/one.xml", 200, &named("2"), format!("<urlset>{}</urlset>", url("/a")));
    assert_eq!(look(&watched).await, receipt(0, 0, 1, 1));
    assert_eq!(site.spared(), ["/a", "/sitemap.xml"]);
    test.app.unwatch(&creator, &watched.id).await.unwrap();

    // A feed that holds all its words is one request, and what was deleted here comes again.
    let watched = watch("/feed").await;
    assert_eq!(look(&watched).await, receipt(1, 0, 0, 0));
    assert_eq!(look(&watched).await, receipt(0, 0, 1, 0));
    assert_eq!(site.spared(), ["/feed"]);
    let documents = test.app.store().documents(&creator).await.unwrap();
    let glue = documents.into_iter().find(|document| document.source.ends_with("/glue")).unwrap();
    test.app.delete_document(&glue.id).await.unwrap();
    assert_eq!(look(&watched).await, receipt(1, 0, 0, 0));
    assert_eq!(site.spared(), [""; 0]);
    let press = "<item><title>Press</title><link>https://elsewhere.example/press</link><description>It stands in the attic.\
                 </description></item>";
    site.put("/feed", 200, &named("g"), feed(press));
    assert_eq!(look(&watched).await, receipt(1, 0, 1, 0));
    assert_eq!(look(&watched).await, receipt(0, 0, 2, 0));
    assert_eq!(site.spared(), ["/feed"]);
}
