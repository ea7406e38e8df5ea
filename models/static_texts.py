"""Collects the texts the static embedding table is trained on: one text a line.

    python static_texts.py --wordnet DIR --docs NAME=DIR ... --out texts.txt [--seed 0]

--wordnet  the folder with WordNet's data.noun, data.verb, data.adj, data.adv (package `wordnet-base`);
--docs     folders of HTML documentation under a permissive licence, each with a name for the log.

Three kinds of text come out, so that both halves of retrieval are seen: glosses and example sentences of WordNet
(general vocabulary), sentences and short passages of documentation (how help pages and lessons are written), and
questions composed from templates and word lists (how students ask). Nothing here is read from an evaluation set.
The same arguments give the same file. models/README.md names the sources that were used and their licences.
"""
import argparse
import html
import random
import re
from html.parser import HTMLParser
from pathlib import Path

# --- WordNet -------------------------------------------------------------------------------------------------------

def wordnet(folder, rng):
    """-> (texts, nouns, verbs): glosses, examples and definitional questions; single words for the templates."""
    texts, nouns, verbs = [], [], []
    for kind in ("noun", "verb", "adj", "adv"):
        for line in (folder / f"data.{kind}").read_text(encoding="latin-1").splitlines():
            if line.startswith("  ") or "|" not in line:
                continue
            fields, gloss = line.split("|", 1)
            fields = fields.split()
            count = int(fields[3], 16)
            lemmas = [re.sub(r"\(.*?\)", "", w).replace("_", " ") for w in fields[4 : 4 + 2 * count : 2]]
            examples = [e.strip() for e in re.findall(r'"([^"]{12,})"', gloss)]
            meaning = re.sub(r'"[^"]*"?', "", gloss).strip(" ;\n")
            lemma = rng.choice(lemmas)
            form = rng.random()
            if form < 0.35:
                texts.append(f"{lemma}: {meaning}")
            elif form < 0.6:
                texts.append(f"{lemma[0].upper()}{lemma[1:]} means {meaning}." if kind == "verb" else f"{lemma} is {meaning}")
            elif form < 0.75:
                texts.append(", ".join(lemmas) + f" ({meaning})")
            else:
                texts.append(meaning)
            texts.extend(examples[:2])
            if kind == "noun" and rng.random() < 0.12:
                texts.append(rng.choice(NOUN_QUESTIONS).format(x=lemma))
            if all(w.isascii() and w.isalpha() and w.islower() and len(w) > 2 for w in lemmas[:1]):
                (nouns if kind == "noun" else verbs if kind == "verb" else []).append(lemmas[0])
    return texts, nouns, verbs

NOUN_QUESTIONS = [
    "what is {x}?", "What does {x} mean?", "Who or what is {x}?", "Where can {x} be found?", "When was {x} known?",
    "Why is {x} important?", "What is {x} used for?", "How many kinds of {x} are there?", "Which is an example of {x}?",
    "Tell me about {x}", "explain {x} in simple words", "What is the origin of {x}?", "what causes {x}",
]

# --- documentation -------------------------------------------------------------------------------------------------

class Prose(HTMLParser):
    """Block texts of a page; code blocks, navigation and scripts are left out."""
    BLOCKS = {"p", "li", "dd", "dt", "td", "h1", "h2", "h3", "h4", "h5", "blockquote"}
    SKIP = {"script", "style", "pre", "nav", "header", "footer", "table", "head", "svg", "button", "aside"}

    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.blocks, self.now, self.skipping = [], [], 0

    def handle_starttag(self, tag, attrs):
        if tag in self.SKIP:
            self.skipping += 1
        if tag in self.BLOCKS:
            self.cut()

    def handle_endtag(self, tag):
        if tag in self.SKIP and self.skipping:
            self.skipping -= 1
        if tag in self.BLOCKS:
            self.cut()

    def handle_data(self, data):
        if not self.skipping:
            self.now.append(data)

    def cut(self):
        text = re.sub(r"\s+", " ", "".join(self.now)).replace("¶", "").strip(" #§")
        if text:
            self.blocks.append(text)
        self.now = []

