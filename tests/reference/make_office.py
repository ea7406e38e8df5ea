#!/usr/bin/env python3
"""Writes tests/fixtures/office: small documents of a made-up course on bookbinding, saved by the programs that people use.

LibreOffice saves text, slides and sheet in its own formats and in those of Microsoft Office (`soffice`, packages
libreoffice-writer-nogui, -impress-nogui and -calc-nogui), pandoc makes the e-book and documents in its own manner, and
msoffcrypto-tool (PyPI) locks one. Course packages are put together here after their documented layouts: IMS Common
Cartridge 1.3, SCORM 1.2 and 2004, and Moodle's backup format 2 (as ZIP and as tar.gz).

The programs write the time into their files, so a second run gives the same words and other bytes.
Usage: python3 tests/reference/make_office.py
"""
import gzip
import hashlib
import io
import pathlib
import shutil
import subprocess
import tarfile
import tempfile
import zipfile

OUT = pathlib.Path(__file__).resolve().parents[1] / "fixtures/office"

NAMESPACES = " ".join(f'xmlns:{prefix}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"' for prefix, name in [
    ("office", "office"), ("text", "text"), ("table", "table"), ("style", "style"), ("draw", "drawing"),
    ("number", "datastyle"), ("presentation", "presentation"), ("svg", "svg-compatible"), ("fo", "xsl-fo-compatible"),
]) + ' xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:xlink="http://www.w3.org/1999/xlink" office:version="1.3"'

TEXT = f"""<?xml version="1.0" encoding="UTF-8"?>
<office:document {NAMESPACES} office:mimetype="application/vnd.oasis.opendocument.text">
<office:meta><dc:title>Binding a notebook</dc:title></office:meta>
<office:styles>
 <style:style style:name="Standard" style:family="paragraph"/>
 <style:style style:name="Heading" style:family="paragraph" style:parent-style-name="Standard"/>
 <style:style style:name="Heading_20_1" style:display-name="Heading 1" style:family="paragraph" style:parent-style-name="Heading" style:default-outline-level="1"/>
 <style:style style:name="Heading_20_2" style:display-name="Heading 2" style:family="paragraph" style:parent-style-name="Heading" style:default-outline-level="2"/>
 <text:list-style style:name="L1"><text:list-level-style-bullet text:level="1" text:bullet-char="•"/></text:list-style>
 <text:list-style style:name="L2"><text:list-level-style-number text:level="1" style:num-format="1" style:num-suffix="."/></text:list-style>
</office:styles>
<office:body><office:text>
<text:tracked-changes>
 <text:changed-region text:id="c1"><text:deletion><office:change-info><dc:creator>M</dc:creator><dc:date>2026-01-01T00:00:00</dc:date></office:change-info><text:p>The thread is of purple zebra silk. </text:p></text:deletion></text:changed-region>
 <text:changed-region text:id="c2"><text:insertion><office:change-info><dc:creator>M</dc:creator><dc:date>2026-01-01T00:00:00</dc:date></office:change-info></text:insertion></text:changed-region>
</text:tracked-changes>
<text:h text:style-name="Heading_20_1" text:outline-level="1">Paper and thread</text:h>
<text:p text:style-name="Standard">Each section has four folded sheets.<text:note text:note-class="footnote"><text:note-citation>1</text:note-citation><text:note-body><text:p>Thick paper takes three sheets at most.</text:p></text:note-body></text:note> <text:change text:change-id="c1"/><text:change-start text:change-id="c2"/>The thread is waxed linen of size 18.<text:change-end text:change-id="c2"/></text:p>
<text:h text:style-name="Heading_20_2" text:outline-level="2">Grain direction</text:h>
<text:p text:style-name="Standard">The grain must run parallel to the spine, as <text:a xlink:type="simple" xlink:href="https://example.org/">this page</text:a> shows.</text:p>
<text:list text:style-name="L1"><text:list-item><text:p>a bone folder</text:p></text:list-item><text:list-item><text:p>an awl of 1 mm</text:p></text:list-item></text:list>
<text:h text:style-name="Heading_20_1" text:outline-level="1">Glue and press</text:h>
<text:list text:style-name="L2"><text:list-item><text:p>Brush the paste from the middle outwards.</text:p></text:list-item><text:list-item><text:p>Press the block for 9 hours.</text:p></text:list-item></text:list>
<table:table table:name="T"><table:table-column table:number-columns-repeated="2"/>
 <table:table-row><table:table-cell office:value-type="string"><text:p>Glue</text:p></table:table-cell><table:table-cell office:value-type="string"><text:p>Open time</text:p></table:table-cell></table:table-row>
 <table:table-row><table:table-cell office:value-type="string"><text:p>PVA</text:p></table:table-cell><table:table-cell office:value-type="string"><text:p>6 minutes</text:p></table:table-cell></table:table-row>
</table:table>
<text:p text:style-name="Standard"><draw:frame text:anchor-type="paragraph" svg:width="6cm" svg:height="2cm" draw:z-index="0"><draw:text-box><text:p>Keep the press away from radiators.</text:p></draw:text-box></draw:frame>The spine lining is of mull.</text:p>
</office:text></office:body></office:document>
"""


