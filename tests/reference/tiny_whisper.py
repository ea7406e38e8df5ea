"""Trains a tiny model of Whisper's shape and writes it as whisper.cpp reads it, with a held-out lesson to transcribe.

What it is for: the tests run the real path (decoder, voice activity, whisper.cpp, filters) end to end without the
weights of a real Whisper, which are a hundred times too large for a repository. It knows 26 words and nothing else.

The network is that of "Robust Speech Recognition via Large-Scale Weak Supervision" (Radford et al., 2022): log-mel
spectrogram, two convolutions, sinusoidal positions, a transformer encoder and decoder, tied token embedding. While it
trains, the encoder also learns which word each of its positions lies in, as attention alone learns to align too slowly;
the words are spoken one by one and joined, so that this is known.

Needs espeak-ng, torch and numpy; takes about 20 minutes on one core. Speech comes from espeak-ng in many voices; the
voices and the sentences of the held-out lesson are not trained on.

    python tests/reference/tiny_whisper.py OUTPUT_FOLDER [MINUTES [EXPORT_TO_GO_ON_FROM]]
"""

import gzip
import io
import math
import random
import struct
import subprocess
import sys
import time
import wave
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

WORDS = (
    "one two three four five six seven eight nine ten brush paint water wash dry canvas light shadow mix red blue green "
    "white black lesson colour"
).split()
TRAIN_VOICES = [f"{accent}+{variant}" for accent in ("en-us", "en-gb", "en-gb-x-rp", "en-gb-scotland") for variant in
                ("m1", "m2", "m3", "m5", "m7", "f1", "f2", "f4", "f5", "max", "michael", "linda", "steph")]
HELD_OUT_VOICES = ["en-us+m4", "en-gb+f3", "en-gb-x-rp+m6"]

RATE, HOP, FFT, MELS = 16_000, 160, 400, 80
CONTEXT = 300          # positions of the encoder: 6 seconds
STATE, HEADS, LAYERS = 64, 2, 2
TEXT_CONTEXT = 64
# English-only Whisper's numbers, which whisper.cpp has built in.
VOCABULARY, EOT, SOT, BEGIN = 51_864, 50_256, 50_257, 50_363
# The rows of the token table that are trained; all others stay zero.
TOKENS = [" "] + [" " + word for word in WORDS]
ROWS = list(range(len(TOKENS))) + [EOT, SOT, BEGIN]
ROW_EOT, ROW_SOT, ROW_BEGIN = len(TOKENS), len(TOKENS) + 1, len(TOKENS) + 2
UNUSED = VOCABULARY - len(ROWS)


