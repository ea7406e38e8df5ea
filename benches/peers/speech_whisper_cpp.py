"""whisper.cpp on a recording: RECORDING WEIGHTS _ THREADS SECONDS.

Greedy, as neverafk hears, and decoding of the WAV counted; its own defaults else.
"""

import sys
import wave

import numpy as np
from common import give, median, repeat
from pywhispercpp.model import Model


def main():
    recording, weights, _, threads, seconds = sys.argv[1:6]
    # Its messages would stand where the figures are looked for.
    model = Model(weights, n_threads=int(threads), print_progress=False, print_realtime=False, redirect_whispercpp_logs_to=None)
    heard = []

    def hear(_):
        heard[:] = [segment.text for segment in model.transcribe(samples(recording))]

    times = repeat(hear, float(seconds))
    with wave.open(recording) as file:
        length = file.getnframes() / file.getframerate()
    give({"times_real_time": length / median(times), "words": len(" ".join(heard).split())})


def samples(recording):
    with wave.open(recording) as file:
        assert file.getframerate() == 16_000 and file.getsampwidth() == 2, "a WAV of 16 kHz and 16 bits is wanted"
        frames = np.frombuffer(file.readframes(file.getnframes()), np.int16).reshape(-1, file.getnchannels())
    return frames.mean(axis=1).astype(np.float32) / 32768


if __name__ == "__main__":
    main()
