#!/usr/bin/env python3
"""Writes assets/sample-course/handbook.pdf, the sample course's handbook, with the Python standard library alone.

A plain PDF 1.4: four A4 pages, the built-in fonts Helvetica and Helvetica-Bold in WinAnsi encoding, lines broken by the
fonts' own widths, uncompressed streams (compressors differ, and so would the bytes). The same script gives the same bytes
on every machine, so the committed file can be compared with a fresh one: `python3 tests/reference/make_handbook.py --check`.
"""
import pathlib
import sys

OUT = pathlib.Path(__file__).resolve().parents[2] / "assets/sample-course/handbook.pdf"
PAGE = (595, 842)  # A4 in points
MARGIN = 72
TITLE = "Eight Clear Nights: course handbook"

# Advance widths of WinAnsi 32..126 in thousandths of the size, from Adobe's Core 14 metrics (Helvetica, Helvetica-Bold).
WIDTHS = {
    "F1": [278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333, 278, 278] + [556] * 10 +
          [278, 278, 584, 584, 584, 556, 1015, 667, 667, 722, 722, 667, 611, 778, 722, 278, 500, 667, 556, 833, 722, 778, 667,
           778, 722, 667, 611, 722, 667, 944, 667, 667, 611, 278, 278, 278, 469, 556, 333, 556, 556, 500, 556, 556, 278, 556,
           556, 222, 222, 500, 222, 833, 556, 556, 556, 556, 333, 500, 278, 556, 500, 722, 500, 500, 500, 334, 260, 334, 584],
    "F2": [278, 333, 474, 556, 556, 889, 722, 238, 333, 333, 389, 584, 278, 333, 278, 278] + [556] * 10 +
          [333, 333, 584, 584, 584, 611, 975, 722, 722, 722, 722, 667, 611, 778, 722, 278, 556, 722, 611, 833, 722, 778, 667,
           778, 722, 667, 611, 722, 667, 944, 667, 667, 611, 333, 278, 333, 584, 556, 333, 556, 611, 556, 611, 556, 333, 611,
           611, 278, 278, 556, 278, 889, 611, 611, 611, 611, 389, 556, 333, 611, 556, 778, 556, 556, 500, 389, 280, 389, 584],
}

