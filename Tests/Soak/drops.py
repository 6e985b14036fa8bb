"""What arrives in the drop folder: studies made from the sample ones, and the ways in which files get there."""

import collections
import hashlib
import pathlib
import time
import zipfile

import pydicom
from pydicom.uid import UID

ROOT = pathlib.Path(__file__).resolve().parents[2]
TEMPLATES = [("ct-mr", ["CT_HEAD_SOFT", "MR_AX_T2_TSE"])]
IDENTIFIERS = ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID", "FrameOfReferenceUID")


class Drops:
    """Studies and their writers; `random` decides everything."""

    def __init__(self, inbox, scratch, random, actions, taken):
        self.inbox, self.scratch, self.random, self.actions = inbox, scratch, random, actions
        self.taken = taken  # the digests of images that are in the store
        self.begin = time.monotonic()
        self.history = collections.defaultdict(list)  # what was done with each file, by its name
        self.studies = []  # every study: list of (name, bytes)
        self.writers = []  # unfinished slow writers: (name, bytes, how many are written, the open file)
        self.later = []  # (when, files)
        self.templates = [
            [pydicom.dcmread(path) for part in parts for path in sorted((ROOT / "sample-studies" / name / part).iterdir())]
            for name, parts in TEMPLATES
        ]

    def note(self, name, what):
        self.history[name].append(f"{time.monotonic() - self.begin:.1f} s: {what}")

    @property
    def bytes_dropped(self):
        return sum(len(data) for files in self.studies for _, data in files)

    def new_study(self):
        """One of the sample studies under UIDs and a Patient ID of its own."""
        number = len(self.studies)
        files = []
        for dataset in self.random.choice(self.templates):
            originals = {keyword: getattr(dataset, keyword) for keyword in IDENTIFIERS if keyword in dataset}
            for keyword, original in originals.items():
                digest = hashlib.sha256(f"{number} {original}".encode()).digest()
                setattr(dataset, keyword, UID("2.25." + str(int.from_bytes(digest[:15], "big"))))
            dataset.PatientID = f"SOAK{number}"
            dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
            path = self.scratch / "one.dcm"
            dataset.save_as(path, enforce_file_format=False)
            files.append((f"{number:05}-{len(files):03}", path.read_bytes()))
            for keyword, original in originals.items():
                setattr(dataset, keyword, original)
        self.studies.append(files)
        return files

    def drop_study(self):
        how = self.random.choice(["plain", "renamed", "slowly", "late", "zip"])
        self.actions["drop_" + how] += 1
        files = self.new_study()
        for name, _ in files:
            self.note(name, "dropped " + how)
        getattr(self, "drop_" + how)(files)

    def write(self, name, data):
        try:
            (self.inbox / name).write_bytes(data)
            self.note(name, "written")
        except OSError as error:  # the disk is full for the writer too: it tries again later, as writers do
            (self.inbox / name).unlink(missing_ok=True)
            self.note(name, f"removed, {error.strerror}")
            self.writers.append((name, data, 0, None))

    def drop_plain(self, files):
        for name, data in files:
            self.write(name, data)

    def drop_renamed(self, files):
        for name, data in files:
            part = self.inbox / (name + ".part")
            try:
                part.write_bytes(data)
                part.rename(self.inbox / name)
                self.note(name, "renamed into place")
            except OSError as error:
                part.unlink(missing_ok=True)
                self.note(name, f"removed before it was renamed, {error.strerror}")
                self.writers.append((name, data, 0, None))

    def drop_slowly(self, files):
        for name, data in files:
            self.writers.append((name, data, 0, None))

    def drop_late(self, files):
        middle = self.random.randrange(1, len(files))
        self.drop_plain(files[:middle])
        self.later.append((time.monotonic() + self.random.uniform(2, 20), files[middle:]))

    def drop_zip(self, files):
        name = files[0][0] + ".zip"
        local = self.scratch / name
        with zipfile.ZipFile(local, "w", zipfile.ZIP_DEFLATED) as archive:
            for entry, data in files:
                archive.writestr("../" + entry, data)
        self.write(name, local.read_bytes())
        local.unlink()

    def go_on_writing(self):
        """Slow writers append a piece each, with pauses longer than the quiet time in between.

        They hold their file open all the time: were this script held up for longer than `incomplete_time`, a file opened
        anew by its name would be another one, and no watcher could know that the two belong together.
        """
        writers, self.writers = self.writers, []
        for name, data, done, file in writers:
            piece = self.random.choice([1 << 14, 1 << 16, len(data)])
            try:
                if not file:
                    file = open(self.inbox / name, "wb", buffering=0)
                    self.note(name, "opened")
                done += file.write(data[done : done + piece])
            except OSError as error:
                (self.inbox / name).unlink(missing_ok=True)
                self.note(name, f"removed after {done} bytes, {error.strerror}")
                if file:
                    file.close()
                done, file = 0, None
            if done < len(data):
                self.writers.append((name, data, done, file))
            else:
                file.close()
                self.note(name, "written to its end and closed")
        due = [entry for entry in self.later if entry[0] <= time.monotonic()]
        self.later = [entry for entry in self.later if entry not in due]
        for _, files in due:
            self.drop_plain(files)

    def resend(self):
        if self.studies:
            files = self.random.choice(self.studies)
            self.drop_plain([("again-" + name, data) for name, data in self.random.sample(files, len(files) // 3)])

    def conflict(self):
        """The UID of an image that is in the store, with other bytes: the first one must be kept.

        It must be there already: of two that wait in the drop folder the watcher may rightly take either first.
        """
        taken = self.taken()
        known = [file for files in self.studies for file in files if digest(file[1]) in taken]
        if known:
            name, data = self.random.choice(known)
            changed = bytearray(data)
            changed[-1] ^= 1
            self.note(name, "sent with other bytes")
            self.write(f"conflict-{self.actions['conflict']}-" + name, bytes(changed))

    def garbage(self):
        size = self.random.choice([0, 1, 131, 5000])
        self.write(f"garbage-{self.actions['garbage']}", self.random.randbytes(size))


def digest(data):
    return hashlib.sha256(data).hexdigest()
