"""An error at every call that changes a file, and the power cut at every one of them: after the next run nothing differs.

    python Tests/Faults/inject.py [--program .build/release/fuseline] [--all] [--only EIO|ENOSPC|power] [--jobs 2]

A small study is dropped, the program runs with faults.c preloaded, which lets one call fail or ends the program there; of
a power cut only what had been flushed is left: bytes by fsync of the file, names by fsync of the folder. Then it runs
undisturbed. Outputs, store and quarantine must be those of a run that nothing happened to, the ledger whole. Prints a
table by kind of call; exit code 0 only if every case held.

Calls that cannot be told apart afterwards are tried once for all (`--all` tries each): a transaction of the ledger is many
writes in a row, of which any that fails undoes it, so the first and the last stand for all; and between two flushes
nothing gets to the disk, so of a power cut there is one case before each flush and one after the last.
"""

import argparse
import collections
import concurrent.futures
import errno
import itertools
import os
import pathlib
import queue
import re
import subprocess
import sys
import tempfile
import time

from trial import POWER_CUT, Site

CASES = [
    ("EIO", "EIO once", errno.EIO, 1), ("ENOSPC", "ENOSPC once", errno.ENOSPC, 1),
    ("ENOSPC", "ENOSPC from there on", errno.ENOSPC, 1 << 40), ("power", "power cut", POWER_CUT, 1),
]


def difference(expected, found):
    if found == expected:
        return None
    missing, more = set(expected) - set(found), set(found) - set(expected)
    changed = [path for path in expected if path in found and found[path] != expected[path]]
    return f"{len(missing)} missing, {len(more)} more, {len(changed)} changed: {sorted(missing | more | set(changed))[:3]}"


def check(site, expected, at, action, lasts, shim):
    """What went wrong, None if nothing did."""
    if action == POWER_CUT:
        site.make_durable()
    first, _ = site.run(at, action, lasts, shim)
    if action == POWER_CUT:
        site.lose_power()
    visible = [p for p in site.contents() if p.startswith("output/") and "/." not in p and p not in expected]
    if visible:
        return f"a file nobody made: {visible[:2]}"
    if action != POWER_CUT and first.returncode < 0:
        return f"the program crashed ({first.returncode})"
    again, _ = site.run()
    if again.returncode not in (0, 1):
        return f"the next run ends with {again.returncode}: {again.stderr[-200:]}"
    found = difference(expected, site.contents())
    if found:
        return f"{found}; the first run said: {first.stderr[-200:]}"
    verify = site.whole()
    return None if verify.returncode == 0 else verify.stdout[-300:]


def kind(line):
    """What a call is for people: its name and which of the program's files it is on."""
    _, name, path = line.split(" ", 2)
    place = re.match(r"/(\w+)", path)
    place = place.group(1) if place else "site"
    if path.endswith("-wal"):
        place = "ledger log"
    elif path.startswith("/fuseline.sqlite"):
        place = "ledger"
    elif path.startswith("/fuseline.key"):
        place = "key"
    return f"{name} {place}"


def every_case(calls, action):
    """The calls to try, each with how many it stands for."""
    if action == POWER_CUT:
        flushes = [at for at, call in enumerate(calls, 1) if call.startswith("fsync")]
        tried = flushes + [len(calls)] * (flushes[-1] != len(calls))
        return {at: at - before for before, at in zip([0, *tried], tried)}
    stand_for, at = {}, 0
    for call, group in itertools.groupby(calls):
        count = len(list(group))
        if call.startswith("write ledger") and count > 2:
            stand_for |= {at + 1: count - 1, at + count: 1}
        else:
            stand_for |= {number: 1 for number in range(at + 1, at + count + 1)}
        at += count
    return stand_for


class Bench:
    """Folders to try cases in, one for each that runs at the same time."""

    def __init__(self, top, program, jobs):
        self.program, self.top = program, top
        self.places = queue.Queue()
        for number in range(jobs):
            self.places.put(top / str(number))
        self.pool = concurrent.futures.ThreadPoolExecutor(jobs)

    def site(self, place):
        return Site(place, self.program)

    def measure(self, shim):
        """What an undisturbed run leaves, and the calls it makes."""
        site = self.site(self.top / "0")
        site.run()
        expected = site.contents()
        site = self.site(self.top / "0")
        log = self.top / "log"
        log.touch()
        _, calls = site.run(shim=shim, log=log)
        found = difference(expected, site.contents())
        if found or calls < 50 or not any(path.startswith("output/") for path in expected):
            sys.exit(f"the shim disturbs the run or is not heard: {calls} calls, {found}")
        return expected, [kind(line) for line in sorted(log.read_text().splitlines(), key=lambda l: int(l.split()[0]))]

    def all(self, expected, numbers, action, lasts, shim):
        def one(at):
            place = self.places.get()
            try:
                return at, check(self.site(place), expected, at, action, lasts, shim)
            except subprocess.TimeoutExpired:
                return at, "the program hangs"
            finally:
                self.places.put(place)

        return list(self.pool.map(one, numbers))


def compile_shim(top):
    shim = top / "faults.so"
    source = pathlib.Path(__file__).parent / "faults.c"
    subprocess.run(["cc", "-O1", "-shared", "-fPIC", "-o", str(shim), str(source), "-ldl"], check=True)
    return shim


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    root = pathlib.Path(__file__).resolve().parents[2]
    parser.add_argument("--program", default=str(root / ".build/release/fuseline"))
    parser.add_argument("--all", action="store_true", help="try calls one by one that cannot be told apart")
    parser.add_argument("--only", choices=sorted({case[0] for case in CASES}))
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="cases tried at the same time")
    parser.add_argument("--at", type=int, help="try this call only")
    arguments = parser.parse_args()
    os.nice(10)
    failures = []
    begin = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="fuseline-faults-") as folder:
        top = pathlib.Path(folder)
        shim = compile_shim(top)
        bench = Bench(top, str(pathlib.Path(arguments.program).resolve()), arguments.jobs)
        expected, calls = bench.measure(shim)
        cases = [case for case in CASES if arguments.only in (None, case[0])]
        tried, held = {}, {}
        for _, name, action, lasts in cases:
            chosen = dict.fromkeys(range(1, len(calls) + 1), 1) if arguments.all else every_case(calls, action)
            chosen = {arguments.at: 1} if arguments.at else chosen
            tried[name] = collections.Counter(calls[at - 1] for at in chosen)
            held[name] = collections.Counter()
            for at, finding in bench.all(expected, chosen, action, lasts, shim):
                held[name][calls[at - 1]] += finding is None
                if finding:
                    failures.append(f"{name}, call {at} ({calls[at - 1]}): {finding}")
            print(
                f"{name}: {sum(held[name].values())} of {len(chosen)} cases held, which stand for "
                f"{sum(chosen.values())} calls", flush=True)
    print(f"\n{len(calls)} calls change files; cases that held of those tried, {time.monotonic() - begin:.0f} s\n")
    print("| call | calls | " + " | ".join(held) + " |")
    print("|---" * (len(held) + 2) + "|")
    for call, count in sorted(collections.Counter(calls).items()):
        cells = [f"{held[name][call]} of {tried[name][call]}" if tried[name][call] else "" for name in held]
        print(f"| {call} | {count} | " + " | ".join(cells) + " |")
    print("\n".join(failures))
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
