"""Runs neverafk and its peers in turns on the same input and writes the table. Started by `run`, which installs the peers.

Each round measures neverafk, then each peer (A B A B …), so that whatever else the machine does hits both. A row's ratio
is the median of the rounds' ratios, above 1 where neverafk is faster; beside it stand both medians.
"""

import argparse
import gzip
import json
import os
import subprocess
import sys
import tempfile
from importlib import metadata
from pathlib import Path
from statistics import median

import sample_course

HERE = Path(__file__).resolve().parent
EMBEDDER = "all-MiniLM-L6-v2"


def main():
    options = read_options()
    table = Table(options)
    parts = {"embed": embed, "chat": chat, "search": search, "retrieval": retrieval, "speech": speech}
    for name, part in parts.items():
        if not options.only or name in options.only:
            part(options, table)
            # After each part, so that an interrupted run has given something.
            if options.out:
                Path(options.out).write_text(table.markdown(), encoding="utf-8")
    print(table.markdown())


def read_options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", required=True)
    parser.add_argument("--only", type=lambda text: text.split(","), help="embed, chat, search, retrieval, speech")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--seconds", type=float, default=2.0, help="for each measurement of a round")
    parser.add_argument(
        "--fastest", action="store_true", help="compare each one's fastest 5 %% instead of medians: for a busy machine"
    )
    parser.add_argument("--quick", action="store_true", help="one short round of little: to see that everything runs")
    parser.add_argument("--chat", default="SmolLM2-135M-Instruct", help="an installed chat model")
    parser.add_argument("--prompts", default="128,1000", help="tokens of the prompts")
    parser.add_argument("--sizes", default="10000,100000", help="numbers of vectors")
    parser.add_argument("--beir", help="a folder in BEIR's layout, for the quality of retrieval; without, the sample course")
    parser.add_argument("--limit", type=int, default=300, help="queries of that folder; 0 takes all")
    parser.add_argument("--whisper", help="weights of a Whisper in ggml's format")
    parser.add_argument("--recording", help="what it is to hear")
    parser.add_argument("--torch", action="store_true", help="sentence-transformers too: several gigabytes")
    parser.add_argument("--torch-python", default=sys.executable, help="a Python that has sentence-transformers")
    parser.add_argument("--out", help="also write the table there")
    options = parser.parse_args()
    if options.quick:
        options.rounds, options.seconds, options.sizes, options.limit, options.prompts = 1, 0.2, "1000", 20, "64"
    return options


def embed(options, table):
    folder = model_folder(options, EMBEDDER)
    if folder is None:
        return table.skip(f"embedding: `neverafk models pull {EMBEDDER}` first")
    peers = {"onnxruntime": (sys.executable, "embed_onnxruntime.py")}
    if options.torch:
        peers["sentence-transformers"] = (options.torch_python, "embed_sentence_transformers.py")
    with tempfile.TemporaryDirectory() as scratch:
        graph = Path(scratch) / "model.onnx"
        ours, theirs = [], {name: [] for name in peers}
        tokens, batch = (32, 4) if options.quick else (128, 32)
        for _ in range(options.rounds):
            sizes = ["--batch", f"1,{batch}", "--tokens", str(tokens)]
            flags = ["--embedder", EMBEDDER, "--keep-input", scratch, *sizes]
            ours.append(neverafk(options, "embed", flags))
            for name, (python, script) in peers.items():
                theirs[name].append(peer(options, python, script, f"{scratch}/embed.jsonl", folder, graph))
    table.machine_of(ours[0])
    points = [
        ("question", "one question of 16 tokens", f"{EMBEDDER}, one question", "ms"),
        (f"{tokens} tokens, batch 1", f"{tokens} tokens, batch 1", f"{EMBEDDER}, one text of {tokens} tokens", "ms"),
        (f"{tokens} tokens, batch {batch}", f"{tokens} tokens, batch {batch}", f"{EMBEDDER}, {batch} texts of {tokens} tokens", "ms"),
        ("mixed", "16 to 256 tokens, batch 64", f"{EMBEDDER}, 64 texts of 16 to 256 tokens", "ms"),
    ]
    for name in peers:
        version = f"{name} {version_of(name, peers[name][0])}"
        for their, our, what, unit in points:
            mine = [figure(run, our, "milliseconds", options.fastest) for run in ours]
            table.row(what, unit, mine, version, [run[their][time_name(options)] for run in theirs[name]])
    if not options.torch:
        table.skip("sentence-transformers: only with `--torch` (several gigabytes)")


