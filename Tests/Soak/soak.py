"""Months of a drop folder in minutes: the watcher runs while files arrive in every way, processes are killed, the disk
runs full and the clock jumps. At the end nothing may be lost, nothing be there twice, and every output must have the
bytes of an undisturbed run.

    python Tests/Soak/soak.py --minutes 40 [--seed N] [--pace 3] [--program .build/release/fuseline] [--keep]

The wall clock of the watcher passes a whole day in that time, and pairs are fused at night only (20:00-08:00); `--pace`
makes everything happen that much more often. Of an image that is missing in the end, everything is printed that its
writer, the ledger and the folders know of it.

Full disks need root (a tmpfs is mounted), clock jumps a C compiler; without them these are left out, and the last line
says so. Exit code 0 only if everything held.
"""

import argparse
import collections
import json
import os
import pathlib
import random
import sqlite3
import sys
import tempfile
import time

from drops import Drops
from trouble import ROOT, Machine
from verdict import ask, taken, verdict

CONFIGURATION = """
grid: {side: 32}
intake: {quiet_time: 1 s, incomplete_time: 15 s}
watch: {interval: 2 s, settle_time: 3 s}
processing: {workers: 1, deadline: 10 min}
limits: {free_space: 12 MiB, free_percent: 0 %}
schedule: {fuse: "20:00-08:00", time_zone: UTC}
retry:
  disk_full: {attempts: 0, delay: 1 s, multiplier: 1, maximum: 1 s}
  files: {attempts: 0, delay: 1 s, multiplier: 1, maximum: 1 s}
  crash: {attempts: 50, delay: 1 s, multiplier: 1, maximum: 1 s}
  other: {attempts: 3, delay: 1 s, multiplier: 1, maximum: 1 s}
"""
DISK_MIB = 1000
# How often each thing happens, against the others.
CHOICES = {
    "study": 6, "resend": 2, "garbage": 1, "conflict": 1, "kill": 3, "kill_worker": 3, "stop": 3, "freeze": 1, "wait": 6,
    "fill_disk": 2, "jump": 2,
}


class Soak:
    def __init__(self, arguments):
        self.random = random.Random(arguments.seed)
        self.minutes, self.pace = arguments.minutes, arguments.pace
        self.top = pathlib.Path(tempfile.mkdtemp(prefix="fuseline-soak-"))
        self.actions = collections.Counter()
        program = str(pathlib.Path(arguments.program).resolve())
        self.machine = Machine(self.top, program, DISK_MIB, self.random, self.actions, 24 * 60 / self.minutes)
        self.site = self.machine.site
        (self.site / "inbox").mkdir()
        (self.site / "pipeline.yaml").write_text(CONFIGURATION)
        self.drops = Drops(self.site / "inbox", self.top, self.random, self.actions, lambda: taken(self.site))

    def go(self):
        end = time.monotonic() + 60 * self.minutes
        choices = dict(CHOICES)
        if not self.machine.has_small_disk:
            del choices["fill_disk"]
        if not self.machine.has_clock:
            del choices["jump"]
        next_word = 0
        while time.monotonic() < end:
            self.machine.keep_up()
            self.machine.free_disk()
            self.machine.tick()
            self.drops.go_on_writing()
            [name] = self.random.choices(list(choices), list(choices.values()))
            self.act(name)
            time.sleep(self.random.uniform(0.2, 4) / self.pace)
            if self.machine.is_up():
                self.machine.weigh()
            if time.monotonic() > next_word:
                next_word = time.monotonic() + 300
                print(f"{len(self.drops.studies)} studies, {dict(self.actions)}", flush=True)
        self.settle()

    def act(self, name):
        if name == "study":
            # Each study needs about three times its size: in the drop folder, in the store, as outputs and archives.
            if self.drops.bytes_dropped < DISK_MIB * (1 << 20) / 4 and self.unfinished() <= 12:
                self.drops.drop_study()
        elif name != "wait":
            self.actions[name] += 1
            getattr(self.drops if hasattr(self.drops, name) else self.machine, name)()

    def unfinished(self):
        try:
            return ask(self.site, "SELECT count(*) FROM studies WHERE worked_off IS NULL")[0][0]
        except sqlite3.Error:
            return 0

    def settle(self):
        """No more trouble; the watcher gets the time it needs."""
        self.machine.free_disk(now=True)
        self.machine.make_it_night()
        deadline = time.monotonic() + 60 * 60
        quiet_since = None
        while time.monotonic() < deadline:
            self.machine.keep_up()
            self.drops.go_on_writing()
            time.sleep(2)
            if self.is_waiting():
                quiet_since = None
            elif quiet_since is None:
                quiet_since = time.monotonic()
            elif time.monotonic() - quiet_since > 10:
                break
        self.machine.weigh()
        self.machine.stop()

    def is_waiting(self):
        jobs = "SELECT count(*) FROM jobs WHERE state IN ('pending', 'running') OR retry_at IS NOT NULL"
        return (
            self.drops.writers or self.drops.later or any(path.is_file() for path in (self.site / "inbox").rglob("*"))
            or self.unfinished() or ask(self.site, jobs)[0][0]
        )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--pace", type=float, default=1)
    parser.add_argument("--program", default=str(ROOT / ".build/release/fuseline"))
    parser.add_argument("--keep", action="store_true", help="leave the folder, also when everything held")
    arguments = parser.parse_args()
    os.nice(10)
    soak = Soak(arguments)
    findings, compared = ["interrupted"], 0
    try:
        soak.go()
        findings, compared = verdict(
            soak.site, soak.machine.program, soak.drops.studies, soak.drops.history, CONFIGURATION, soak.top / "calm")
        findings += soak.machine.findings
    finally:
        if soak.machine.is_up():
            soak.machine.kill()
        print(json.dumps(soak.actions))
        peaks = ", ".join(f"{name} {size >> 10} MiB" for name, size in soak.machine.peaks.items())
        images = sum(len(files) for files in soak.drops.studies)
        print(
            f"soak of {arguments.minutes:g} min, seed {arguments.seed}: {len(soak.drops.studies)} studies, {images} images, "
            f"{compared} outputs compared, largest RSS: {peaks}; "
            f"disk {'yes' if soak.machine.has_small_disk else 'left out'}, "
            f"clock {'yes' if soak.machine.has_clock else 'left out'}; "
            + ("; ".join(findings) or "nothing lost, nothing twice"))
        if findings or arguments.keep:
            print("look in", soak.top)
        else:
            soak.machine.clear()
    sys.exit(1 if findings else 0)


if __name__ == "__main__":
    main()