def page_blocks(path):
    raw = path.read_bytes()
    if path.suffix == ".gz":
        import gzip
        raw = gzip.decompress(raw)
    parser = Prose()
    parser.feed(raw.decode("utf-8", "replace"))
    parser.cut()
    return [html.unescape(b) for b in parser.blocks]

def documentation(folder, rng, sentences, passages):
    """-> sentences and headings, and passages of several blocks, sampled evenly over the pages."""
    pages = sorted(p for p in folder.rglob("*") if p.name.endswith((".html", ".html.gz", ".html.en", ".en.html")) and p.is_file())
    rng.shuffle(pages)
    short, long = set(), []
    for page in pages[:1500]:
        if len(short) >= 6 * sentences:
            break
        blocks = page_blocks(page)
        here = []
        for block in blocks:
            if len(block) < 90:
                if 12 <= len(block) and letters(block) > 0.75:
                    here.append(block)
            else:
                here.extend(s for s in re.split(r"(?<=[.!?])\s+(?=[A-Z])", block) if 20 <= len(s) <= 400 and letters(s) > 0.75)
        rng.shuffle(here)
        short.update(here[:60])
        body = [b for b in blocks if len(b) > 60 and letters(b) > 0.75]
        start = 0
        while start < len(body) and len(long) < 8 * passages:
            take, size, goal = [], 0, rng.randint(200, 900)
            while start < len(body) and size < goal:
                take.append(body[start])
                size += len(body[start])
                start += 1
            long.append(" ".join(take)[:1200])
    short = sorted(short)
    return rng.sample(short, min(sentences, len(short))), rng.sample(long, min(passages, len(long)))

def letters(text):
    return sum(c.isalpha() or c == " " for c in text) / max(1, len(text))

# --- questions from templates --------------------------------------------------------------------------------------

