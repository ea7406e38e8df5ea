//! HTML: what a reader of the page sees, as blocks.
//!
//! Scripts, styles, navigation, forms and whatever is hidden are left out. When one `<main>` or `<article>` holds most
//! of the page, only that is read, else the whole body. The tree is walked without recursion, and a page nested
//! deeper than any honest page is refused before it is parsed, because the parser's work grows with the depth.

pub(super) mod walk;

use scraper::{ElementRef, Html};

use crate::domain::{Anchor, BlockKind};

use super::clean::clean_line;
use super::{Builder, ExtractError};
use walk::{Enter, Step, walk};

/// Deepest nesting that is read. Browsers stop at 512.
const MAX_DEPTH: usize = 1_000;

/// Reads a whole page.
pub fn extract(source: &str, out: &mut Builder) -> Result<(), ExtractError> {
    check_depth(source)?;
    let page = Html::parse_document(source);
    let root = main_part(page.root_element());
    let first_heading = words_of_first(root, "h1");
    if let Some(title) = words_of_first(page.root_element(), "title") {
        // "Studio hours | Anna's course" names the site too; the page's heading is the part that is its own.
        let own = first_heading.as_ref().filter(|heading| title.contains(heading.as_str()));
        out.title(own.unwrap_or(&title));
    }
    if let Some(heading) = first_heading {
        out.title(&heading);
    }
    read(root, out)
}

/// Reads a piece of HTML that stands in something else, as in Markdown.
pub fn fragment(source: &str, out: &mut Builder) -> Result<(), ExtractError> {
    check_depth(source)?;
    read(Html::parse_fragment(source).root_element(), out)
}

/// Whether a heading is the first thing that a page says.
pub fn begins_with_heading(source: &str) -> bool {
    if check_depth(source).is_err() {
        return false;
    }
    let page = Html::parse_document(source);
    let mut first = None;
    let mut in_heading = false;
    walk(main_part(page.root_element()), &mut |step| {
        match step {
            _ if first.is_some() => return Enter::No,
            Step::Open(element) if is_left_out(&element) => return Enter::No,
            Step::Open(element) => in_heading |= matches!(element.value().name(), "h1" | "h2" | "h3" | "h4"),
            Step::Text(words) if !words.trim().is_empty() => first = Some(in_heading),
            _ => {}
        }
        Enter::Yes
    });
    first == Some(true)
}

/// Counts open tags roughly; those that need no end tag are not counted.
pub(super) fn check_depth(source: &str) -> Result<(), ExtractError> {
    const NO_END: [&str; 26] = [
        "p", "li", "td", "th", "tr", "dt", "dd", "option", "br", "hr", "img", "input", "meta", "link", "col",
        "wbr", "area", "base", "embed", "source", "track", "tbody", "thead", "tfoot", "colgroup", "a",
    ];
    let mut depth = 0usize;
    let mut rest = source;
    while let Some(at) = rest.find('<') {
        rest = &rest[at + 1..];
        let (closes, name) = match rest.strip_prefix('/') {
            Some(name) => (true, name),
            None => (false, rest),
        };
        let name = &name[..name.bytes().take_while(u8::is_ascii_alphanumeric).count()];
        if name.is_empty() || NO_END.iter().any(|n| n.eq_ignore_ascii_case(name)) {
            continue;
        }
        depth = if closes { depth.saturating_sub(1) } else { depth + 1 };
        if depth > MAX_DEPTH {
            return Err(ExtractError::TooMany { what: "elements within each other", limit: MAX_DEPTH });
        }
    }
    Ok(())
}

/// The one element that holds most of the page's words, if the page names one.
fn main_part(root: ElementRef) -> ElementRef {
    let mut candidates = Vec::new();
    walk(root, &mut |step| {
        if let Step::Open(element) = step {
            if is_left_out(&element) {
                return Enter::No;
            }
            let value = element.value();
            if value.name() == "main" || value.name() == "article" || value.attr("role") == Some("main") {
                candidates.push(element);
                return Enter::No;
            }
        }
        Enter::Yes
    });
    match candidates[..] {
        [only] if letters(only) * 2 > letters(root) => only,
        _ => root,
    }
}

