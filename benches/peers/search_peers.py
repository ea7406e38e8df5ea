"""hnswlib, faiss and usearch on the vectors that `neverafk bench search --keep-input` wrote: FOLDER SIZE PEER _ SECONDS.

One thread and one query a call, as one question has it; M 16, 128 candidates while adding and while searching, as
neverafk's graph has them. `faiss flat` is the exact scan in full precision.
"""

import json
import sys
import time

import numpy as np
from common import give, repeat, times

TOP, CONNECTIVITY, EXPANSION = 10, 16, 128


def main():
    folder, size, peer, _, seconds = sys.argv[1:6]
    truth = json.load(open(f"{folder}/truth-{size}.json", encoding="utf-8"))
    dimensions = truth["dimensions"]
    vectors = np.fromfile(f"{folder}/vectors-{size}.f32", np.float32).reshape(-1, dimensions)
    queries = np.fromfile(f"{folder}/queries-{size}.f32", np.float32).reshape(-1, dimensions)
    began = time.perf_counter()
    search = PEERS[peer](vectors)
    built = time.perf_counter() - began
    found = [set(search(query)) for query in queries]
    wanted = truth["neighbours"]
    recall = sum(len(got & set(want)) for got, want in zip(found, wanted)) / sum(map(len, wanted))
    seconds_each = repeat(lambda call: search(queries[call % len(queries)]), float(seconds), warm_ups=20)
    give({size: {**times(seconds_each), "recall": recall, "build": len(vectors) / built}})


def hnswlib(vectors):
    import hnswlib

    index = hnswlib.Index("ip", vectors.shape[1])
    index.init_index(len(vectors), M=CONNECTIVITY, ef_construction=EXPANSION)
    index.set_num_threads(1)
    index.set_ef(EXPANSION)
    index.add_items(vectors)
    return lambda query: index.knn_query(query, TOP)[0][0]


def faiss_hnsw(vectors):
    import faiss

    faiss.omp_set_num_threads(1)
    index = faiss.IndexHNSWFlat(vectors.shape[1], CONNECTIVITY, faiss.METRIC_INNER_PRODUCT)
    index.hnsw.efConstruction = EXPANSION
    index.hnsw.efSearch = EXPANSION
    index.add(vectors)
    return lambda query: index.search(query[None], TOP)[1][0]


def faiss_flat(vectors):
    import faiss

    faiss.omp_set_num_threads(1)
    index = faiss.IndexFlatIP(vectors.shape[1])
    index.add(vectors)
    return lambda query: index.search(query[None], TOP)[1][0]


def usearch(vectors):
    from usearch.index import Index

    index = Index(
        ndim=vectors.shape[1], metric="ip", dtype="f16", connectivity=CONNECTIVITY,
        expansion_add=EXPANSION, expansion_search=EXPANSION,
    )
    index.add(np.arange(len(vectors)), vectors, threads=1)
    return lambda query: index.search(query, TOP, threads=1).keys


PEERS = {"hnswlib": hnswlib, "faiss HNSW": faiss_hnsw, "faiss flat": faiss_flat, "usearch f16": usearch}

if __name__ == "__main__":
    main()