def slide(name, title, boxes, notes="", table=""):
    frames = "".join(
        f'<draw:frame svg:x="{x}cm" svg:y="{y}cm" svg:width="8cm" svg:height="3cm"><draw:text-box>'
        + "".join(f"<text:p>{line}</text:p>" for line in lines) + "</draw:text-box></draw:frame>"
        for x, y, lines in boxes)
    spoken = (f'<presentation:notes><draw:frame presentation:class="notes" svg:x="2cm" svg:y="14cm" svg:width="16cm" svg:height="10cm">'
              f"<draw:text-box><text:p>{notes}</text:p></draw:text-box></draw:frame></presentation:notes>" if notes else "")
    return (f'<draw:page draw:name="{name}"><draw:frame presentation:class="title" svg:x="2cm" svg:y="1cm" svg:width="22cm" svg:height="3cm">'
            f"<draw:text-box><text:p>{title}</text:p></draw:text-box></draw:frame>{frames}{table}{spoken}</draw:page>")


SLIDES = f"""<?xml version="1.0" encoding="UTF-8"?>
<office:document {NAMESPACES} office:mimetype="application/vnd.oasis.opendocument.presentation">
<office:body><office:presentation>
{slide("one", "Sewing the block", [(2, 6, ["Welcome to the third evening."])])}
{slide("two", "Kettle stitch", [(14, 6, ["Right: pull along the spine, never upwards."]), (2, 6, ["Left: the needle goes behind the stitch below."])],
       notes="Remind them that the kettle stitch needs 30 centimetres of thread.")}
{slide("three", "Tapes", [(2, 6, ["Three tapes of 12 mm carry the block."])])}
</office:presentation></office:body></office:document>
"""


def cell(value, kind="string", style=""):
    style = f' table:style-name="{style}"' if style else ""
    if kind == "string":
        return f'<table:table-cell office:value-type="string"{style}><text:p>{value}</text:p></table:table-cell>'
    key = "date-value" if kind == "date" else "value"
    return f'<table:table-cell office:value-type="{kind}" office:{key}="{value}"{style}/>'


def row(*cells):
    return "<table:table-row>" + "".join(cells) + "</table:table-row>"