# "# " a title, "## " a heading, "- " a list item, anything else a paragraph.
PAGES = ["""
# Eight Clear Nights
## Course handbook, edition 4, January 2026
This handbook goes with the eight lessons by Mara Lindqvist. It holds what you want to have on paper outside: the plan of the course, the equipment list, the rules of safety, and the tables. Print it on both sides and fold it once; it fits into a coat pocket.
## How the course runs
Each lesson belongs to one clear night. Read or watch it in the afternoon, go out in the evening, and write your log before you go to bed. The next lesson is unlocked as soon as the homework of the one before is marked as done. There are no deadlines.
Plan on eight to twelve weeks. In our survey of 2025 the median student finished after 71 days, and the fastest needed 15. Students who observed together with somebody else finished twice as often as those who observed alone.
## The eight nights
- Night 1: before you go out; one hour; no equipment
- Night 2: your eyes in the dark; one hour; a clock
- Night 3: finding your way; ninety minutes; a planisphere
- Night 4: the Moon; three short evenings within one week
- Night 5: the planets; one hour, and again a week later
- Night 6: binoculars; one hour; a borrowed pair will do
- Night 7: clusters, nebulae and galaxies; two hours at a dark place
- Night 8: meteors, satellites and the log; one hour or all night
## Your tutors
Three people read logs and answer in the forum: Mara Lindqvist, Tomas Ekberg and Ines Carvalho. Tomas looks after students in the southern hemisphere and wrote the southern supplement.
""", """
# Equipment
## What you need
- A planisphere for your latitude, about 12 euros
- A red torch, about 9 euros, or any torch with red film
- A notebook of size A5 and two pencils, about 4 euros
- A reclining garden chair and a blanket
The whole list costs about 25 euros if you own a chair. Everything else in this handbook is optional.
## What is useful later
- Binoculars 10x50, 90 to 150 euros; lesson 6 explains the choice
- An L-shaped tripod adapter, 15 to 20 euros
- A foam mat for your feet, 8 euros
- Chemical hand warmers, 1 euro a pair; they last about six hours
- A dew cloth, washed without fabric softener
## The lending library
Students in Sweden, Norway, Finland and Denmark may borrow binoculars from us. The deposit is 60 euros, the loan lasts 28 days, and we pay the postage in one direction. There are 40 pairs, and the waiting time in autumn is about three weeks. Write to lending@eightclearnights.example. Outside these four countries, ask a local astronomy club; most of them lend instruments to newcomers.
## How to make a red torch
Take an ordinary torch and cover its front with two layers of red film, the kind that is sold for stage lights. One layer is not enough: white light leaks through. Fix the film with a rubber band and not with glue, so that you can replace it. Test it in a dark room: after ten minutes you should be able to read this page at arm's length, and no more.
## Batteries in the cold
At minus ten degrees Celsius an alkaline battery keeps less than half of its capacity. Use lithium cells of size AA, which work down to minus forty, and carry the spare pair in an inside pocket.
""", """
# Safety
## Before you leave
Tell somebody where you are going and when you will be back. Charge the telephone and switch it to silent. Ask for permission before you enter private land; in Sweden the right of public access allows you to cross land on foot, but not to stay within sight of a house.
## The Sun
Never look at the Sun, with or without an instrument. Stop using binoculars fifteen minutes before sunrise, and do not begin before the Sun has completely set. The retina feels no pain: damage is noticed only hours later, and it stays.
## Cold
The first signs of hypothermia are shivering, clumsy fingers and bad temper. Go indoors as soon as somebody stops shivering although it is still cold. Below minus fifteen degrees Celsius observe for 30 minutes at most, then warm up for 20 minutes. Do not touch metal with bare hands below minus ten.
## Ice and water
Never set up on the ice of a lake unless local people tell you that it is safe. Clear ice should be at least 10 centimetres thick to carry one person, and spring ice is weaker at the same thickness.
## Animals and hunters
Talk from time to time, so that animals hear you. During the hunting season wear a reflective vest on the way to your place and take it off only when you sit down.
## Driving home
A tired driver is a dangerous driver. After midnight wait for ten minutes with the inside light on before you start, so that your eyes are used to light again. If your eyelids are heavy, sleep in the car: a nap of 20 minutes helps more than coffee.
## In an emergency
In the European Union the number is 112. It works without credit on the card. Note the coordinates of your site in the front of your log before the first night.
""", """
# Tables and glossary
## The quiz and the certificate
The final quiz has 30 questions; 24 right answers pass. Ten of the questions show a piece of sky that you have to name. You may use your log and this handbook. The certificate needs twenty log entries from at least six nights.
## Codes for the log
- T1 to T5: transparency, from milky to crystal clear
- S1 to S5: seeing, from boiling to perfectly steady
- B: bare eyes; N: binoculars; X: clouded out
- The letter L after the time means local time; without it, times are universal time
## Twilight
- Civil twilight ends when the Sun is 6 degrees below the horizon: the brightest stars appear
- Nautical twilight ends at 12 degrees: the horizon at sea disappears
- Astronomical twilight ends at 18 degrees: the faintest stars appear
In Umeå astronomical twilight does not end between 25 April and 17 August. We call these months the white pause, and the forum is then about clouds, birds and tea.
## Glossary
Ecliptic: the yearly path of the Sun among the stars. Elongation: the angle between a planet and the Sun. Opposition: the time when a planet stands opposite the Sun and is visible all night. Radiant: the point from which the meteors of a shower seem to come. Seeing: the steadiness of the air. Terminator: the line between day and night on the Moon. Zenith: the point straight above you.
## Help if money is short
We give away 30 places a year. Write two sentences to places@eightclearnights.example; we ask for no proof. Places are given on 1 February and on 1 September.
## Printing and sharing this handbook
You may print the handbook for yourself and copy single pages for a class or a club, with the name of the course on each page. The photographs of the lessons may not be copied.
"""]