def chat(options, table):
    try:
        version = f"llama.cpp ({'llama-cpp-python'} {metadata.version('llama_cpp_python')})"
    except metadata.PackageNotFoundError:
        return table.skip("chat: llama-cpp-python is not installed")
    folder = model_folder(options, options.chat)
    if folder is None:
        return table.skip(f"chat: `neverafk models pull {options.chat}` first")
    gguf = next(folder.glob("*.gguf"))
    prompts = options.prompts
    with tempfile.TemporaryDirectory() as scratch:
        ours, theirs = [], []
        for _ in range(options.rounds):
            flags = ["--chat", options.chat, "--keep-input", scratch, "--prompts", prompts, "--concurrent", "1"]
            # Three answers for each length and no more: a chat is long.
            ours.append(neverafk(options, "chat", [*flags, "--seconds", "0"], timed=False))
            theirs.append(peer(options, sys.executable, "chat_llama_cpp.py", f"{scratch}/chat.jsonl", gguf, "-"))
    table.machine_of(ours[0])
    for tokens in prompts.split(","):
        for name, what, unit in [
            ("prefill_tokens_per_second", "reading", "tokens/s"),
            ("decode_tokens_per_second", "writing", "tokens/s"),
            ("first_token", "first word", "ms"),
        ]:
            mine = [figure(run, f"prompt of {tokens} tokens", name) for run in ours]
            row = f"{options.chat}, prompt of {tokens} tokens, {what}"
            table.row(row, unit, mine, version, [run[tokens][name] for run in theirs])


def search(options, table):
    peers = ["faiss flat", "hnswlib", "faiss HNSW", "usearch f16"]
    packages = {"faiss flat": "faiss-cpu", "faiss HNSW": "faiss-cpu", "usearch f16": "usearch"}
    for size in options.sizes.split(","):
        with tempfile.TemporaryDirectory() as scratch:
            ours, theirs = [], {name: [] for name in peers}
            for _ in range(options.rounds):
                flags = ["--keep-input", scratch, "--sizes", size, "--dimensions", "384"]
                ours.append(neverafk(options, "search", flags))
                for name in peers:
                    theirs[name].append(peer(options, sys.executable, "search_peers.py", scratch, size, name)[size])
        table.machine_of(ours[0])
        for name in peers:
            index = "exact int8" if name == "faiss flat" else "HNSW f16"
            point = f"{index}, {size} vectors"
            version = f"{name} {version_of(packages.get(name, name), sys.executable)}"
            mine = [figure(run, point, "milliseconds", options.fastest) for run in ours]
            recall = median(figure(run, point, "recall_at_10") for run in ours)
            theirs_recall = median(run["recall"] for run in theirs[name])
            what = f"search of {point}; recall@10 {recall:.3f}, peer {theirs_recall:.3f}"
            table.row(what, "ms", mine, version, [run[time_name(options)] for run in theirs[name]])
            if name != "faiss flat":
                mine = [figure(run, point, "build") for run in ours]
                table.row(f"building {point}, one thread", "vectors/s", mine, version, [run["build"] for run in theirs[name]])


