//! The HTML report as a browser sees it: every drawing, light and dark, wide and narrow.
//!
//! Each page is looked at twice: a copy with a script that measures it, and a picture of the page itself. Needs Chromium,
//! and skips loudly without it.

mod pages;
mod png;

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// What a page tells about itself: a script that is added to a copy, because the page has none.
const LOOK: &str = r#"<script>
const boxes = [...document.querySelectorAll('svg')].map(svg => svg.getBoundingClientRect());
const texts = [...document.querySelectorAll('svg text')];
const outside = texts.filter(text => {
  const t = text.getBoundingClientRect(), s = text.ownerSVGElement.getBoundingClientRect();
  return t.left < s.left - 1 || t.right > s.right + 1 || t.top < s.top - 1 || t.bottom > s.bottom + 1;
});
const size = t => parseFloat(getComputedStyle(t).fontSize) * t.ownerSVGElement.getBoundingClientRect().width
  / t.ownerSVGElement.viewBox.baseVal.width;
parent.postMessage(JSON.stringify({
  dark: matchMedia('(prefers-color-scheme: dark)').matches, width: innerWidth,
  scroll: document.documentElement.scrollWidth, svgs: boxes.length,
  empty: boxes.filter(box => box.width < 200 || box.height < 40).length,
  outside: outside.map(text => text.textContent), smallest: Math.min(...texts.map(size)),
}), '*');
</script>"#;

#[test]
fn a_browser_shows_every_drawing_in_light_and_dark_wide_and_narrow() {
    let Some(browser) = browser() else {
        eprintln!("skipped: no Chromium in PATH");
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    for (name, page) in pages::all() {
        let html = page.html();
        let file = write(folder.path(), &format!("{name}.html"), &html);
        // The policy of the page would forbid the script.
        let policy = html.find("<meta http-equiv").unwrap();
        let end = policy + html[policy..].find('>').unwrap() + 1;
        let measuring =
            html[..policy].to_owned() + &html[end..].replace("</body>", &format!("{LOOK}</body>"));
        let measuring = write(folder.path(), &format!("{name}-measuring.html"), &measuring);
        for (dark, width) in [(false, 1200), (true, 1200), (false, 360), (true, 360)] {
            let case = format!("{name}, {width} pixels, {}", if dark { "dark" } else { "light" });
            measure(&browser, &measuring, &case, html.matches("<svg").count(), dark, width);
            picture(&browser, &file, &case, dark, width);
        }
    }
}

/// Opens the copy with the script and checks what it says.
fn measure(browser: &Path, page: &Path, case: &str, svgs: usize, dark: bool, width: u32) {
    let holder = framed(page, width);
    let (dom, _) = run(browser, dark, &["--virtual-time-budget=3000", "--dump-dom"], &holder);
    let told = dom.split("<pre>").nth(1).and_then(|rest| rest.split("</pre>").next());
    let told = told.unwrap_or_else(|| panic!("{case}: the page told nothing: {dom}"));
    let seen: Value =
        serde_json::from_str(&told.replace("&gt;", ">").replace("&lt;", "<").replace("&amp;", "&")).unwrap();
    assert_eq!((&seen["dark"], &seen["width"]), (&Value::from(dark), &Value::from(width)), "{case}");
    assert!(seen["scroll"].as_u64().unwrap() <= u64::from(width), "{case} scrolls sideways: {seen}");
    assert_eq!((&seen["svgs"], &seen["empty"]), (&Value::from(svgs), &Value::from(0)), "{case}: {seen}");
    assert_eq!(seen["outside"], Value::Array(Vec::new()), "{case}: text leaves its drawing");
    assert!(seen["smallest"].as_f64().unwrap() > 9.5, "{case}: text too small to read: {seen}");
}

/// Takes a picture of the page itself: it is not blank, it has the right ground, and nobody complains.
fn picture(browser: &Path, page: &Path, case: &str, dark: bool, width: u32) {
    let holder = framed(page, width);
    // Kept where somebody wants to look: NEVERAFK_TEST_PICTURES names a folder.
    let file = case.replace(", ", "-").replace(' ', "-") + ".png";
    let folder = std::env::var_os("NEVERAFK_TEST_PICTURES")
        .map_or_else(|| page.parent().unwrap().to_owned(), PathBuf::from);
    let file = folder.join(file);
    let shot = format!("--screenshot={}", file.display());
    let (_, said) = run(browser, dark, &[&shot, "--hide-scrollbars"], &holder);
    let complaints: Vec<&str> = said.lines().filter(|line| line.contains("CONSOLE")).collect();
    assert!(complaints.is_empty(), "{case}: {complaints:?}");
    let picture = png::read(&std::fs::read(&file).unwrap());
    let light = picture.mean_light();
    assert!(if dark { light < 0.3 } else { light > 0.75 }, "{case}: the picture's mean light is {light}");
    assert!(picture.colors() > 40, "{case}: {} colours", picture.colors());
}

/// A page that shows the other one `width` pixels wide: a window is never narrower than 500.
fn framed(page: &Path, width: u32) -> PathBuf {
    let frame = format!(
        "<!doctype html><meta name=color-scheme content=\"light dark\"><body style=\"margin:0\">\
         <script>onmessage = m => {{ const p = document.createElement('pre'); p.textContent = m.data; \
         document.body.append(p); }}</script>\
         <iframe src=\"{}\" style=\"border:0;width:{width}px;height:2300px\"></iframe>",
        page.file_name().unwrap().to_string_lossy()
    );
    write(page.parent().unwrap(), &format!("frame-{width}.html"), &frame)
}

/// What the browser wrote, and what it said.
fn run(browser: &Path, dark: bool, arguments: &[&str], page: &Path) -> (String, String) {
    let profile = tempfile::tempdir().unwrap();
    let output = Command::new(browser)
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--enable-logging=stderr"])
        .arg(format!("--user-data-dir={}", profile.path().display()))
        .arg(format!("--blink-settings=preferredColorScheme={}", if dark { 0 } else { 1 }))
        .arg("--window-size=1200,2300")
        .args(arguments)
        .arg(format!("file://{}", page.display()))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    (
        String::from_utf8_lossy(&output.stdout).into_owned(),
        String::from_utf8_lossy(&output.stderr).into_owned(),
    )
}

/// The first of the names that distributions give it.
fn browser() -> Option<PathBuf> {
    let names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"];
    let folders: Vec<PathBuf> = std::env::split_paths(&std::env::var_os("PATH")?).collect();
    names
        .iter()
        .flat_map(|name| folders.iter().map(move |folder| folder.join(name)))
        .find(|path| path.is_file())
}

fn write(folder: &Path, name: &str, content: &str) -> PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, content).unwrap();
    path
}
