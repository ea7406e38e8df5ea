"""What the program says of its own signals: used by fit_abstain.py and fit_sentences.py.

`eval answers` writes them to the log, one line for each sentence that could be quoted and one for each question, when
`log.level` asks for the target neverafk::signals.
"""
import ast
import json
import os
import re
import subprocess
from pathlib import Path


def ask(program, answers, corpus, embedder):
    """For each question of `answers` that is looked up: its case, its signals (none where nothing was found), and its sentences.
    Small talk and calls for a person look nothing up; what no policy answers is looked up twice, and the last time counts."""
    environment = {**os.environ, "NEVERAFK_LOG__LEVEL": "error,neverafk::signals=trace", "NEVERAFK_LOG__FORMAT": "json",
                   "NEVERAFK_GUARD__ON": "false"}  # a blocked question has no signals
    command = [program, "eval", "answers", answers, "--corpus", corpus, "--embedder", embedder, "--json", "--quiet"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    cases = [json.loads(line) for line in Path(answers).read_text().splitlines()]
    questions, sentences = {}, []
    for line in done.stderr.splitlines():
        try:
            fields = json.loads(line)["fields"]
        except (ValueError, KeyError):
            continue
        if fields.get("message") == "sentence":
            sentences.append({**fields, "row": ast.literal_eval(fields["row"])})
        elif fields.get("message") == "question":
            pairs = re.findall(r"(\w+): (?:Some\()?(-?[\d.e-]+|None)", fields["signals"])
            questions[fields["asked"]] = {name: float(value) for name, value in pairs if value != "None"}, sentences
            sentences = []
    told = [(case, *questions[case["question"].strip()]) for case in cases if case["question"].strip() in questions]
    if len(told) * 10 < len(cases) * 9:
        raise SystemExit(f"{answers}: {len(cases)} questions, {len(told)} of them in the log")
    return told