COURSE = """course, lesson, module, homework, assignment, quiz, final exam, certificate, deadline, project, video, lecture, recording, live session,
office hours, workshop, webinar, syllabus, schedule, cohort, forum, community, Slack channel, Discord server, mailing list, newsletter, calendar,
mentor, teacher, instructor, student, peer review, grading, score, leaderboard, feedback, prerequisite, textbook, reading list, slides, notes,
worksheet, transcript, subtitles, download, discount, coupon, scholarship, refund, invoice, payment, subscription, trial, membership, account, password,
login, e-mail address, profile, username, time zone, enrolment, registration, waiting list, certificate of completion, capstone, group work, study plan,
practice test, exercise, solution, answer key, dataset, notebook, repository, starter code, submission form, late submission, plagiarism policy, bonus material""".replace("\n", " ").split(", ")
TECH = """Python, Java, JavaScript, Rust, SQL, Git, GitHub, Docker, Kubernetes, Terraform, Linux, Windows, macOS, Ubuntu, Postgres, MySQL, SQLite, MongoDB, Redis,
Spark, Kafka, Airflow, pandas, NumPy, scikit-learn, TensorFlow, PyTorch, Keras, Jupyter, Anaconda, VS Code, PyCharm, AWS, Azure, Google Cloud, S3, BigQuery,
Snowflake, dbt, Flask, Django, FastAPI, React, Node.js, npm, pip, conda, virtual environment, terminal, command line, shell, PowerShell, WSL, SSH key, API key,
access token, environment variable, port, container, image, volume, virtual machine, cluster, serverless function, REST API, webhook, JSON file, CSV file,
Parquet file, YAML file, spreadsheet, Excel, PowerPoint, Word, PDF, Google Docs, Google Sheets, Google Drive, Gmail, Outlook, YouTube, Facebook, Twitter,
Instagram, WhatsApp, LinkedIn, Skype, Zoom, Dropbox, Evernote, Trello, WordPress, Wikipedia, Amazon, Chrome, Firefox, Safari, Android, iPhone, tablet, browser,
neural network, linear regression, logistic regression, decision tree, random forest, gradient boosting, cross-validation, confusion matrix, precision and recall,
overfitting, regularization, learning rate, loss function, feature engineering, one-hot encoding, missing values, embedding, transformer, language model,
vector database, data pipeline, data warehouse, data lake, batch processing, streaming, orchestration, unit test, debugger, regular expression, recursion,
for loop, dictionary, list comprehension, class, function, exception, memory leak, deadlock, thread, index, join, primary key, transaction, backup, firewall,
proxy, VPN, certificate authority, cookie, cache, session, encryption, hash function, load balancer, domain name, DNS record, CSS selector, HTML form""".replace("\n", " ").split(", ")
SUBJECTS = """photosynthesis, gravity, evolution, the French Revolution, the Roman Empire, World War II, the Renaissance, democracy, inflation, supply and demand,
compound interest, a mortgage, income tax, marketing, negotiation, public speaking, leadership, time management, watercolour painting, oil painting, perspective drawing,
photography, shutter speed, aperture, video editing, sound mixing, music theory, guitar chords, piano scales, singing, yoga, meditation, nutrition, protein, vitamins,
strength training, running, swimming, sleep, stress, anxiety, first aid, gardening, compost, tomatoes, sourdough bread, knife skills, Italian cooking, wine tasting, coffee,
knitting, sewing, woodworking, calligraphy, creative writing, poetry, grammar, the past tense, Spanish verbs, French pronunciation, Chinese characters, Japanese,
German cases, English idioms, algebra, calculus, geometry, trigonometry, probability, statistics, matrices, derivatives, integrals, prime numbers, set theory, logic,
chemistry, the periodic table, acids and bases, chemical bonds, thermodynamics, electricity, magnetism, optics, quantum mechanics, relativity, astronomy, black holes,
volcanoes, plate tectonics, climate change, oceans, rain forests, bacteria, viruses, vaccines, the immune system, the human heart, the nervous system, DNA, cells, proteins,
psychology, memory, motivation, philosophy, ethics, religion, law, contracts, copyright, architecture, engineering, bridges, steam engines, oxygen, computers, robots""".replace("\n", " ").split(", ")
ACTIONS = """install, uninstall, update, upgrade, configure, set up, reset, change, delete, remove, recover, restore, back up, export, import, share, download, upload, print,
open, close, start, stop, restart, run, debug, test, deploy, connect to, disconnect from, log in to, sign up for, register for, cancel, pause, resume, submit, resubmit, edit,
rename, move, copy, merge, split, convert, format, filter, sort, search, find, track, schedule, block, unblock, hide, show, enable, disable, verify, fix, speed up, automate,
customise, access, join, leave, pay for, get a refund for, learn, practise, understand, explain, review, create, build, use, choose, compare, monitor, secure, invite someone to""".replace("\n", " ").split(", ")
ERRORS = """permission denied, connection refused, connection timed out, file not found, no such file or directory, module not found, command not found, out of memory,
disk is full, port is already in use, invalid syntax, unexpected token, access denied, invalid password, wrong credentials, page not found, internal server error, bad request,
certificate has expired, version conflict, dependency could not be resolved, import error, type error, key error, index out of range, null pointer, segmentation fault, stack overflow,
authentication failed, quota exceeded, rate limit exceeded, not enough space, network unreachable, checksum mismatch, unsupported format, video does not play, audio is missing,
link is broken, email never arrives, payment was declined, upload gets stuck, screen stays blank""".replace("\n", " ").split(", ")

