"""Months of a drop folder in minutes: the watcher runs while files arrive in every way, processes are killed, the disk
runs full and the clock jumps. At the end nothing may be lost, nothing be there twice, and every output must have the
bytes of an undisturbed run.

    python Tests/Soak/soak.py --minutes 40 [--seed N] [--program .build/release/fuseline] [--keep]

Full disks need root (a tmpfs is mounted), clock jumps a C compiler; without them these are left out, and the last line
says so. Exit code 0 only if everything held.
"""

import argparse
import collections
import hashlib
import json
import os
import pathlib
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
import zipfile

import pydicom
from pydicom.uid import UID

ROOT = pathlib.Path(__file__).resolve().parents[2]
CONFIGURATION = """
grid: {side: 32}
intake: {quiet_time: 1 s, incomplete_time: 15 s}
watch: {interval: 2 s, settle_time: 3 s}
processing: {workers: 1, deadline: 10 min}
limits: {free_space: 12 MiB, free_percent: 0 %}
retry:
  disk_full: {attempts: 0, delay: 1 s, multiplier: 1, maximum: 1 s}
  files: {attempts: 0, delay: 1 s, multiplier: 1, maximum: 1 s}
  crash: {attempts: 50, delay: 1 s, multiplier: 1, maximum: 1 s}
  other: {attempts: 3, delay: 1 s, multiplier: 1, maximum: 1 s}
"""
DISK_MIB = 700


