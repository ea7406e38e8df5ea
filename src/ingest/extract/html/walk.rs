//! A walk through an HTML tree in reading order, without recursion: depth costs no stack.

use scraper::{ElementRef, Node};

/// What the walk comes upon.
pub enum Step<'a> {
    Open(ElementRef<'a>),
    Text(&'a str),
    Close(ElementRef<'a>),
}

/// Whether the walk goes into an element that was opened; if not, it is not closed either.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Enter {
    Yes,
    No,
}

/// Visits `root` and all it holds.
pub fn walk<'a>(root: ElementRef<'a>, visit: &mut impl FnMut(Step<'a>) -> Enter) {
    let mut node = *root;
    loop {
        let mut below = None;
        match node.value() {
            Node::Text(text) => {
                visit(Step::Text(text));
            }
            Node::Element(_) => {
                if let Some(element) = ElementRef::wrap(node)
                    && visit(Step::Open(element)) == Enter::Yes
                {
                    below = node.first_child();
                    if below.is_none() {
                        visit(Step::Close(element));
                    }
                }
            }
            _ => {}
        }
        if let Some(child) = below {
            node = child;
            continue;
        }
        // Up to the next sibling of this node or of the nearest ancestor that has one.
        loop {
            if node == *root {
                return;
            }
            if let Some(next) = node.next_sibling() {
                node = next;
                break;
            }
            let Some(parent) = node.parent() else { return };
            node = parent;
            if let Some(element) = ElementRef::wrap(node) {
                visit(Step::Close(element));
            }
        }
    }
}