SHEET = f"""<?xml version="1.0" encoding="UTF-8"?>
<office:document {NAMESPACES} office:mimetype="application/vnd.oasis.opendocument.spreadsheet">
<office:automatic-styles>
 <number:number-style style:name="N1"><number:number number:decimal-places="2" number:min-decimal-places="2" number:min-integer-digits="1" number:grouping="true"/><number:text> kr</number:text></number:number-style>
 <number:date-style style:name="N2"><number:year number:style="long"/><number:text>-</number:text><number:month number:style="long"/><number:text>-</number:text><number:day number:style="long"/></number:date-style>
 <number:percentage-style style:name="N3"><number:number number:decimal-places="0" number:min-integer-digits="1"/><number:text>%</number:text></number:percentage-style>
 <style:style style:name="money" style:family="table-cell" style:data-style-name="N1"/>
 <style:style style:name="date" style:family="table-cell" style:data-style-name="N2"/>
 <style:style style:name="share" style:family="table-cell" style:data-style-name="N3"/>
 <style:style style:name="hidden" style:family="table"><style:table-properties table:display="false"/></style:style>
 <style:style style:name="shown" style:family="table"><style:table-properties table:display="true"/></style:style>
</office:automatic-styles>
<office:body><office:spreadsheet>
<table:table table:name="Prices" table:style-name="shown">
{row(cell("Prices of the workshop"))}
{row(cell("Item"), cell("Price"), cell("Valid from"), cell("Discount"))}
{row(cell("Bone folder"), cell("89.5", "float", "money"), cell("2026-02-01", "date", "date"), cell("0.1", "percentage", "share"))}
{row(cell("Linen thread"), cell("1240", "float", "money"), cell("2026-03-15", "date", "date"), cell("0.25", "percentage", "share"))}
</table:table>
<table:table table:name="Rooms" table:style-name="shown">
{row(cell("Room"), cell("Seats"))}
{row(cell("Attic"), cell("14", "float"))}
</table:table>
<table:table table:name="Secret" table:style-name="hidden">
{row(cell("Margin"), cell("Zebra"))}
{row(cell("hidden zebra"), cell("14", "float"))}
</table:table>
</office:spreadsheet></office:body></office:document>
"""

BOOK = """---
title: The small bindery
author: Nora Feld
lang: en
---

# Choosing leather

Goat leather of 0.8 mm is pared at the edges.

## Paring

Hold the knife at 20 degrees to the stone.

# Gilding

Gold leaf is laid on glair that dried for 40 minutes.

1. Breathe on the leather.
2. Lay the leaf.

| Leaf   | Carat |
|--------|-------|
| Orange | 22    |
| Lemon  | 18    |

A closing line with a note.[^1]

[^1]: Store the leaf flat.
"""

PAGE = "<!doctype html><html><head><title>{title}</title></head><body><h1>{title}</h1><p>{words}</p></body></html>"


def convert(source, name, *endings):
    """Saves a flat OpenDocument file in other formats with LibreOffice."""
    with tempfile.TemporaryDirectory() as home:
        path = pathlib.Path(home) / name
        path.write_text(source, encoding="utf-8")
        for ending in endings:
            subprocess.run(["nice", "soffice", f"-env:UserInstallation=file://{home}/profile", "--headless", "--convert-to",
                            ending, "--outdir", home, str(path)], check=True, stdout=subprocess.DEVNULL)
            made = path.with_suffix("." + ending.split(":")[0])
            shutil.copy(made, OUT / made.name)


def pandoc(*endings):
    for ending in endings:
        subprocess.run(["pandoc", "--from", "markdown", "--standalone", "--output", str(OUT / f"bindery.{ending}")],
                       input=BOOK.encode(), check=True)


