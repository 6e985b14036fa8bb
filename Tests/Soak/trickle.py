"""Writers in real time: slow ones with long pauses, renamed ones, rsync's, without events. Are all files taken, and when?

    python Tests/Soak/trickle.py [--program .build/release/fuseline] [--files 6]

Each writer is a process of its own that appends 64 kB a second, or copies under a temporary name and renames. A slow one
pauses in the middle of every file for three times the quiet time. Exit code 0 only if all files were taken, none was
refused, and none waited longer than the quiet time and two scans after its last byte.
"""

import argparse
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

import numpy
import pydicom
from pydicom.uid import UID

ROOT = pathlib.Path(__file__).resolve().parents[2]
QUIET, INTERVAL = 5, 10
CONFIGURATION = f"""
intake: {{quiet_time: {QUIET} s}}
watch: {{interval: {INTERVAL} s, events: false, settle_time: 1 h}}
limits: {{free_space: 0 B, free_percent: 0 %}}
"""
RATE = 64_000  # bytes a second
# The program looks at its clock every half second, and this script at the folder every tenth.
ALLOWANCE = 1.0


def images(folder, count):
    """CT slices of 512 x 512 pixels, half a megabyte each."""
    source = pydicom.dcmread(sorted((ROOT / "sample-studies/ct-mr/CT_HEAD_SOFT").iterdir())[0])
    source.decompress()
    noise = numpy.random.default_rng(1)
    paths = []
    for number in range(count):
        source.Rows = source.Columns = 512
        source.PixelData = noise.integers(0, 2000, (512, 512), dtype=numpy.int16).tobytes()
        source.SOPInstanceUID = UID(f"2.25.{10**20 + number}")
        source.file_meta.MediaStorageSOPInstanceUID = source.SOPInstanceUID
        path = folder / f"IM{number:04}"
        source.save_as(path, enforce_file_format=True)
        paths.append(path)
    return paths


class Trial:
    def __init__(self, inbox):
        self.inbox = inbox
        self.finished = {}  # name: when its last byte was written under its final name
        self.left = {}  # name: when it was seen gone

    def trickle(self, path):
        """64 kB a second, with a pause of three times the quiet time in the middle."""
        data = path.read_bytes()
        with open(self.inbox / path.name, "wb") as file:
            for start in range(0, len(data), RATE):
                file.write(data[start : start + RATE])
                file.flush()
                middle = start <= len(data) // 2 < start + RATE
                time.sleep(3 * QUIET if middle else 1)
        self.finished[path.name] = time.monotonic()

    def rename(self, path):
        part = self.inbox / (path.name + ".part")
        shutil.copy(path, part)
        time.sleep(2 * QUIET)
        part.rename(self.inbox / path.name)
        self.finished[path.name] = time.monotonic()

    def rsync(self, path):
        """As rsync writes, or rsync itself where there is one: a hidden temporary name, then a rename."""
        if shutil.which("rsync"):
            subprocess.run(["rsync", "-t", f"--bwlimit={RATE // 1000}", str(path), str(self.inbox)], check=True)
        else:
            part = self.inbox / f".{path.name}.Xa3f9Q"
            data = path.read_bytes()
            with open(part, "wb") as file:
                for start in range(0, len(data), RATE):
                    file.write(data[start : start + RATE])
                    time.sleep(1)
            shutil.copystat(path, part)
            part.rename(self.inbox / path.name)
        self.finished[path.name] = time.monotonic()

    def watch(self, names):
        while len(self.left) < len(names):
            for name in names:
                if name in self.finished and name not in self.left and not (self.inbox / name).exists():
                    self.left[name] = time.monotonic()
            time.sleep(0.1)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--program", default=str(ROOT / ".build/release/fuseline"))
    parser.add_argument("--files", type=int, default=6, help="files of each of three writers")
    arguments = parser.parse_args()
    program = str(pathlib.Path(arguments.program).resolve())
    with tempfile.TemporaryDirectory(prefix="fuseline-trickle-") as folder:
        top = pathlib.Path(folder)
        (top / "made").mkdir()
        (top / "inbox").mkdir()
        (top / "pipeline.yaml").write_text(CONFIGURATION)
        paths = images(top / "made", 3 * arguments.files)
        trial = Trial(top / "inbox")
        environment = dict(os.environ, FUSELINE_MODELS=str(ROOT / "Models"))
        watcher = subprocess.Popen([program, "watch"], cwd=top, env=environment)
        try:
            writers = [
                threading.Thread(target=lambda way=way, mine=paths[index::3]: [way(path) for path in mine], daemon=True)
                for index, way in enumerate((trial.trickle, trial.rename, trial.rsync))
            ]
            observer = threading.Thread(target=trial.watch, args=([path.name for path in paths],), daemon=True)
            for thread in [*writers, observer]:
                thread.start()
            observer.join(timeout=1800)
        finally:
            watcher.send_signal(signal.SIGTERM)
            code = watcher.wait(timeout=600)
        query = "SELECT outcome, count(*) AS files FROM intake GROUP BY outcome"
        answer = subprocess.run([program, "audit", "sql", query, "--json"], cwd=top, capture_output=True, text=True)
        outcomes = {row["outcome"]: row["files"] for row in json.loads(answer.stdout)}
        waited = sorted(trial.left[name] - trial.finished[name] for name in trial.left)
        limit = QUIET + 2 * INTERVAL
        print(
            f"{len(paths)} files, {outcomes}; waited {waited[0]:.1f} to {waited[-1]:.1f} s, median "
            f"{waited[len(waited) // 2]:.1f} s, at most {limit} s wanted; the watcher ended with {code}")
        held = outcomes == {"accepted": len(paths)} and waited[-1] <= limit + ALLOWANCE and code == 0
        sys.exit(0 if held else 1)


if __name__ == "__main__":
    main()
