"""A site for one trial: the smallest study that can be fused, a run with one call failing, what is left of a power cut."""

import hashlib
import os
import pathlib
import shutil
import struct
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]
CONFIGURATION = """
grid: {side: 32}
intake: {quiet_time: 0 s}
processing: {workers: 1}
limits: {free_space: 0 B, free_percent: 0 %}
retry: {other: {attempts: 9}}
"""
# Two slices of MR, and those of CT around them: the fewest that make a pair.
SERIES = [("MR_AX_T2_TSE", slice(5, 7)), ("CT_HEAD_SOFT", slice(10, 13))]
POWER_CUT = 1000
FOLDERS = ["output", "store", "quarantine", "inbox"]


class Site:
    def __init__(self, top, program):
        self.folder = top / "site"
        self.top, self.program = top, program
        for path in (self.folder, top / "shadow"):
            shutil.rmtree(path, ignore_errors=True)
            path.mkdir(parents=True)
        (self.folder / "inbox").mkdir()
        (self.folder / "pipeline.yaml").write_text(CONFIGURATION)
        samples = ROOT / "sample-studies/ct-mr"
        for series, which in SERIES:
            for path in sorted((samples / series).iterdir())[which]:
                shutil.copy(path, self.folder / "inbox" / f"{series}-{path.name}")
        (self.folder / "inbox/note.txt").write_text("not an image")

    def run(self, at=0, action=0, lasts=1, shim=None, log=None):
        """Runs the program once; the call `at` and `lasts - 1` more get `action`. Returns how it ended and its calls."""
        environment = dict(os.environ, SWIFT_BACKTRACE="enable=no", FUSELINE_MODELS=str(ROOT / "Models"))
        control = self.top / "control"
        control.write_bytes(struct.pack("<4q", 0, at, action, lasts))
        if shim:
            environment |= {
                "LD_PRELOAD": str(shim), "FUSELINE_TEST_PREFIX": str(self.folder),
                "FUSELINE_TEST_CONTROL": str(control),
            }
            if action == POWER_CUT:
                environment["FUSELINE_TEST_SHADOW"] = str(self.top / "shadow")
            if log:
                environment["FUSELINE_TEST_LOG"] = str(log)
        result = subprocess.run(
            [self.program, "run"], cwd=self.folder, env=environment, capture_output=True, text=True, timeout=1200)
        return result, struct.unpack("<4q", control.read_bytes())[0]

    def contents(self):
        found = {}
        for folder in FOLDERS:
            for path in sorted((self.folder / folder).rglob("*")):
                if path.is_file():
                    # The note beside a refused file names the time.
                    is_note = folder == "quarantine" and path.suffix == ".json"
                    data = b"" if is_note else path.read_bytes()
                    found[str(path.relative_to(self.folder))] = hashlib.sha256(data).hexdigest()
        return found

    def whole(self):
        return subprocess.run([self.program, "audit", "verify"], cwd=self.folder, capture_output=True, text=True)

    # Power cut

    def make_durable(self):
        """What lies there before the run is on disk."""
        self.names, self.bytes = {}, {}
        for folder, _, _ in os.walk(self.folder):
            entries = []
            for entry in os.scandir(folder):
                entries.append((entry.inode(), entry.is_dir(), entry.name))
                if not entry.is_dir():
                    self.bytes[entry.inode()] = pathlib.Path(entry.path).read_bytes()
            self.names[os.stat(folder).st_ino] = entries

    def lose_power(self):
        """Leaves only what was flushed."""
        for path in (self.top / "shadow").iterdir():
            number = path.name[1:]
            if path.name[0] == "d" and number.isdigit():
                lines = [line.split(" ", 2) for line in path.read_text().splitlines()]
                self.names[int(number)] = [(int(inode), kind == "1", name) for inode, kind, name in lines]
            elif path.name[0] == "i" and number.isdigit():
                self.bytes[int(number)] = path.read_bytes()
        root = os.stat(self.folder).st_ino
        fresh = self.top / "after"
        shutil.rmtree(fresh, ignore_errors=True)
        self.rebuild(root, fresh)
        shutil.rmtree(self.folder)
        fresh.rename(self.folder)

    def rebuild(self, inode, folder):
        folder.mkdir()
        for number, is_folder, name in self.names.get(inode, []):
            if name.endswith("-shm"):
                continue
            if is_folder:
                self.rebuild(number, folder / name)
            else:
                (folder / name).write_bytes(self.bytes.get(number, b""))
