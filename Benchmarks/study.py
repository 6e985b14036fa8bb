"""Whole studies through `fuseline run`: memory of all its processes, and what a slice costs in short and long studies."""
import os
import shutil
import subprocess
import threading
import time

import numpy

from contenders import TOP
from inputs import head_pair

CONFIGURATION = """folders: {inbox: inbox, store: store, output: output, quarantine: quarantine}
ledger: ledger.sqlite
models: MODELS
intake: {quiet_time: 0 s}
"""


def _common(study, modality, index, spacing):
    import pydicom
    from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, MRImageStorage
    data = pydicom.Dataset()
    data.file_meta = pydicom.dataset.FileMetaDataset()
    data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data.SOPClassUID = CTImageStorage if modality == "CT" else MRImageStorage
    series = f"{study}.{1 if modality == 'MR' else 2}"
    data.SOPInstanceUID, data.SeriesInstanceUID = f"{series}.{index + 1}", series
    data.StudyInstanceUID, data.FrameOfReferenceUID = study, f"{study}.9"
    data.Modality, data.ImageType = modality, ["ORIGINAL", "PRIMARY", "AXIAL"]
    data.PatientName, data.PatientID, data.PatientBirthDate, data.PatientSex = "Synthetic^Bench", "BENCH", "", "O"
    data.SeriesDescription, data.SeriesNumber, data.InstanceNumber = f"Synthetic {modality}", 1, index + 1
    data.StudyDate = data.SeriesDate = data.ContentDate = "20260101"
    data.StudyTime = data.SeriesTime = data.ContentTime = "120000"
    data.PatientPosition, data.SliceThickness = "HFS", spacing
    data.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    return data


def write_study(inbox, slices, study):
    """A CT of 512x512 and an MR of 256x256 in one frame of reference, `slices` images each."""
    inbox.mkdir(parents=True)
    spacing = 1.25
    for modality, side, image in (("MR", 256, head_pair(256)[0]), ("CT", 512, head_pair(512)[1])):
        pixel = 240 / side
        for index in range(slices):
            data = _common(study, modality, index, spacing)
            data.ImagePositionPatient = [(pixel - 240) / 2, (pixel - 240) / 2, index * spacing]
            data.PixelSpacing, data.Rows, data.Columns = [pixel, pixel], side, side
            data.SamplesPerPixel, data.PhotometricInterpretation = 1, "MONOCHROME2"
            data.BitsAllocated, data.BitsStored, data.HighBit, data.PixelRepresentation = 16, 12, 11, 0
            if modality == "CT":
                data.RescaleIntercept, data.RescaleSlope, data.RescaleType = -1024, 1, "HU"
            shifted = numpy.roll(image[0, 0], int(3 * numpy.sin(0.4 * index)), axis=1)
            data.PixelData = (shifted * 2047).clip(0, 4095).astype(numpy.uint16).tobytes()
            data.save_as(inbox / f"{modality}{index}.dcm", enforce_file_format=True)


def _family(root):
    """The process and all below it."""
    parents = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                with open(f"/proc/{name}/stat", encoding="utf-8", errors="replace") as file:
                    parents[int(name)] = int(file.read().rpartition(")")[2].split()[1])
            except OSError:
                pass
    found = {root}
    while more := {pid for pid, parent in parents.items() if parent in found} - found:
        found |= more
    return found


def _resident(root):
    """Bytes of physical memory of the family, pages that several of them share counted once (Pss)."""
    total = 0
    for pid in _family(root):
        try:
            with open(f"/proc/{pid}/smaps_rollup", encoding="utf-8") as file:
                total += next(int(line.split()[1]) for line in file if line.startswith("Pss:")) * 1024
        except (OSError, StopIteration):
            pass
    return total


def run_study(program, work, slices):
    """{wall, cpu, peak}: seconds and bytes of `fuseline run` over a study of so many slices."""
    folder = work / f"study{slices}"
    write_study(folder / "inbox", slices, f"2.25.77{slices}")
    (folder / "pipeline.yaml").write_text(CONFIGURATION.replace("MODELS", str(TOP / "Models")))
    start, peak, ended = time.perf_counter(), [0], threading.Event()
    process = subprocess.Popen([str(program), "run", "--config", str(folder / "pipeline.yaml")],
                               stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)

    def watch():
        while not ended.wait(0.03):
            peak[0] = max(peak[0], _resident(process.pid))
    watcher = threading.Thread(target=watch)
    watcher.start()
    complaint = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = status
    wall = time.perf_counter() - start
    ended.set()
    watcher.join()
    made = sum(1 for _ in (folder / "output").rglob("*.dcm")) if (folder / "output").exists() else 0
    shutil.rmtree(folder)
    if status != 0 or made != slices:
        raise RuntimeError(f"run over {slices} slices made {made} ({status}): {complaint.decode()[-300:]}")
    return {"slices": slices, "wall": wall, "cpu": usage.ru_utime + usage.ru_stime, "peak": peak[0]}


def studies(program, work, lengths):
    return [run_study(program, work, slices) for slices in lengths]