def retrieval(options, table):
    folder = model_folder(options, EMBEDDER)
    if folder is None:
        return table.skip(f"retrieval: `neverafk models pull {EMBEDDER}` first")
    with tempfile.TemporaryDirectory() as scratch:
        # The same queries: neverafk's sample is spread over the set, so the peers get a folder with just that sample.
        source = Path(options.beir) if options.beir else sample_course.write(f"{scratch}/course")
        data, count = sampled(source, Path(scratch), options.limit)
        graph = Path(scratch) / "model.onnx"
        theirs = peer(options, sys.executable, "retrieval.py", data, folder, graph, last="0")
        for embedder in ("static", EMBEDDER):
            run = json.loads(called([options.program, "eval", "run", str(data), "--json", "--embedder", embedder]))
            theirs[f"neverafk, {embedder}"] = {name: run["metrics"][name] for name in ("hit@5", "mrr@10")}
    table.quality(f"{source.name}, {count} queries", theirs)
    if not options.beir:
        table.skip("retrieval on your own set: name a folder in BEIR's layout with `--beir DIR`")


def speech(options, table):
    """A Whisper in ggml's format and a recording; without any, the smallest one and the lesson that the tests have."""
    media = HERE.parent.parent / "tests" / "fixtures" / "media"
    with tempfile.TemporaryDirectory() as scratch:
        weights = Path(options.whisper or unpacked(media / "ggml-words.bin.gz", scratch))
        recording = Path(options.recording or unpacked(media / "lesson.wav.gz", scratch))
        # Models of its own, so that this one is the speech model.
        environment = {**os.environ, "NEVERAFK_MODELS_DIR": f"{scratch}/models"}
        called([options.program, "models", "import", str(weights), "--quiet"], environment)
        ours, theirs = [], []
        for _ in range(options.rounds):
            ours.append(neverafk(options, "ingest", ["--recording", str(recording)], environment=environment))
            theirs.append(peer(options, sys.executable, "speech_whisper_cpp.py", recording, weights, "-"))
    table.machine_of(ours[0])
    point = f"{recording.name}, heard"
    mine = [figure(run, point, "times_real_time") for run in ours]
    version = f"whisper.cpp (pywhispercpp {version_of('pywhispercpp', sys.executable)})"
    words = figure(ours[0], point, "words")
    what = f"hearing {recording.name} with {weights.name}; {words:.0f} words, peer {theirs[0]['words']}"
    table.row(what, "x real time", mine, version, [run["times_real_time"] for run in theirs])


def unpacked(packed, scratch):
    target = Path(scratch) / packed.stem
    target.write_bytes(gzip.decompress(packed.read_bytes()))
    return target


def sampled(source, scratch, limit):
    """The folder with its first `limit` judged queries, and how many these are."""
    target = scratch / source.name
    (target / "qrels").mkdir(parents=True)
    (target / "corpus.jsonl").symlink_to((source / "corpus.jsonl").resolve())
    judged, rows = set(), (source / "qrels" / "test.tsv").read_text(encoding="utf-8").splitlines()
    judged = {row.split("\t")[0] for row in rows[1:] if int(row.split("\t")[2]) > 0}
    queries = [line for line in (source / "queries.jsonl").read_text(encoding="utf-8").splitlines() if line.strip()]
    queries = [line for line in queries if json.loads(line)["_id"] in judged]
    queries = queries[:limit] if limit else queries
    kept = {json.loads(line)["_id"] for line in queries}
    (target / "queries.jsonl").write_text("\n".join(queries) + "\n", encoding="utf-8")
    qrels = [rows[0], *[row for row in rows[1:] if row.split("\t")[0] in kept]]
    (target / "qrels" / "test.tsv").write_text("\n".join(qrels) + "\n", encoding="utf-8")
    return target, len(queries)


def neverafk(options, bench, flags, timed=True, environment=None):
    command = [options.program, "bench", bench, "--json", "--quiet", "--threads", str(options.threads), *flags]
    if timed:
        command += ["--seconds", str(options.seconds)]
    if options.quick:
        command.append("--quick")
    print(f"neverafk bench {bench}", file=sys.stderr)
    return json.loads(called(command, environment))


