"""What others read in Secondary Captures: `capture_judge.py FILE...` prints one JSON object, one member a file.

pydicom: values by keyword, and texts as they are stored, in hex, SimpleITK: geometry and a digest of the pixels,
dciodvfy and dcmdump: what they complain about.
"""
import hashlib, json, pathlib, subprocess, sys
import pydicom
import SimpleITK
from pydicom.datadict import dictionary_VR, keyword_for_tag

TEXT = {"PN", "LO", "SH", "ST", "LT", "UT"}


def complaints(*command: str) -> list[str]:
    done = subprocess.run(command, capture_output=True)
    lines = (done.stdout + done.stderr).decode("latin-1").splitlines()
    found = [line for line in lines if line.startswith(("Error", "Warning", "Abort", "E:", "W:", "F:"))]
    return found + ([f"exit status {done.returncode}"] if done.returncode else [])


def value(element):
    if element.VR == "SQ":
        return [values(item) for item in element.value]
    found = element.value
    if found is None: return []
    return [str(part) for part in found] if isinstance(found, pydicom.multival.MultiValue) else str(found)


def values(ds) -> dict:
    return {keyword_for_tag(tag): value(ds[tag]) for tag in ds.keys() if tag != 0x7FE00010}


def stored(ds) -> dict:
    """Text as its bytes in the file; to be asked before any value is decoded."""
    texts = [(tag, ds.get_item(tag)) for tag in ds.keys() if tag != 0x7FE00010]
    return {keyword_for_tag(tag): raw.value.rstrip(b" ").hex() for tag, raw in texts
            if isinstance(raw.value, bytes) and (raw.VR or dictionary_VR(tag)) in TEXT}


def judge(path: str) -> dict:
    ds = pydicom.dcmread(path)
    read = {"stored": stored(ds), "pydicom": values(ds), "meta": values(ds.file_meta)}
    tools = pathlib.Path(sys.executable).parent
    read["dciodvfy"] = complaints(str(tools / "dciodvfy"), path)
    if ds.SOPClassUID != "1.2.840.10008.5.1.4.1.1.7": return read
    image = SimpleITK.ReadImage(path)
    array = SimpleITK.GetArrayFromImage(image)
    assert (array.ravel() == ds.pixel_array.ravel()).all()
    read["SimpleITK"] = {"origin": image.GetOrigin(), "spacing": image.GetSpacing(), "direction": image.GetDirection(),
                         "size": image.GetSize(), "sha256": hashlib.sha256(array.tobytes()).hexdigest()}
    read["dcmdump"] = complaints("dcmdump", path)
    return read


print(json.dumps({path: judge(path) for path in sys.argv[1:]}))
