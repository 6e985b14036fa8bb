"""dcentvfy on a set of files: `entities.py FILE...` prints its complaints, one a line."""
import pathlib, subprocess, sys, tempfile
import pydicom
from pydicom.uid import DeflatedExplicitVRLittleEndian, ExplicitVRLittleEndian


def readable(path: str, folder: str) -> str:
    """dcentvfy reads no deflated files: such a one is inflated first, every value kept."""
    ds = pydicom.dcmread(path)
    if ds.file_meta.TransferSyntaxUID != DeflatedExplicitVRLittleEndian: return path
    ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    inflated = pathlib.Path(folder) / pathlib.Path(path).name
    ds.save_as(inflated)
    return str(inflated)


with tempfile.TemporaryDirectory() as scratch:
    files = [readable(path, scratch) for path in sys.argv[1:]]
    done = subprocess.run([pathlib.Path(sys.executable).parent / "dcentvfy", *files], capture_output=True)
sys.stdout.write((done.stdout + done.stderr).decode("latin-1"))