def peer(options, python, script, *arguments, last=None):
    threads = str(options.threads)
    environment = {**os.environ, "OMP_NUM_THREADS": threads, "TOKENIZERS_PARALLELISM": "true"}
    environment["RAYON_NUM_THREADS"] = threads
    environment["PEERS_LEAST"] = "1" if options.quick else "3"
    print(f"  {script} {arguments[-1] if script.startswith('search') else ''}", file=sys.stderr)
    command = [python, HERE / script, *arguments, threads, last or str(options.seconds)]
    return json.loads(called([str(part) for part in command], environment).splitlines()[-1])


def called(command, environment=None):
    done = subprocess.run(command, stdout=subprocess.PIPE, env=environment, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"failed: {' '.join(map(str, command))}")
    return done.stdout


def time_name(options):
    return "fastest" if options.fastest else "milliseconds"


def figure(report, measurement, name, fastest=False):
    for one in report["measurements"]:
        if one["name"] == measurement:
            value = next(figure["value"] for figure in one["figures"] if figure["name"] == name)
            return value["p5" if fastest else "median"]
    sys.exit(f"no measurement `{measurement}`")


def model_folder(options, name):
    listed = json.loads(called([options.program, "config", "show", "--json"]))
    models = os.environ.get("NEVERAFK_MODELS_DIR") or f"{listed['data_dir']}/models"
    folder = Path(models) / name
    return folder if folder.is_dir() else None


def version_of(package, python):
    code = f"from importlib import metadata; print(metadata.version({package!r}))"
    return called([python, "-c", code]).strip()


class Table:
    def __init__(self, options):
        self.options, self.rows, self.skipped, self.machine, self.qualities = options, [], [], None, []

    def machine_of(self, report):
        self.machine = self.machine or (report["machine"], report["version"], report["settings"].get("threads"))

    def row(self, what, unit, ours, name, theirs):
        lower = unit == "ms"
        ratios = [their / our if lower else our / their for our, their in zip(ours, theirs)]
        self.rows.append((what, unit, median(ours), name, median(theirs), median(ratios), min(ratios), max(ratios)))

    def quality(self, what, runs):
        self.qualities.append((what, runs))

    def skip(self, why):
        self.skipped.append(why)

    def markdown(self):
        out = []
        if self.machine:
            machine, version, _ = self.machine
            memory = f", {machine['memory_mb'] / 1024:.0f} GB" if machine.get("memory_mb") else ""
            load = f", load {machine['load']} at the start" if machine.get("load") is not None else ""
            out.append(
                f"neverafk {version} on {machine['processor']}, {machine['instructions']}, {machine['cores']} cores"
                f"{memory}, {machine['system']}; {self.options.threads} threads, {self.options.rounds} round{'s' if self.options.rounds > 1 else ''} in turns{load}.\n"
            )
            out.append("| what | neverafk | peer | | ratio (least to most) |")
            out.append("|---|---|---|---|---|")
            for what, unit, ours, name, theirs, ratio, least, most in self.rows:
                spread = f" ({least:.2f} to {most:.2f})" if self.options.rounds > 1 else ""
                out.append(f"| {what} | {short(ours)} {unit} | {name} | {short(theirs)} {unit} | {ratio:.2f}{spread} |")
            times = " Times are the fastest 5 % of each, as the machine was busy." if self.options.fastest else ""
            out.append(f"\nA ratio above 1: neverafk is that many times as fast.{times}")
        for what, runs in self.qualities:
            out.append(f"\n| {what} | hit@5 | MRR@10 |\n|---|---|---|")
            out += [f"| {name} | {run['hit@5']:.3f} | {run['mrr@10']:.3f} |" for name, run in runs.items()]
        out += [f"\nLeft out: {why}." for why in self.skipped]
        return "\n".join(out) + "\n"


def short(value):
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}" if value >= 1 else f"{value:.3f}"


if __name__ == "__main__":
    main()