/// How many letters are seen within an element.
fn letters(root: ElementRef) -> usize {
    let mut count = 0usize;
    walk(root, &mut |step| match step {
        Step::Open(element) if is_left_out(&element) => Enter::No,
        Step::Text(words) => {
            count += words.chars().filter(|c| c.is_alphanumeric()).count();
            Enter::Yes
        }
        _ => Enter::Yes,
    });
    count
}

/// The words of the first element of this name.
fn words_of_first(root: ElementRef, name: &str) -> Option<String> {
    let mut words: Option<String> = None;
    let mut done = false;
    walk(root, &mut |step| {
        match step {
            Step::Open(element) if element.value().name() == name && words.is_none() => {
                words = Some(String::new())
            }
            Step::Open(element) if name != "title" && is_left_out(&element) => return Enter::No,
            Step::Close(element) if element.value().name() == name && words.is_some() => done = true,
            Step::Text(text) if !done => {
                if let Some(words) = &mut words {
                    words.push_str(text);
                }
            }
            _ => {}
        }
        Enter::Yes
    });
    words.map(|words| heading_text(&words)).filter(|words| !words.is_empty())
}

/// A heading without the paragraph mark that generators append as a link.
fn heading_text(words: &str) -> String {
    clean_line(words).trim_end_matches(['¶', '#', ' ']).to_owned()
}

/// Whether a reader of the page does not read this as its text.
fn is_left_out(element: &ElementRef) -> bool {
    let value = element.value();
    if matches!(
        value.name(),
        "script"
            | "style"
            | "template"
            | "noscript"
            | "nav"
            | "svg"
            | "iframe"
            | "object"
            | "canvas"
            | "audio"
            | "video"
            | "button"
            | "select"
            | "textarea"
            | "input"
            | "datalist"
            | "head"
            | "footer"
            | "annotation"
            | "annotation-xml"
    ) {
        return true;
    }
    let hidden_style = value.attr("style").is_some_and(|style| {
        let style: String =
            style.chars().filter(|c| !c.is_whitespace()).collect::<String>().to_ascii_lowercase();
        style.contains("display:none") || style.contains("visibility:hidden") || style.contains("font-size:0")
    });
    hidden_style
        || value.attr("hidden").is_some()
        || value.attr("aria-hidden") == Some("true")
        || matches!(value.attr("role"), Some("navigation" | "search" | "dialog" | "alert"))
}

fn read(root: ElementRef, out: &mut Builder) -> Result<(), ExtractError> {
    let mut reader = Reader {
        out,
        words: String::new(),
        lists: Vec::new(),
        marker: None,
        cells: Vec::new(),
        in_cell: 0,
        code: 0,
    };
    let mut failure = None;
    walk(root, &mut |step| {
        let done = match step {
            _ if failure.is_some() => return Enter::No,
            Step::Open(element) if is_left_out(&element) => return Enter::No,
            Step::Open(element) => reader.open(&element),
            Step::Text(words) => {
                reader.text(words);
                Ok(())
            }
            Step::Close(element) => reader.close(&element),
        };
        failure = done.err();
        Enter::Yes
    });
    match failure {
        Some(error) => Err(error),
        None => reader.flush(BlockKind::Paragraph),
    }
}

struct Reader<'a, 'b> {
    out: &'a mut Builder<'b>,
    words: String,
    /// Open lists, innermost last: the next number, or none for bullets.
    lists: Vec<Option<u64>>,
    marker: Option<String>,
    cells: Vec<String>,
    /// Cells and code blocks that are open; within them other blocks end no block.
    in_cell: usize,
    code: usize,
}

impl Reader<'_, '_> {
    fn text(&mut self, words: &str) {
        if self.code > 0 {
            self.words.push_str(words);
            return;
        }
        for c in words.chars() {
            if !c.is_ascii_whitespace() {
                self.words.push(c);
            } else if !self.words.ends_with([' ', '\n']) {
                self.words.push(' ');
            }
        }
    }

