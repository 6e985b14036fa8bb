"""Fuseline and its peers behind one face: a window of work on demand. No comparison here."""
import json
import os
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
TOP = HERE.parent


class Peer:
    """A Python peer that stays alive between windows."""

    def __init__(self, name, kind, **options):
        self.name = name
        command = [sys.executable, str(HERE / "peers.py"), kind, json.dumps(options)]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def ready(self):
        """Waits until it has worked once; false where it cannot."""
        for line in self.process.stdout:
            if line.startswith("{"):
                return True
        print(f"bench: without {self.name}: {self.process.stderr.read().strip().splitlines()[-1:]}", file=sys.stderr)
        return False

    def start(self, seconds):
        self.process.stdin.write(f"go {seconds}\n")
        self.process.stdin.flush()

    def finish(self):
        return json.loads(self.process.stdout.readline())

    def window(self, seconds):
        self.start(seconds)
        return self.finish()

    def close(self):
        self.process.stdin.close()
        self.process.wait()


class Fuseline:
    """`fuseline bench PART`, a process per window; loading is not in the window."""

    def __init__(self, name, program, part, isa=None, extra=()):
        self.name, self.part = name, part
        self.command = [str(program), "bench", part, "--windows", "1", "--json", *extra]
        self.environment = {**os.environ, **({"FUSELINE_ISA": isa} if isa else {})}

    def report(self, seconds):
        done = subprocess.run(
            [*self.command, "--seconds", str(seconds)], env=self.environment, capture_output=True, text=True, check=True)
        return json.loads(done.stdout)

    def window(self, seconds):
        part = self.report(seconds)["parts"][0]
        return {"wall": part["median"]["wall"], "cpu": part["median"]["cpu"], "count": 1}

    def close(self):
        pass


class Pair:
    """Two processes of one peer side by side: a throughput."""

    def __init__(self, name, kind, **options):
        self.name = name
        self.peers = [Peer(name, kind, **options) for _ in range(os.cpu_count() or 1)]

    def ready(self):
        return all([peer.ready() for peer in self.peers])

    def window(self, seconds):
        for peer in self.peers:
            peer.start(seconds)
        results = [peer.finish() for peer in self.peers]
        rate = sum(1 / result["wall"] for result in results)
        return {"wall": 1 / rate, "cpu": sum(result["cpu"] for result in results) / len(results), "count": 1}

    def close(self):
        for peer in self.peers:
            peer.close()


def _peak(pid):
    """Largest resident size of a process so far, 0 when it is gone. (wait4's ru_maxrss would begin with the parent's.)"""
    try:
        with open(f"/proc/{pid}/status", encoding="utf-8") as file:
            return next((int(line.split()[1]) * 1024 for line in file if line.startswith("VmHWM:")), 0)
    except OSError:
        return 0


def run_once(command, environment=None):
    """A whole process: wall and processor seconds and peak resident bytes."""
    start, peak = time.perf_counter(), 0
    process = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment)
    while True:
        ended, status, usage = os.wait4(process.pid, os.WNOHANG)
        if ended:
            break
        peak = max(peak, _peak(process.pid))
        time.sleep(0.002)
    process.returncode = status
    if status != 0:
        raise RuntimeError(f"{command[0]} ended with {status}")
    return {"wall": time.perf_counter() - start, "cpu": usage.ru_utime + usage.ru_stime, "peak": peak}
