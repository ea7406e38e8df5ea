"""What one builds in an afternoon, on a folder in BEIR's layout: DIR FOLDER ONNX THREADS LIMIT.

bm25s and rank_bm25 over lower-case words, all-MiniLM-L6-v2 through onnxruntime, and reciprocal-rank fusion (k = 60) of
bm25s and MiniLM. hit@5 and MRR@10 of the first LIMIT queries that have a judgement (0 takes all).
"""

import csv
import re
import sys
from pathlib import Path

import bm25s
import numpy as np
from common import give, lines
from embed_onnxruntime import Embedder
from rank_bm25 import BM25Okapi

DEPTH, K = 100, 60


def main():
    data, folder, target, threads, limit = sys.argv[1:6]
    corpus = lines(f"{data}/corpus.jsonl")
    names = [entry["_id"] for entry in corpus]
    texts = [f"{entry.get('title', '')}\n{entry['text']}".strip() for entry in corpus]
    judged = judgements(f"{data}/qrels/test.tsv")
    queries = [entry for entry in lines(f"{data}/queries.jsonl") if entry["_id"] in judged]
    queries = queries[: int(limit)] if int(limit) else queries
    words = [re.findall(r"\w+", text.lower()) for text in texts]
    asked = [re.findall(r"\w+", entry["text"].lower()) for entry in queries]

    rank = BM25Okapi(words)
    by_rank_bm25 = [np.argsort(-rank.get_scores(query), kind="stable")[:DEPTH] for query in asked]
    sparse = bm25s.BM25()
    sparse.index(words, show_progress=False)
    depth = min(DEPTH, len(texts))
    by_bm25s = [sparse.retrieve([query], k=depth, show_progress=False)[0][0] for query in asked]
    embedder = Embedder(Path(folder), Path(target), int(threads))
    vectors = embedder.embed(texts)
    near = embedder.embed([entry["text"] for entry in queries]) @ vectors.T
    by_minilm = [np.argsort(-row, kind="stable")[:DEPTH] for row in near]
    fused = [fuse(pair) for pair in zip(by_bm25s, by_minilm)]

    wanted = [judged[entry["_id"]] for entry in queries]
    give({
        name: scores(ranking, names, wanted)
        for name, ranking in [
            ("rank_bm25", by_rank_bm25), ("bm25s", by_bm25s), ("MiniLM", by_minilm), ("bm25s + MiniLM, RRF", fused),
        ]
    })


def fuse(rankings):
    points = {}
    for ranking in rankings:
        for place, at in enumerate(ranking):
            points[int(at)] = points.get(int(at), 0.0) + 1 / (K + place + 1)
    return sorted(points, key=lambda at: -points[at])


def scores(rankings, names, wanted):
    hits, reciprocal = 0, 0.0
    for ranking, good in zip(rankings, wanted):
        places = [place for place, at in enumerate(ranking[:10]) if names[int(at)] in good]
        hits += bool(places and places[0] < 5)
        reciprocal += 1 / (places[0] + 1) if places else 0.0
    return {"hit@5": hits / len(wanted), "mrr@10": reciprocal / len(wanted)}


def judgements(path):
    judged = {}
    with open(path, encoding="utf-8") as file:
        for row in csv.DictReader(file, delimiter="\t"):
            if int(row["score"]) > 0:
                judged.setdefault(row["query-id"], set()).add(row["corpus-id"])
    return judged


if __name__ == "__main__":
    main()