    fn open(&mut self, element: &ElementRef) -> Result<(), ExtractError> {
        let value = element.value();
        match value.name() {
            "br" if self.in_cell == 0 => self.words.push('\n'),
            "ul" | "ol" | "menu" => {
                self.block_edge()?;
                let first = value.attr("start").and_then(|n| n.trim().parse().ok()).unwrap_or(1);
                self.lists.push((value.name() == "ol").then_some(first));
            }
            "li" => {
                self.block_edge()?;
                let marker = match self.lists.last_mut() {
                    Some(Some(number)) => {
                        *number = number.saturating_add(1);
                        format!("{}. ", number.saturating_sub(1))
                    }
                    _ => "- ".to_owned(),
                };
                self.marker = (self.in_cell == 0).then_some(marker);
            }
            "pre" => {
                self.block_edge()?;
                self.code += 1;
            }
            "td" | "th" if !holds_blocks(element) => {
                if self.in_cell == 0 {
                    self.flush(BlockKind::Paragraph)?;
                }
                self.in_cell += 1;
            }
            name if is_block(name) => self.block_edge()?,
            _ => {}
        }
        Ok(())
    }

    fn close(&mut self, element: &ElementRef) -> Result<(), ExtractError> {
        match element.value().name() {
            "ul" | "ol" | "menu" => {
                self.block_edge()?;
                self.lists.pop();
            }
            "li" => {
                self.block_edge()?;
                self.marker = None;
            }
            "pre" => {
                self.code = self.code.saturating_sub(1);
                if self.in_cell == 0 {
                    let code = std::mem::take(&mut self.words);
                    self.out.lines(BlockKind::Code, &code, Anchor::default())?;
                }
            }
            "td" | "th" if !holds_blocks(element) => {
                self.in_cell = self.in_cell.saturating_sub(1);
                if self.in_cell == 0 {
                    self.cells.push(clean_line(&std::mem::take(&mut self.words)));
                }
            }
            "tr" if self.in_cell == 0 => {
                let cells = std::mem::take(&mut self.cells);
                if cells.iter().any(|cell| !cell.is_empty()) {
                    self.out.line(BlockKind::TableRow, &cells.join(" | "), Anchor::default())?;
                }
                self.block_edge()?;
            }
            name @ ("h1" | "h2" | "h3" | "h4" | "h5" | "h6") if self.in_cell == 0 => {
                self.words = heading_text(&self.words);
                self.flush(BlockKind::Heading(name.as_bytes()[1] - b'0'))?;
            }
            // A disclosure's summary is most often a question of an FAQ.
            "summary" if self.in_cell == 0 => self.flush(BlockKind::Heading(6))?,
            name if is_block(name) => self.block_edge()?,
            _ => {}
        }
        Ok(())
    }

    fn block_edge(&mut self) -> Result<(), ExtractError> {
        if self.in_cell > 0 || self.code > 0 {
            self.text(" ");
            return Ok(());
        }
        self.flush(BlockKind::Paragraph)
    }

    /// Ends the block that was being read; the first of a list item carries its marker.
    fn flush(&mut self, kind: BlockKind) -> Result<(), ExtractError> {
        if self.words.trim().is_empty() {
            self.words.clear();
            return Ok(());
        }
        let words = std::mem::take(&mut self.words);
        match (kind, self.marker.take()) {
            (BlockKind::Paragraph, Some(marker)) => self.out.line(
                BlockKind::ListItem,
                &format!("{marker}{}", words.trim_start()),
                Anchor::default(),
            ),
            (BlockKind::Paragraph, None) if words.trim().contains('\n') => {
                let lines: Vec<&str> = words.trim().split('\n').map(str::trim).collect();
                self.out.lines(kind, &lines.join("\n"), Anchor::default())
            }
            (kind, _) => self.out.line(kind, &words, Anchor::default()),
        }
    }
}

/// Whether a cell lays out a page rather than a table: what it holds is then read as blocks.
fn holds_blocks(cell: &ElementRef) -> bool {
    let mut node = cell.first_child();
    let mut paragraphs = 0;
    while let Some(child) = node {
        match child.value().as_element().map(|e| e.name()) {
            Some("table" | "h1" | "h2" | "h3" | "h4" | "h5" | "h6" | "pre" | "section" | "article") => {
                return true;
            }
            Some("p") => paragraphs += 1,
            _ => {}
        }
        node = child.next_sibling();
    }
    paragraphs > 2
}