def zipped(name, files):
    with zipfile.ZipFile(OUT / name, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, content in files.items():
            entry = zipfile.ZipInfo(path, (2026, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, content)


def tarred(name, files):
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w", format=tarfile.GNU_FORMAT) as archive:
        for path, content in files.items():
            content = content if isinstance(content, bytes) else content.encode()
            entry = tarfile.TarInfo(path)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    (OUT / name).write_bytes(gzip.compress(raw.getvalue(), mtime=0))


CARTRIDGE = """<?xml version="1.0" encoding="UTF-8"?>
<manifest identifier="m1" xmlns="http://www.imsglobal.org/xsd/imsccv1p3/imscp_v1p1" xmlns:lom="http://ltsc.ieee.org/xsd/imsccv1p3/LOM/manifest">
 <metadata><schema>IMS Common Cartridge</schema><schemaversion>1.3.0</schemaversion>
  <lom:lom><lom:general><lom:title><lom:string>Bookbinding</lom:string></lom:title></lom:general></lom:lom></metadata>
 <organizations><organization identifier="o1" structure="rooted-hierarchy"><item identifier="root">
  <item identifier="i1"><title>Week 1: Tools</title>
   <item identifier="i2" identifierref="r1"><title>The awl</title></item>
   <item identifier="i3" identifierref="r2"><title>What do you bind?</title></item>
   <item identifier="i4" identifierref="r3"><title>Tool quiz</title></item>
   <item identifier="i5" identifierref="r4"><title>A maker of awls</title></item>
   <item identifier="i6" identifierref="r5"><title>The film</title></item></item>
  <item identifier="i7"><title>Week 2: Covers</title><item identifier="i8"><title>Boards</title>
   <item identifier="i9" identifierref="r6"><title>Cutting boards</title></item></item></item>
 </item></organization></organizations>
 <resources>
  <resource identifier="r1" type="webcontent" href="wiki/awl.html"><file href="wiki/awl.html"/></resource>
  <resource identifier="r2" type="imsdt_xmlv1p3"><file href="topic.xml"/></resource>
  <resource identifier="r3" type="imsqti_xmlv1p2/imscc_xmlv1p3/assessment"><file href="quiz.xml"/></resource>
  <resource identifier="r4" type="imswl_xmlv1p3"><file href="link.xml"/></resource>
  <resource identifier="r5" type="webcontent" href="media/film.mp4"><file href="media/film.mp4"/></resource>
  <resource identifier="r6" type="webcontent" href="files/boards.docx"><file href="files/boards.docx"/></resource>
  <resource identifier="r7" type="imsqti_xmlv1p2/imscc_xmlv1p3/question-bank"><file href="bank.xml"/></resource>
 </resources></manifest>
"""
QUIZ = """<?xml version="1.0"?><questestinterop><assessment title="Tool quiz"><section><item><presentation><material>
<mattext>How wide is the zebra awl?</mattext></material></presentation></item></section></assessment></questestinterop>"""
TOPIC = """<?xml version="1.0"?><topic xmlns="http://www.imsglobal.org/xsd/imsccv1p3/imsdt_v1p3"><title>What do you bind?</title>
<text texttype="text/html">&lt;p&gt;Post a picture of your first notebook by day 11.&lt;/p&gt;</text></topic>"""
LINK = """<?xml version="1.0"?><webLink xmlns="http://www.imsglobal.org/xsd/imsccv1p3/imswl_v1p3"><title>A maker</title><url href="https://example.org/"/></webLink>"""


def scorm(version, kind):
    namespaces = {
        "1.2": 'xmlns="http://www.imsproject.org/xsd/imscp_rootv1p1p2" xmlns:adlcp="http://www.adlnet.org/xsd/adlcp_rootv1p2"',
        "2004 4th Edition": 'xmlns="http://www.imsglobal.org/xsd/imscp_v1p1" xmlns:adlcp="http://www.adlnet.org/xsd/adlcp_v1p3"',
    }[version]
    return f"""<?xml version="1.0"?>
<manifest identifier="b" {namespaces}>
 <metadata><schema>ADL SCORM</schema><schemaversion>{version}</schemaversion></metadata>
 <organizations default="o"><organization identifier="o"><title>Safety in the bindery</title>
  <item identifier="m"><title>Module A: Machines</title>
   <item identifier="l" identifierref="r"><title>The guillotine</title></item></item></organization></organizations>
 <resources><resource identifier="r" type="webcontent" {kind}="sco" href="sco1/index.html?start=1" xml:base="content/">
  <file href="sco1/index.html"/><file href="sco1/rules.html"/><file href="sco1/api.js"/><file href="sco1/blade.png"/></resource></resources>
</manifest>"""


def sco():
    return {
        "content/sco1/index.html": PAGE.format(title="The guillotine", words="Both hands stay on the buttons until the blade is up."),
        "content/sco1/rules.html": PAGE.format(title="House rules", words="At most 3 people stand in the machine room."),
        "content/sco1/api.js": "var zebra = 1;",
        "content/sco1/blade.png": b"\x89PNG\r\n\x1a\n",
    }


def moodle(document):
    digest = hashlib.sha1(document).hexdigest()
    film = hashlib.sha1(b"film").hexdigest()
    listed = [("1", "11", "page", "Folding"), ("2", "11", "label", "Hello"), ("3", "12", "book", "Handbook"), ("4", "12", "resource", "Cutting plan"),
              ("5", "12", "quiz", "Final test"), ("6", "12", "url", "Supplier")]
    activities = "".join(
        f"<activity><moduleid>{module}</moduleid><sectionid>{section}</sectionid><modulename>{kind}</modulename><title>{title}</title>"
        f"<directory>activities/{kind}_{module}</directory></activity>" for module, section, kind, title in listed)
    files = {
        "moodle_backup.xml": f"""<?xml version="1.0" encoding="UTF-8"?><moodle_backup><information><name>backup.mbz</name>
<original_course_fullname>Bookbinding</original_course_fullname><contents><activities>{activities}</activities><sections>
<section><sectionid>11</sectionid><title>1</title><directory>sections/section_11</directory></section>
<section><sectionid>12</sectionid><title>2</title><directory>sections/section_12</directory></section></sections>
<course><courseid>2</courseid><title>BB</title><directory>course</directory></course></contents></information></moodle_backup>""",
        "sections/section_11/section.xml": '<?xml version="1.0"?><section id="11"><number>1</number><name>Folding evening</name><summary>&lt;p&gt;Bring an apron on the first evening.&lt;/p&gt;</summary></section>',
        "sections/section_12/section.xml": '<?xml version="1.0"?><section id="12"><number>2</number><name>$@NULL@$</name><summary></summary></section>',
        "questions.xml": '<?xml version="1.0"?><question_categories><question_category id="1"><questions><question id="7"><questiontext>Which zebra?</questiontext></question></questions></question_category></question_categories>',
        "files.xml": f"""<?xml version="1.0"?><files>
<file id="41"><contenthash>{digest}</contenthash><component>mod_resource</component><filearea>content</filearea><filename>.</filename></file>
<file id="42"><contenthash>{digest}</contenthash><component>mod_resource</component><filearea>content</filearea><filename>Cutting plan.docx</filename></file>
<file id="43"><contenthash>{film}</contenthash><component>mod_page</component><filearea>content</filearea><filename>film.mp4</filename></file>
<file id="44"><contenthash>{digest}</contenthash><component>assignsubmission_file</component><filearea>submission_files</filearea><filename>student.docx</filename></file></files>""",
        f"files/{digest[:2]}/{digest}": document,
        f"files/{film[:2]}/{film}": b"film",
    }

    def activity(module, kind, inside, refs=()):
        base = f"activities/{kind}_{module}"
        files[f"{base}/{kind}.xml"] = f'<?xml version="1.0"?><activity id="{module}" moduleid="{module}" modulename="{kind}" contextid="3"><{kind} id="{module}">{inside}</{kind}></activity>'
        files[f"{base}/inforef.xml"] = '<?xml version="1.0"?><inforef><fileref>' + "".join(f"<file><id>{ref}</id></file>" for ref in refs) + "</fileref></inforef>"

    activity("1", "page", "<name>Folding</name><intro></intro><content>&lt;p&gt;Fold each sheet with 2 strokes of the bone.&lt;/p&gt;</content>", ["43"])
    activity("2", "label", "<name>Hello</name><intro>&lt;p&gt;The doors open at 18:20 sharp.&lt;/p&gt;</intro>")
    activity("3", "book", "<name>Handbook</name><intro>&lt;p&gt;All of it.&lt;/p&gt;</intro><chapters><chapter id=\"1\"><title>Endpapers</title>"
             "<content>&lt;p&gt;Endpapers are tipped on with 4 mm of paste.&lt;/p&gt;</content></chapter></chapters>")
    activity("4", "resource", "<name>Cutting plan</name><intro></intro>", ["41", "42", "44"])
    activity("5", "quiz", "<name>Final test</name><intro>&lt;p&gt;The test takes 25 minutes.&lt;/p&gt;</intro><question_instances><question_instance id=\"1\"><questionid>7</questionid></question_instance></question_instances>")
    activity("6", "url", "<name>Supplier</name><intro>&lt;p&gt;Order mull before Tuesday.&lt;/p&gt;</intro><externalurl>https://example.org/</externalurl>")
    return files


MAIL = """From: Nora Feld <nora@example.org>\r
To: Course <course@example.org>\r
Subject: Drying times\r
Date: Fri, 20 Nov 2026 10:00:00 +0000\r
Message-ID: <one@example.org>\r
MIME-Version: 1.0\r
Content-Type: multipart/mixed; boundary="edge"\r
\r
--edge\r
Content-Type: text/plain; charset=utf-8\r
\r
Hello all,\r
\r
wheat paste dries in 5 hours under the press.\r
\r
On Thursday Bob wrote:\r
> the zebra paste never dries\r
--edge\r
Content-Type: text/html; name="plan.html"\r
Content-Disposition: attachment; filename="plan.html"\r
\r
<html><body><h1>Plan</h1><p>We meet in room 27 on Sunday.</p></body></html>\r
--edge--\r
"""


def main():
    OUT.mkdir(parents=True, exist_ok=True)
    convert(TEXT, "notebook.fodt", "docx", "odt", "rtf", "doc")
    convert(SLIDES, "sewing.fodp", "pptx", "odp")
    convert(SHEET, "prices.fods", "xlsx", "xls", "ods")
    pandoc("epub", "docx", "odt", "rtf", "pptx")
    boards = (OUT / "notebook.docx").read_bytes()
    zipped("cartridge.imscc", {
        "imsmanifest.xml": CARTRIDGE, "wiki/awl.html": PAGE.format(title="The awl", words="The awl of the course has a blade of 61 mm."),
        "topic.xml": TOPIC, "quiz.xml": QUIZ, "bank.xml": QUIZ, "link.xml": LINK, "media/film.mp4": b"film", "files/boards.docx": boards,
    })
    zipped("scorm12.zip", {"imsmanifest.xml": scorm("1.2", "adlcp:scormtype"), **sco()})
    zipped("scorm2004.zip", {"imsmanifest.xml": scorm("2004 4th Edition", "adlcp:scormType"), **sco()})
    zipped("moodle.zip.mbz", moodle(boards))
    tarred("moodle.tar.mbz", moodle(boards))
    zipped("folders.zip", {
        "Bookbinding/01_Paper/Sizing.md": "# Sizing\n\nGelatine size is applied at 45 degrees.\n",
        "Bookbinding/01_Paper/plan.srt": "1\n00:00:05,000 --> 00:00:08,000\nThe paper rests for two nights.\n",
        "Bookbinding/02_Sewing/Frame/sewing.pptx": (OUT / "sewing.pptx").read_bytes(),
        "Bookbinding/02_Sewing/frame.png": b"\x89PNG\r\n\x1a\n",
        "__MACOSX/Bookbinding/._x": b"zebra",
    })
    (OUT / "drying.eml").write_bytes(MAIL.encode())
    second = MAIL.replace("one@example", "two@example").replace("Drying times", "Opening hours").replace(
        "wheat paste dries in 5 hours under the press", "the bindery opens at 9:40 in winter")
    (OUT / "course.mbox").write_bytes(b"".join(
        b"From nora@example.org Fri Nov 20 10:00:00 2026\n" + mail.replace("\r", "").encode() + b"\n" for mail in (MAIL, second)))
    from msoffcrypto.format.ooxml import OOXMLFile
    with open(OUT / "notebook.docx", "rb") as plain, open(OUT / "locked.docx", "wb") as locked:
        OOXMLFile(plain).encrypt("secret", locked)


if __name__ == "__main__":
    main()
