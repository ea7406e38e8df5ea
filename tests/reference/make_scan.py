"""Makes tests/fixtures/scan: a lesson as a scanner would save it, with no letter in it that a program could copy.

Needs Pillow and the DejaVu fonts. Run from the top of the repository: python3 tests/reference/make_scan.py
"""

from pathlib import Path
from random import Random

from PIL import Image, ImageDraw, ImageFont

OUT = Path("tests/fixtures/scan")
FONT = "/usr/share/fonts/truetype/dejavu/DejaVuSerif.ttf"
FIRST = [
    ("Cold wax medium", 64),
    ("", 30),
    ("Warm the beeswax to 62 degrees before you add", 40),
    ("the turpentine. Stir it for eleven minutes.", 40),
    ("", 30),
    ("Let the mixture rest in a closed tin overnight.", 40),
]
SECOND = [
    ("The press in the attic", 64),
    ("", 30),
    ("Press the book block for nine hours, and turn the", 40),
    ("spindle once more after the first half hour.", 40),
]


def page(lines, tilt):
    """A page of 8.3 by 11.7 inches at 200 dots per inch, a little askew and dusty."""
    sheet = Image.new("L", (1654, 2339), 255)
    draw = ImageDraw.Draw(sheet)
    top = 220
    for words, size in lines:
        draw.text((200, top), words, font=ImageFont.truetype(FONT, size), fill=20)
        top += int(size * 1.6)
    sheet = sheet.rotate(tilt, resample=Image.Resampling.BICUBIC, fillcolor=255)
    dust, chance = sheet.load(), Random(7)
    for _ in range(300):
        dust[chance.randrange(1654), chance.randrange(2339)] = chance.randrange(120)
    return sheet


def main():
    OUT.mkdir(parents=True, exist_ok=True)
    first, second = page(FIRST, 0.4), page(SECOND, -0.3)
    first.convert("1").save(OUT / "lesson.pdf", resolution=200, save_all=True, append_images=[second])
    second.crop((150, 180, 1500, 560)).convert("1").save(OUT / "note.png", optimize=True)


if __name__ == "__main__":
    main()
