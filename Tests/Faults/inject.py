"""An error at every call that changes a file, and the power cut at every one of them: after the next run nothing differs.

    python Tests/Faults/inject.py [--program .build/debug/fuseline] [--every N] [--only EIO|ENOSPC|power]

A small study is dropped, the program runs with faults.c preloaded, which lets one call fail or ends the program there; of
a power cut only what had been flushed is left: bytes by fsync of the file, names by fsync of the folder. Then it runs
undisturbed. Outputs, store and quarantine must be those of a run that nothing happened to, the ledger whole. Prints a
table; exit code 0 only if every case held.
"""

import argparse
import collections
import errno
import hashlib
import os
import pathlib
import shutil
import struct
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
CONFIGURATION = """
grid: {side: 32}
intake: {quiet_time: 0 s}
processing: {workers: 1}
limits: {free_space: 0 B, free_percent: 0 %}
retry: {other: {attempts: 9}}
"""
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
        for series, count in (("CT_HEAD_SOFT", 99), ("MR_AX_T2_TSE", 2)):
            for path in sorted((samples / series).iterdir())[:count]:
                shutil.copy(path, self.folder / "inbox" / f"{series}-{path.name}")
        (self.folder / "inbox/note.txt").write_text("not an image")

    def run(self, at=0, action=0, lasts=1, shim=None):
        environment = dict(os.environ, SWIFT_BACKTRACE="enable=no", FUSELINE_MODELS=str(ROOT / "Models"))
        control = self.top / "control"
        control.write_bytes(struct.pack("<4q", 0, at, action, lasts))
        if shim:
            environment |= {
                "LD_PRELOAD": str(shim), "FUSELINE_TEST_PREFIX": str(self.folder),
                "FUSELINE_TEST_CONTROL": str(control), "FUSELINE_TEST_SHADOW": str(self.top / "shadow"),
            }
            if action != POWER_CUT:
                del environment["FUSELINE_TEST_SHADOW"]
        result = subprocess.run(
            [self.program, "run"], cwd=self.folder, env=environment, capture_output=True, text=True, timeout=600)
        return result, struct.unpack("<4q", control.read_bytes())[0]

    def contents(self):
        found = {}
        for folder in FOLDERS:
            for path in sorted((self.folder / folder).rglob("*")):
                if path.is_file():
                    # The note beside a refused file names the time.
                    is_note = folder == "quarantine" and path.suffix == ".json"
                    found[str(path.relative_to(self.folder))] = "" if is_note else digest(path.read_bytes())
        return found

    def whole(self):
        return subprocess.run([self.program, "audit", "verify"], cwd=self.folder, capture_output=True, text=True)

    # Power cut

    def make_durable(self):
        """What lies there before the run is on disk."""
        self.names, self.bytes = {}, {}
        for folder, _, files in os.walk(self.folder):
            entries = []
            for entry in os.scandir(folder):
                entries.append((entry.inode(), entry.is_dir(), entry.name))
                if not entry.is_dir():
                    self.bytes[entry.inode()] = pathlib.Path(entry.path).read_bytes()
            self.names[os.stat(folder).st_ino] = entries

    def lose_power(self):
        """Leaves only what was flushed."""
        shadow = self.top / "shadow"
        for path in shadow.iterdir():
            number = path.name[1:]
            if path.name[0] == "d" and number.isdigit():
                self.names[int(number)] = [
                    (int(line.split(" ", 2)[0]), line.split(" ", 2)[1] == "1", line.split(" ", 2)[2])
                    for line in path.read_text().splitlines()
                ]
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


def digest(data):
    return hashlib.sha256(data).hexdigest()


def difference(expected, found):
    if found == expected:
        return None
    missing, more = set(expected) - set(found), set(found) - set(expected)
    changed = [path for path in expected if path in found and found[path] != expected[path]]
    return f"{len(missing)} missing, {len(more)} more, {len(changed)} changed: {sorted(missing | more | set(changed))[:3]}"


def check(site, expected, name, at, action, lasts, shim):
    if action == POWER_CUT:
        site.make_durable()
    first, _ = site.run(at, action, lasts, shim)
    if action == POWER_CUT:
        site.lose_power()
    visible = [p for p in site.contents() if p.startswith("output/") and "/." not in p and p not in expected]
    if visible:
        return f"call {at}: a file nobody made: {visible[:2]}"
    if action != POWER_CUT and first.returncode < 0:
        return f"call {at}: the program crashed ({first.returncode})"
    again, _ = site.run()
    if again.returncode not in (0, 1):
        return f"call {at}: the next run ends with {again.returncode}: {again.stderr[-200:]}"
    found = difference(expected, site.contents())
    if found:
        return f"call {at}: {found}"
    verify = site.whole()
    return None if verify.returncode == 0 else f"call {at}: {verify.stdout[-200:]}"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--program", default=str(ROOT / ".build/debug/fuseline"))
    parser.add_argument("--every", type=int, default=1, help="try every Nth call only")
    parser.add_argument("--only")
    arguments = parser.parse_args()
    program = str(pathlib.Path(arguments.program).resolve())
    failures = collections.defaultdict(list)
    with tempfile.TemporaryDirectory(prefix="fuseline-faults-") as folder:
        top = pathlib.Path(folder)
        shim = top / "faults.so"
        subprocess.run(
            ["cc", "-O1", "-shared", "-fPIC", "-o", str(shim), str(pathlib.Path(__file__).parent / "faults.c"), "-ldl"],
            check=True)
        site = Site(top, program)
        site.run()
        expected = site.contents()
        site = Site(top, program)
        _, calls = site.run(shim=shim)
        if difference(expected, site.contents()) or calls < 50:
            sys.exit(f"the shim disturbs the run or is not heard: {calls} calls")
        cases = [
            ("EIO", "EIO once", errno.EIO, 1), ("ENOSPC", "ENOSPC once", errno.ENOSPC, 1),
            ("ENOSPC", "ENOSPC from there on", errno.ENOSPC, 1 << 40), ("power", "power cut", POWER_CUT, 1),
        ]
        print(f"{calls} calls change files")
        print(f"{'fault':22}{'cases':>7}{'held':>7}")
        for key, name, action, lasts in cases:
            if arguments.only and arguments.only != key:
                continue
            tried = range(1, calls + 1, arguments.every)
            for at in tried:
                finding = check(Site(top, program), expected, name, at, action, lasts, shim)
                if finding:
                    failures[name].append(finding)
            print(f"{name:22}{len(tried):>7}{len(tried) - len(failures[name]):>7}", flush=True)
    for name, findings in failures.items():
        for finding in findings:
            print(f"{name}: {finding}")
    sys.exit(1 if any(failures.values()) else 0)


if __name__ == "__main__":
    main()
