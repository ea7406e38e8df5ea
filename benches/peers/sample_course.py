"""The bundled course as a folder in BEIR's layout, so that retrieval is compared without anybody's data.

A document is a section of a lesson, page or policy. Relevant to a question are the sections of its document that hold one of
the wordings that its answer has to hold; questions about what is no Markdown are left out.
"""

import json
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
COURSE = ROOT / "assets" / "sample-course"
QUESTIONS = ROOT / "tests" / "fixtures" / "sample-course-questions.jsonl"


def write(folder):
    """Writes the set into `folder` and gives the folder of the set."""
    target = Path(folder) / "sample course"
    (target / "qrels").mkdir(parents=True)
    found = {path.relative_to(COURSE).as_posix(): sections(path) for path in sorted(COURSE.rglob("*.md"))}
    corpus = [
        {"_id": f"{name}#{at}", "title": title, "text": text}
        for name, parts in found.items()
        for at, (title, text) in enumerate(parts)
    ]
    queries, rows = [], ["query-id\tcorpus-id\tscore"]
    for number, line in enumerate(QUESTIONS.read_text(encoding="utf-8").splitlines()):
        asked = json.loads(line)
        parts = found.get(asked["document"], [])
        right = [at for at, (_, text) in enumerate(parts) if any(words in text for words in asked["expect"])]
        if right:
            queries.append({"_id": f"q{number}", "text": asked["question"]})
            rows += [f"q{number}\t{asked['document']}#{at}\t1" for at in right]
    for name, entries in [("corpus", corpus), ("queries", queries)]:
        lines = "".join(json.dumps(entry, ensure_ascii=False) + "\n" for entry in entries)
        (target / f"{name}.jsonl").write_text(lines, encoding="utf-8")
    (target / "qrels" / "test.tsv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    return target


def sections(path):
    """Title and text of each section; what stands before the first heading of the second level is one."""
    whole = path.read_text(encoding="utf-8")
    title = next((line[2:] for line in whole.splitlines() if line.startswith("# ")), path.stem)
    parts = re.split(r"^## +", re.sub(r"^# .*\n", "", whole, count=1, flags=re.M), flags=re.M)
    first, rest = parts[0].strip(), parts[1:]
    found = [(title, first)] if first else []
    for part in rest:
        heading, _, text = part.partition("\n")
        if text.strip():
            found.append((f"{title}: {heading.strip()}", text.strip()))
    return found