class Soak:
    def __init__(self, arguments):
        self.random = random.Random(arguments.seed)
        self.program = str(pathlib.Path(arguments.program).resolve())
        self.minutes = arguments.minutes
        self.top = pathlib.Path(tempfile.mkdtemp(prefix="fuseline-soak-"))
        self.site = self.top / "site"
        self.site.mkdir()
        mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK_MIB}m", "tmpfs", str(self.site)]
        self.has_small_disk = subprocess.run(mount, stderr=subprocess.DEVNULL).returncode == 0
        self.inbox = self.site / "inbox"
        self.inbox.mkdir()
        (self.site / "pipeline.yaml").write_text(CONFIGURATION)
        self.clock = self.top / "clock"
        self.set_clock(0)
        self.shim = self.top / "clock.so"
        build = ["cc", "-O1", "-shared", "-fPIC", "-o", str(self.shim), str(pathlib.Path(__file__).parent / "clock.c"), "-ldl"]
        self.has_clock = shutil.which("cc") is not None and subprocess.run(build).returncode == 0
        self.log = open(self.top / "log", "a")
        self.watcher = None
        self.actions = collections.Counter()
        self.studies = []  # every study: list of (name, bytes)
        self.writers = []  # unfinished slow writers: (path, rest)
        self.filler = self.site / "filler"
        self.templates = [self.read(name, parts) for name, parts in TEMPLATES]

    @staticmethod
    def read(name, parts):
        files = []
        for part in parts:
            for path in sorted((ROOT / "sample-studies" / name / part).iterdir()):
                files.append(pydicom.dcmread(path))
        return files

    def new_study(self):
        """One of the sample studies under UIDs and a Patient ID of its own."""
        number = len(self.studies)
        files = []
        for dataset in self.random.choice(self.templates):
            for keyword in ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID", "FrameOfReferenceUID"):
                if keyword in dataset:
                    digest = hashlib.sha256(f"{number} {getattr(dataset, keyword)}".encode()).digest()
                    fresh = UID("2.25." + str(int.from_bytes(digest[:15], "big")))
                    self.originals.setdefault(id(dataset), {})[keyword] = getattr(dataset, keyword)
                    setattr(dataset, keyword, fresh)
            dataset.PatientID = f"SOAK{number}"
            dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
            path = self.top / "one.dcm"
            dataset.save_as(path, enforce_file_format=False)
            files.append((f"{number:05}-{len(files):03}", path.read_bytes()))
            for keyword, value in self.originals.pop(id(dataset), {}).items():
                setattr(dataset, keyword, value)
        self.studies.append(files)
        return files

    originals: dict = {}

    # Writers

    def write(self, name, data):
        try:
            (self.inbox / name).write_bytes(data)
        except OSError:  # the disk is full for the writer too: it tries again later, as writers do
            (self.inbox / name).unlink(missing_ok=True)
            self.writers.append((name, data, 0))

    def drop_plain(self, files):
        for name, data in files:
            self.write(name, data)

    def drop_renamed(self, files):
        for name, data in files:
            try:
                part = self.inbox / (name + ".part")
                part.write_bytes(data)
                part.rename(self.inbox / name)
            except OSError:
                part.unlink(missing_ok=True)
                self.writers.append((name, data, 0))

    def drop_slowly(self, files):
        for name, data in files:
            self.writers.append((name, data, 0))

    def drop_late(self, files):
        middle = self.random.randrange(1, len(files))
        self.drop_plain(files[:middle])
        self.later.append((time.monotonic() + self.random.uniform(2, 20), files[middle:]))

    later: list = []

    def drop_zip(self, files):
        name = files[0][0] + ".zip"
        local = self.top / name
        with zipfile.ZipFile(local, "w", zipfile.ZIP_DEFLATED) as archive:
            for entry, data in files:
                archive.writestr("../" + entry, data)
        self.write(name, local.read_bytes())
        local.unlink()

    def go_on_writing(self):
        """Slow writers append a piece each, with pauses longer than the quiet time in between."""
        writers, self.writers = self.writers, []
        for name, data, done in writers:
            piece = self.random.choice([1 << 14, 1 << 16, len(data)])
            try:
                with open(self.inbox / name, "ab" if done else "wb") as file:
                    file.write(data[done : done + piece])
                done = min(done + piece, len(data))
            except OSError:
                (self.inbox / name).unlink(missing_ok=True)
                done = 0
            if done < len(data):
                self.writers.append((name, data, done))
        due = [entry for entry in self.later if entry[0] <= time.monotonic()]
        self.later = [entry for entry in self.later if entry not in due]
        for _, files in due:
            self.drop_plain(files)

    # Trouble

    def start(self):
        environment = dict(os.environ, SWIFT_BACKTRACE="enable=no", FUSELINE_MODELS=str(ROOT / "Models"))
        if self.has_clock:
            environment |= {"LD_PRELOAD": str(self.shim), "FUSELINE_TEST_CLOCK": str(self.clock)}
        self.watcher = subprocess.Popen(
            [self.program, "watch"], cwd=self.site, env=environment, stderr=self.log, stdin=subprocess.DEVNULL)

    def is_up(self):
        return self.watcher is not None and self.watcher.poll() is None

    def kill(self):
        self.watcher.send_signal(signal.SIGKILL)
        self.watcher.wait()

    def stop(self):
        self.watcher.send_signal(signal.SIGTERM)
        code = self.watcher.wait(timeout=120)
        if code != 0:
            self.actions["stopped with an error"] += 1

    def kill_worker(self):
        found = subprocess.run(["pgrep", "-P", str(self.watcher.pid)], capture_output=True, text=True)
        for pid in found.stdout.split():
            os.kill(int(pid), signal.SIGKILL)
            self.actions["worker killed for real"] += 1

    def freeze(self):
        self.watcher.send_signal(signal.SIGSTOP)
        time.sleep(self.random.uniform(1, 6))
        self.watcher.send_signal(signal.SIGCONT)

    def fill_disk(self):
        free = os.statvfs(self.site).f_bavail * os.statvfs(self.site).f_frsize
        leave = self.random.choice([0, 4096, 200_000, 2_000_000, 8_000_000, 20_000_000])
        if free <= leave:
            return
        with open(self.filler, "wb") as file:
            try:
                os.posix_fallocate(file.fileno(), 0, free - leave)
            except OSError:
                pass
        self.full_until = time.monotonic() + self.random.uniform(3, 15)

    full_until = None

    def free_disk(self, now=False):
        if self.full_until and (now or time.monotonic() > self.full_until):
            self.filler.unlink(missing_ok=True)
            self.full_until = None

    def jump(self):
        self.set_clock(self.random.choice([0, 30, -30, 3600, -3600, 86_400, -86_400]))

    def set_clock(self, seconds):
        # In place: running processes have mapped the file.
        with open(self.clock, "r+b" if self.clock.exists() else "wb") as file:
            file.write(seconds.to_bytes(8, "little", signed=True))

    def resend(self):
        if self.studies:
            files = self.random.choice(self.studies)
            self.drop_plain([("again-" + name, data) for name, data in self.random.sample(files, len(files) // 3)])

    def conflict(self):
        """The UID of an image that is there already, with other bytes: the first one must be kept."""
        if self.settled_studies:
            name, data = self.random.choice(self.random.choice(self.settled_studies))
            changed = bytearray(data)
            changed[-1] ^= 1
            self.write(f"conflict-{self.actions['conflict']}-" + name, bytes(changed))

    settled_studies: list = []

    def garbage(self):
        size = self.random.choice([0, 1, 131, 5000])
        self.write(f"garbage-{self.actions['garbage']}", self.random.randbytes(size))

    # The run

    def go(self):
        end = time.monotonic() + 60 * self.minutes
        choices = [
            ("study", 6), ("resend", 2), ("garbage", 1), ("conflict", 1), ("kill", 3), ("kill_worker", 3), ("stop", 1),
            ("freeze", 1), ("wait", 6),
        ]
        choices += [("fill_disk", 2)] if self.has_small_disk else []
        choices += [("jump", 2)] if self.has_clock else []
        next_word = 0
        while time.monotonic() < end:
            if not self.is_up():
                self.start()
            self.free_disk()
            self.go_on_writing()
            [name] = self.random.choices([c[0] for c in choices], [c[1] for c in choices])
            if name == "study":
                self.act_study()
            elif name != "wait":
                self.actions[name] += 1
                getattr(self, name)()
            time.sleep(self.random.uniform(0.2, 4))
            if time.monotonic() > next_word:
                next_word = time.monotonic() + 300
                print(f"{len(self.studies)} studies, {dict(self.actions)}", flush=True)
        self.settle()

    def act_study(self):
        used = sum(len(data) for files in self.studies for _, data in files)
        # Each study needs about three times its size: in the drop folder, in the store, as outputs and archives.
        if used > DISK_MIB * (1 << 20) / 4 or len(self.unfinished()) > 6:
            return
        files = self.new_study()
        how = self.random.choice(["plain", "renamed", "slowly", "late", "zip"])
        self.actions["drop_" + how] += 1
        getattr(self, "drop_" + how)(files)
        self.settled_studies = self.studies[:-5]

    def unfinished(self):
        try:
            rows = self.ask("SELECT count(*) FROM studies WHERE worked_off IS NULL")
            return range(rows[0][0])
        except sqlite3.Error:
            return []

    def ask(self, query):
        with sqlite3.connect(f"file:{self.site}/fuseline.sqlite?mode=ro", uri=True, timeout=30) as ledger:
            return ledger.execute(query).fetchall()

    def settle(self):
        """No more trouble; the watcher gets the time it needs."""
        self.free_disk(now=True)
        self.set_clock(0)
        deadline = time.monotonic() + 60 * 30
        quiet_since = None
        while time.monotonic() < deadline:
            if not self.is_up():
                self.start()
            self.go_on_writing()
            time.sleep(2)
            waiting = (
                self.writers or self.later or any(path.is_file() for path in self.inbox.rglob("*"))
                or self.ask("SELECT count(*) FROM studies WHERE worked_off IS NULL")[0][0]
                or self.ask("SELECT count(*) FROM jobs WHERE state IN ('pending', 'running') OR retry_at IS NOT NULL")[0][0]
            )
            if waiting:
                quiet_since = None
            elif quiet_since is None:
                quiet_since = time.monotonic()
            elif time.monotonic() - quiet_since > 10:
                break
        self.stop()

    # The verdict

    def verdict(self):
        findings = []
        verify = subprocess.run([self.program, "audit", "verify"], cwd=self.site, capture_output=True, text=True)
        if verify.returncode != 0:
            findings.append("audit verify: " + verify.stdout[-300:])
        if any(path.is_file() for path in self.inbox.rglob("*")):
            findings.append("files are left in the drop folder")
        stored = dict(self.ask("SELECT sha256, count(*) FROM instances GROUP BY sha256"))
        dropped = [hashlib.sha256(data).hexdigest() for files in self.studies for _, data in files]
        lost = [digest for digest in dropped if digest not in stored]
        twice = [digest for digest, count in stored.items() if count > 1]
        if lost:
            findings.append(f"{len(lost)} images lost")
        if twice:
            findings.append(f"{len(twice)} images twice")
        findings += self.compare_outputs()
        wrong = self.ask("SELECT id, state, reason FROM jobs WHERE state NOT IN ('done', 'superseded')")
        if wrong:
            findings.append(f"jobs not done: {wrong[:5]}")
        return findings

    def compare_outputs(self):
        """The same images dropped on an undisturbed site give the same outputs, byte for byte."""
        calm = self.top / "calm"
        (calm / "inbox").mkdir(parents=True)
        (calm / "pipeline.yaml").write_text(CONFIGURATION)
        for files in self.studies:
            for name, data in files:
                (calm / "inbox" / name).write_bytes(data)
        environment = dict(os.environ, FUSELINE_MODELS=str(ROOT / "Models"))
        subprocess.run([self.program, "run"], cwd=calm, env=environment, stdout=subprocess.DEVNULL, check=False)
        expected, found = outputs(calm), outputs(self.site)
        current = {row[0] for row in self.ask(
            "SELECT o.path FROM outputs o JOIN slices s ON s.id = o.slice_id JOIN jobs j ON j.id = s.job_id "
            "WHERE j.state = 'done'")}
        recorded = {row[0] for row in self.ask("SELECT path FROM outputs")}
        self.compared = len(expected)
        findings = []
        if current != set(expected):
            findings.append(f"outputs differ: {len(set(expected) - current)} missing, {len(current - set(expected))} more")
        different = [path for path in expected if path in found and found[path] != expected[path]]
        if different:
            findings.append(f"{len(different)} outputs have other bytes")
        if set(found) != recorded:
            findings.append(f"{len(set(found) ^ recorded)} files and rows of outputs without each other")
        return findings


TEMPLATES = [("ct-mr", ["CT_HEAD_SOFT", "MR_AX_T2_TSE"])]


def outputs(site):
    found = {}
    for path in (site / "output").rglob("*"):
        if path.is_file():
            found[str(path.relative_to(site / "output"))] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--program", default=str(ROOT / ".build/release/fuseline"))
    parser.add_argument("--keep", action="store_true", help="leave the folder, also when everything held")
    arguments = parser.parse_args()
    soak = Soak(arguments)
    findings = ["interrupted"]
    try:
        soak.go()
        findings = soak.verdict()
    finally:
        if soak.is_up():
            soak.kill()
        print(json.dumps(dict(soak.actions)))
        images = sum(len(files) for files in soak.studies)
        print(
            f"soak of {arguments.minutes:g} min, seed {arguments.seed}: {len(soak.studies)} studies, {images} images, "
            f"{getattr(soak, 'compared', 0)} outputs compared; disk {'yes' if soak.has_small_disk else 'left out'}, "
            f"clock {'yes' if soak.has_clock else 'left out'}; " + ("; ".join(findings) or "nothing lost, nothing twice"))
        if findings or arguments.keep:
            print("look in", soak.top)
        if soak.has_small_disk and not (findings or arguments.keep):
            subprocess.run(["umount", "-l", str(soak.site)], check=False)
        if not findings and not arguments.keep:
            shutil.rmtree(soak.top, ignore_errors=True)
    sys.exit(1 if findings else 0)


if __name__ == "__main__":
    main()
