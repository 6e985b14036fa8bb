"""What happens to the watcher and its machine: kills, stops, freezes, full disks, a clock that jumps."""

import os
import pathlib
import shutil
import signal
import subprocess
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]


class Machine:
    """The watcher on a small disk, under a clock that can be set and runs `speed` times as fast as ours."""

    def __init__(self, top, program, disk_mib, random, actions, speed):
        self.top, self.program, self.random, self.actions = top, program, random, actions
        self.site = top / "site"
        self.site.mkdir()
        mount = ["mount", "-t", "tmpfs", "-o", f"size={disk_mib}m", "tmpfs", str(self.site)]
        self.has_small_disk = subprocess.run(mount, stderr=subprocess.DEVNULL).returncode == 0
        self.filler = self.site / "filler"
        self.full_until = None
        self.clock = top / "clock"
        self.speed, self.begin, self.jumped = speed, time.time(), 0
        self.set_clock(0)
        self.shim = top / "clock.so"
        source = pathlib.Path(__file__).parent / "clock.c"
        build = ["cc", "-O1", "-shared", "-fPIC", "-o", str(self.shim), str(source), "-ldl"]
        self.has_clock = shutil.which("cc") is not None and subprocess.run(build).returncode == 0
        self.log = open(top / "log", "a")
        self.watcher = None
        self.findings = []
        self.peaks = {"watcher": 0, "worker": 0}  # largest resident size, KiB

    def start(self):
        environment = dict(os.environ, SWIFT_BACKTRACE="enable=no", FUSELINE_MODELS=str(ROOT / "Models"))
        if self.has_clock:
            environment |= {"LD_PRELOAD": str(self.shim), "FUSELINE_TEST_CLOCK": str(self.clock)}
        self.watcher = subprocess.Popen(
            [self.program, "watch"], cwd=self.site, env=environment, stderr=self.log, stdin=subprocess.DEVNULL)

    def is_up(self):
        return self.watcher is not None and self.watcher.poll() is None

    def keep_up(self):
        """Starts the watcher where it has ended, as a service manager does."""
        if self.is_up():
            return
        if self.watcher is not None and self.watcher.returncode not in (0, -signal.SIGKILL):
            self.findings.append(f"the watcher ended by itself with {self.watcher.returncode}")
        self.start()

    def kill(self):
        self.watcher.send_signal(signal.SIGKILL)
        self.watcher.wait()

    def stop(self):
        """Told to stop, it must end with 0, unless the system has not got to its first line yet.

        With no room for the ledger it may be ending by itself at that moment, with 74.
        """
        hears = self.hears()
        self.watcher.send_signal(signal.SIGTERM)
        code = self.watcher.wait(timeout=600)
        if hears and code != 0 and not (code == os.EX_IOERR and self.full_until):
            self.findings.append(f"a watcher that hears SIGTERM ended with {code}")
        self.actions[f"stop {'' if hears else 'before its first line '}ended with {code}"] += 1
        self.watcher = None

    def hears(self):
        """Is there a handler for SIGTERM? The first thing that the program sets up."""
        try:
            status = pathlib.Path(f"/proc/{self.watcher.pid}/status").read_text()
        except OSError:
            return False
        masks = [int(line.split()[1], 16) for line in status.splitlines() if line.startswith("SigCgt")]
        return bool(masks and masks[0] >> (signal.SIGTERM - 1) & 1)

    def workers(self):
        found = subprocess.run(["pgrep", "-P", str(self.watcher.pid)], capture_output=True, text=True)
        return [int(pid) for pid in found.stdout.split()]

    def kill_worker(self):
        for pid in self.workers():
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue  # it came to its end by itself meanwhile
            self.actions["worker killed for real"] += 1

    def freeze(self):
        self.watcher.send_signal(signal.SIGSTOP)
        time.sleep(self.random.uniform(1, 6))
        self.watcher.send_signal(signal.SIGCONT)

    def weigh(self):
        for name, pids in (("watcher", [self.watcher.pid]), ("worker", self.workers())):
            for pid in pids:
                try:
                    status = pathlib.Path(f"/proc/{pid}/status").read_text()
                except OSError:
                    continue
                size = [int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM")]
                self.peaks[name] = max([self.peaks[name], *size])

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

    def free_disk(self, now=False):
        if self.full_until and (now or time.monotonic() > self.full_until):
            self.filler.unlink(missing_ok=True)
            self.full_until = None

    def jump(self):
        self.jumped = self.random.choice([0, 30, -30, 3600, -3600, 86_400, -86_400])
        self.tick()

    def tick(self):
        self.set_clock(self.jumped + int((time.time() - self.begin) * (self.speed - 1)))

    def make_it_night(self):
        """No more jumps, and a clock as slow as ours, at ten in the evening."""
        self.set_clock(22 * 3600 - int(time.time()) % 86_400)

    def set_clock(self, seconds):
        # In place: running processes have mapped the file.
        with open(self.clock, "r+b" if self.clock.exists() else "wb") as file:
            file.write(seconds.to_bytes(8, "little", signed=True))

    def clear(self):
        self.log.close()
        if self.has_small_disk:
            subprocess.run(["umount", "-l", str(self.site)], check=False)
        shutil.rmtree(self.top, ignore_errors=True)