def width(text, font, size):
    """Of characters outside ASCII (the degree sign, letters with accents) the width of 'n' is near enough."""
    table = WIDTHS[font]
    return sum(table[ord(c) - 32] if 32 <= ord(c) < 127 else 556 for c in text) * size / 1000


def wrapped(text, font, size, room):
    line = ""
    for word in text.split():
        if line and width(f"{line} {word}", font, size) > room:
            yield line
            line = word
        else:
            line = f"{line} {word}".strip()
    yield line


def literal(text):
    escaped = text.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)")
    return b"(" + escaped.encode("cp1252") + b")"


def content(source, number):
    out, y = [], PAGE[1] - MARGIN
    styles = {"# ": ("F2", 20, 8, 12), "## ": ("F2", 13, 12, 4), "- ": ("F1", 11, 0, 2), "": ("F1", 11, 0, 6)}

    def put(text, font, size, x, at):
        out.append(b"BT /%s %d Tf 1 0 0 1 %.2f %.2f Tm %s Tj ET" % (font.encode(), size, x, at, literal(text)))

    for block in source.strip().split("\n"):
        mark = next(m for m in ("## ", "# ", "- ", "") if block.startswith(m))
        font, size, before, after = styles[mark]
        indent = 14 if mark == "- " else 0
        y -= before
        for i, line in enumerate(wrapped(block[len(mark):], font, size, PAGE[0] - 2 * MARGIN - indent)):
            y -= size * 1.35
            if mark == "- " and i == 0:
                put("\u2022", font, size, MARGIN + 2, y)
            put(line, font, size, MARGIN + indent, y)
        y -= after
    assert y > MARGIN, f"page {number} is too long by {MARGIN - y:.0f} points"
    put(f"{TITLE}, page {number}", "F1", 9, MARGIN, 44)
    return b"\n".join(out)


def build():
    fonts = b"<< /F1 3 0 R /F2 4 0 R >>"
    objects = {
        1: b"<< /Type /Catalog /Pages 2 0 R /Lang (en) >>",
        3: b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
        4: b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica-Bold /Encoding /WinAnsiEncoding >>",
        5: b"<< /Title %s /Author (Mara Lindqvist) /CreationDate (D:20260110120000Z) >>" % literal(TITLE),
    }
    kids = []
    for number, source in enumerate(PAGES, 1):
        page, stream = 4 + 2 * number, 5 + 2 * number
        text = content(source, number)
        objects[page] = (b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 %d %d] /Resources << /Font %s >> /Contents %d 0 R >>"
                         % (*PAGE, fonts, stream))
        objects[stream] = b"<< /Length %d >>\nstream\n%s\nendstream" % (len(text), text)
        kids.append(b"%d 0 R" % page)
    objects[2] = b"<< /Type /Pages /Kids [%s] /Count %d >>" % (b" ".join(kids), len(kids))

    pdf, offsets = bytearray(b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n"), []
    for number in sorted(objects):
        offsets.append(len(pdf))
        pdf += b"%d 0 obj\n%s\nendobj\n" % (number, objects[number])
    start = len(pdf)
    pdf += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    pdf += b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    pdf += b"trailer\n<< /Size %d /Root 1 0 R /Info 5 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, start)
    return bytes(pdf)


if __name__ == "__main__":
    fresh = build()
    if "--check" in sys.argv:
        sys.exit(0 if OUT.read_bytes() == fresh else f"{OUT.name} differs from what this script makes")
    OUT.write_bytes(fresh)
    print(f"{OUT}: {len(PAGES)} pages, {len(fresh)} bytes")