def speak(words, voice, speed, pitch):
    """Words spoken by espeak-ng, 16 kHz mono in -1..1, without the silence around them."""
    command = ["espeak-ng", "-v", voice, "-s", str(speed), "-p", str(pitch), "--stdout", " ".join(words)]
    data = subprocess.run(command, check=True, capture_output=True).stdout
    with wave.open(io.BytesIO(data)) as file:
        rate = file.getframerate()
        # espeak-ng writes a length that is not true to a pipe; what follows the header is the sound.
        sound = np.frombuffer(data[44:][: (len(data) - 44) // 2 * 2], dtype="<i2").astype(np.float32) / 32768
    # Cut above 7.6 kHz in the frequency domain, then pick by interpolation.
    spectrum = np.fft.rfft(sound)
    spectrum[int(len(spectrum) * 7_600 / (rate / 2)):] = 0
    sound = np.fft.irfft(spectrum, len(sound))
    wanted = int(len(sound) * RATE / rate)
    sound = np.interp(np.arange(wanted) * rate / RATE, np.arange(len(sound)), sound).astype(np.float32)
    loud = np.nonzero(np.abs(sound) > 0.01)[0]
    return sound[loud[0]: loud[-1] + 1] if len(loud) else sound


def mel_filters():
    """Slaney's mel scale and area normalisation (Auditory Toolbox, 1998), as librosa makes them for Whisper."""
    def to_mel(hertz):
        return np.where(hertz < 1000, hertz * 3 / 200, 15 + np.log(np.maximum(hertz, 1) / 1000) * 27 / np.log(6.4))

    def to_hertz(mel):
        return np.where(mel < 15, mel * 200 / 3, 1000 * np.exp(np.log(6.4) / 27 * (mel - 15)))

    bins = np.linspace(0, RATE / 2, FFT // 2 + 1)
    edges = to_hertz(np.linspace(to_mel(np.array(0.0)), to_mel(np.array(RATE / 2.0)), MELS + 2))
    rising = (bins[None] - edges[:-2, None]) / (edges[1:-1] - edges[:-2])[:, None]
    falling = (edges[2:, None] - bins[None]) / (edges[2:] - edges[1:-1])[:, None]
    filters = np.maximum(0, np.minimum(rising, falling)) * (2 / (edges[2:] - edges[:-2]))[:, None]
    return filters.astype(np.float32)


FILTERS = torch.from_numpy(mel_filters())
HANN = torch.hann_window(FFT)


def log_mel(sound):
    """Batch of sounds to log-mel frames, scaled as Whisper scales them."""
    spectrum = torch.stft(sound, FFT, HOP, window=HANN, return_complex=True)[..., :-1].abs() ** 2
    mel = (FILTERS @ spectrum).clamp(min=1e-10).log10()
    mel = torch.maximum(mel, mel.amax(dim=(1, 2), keepdim=True) - 8)
    return (mel + 4) / 4


def sinusoids(length, channels):
    """Positions as in the paper's reference: half sines, half cosines, time scales up to 10,000."""
    step = math.log(10_000) / (channels // 2 - 1)
    angles = torch.arange(length)[:, None] * torch.exp(-step * torch.arange(channels // 2))[None]
    return torch.cat([angles.sin(), angles.cos()], dim=1)


class Attention(nn.Module):
    def __init__(self):
        super().__init__()
        self.query, self.value, self.out = (nn.Linear(STATE, STATE) for _ in range(3))
        self.key = nn.Linear(STATE, STATE, bias=False)

    def forward(self, x, other=None, causal=False):
        other = x if other is None else other
        heads = [part.view(*part.shape[:2], HEADS, -1).transpose(1, 2)
                 for part in (self.query(x), self.key(other), self.value(other))]
        y = F.scaled_dot_product_attention(*heads, is_causal=causal)
        return self.out(y.transpose(1, 2).flatten(2))


class Block(nn.Module):
    def __init__(self, cross):
        super().__init__()
        self.attn, self.attn_ln = Attention(), nn.LayerNorm(STATE)
        if cross:
            self.cross_attn, self.cross_attn_ln = Attention(), nn.LayerNorm(STATE)
        self.mlp = nn.Sequential(nn.Linear(STATE, 4 * STATE), nn.GELU(approximate="tanh"), nn.Linear(4 * STATE, STATE))
        self.mlp_ln = nn.LayerNorm(STATE)

    def forward(self, x, audio=None):
        x = x + self.attn(self.attn_ln(x), causal=audio is not None)
        if audio is not None:
            x = x + self.cross_attn(self.cross_attn_ln(x), audio)
        return x + self.mlp(self.mlp_ln(x))


class Encoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv1d(MELS, STATE, 3, padding=1)
        self.conv2 = nn.Conv1d(STATE, STATE, 3, stride=2, padding=1)
        self.register_buffer("positional_embedding", sinusoids(CONTEXT, STATE))
        self.blocks = nn.ModuleList(Block(False) for _ in range(LAYERS))
        self.ln_post = nn.LayerNorm(STATE)

    def forward(self, mel):
        x = F.gelu(self.conv1(mel), approximate="tanh")
        x = F.gelu(self.conv2(x), approximate="tanh").transpose(1, 2)
        x = x + self.positional_embedding[: x.shape[1]]
        for block in self.blocks:
            x = block(x)
        return self.ln_post(x)


class Decoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.token_embedding = nn.Embedding(len(ROWS), STATE)
        self.positional_embedding = nn.Parameter(torch.randn(TEXT_CONTEXT, STATE) * 0.02)
        self.blocks = nn.ModuleList(Block(True) for _ in range(LAYERS))
        self.ln = nn.LayerNorm(STATE)

    def forward(self, tokens, audio):
        x = self.token_embedding(tokens) + self.positional_embedding[: tokens.shape[1]]
        for block in self.blocks:
            x = block(x, audio)
        logits = self.ln(x) @ self.token_embedding.weight.T
        # The rows that are not trained are zero and score zero each: what is said must beat all of them together.
        rest = torch.full_like(logits[..., :1], math.log(UNUSED))
        return torch.cat([logits, rest], dim=-1)


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder, self.decoder = Encoder(), Decoder()
        self.spoken = nn.Linear(STATE, len(TOKENS))  # 0 is silence; left out of the export


def sentence(random_source, longest=4):
    return [random_source.choice(WORDS) for _ in range(random_source.randint(1, longest))]


def joined(words, clips, random_source, pace=1.0):
    """A sentence of words that one voice spoke one by one, with where each begins and ends."""
    sound, places = np.zeros(0, np.float32), []
    if pace != 1.0:  # Quicker and higher, or slower and lower: more voices than there are.
        clips = {word: np.interp(np.arange(0, len(clips[word]) - 1, pace), np.arange(len(clips[word])), clips[word])
                 .astype(np.float32) for word in set(words)}
    for word in words:
        gap = random_source.randint(300, 2_400) if places else 0
        start = len(sound) + gap
        sound = np.concatenate([sound, np.zeros(gap, np.float32), clips[word]])
        places.append((start, len(sound)))
    return sound, places


def compose(voices, random_source, longest):
    """One to three sentences with pauses, within `longest` samples; the sound, the words, the word at each position."""
    sound, said, labels = np.zeros(random_source.randint(400, 6_400), np.float32), [], np.zeros(CONTEXT, np.int64)
    for _ in range(random_source.randint(1, 3)):
        words = sentence(random_source)
        pace = random_source.uniform(0.88, 1.14)
        spoken, places = joined(words, random_source.choice(voices), random_source, pace)
        gap = random_source.randint(3_000, 20_000) if said else 0
        if len(sound) + gap + len(spoken) > longest - 1_600:
            if said:
                break
            continue
        offset = len(sound) + gap
        for word, (start, end) in zip(words, places):
            labels[(offset + start) // 320 : (offset + end) // 320] = 1 + WORDS.index(word)
        sound = np.concatenate([sound, np.zeros(gap, np.float32), spoken])
        said += words
    whole = np.zeros(longest, np.float32)
    whole[: len(sound)] = sound * random_source.uniform(0.2, 1.2)
    whole[: len(sound)] += np.random.randn(len(sound)).astype(np.float32) * 10 ** random_source.uniform(-5, -2.2)
    return whole, said, labels[: longest // 320]


def batch(voices, size, random_source, seconds):
    made = [compose(voices, random_source, seconds * RATE) for _ in range(size)]
    sounds, texts, labels = zip(*made)
    longest = max(map(len, texts))
    tokens = torch.full((size, longest + 3), ROW_EOT)
    target = torch.full((size, longest + 3), -100)
    for i, words in enumerate(texts):
        rows = [ROW_SOT, ROW_BEGIN] + [1 + WORDS.index(word) for word in words] + [ROW_EOT]
        tokens[i, : len(rows)] = torch.tensor(rows)
        target[i, : len(rows) - 1] = torch.tensor(rows[1:])
    return log_mel(torch.from_numpy(np.stack(sounds))), tokens, target, texts, torch.from_numpy(np.stack(labels))


def transcribe(model, mel):
    """Greedy, as whisper.cpp does with the first token forced to 0.00 s."""
    with torch.no_grad():
        audio = model.encoder(mel)
        tokens = torch.tensor([[ROW_SOT, ROW_BEGIN]] * len(mel))
        for _ in range(24):
            tokens = torch.cat([tokens, model.decoder(tokens, audio)[:, -1:].argmax(-1).clamp(max=len(ROWS) - 1)], 1)
    out = []
    for row in tokens[:, 2:].tolist():
        row = row[: row.index(ROW_EOT)] if ROW_EOT in row else row
        out.append([WORDS[i - 1] for i in row if 1 <= i <= len(WORDS)])
    return out


def distance(left, right):
    row = list(range(len(right) + 1))
    for i, a in enumerate(left):
        before, row[0] = row[0], i + 1
        for j, b in enumerate(right):
            before, row[j + 1] = row[j + 1], min(before + (a != b), row[j] + 1, row[j + 1] + 1)
    return row[-1]


def export(model, path):
    """whisper.cpp's ggml file: header, mel filters, words, tensors (convolutions and matrices f16)."""
    with gzip.GzipFile(path, "wb", mtime=0) as file:
        header = [0x67676D6C, VOCABULARY, CONTEXT, STATE, HEADS, LAYERS, TEXT_CONTEXT, STATE, HEADS, LAYERS, MELS, 1]
        file.write(struct.pack("<12i", *header))
        file.write(struct.pack("<2i", *FILTERS.shape) + FILTERS.numpy().tobytes())
        file.write(struct.pack("<i", len(TOKENS)))
        for word in TOKENS:
            file.write(struct.pack("<i", len(word)) + word.encode())
        for name, tensor in model.state_dict().items():
            if name.startswith("spoken."):
                continue
            data = tensor.detach().numpy().astype(np.float32)
            if name == "decoder.token_embedding.weight":
                table = np.zeros((VOCABULARY, STATE), np.float32)
                table[ROWS] = data
                data = table
            if name.endswith(("conv1.bias", "conv2.bias")):
                data = data[:, None]
            half = data.ndim > 1 and not name.endswith(("positional_embedding", ".bias"))
            data = data.astype(np.float16) if half else data
            file.write(struct.pack("<3i", data.ndim, len(name), int(half)))
            file.write(struct.pack(f"<{data.ndim}i", *reversed(data.shape)) + name.encode() + data.tobytes())


def load(model, path):
    """An export again, to train it further."""
    with gzip.open(path) as file:
        data = file.read()
    at = 12 * 4
    mels, bins = struct.unpack_from("<2i", data, at)
    at += 8 + mels * bins * 4
    (count,) = struct.unpack_from("<i", data, at)
    at += 4
    for _ in range(count):
        at += 4 + struct.unpack_from("<i", data, at)[0]
    state = model.state_dict()
    while at < len(data):
        dimensions, length, half = struct.unpack_from("<3i", data, at)
        shape = struct.unpack_from(f"<{dimensions}i", data, at + 12)[::-1]
        at += 12 + 4 * dimensions
        name = data[at : at + length].decode()
        values = np.frombuffer(data, np.float16 if half else np.float32, int(np.prod(shape)), at + length)
        at += length + values.nbytes
        values = values.reshape(shape).astype(np.float32)
        values = values[ROWS] if name == "decoder.token_embedding.weight" else values
        state[name] = torch.from_numpy(values.copy()).reshape(state[name].shape)
    model.load_state_dict(state)


def lesson(path):
    """A held-out lesson: sentences with pauses by voices that were not trained on, as WAV, with its words and times."""
    source = random.Random(2026)
    sound, lines = [np.zeros(RATE, np.float32)], []
    for number in range(12):
        words, speed = sentence(source), source.randint(130, 165)
        voice = HELD_OUT_VOICES[number % len(HELD_OUT_VOICES)]
        spoken, _ = joined(words, {word: speak([word], voice, speed, 50) for word in words}, source)
        start = sum(map(len, sound)) * 1000 // RATE
        lines.append(f"{start}\t{start + len(spoken) * 1000 // RATE}\t{' '.join(words)}")
        sound += [spoken * 0.7, np.zeros(source.randint(12_000, 26_000), np.float32)]
    whole = (np.concatenate(sound) * 32767).clip(-32768, 32767).astype("<i2")
    with wave.open(str(path / "lesson.wav"), "wb") as file:
        file.setnchannels(1), file.setsampwidth(2), file.setframerate(RATE)
        file.writeframes(whole.tobytes())
    (path / "lesson.tsv").write_text("\n".join(lines) + "\n")


def main():
    path, minutes = Path(sys.argv[1]), float(sys.argv[2]) if len(sys.argv) > 2 else 20
    path.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(1), np.random.seed(1)
    torch.set_num_threads(1)
    source = random.Random(len(sys.argv))
    lesson(path)
    began = time.time()
    def voices(names, rounds):
        return [{word: speak([word], name, source.randint(115, 190), source.randint(30, 70)) for word in WORDS}
                for name in names for _ in range(rounds)]

    trained, held = voices(TRAIN_VOICES, 1), voices(HELD_OUT_VOICES, 1)
    print(f"{len(trained)} voices in {time.time() - began:.0f} s", flush=True)

    model = Model()
    print(f"{sum(p.numel() for p in model.parameters()):,} parameters", flush=True)
    best, size, peak = 0.0, 16, 2e-3
    goes_on = len(sys.argv) > 3
    if goes_on:
        load(model, sys.argv[3])
        peak = 1e-3
    optimiser = torch.optim.AdamW(model.parameters(), lr=peak, betas=(0.9, 0.98), weight_decay=0.01)
    began, step = time.time(), 0
    while (done := (time.time() - began) / (60 * minutes)) < 1:
        for group in optimiser.param_groups:
            group["lr"] = peak * min(1, (step + 1) / 100) * (0.5 + 0.5 * math.cos(math.pi * done)) + 1e-5
        # Short recordings first: they cost half as much.
        mel, tokens, target, texts, labels = batch(trained, size, source, 3 if done < 0.5 and not goes_on else 6)
        audio = model.encoder(mel)
        loss = F.cross_entropy(model.decoder(tokens, audio).flatten(0, 1), target.flatten(), ignore_index=-100)
        aligned = F.cross_entropy(model.spoken(audio).flatten(0, 1), labels.flatten())
        optimiser.zero_grad()
        (loss + aligned).backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        step += 1
        if step % 50 == 0:
            print(f"{step} {time.time() - began:.0f} s: loss {loss:.3f}, aligned {aligned:.3f}", flush=True)
        if step % 200 == 0:
            mel, _, _, texts, _ = batch(held, 48, random.Random(7), 6)
            errors = sum(distance(a, b) for a, b in zip(transcribe(model, mel), texts)) / sum(map(len, texts))
            print(f"{step}: word error rate of held-out voices {errors:.3f}", flush=True)
            if 1 - errors > best:
                best = 1 - errors
                export(model, path / "ggml-words.bin.gz")


if __name__ == "__main__":
    main()