fn is_block(name: &str) -> bool {
    matches!(
        name,
        "address"
            | "article"
            | "aside"
            | "blockquote"
            | "body"
            | "caption"
            | "center"
            | "dd"
            | "details"
            | "dialog"
            | "div"
            | "dl"
            | "dt"
            | "fieldset"
            | "figcaption"
            | "figure"
            | "form"
            | "h1"
            | "h2"
            | "h3"
            | "h4"
            | "h5"
            | "h6"
            | "header"
            | "hgroup"
            | "hr"
            | "html"
            | "legend"
            | "main"
            | "p"
            | "search"
            | "section"
            | "summary"
            | "table"
            | "tbody"
            | "td"
            | "tfoot"
            | "th"
            | "thead"
            | "tr"
    )
}

#[cfg(test)]
mod tests {
    use super::super::tests::{read, shown};
    use super::*;
    use crate::domain::MediaType::Html as Page;

    fn check(source: &str, title: Option<&str>, blocks: &[&str]) {
        let found = read(source, Page).unwrap();
        assert_eq!(shown(&found), blocks);
        assert_eq!(found.title.as_deref(), title);
    }

    #[test]
    fn what_is_seen_is_read() {
        check(
            "<html><head><title>Studio hours</title><script>var zebra = 1;</script><style>p{}</style></head><body><nav>Home</nav>\
             <h1>Studio hours<a href='#x'>¶</a></h1><p>The studio\n opens at&nbsp;07:45 &amp; closes<br> at noon.</p><template>t</template>\
             <p hidden>secret</p><span style='display : none'>ignore all</span><noscript>n</noscript><footer>imprint</footer></body></html>",
            Some("Studio hours"),
            &["h1 Studio hours", "p The studio opens at 07:45 & closes\nat noon."],
        );
        check(
            "<ul><li>one<li><p>two</p><ol start=3><li>three</ol></ul><pre>a\n  b</pre><table><tr><th>k<th>v<tr><td>1<td><p>2</p></table>loose",
            None,
            &["li - one", "li - two", "li 3. three", "code a\n  b", "tr k | v", "tr 1 | 2", "p loose"],
        );
        check("<details><summary>Is it live?</summary>No.</details>", None, &["h6 Is it live?", "p No."]);
        check(
            "<table><tr><td><h2>Layout</h2><p>Words.</p></td></tr></table>",
            None,
            &["h2 Layout", "p Words."],
        );
    }

    #[test]
    fn the_main_part_is_read_alone_when_it_is_the_page() {
        let main = format!("<h1>Glaze</h1><p>{}</p>", "Thin layers dry. ".repeat(9).trim());
        check(
            &format!(
                "<title>Glaze | Anna</title><div>Menu of the site</div><main>{main}</main><div>Cookies</div>"
            ),
            Some("Glaze"),
            &["h1 Glaze", &format!("p {}", "Thin layers dry. ".repeat(9).trim())],
        );
        let two = "<article><p>First post.</p></article><article><p>Second post.</p></article>";
        check(two, None, &["p First post.", "p Second post."]);
    }

    #[test]
    fn nesting_without_end_is_refused_and_naughty_pages_are_read() {
        let error = read("<div>".repeat(100_000), Page).unwrap_err();
        assert!(matches!(error, ExtractError::TooMany { .. }));
        assert!(read("<b>".repeat(900) + "x", Page).is_ok());
        assert!(read("<p><a>".repeat(30_000) + "x", Page).is_ok());
        assert!(read("<table>".repeat(900) + "x" + &"<td><table>".repeat(50), Page).is_ok());
        assert_eq!(read("<html><body></body></html>", Page), Err(ExtractError::NoText));
        check(
            "<p>a<!-- c --><![CDATA[d]]></p><p>&#x1F600;&#0;&bogus;",
            None,
            &["p a", "p 😀\u{fffd}&bogus;"],
        );
    }
}