QUESTIONS = [
    "How do I {a} {t}?", "how to {a} {t}", "How can I {a} my {t}?", "Where can I find the {c}?", "where is the {c}", "When is the {c}?", "When does the {c} start?",
    "Is there a {c} for this course?", "Do I need {t} for the {c}?", "Can I {a} {t} without {t2}?", "What is the difference between {t} and {t2}?",
    "What is the difference between {s} and {s2}?", "{t} vs {t2}, which one should I use?", "Why does {t} say {e}?", "I get \"{e}\" when I try to {a} {t}", "{t}: {e}",
    "How do I fix the error {e} in {t}?", "What should I do if {t} does not work?", "Can I get the {c} after the {c2}?", "What happens if I miss the {c}?",
    "How long does the {c} take?", "How much does the {c} cost?", "Is the {c} free?", "Who can help me with {t}?", "Can I still join the {c}?", "Is it possible to {a} {t}?",
    "Does {t} support {t2}?", "How does {s} work?", "Why is {s} important?", "Explain {s} to a beginner", "What are the main causes of {s}?", "What do I need to know about {s}?",
    "Which book about {s} do you recommend?", "Give me an example of {s}", "I don't understand {s}, can you help?", "Which lesson covers {s}?", "Where do you talk about {s}?",
    "I forgot my {c}, what now?", "The {c} is not visible to me", "Can I share the {c} with a friend?", "Are the {c} and the {c2} the same?", "Should I finish the {c} before the {c2}?",
    "What is {s}?", "what is {t} used for", "How many {c}s are there?", "Who invented {s}?", "When did {s} begin?", "In which year was {s} discovered?",
    "What is the best way to {a} {t} on {t2}?", "unable to {a} {t}", "Problem with {t} and {t2}: {e}", "Do you offer a {c}?", "Can I {a} the {c}?", "How do I {a} the {c}?",
    "Is {n} related to {n2}?", "Can you {v} a {n}?", "What is the relationship between {n} and {n2}?", "How to {v} {n}", "Why do people {v} a {n}?", "Where would you {v} the {n}?",
]
STATEMENTS = [
    "To {a} {t}, open the settings and follow the steps shown in the {c}.", "You can {a} the {c} at any time; nothing else changes.",
    "The {c} is available after you finish the {c2}.", "If {t} reports {e}, first check {t2} and then try again.", "We use {t} together with {t2} in this {c}.",
    "There is no {c} for students who joined late, but the {c2} stays open.", "{s} is explained in the {c}, with an example about {s2}.",
    "In this lesson we look at {s} and compare it with {s2}.", "You do not need {t}; {t2} is enough for the {c}.", "The {n} was used to {v} the {n2}.",
    "Once {t} is installed, {a} {t2} from the command line.", "Please write to us if the {c} or the {c2} is missing.", "A {n} is not the same as a {n2}.",
    "No, you cannot {a} {t} without an account.", "Yes, the {c} is free and includes the {c2}.", "The most common reason for \"{e}\" is a wrong setting in {t}.",
]

def composed(rng, nouns, verbs, questions, statements):
    def fill(template):
        (c, c2), (t, t2), (s, s2) = (rng.sample(words, 2) for words in (COURSE, TECH, SUBJECTS))
        n, n2 = rng.sample(nouns, 2)
        return template.format(c=c, c2=c2, t=t, t2=t2, s=s, s2=s2, n=n, n2=n2, a=rng.choice(ACTIONS), e=rng.choice(ERRORS), v=rng.choice(verbs))
    made = {fill(rng.choice(QUESTIONS)) for _ in range(questions)} | {fill(rng.choice(STATEMENTS)) for _ in range(statements)}
    return sorted(made)

def main():
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("--wordnet", type=Path, required=True)
    ask.add_argument("--docs", nargs="+", default=[], metavar="NAME=DIR")
    ask.add_argument("--out", type=Path, required=True)
    ask.add_argument("--seed", type=int, default=0)
    ask.add_argument("--glosses", type=int, default=42000)
    ask.add_argument("--sentences", type=int, default=2600, help="per documentation folder")
    ask.add_argument("--passages", type=int, default=550, help="per documentation folder")
    ask.add_argument("--questions", type=int, default=16000)
    ask.add_argument("--statements", type=int, default=4000)
    given = ask.parse_args()
    rng = random.Random(given.seed)
    texts, nouns, verbs = wordnet(given.wordnet, rng)
    texts = rng.sample(texts, min(given.glosses, len(texts)))
    print("wordnet", len(texts), texts[:3])
    for entry in given.docs:
        name, folder = entry.split("=", 1)
        short, long = documentation(Path(folder), rng, given.sentences, given.passages)
        print(name, len(short), "sentences", len(long), "passages; e.g.", short[:2])
        texts += short + long
    made = composed(rng, nouns, verbs, given.questions, given.statements)
    print("composed", len(made), made[:3])
    texts = sorted(set(" ".join(t.split()) for t in texts + made))
    rng.shuffle(texts)
    given.out.write_text("\n".join(texts) + "\n", encoding="utf-8")
    print("texts", len(texts), "characters", sum(map(len, texts)))

if __name__ == "__main__":
    main()
