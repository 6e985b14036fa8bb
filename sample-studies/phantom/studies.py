"""The four sample studies: who, which series on which grids, how far apart, and in which files."""

import numpy as np

from .anatomy import Subject
from .deformation import drawn
from .distractors import ct_scout, mr_localizer, report
from .grid import Grid
from .headers import Person, Series, Study, uid
from .modalities import ct_slices, mr_slices, nm_volume, pt_slices
from .scanners import FDG, PERFUSION, T1, T2, computed_tomography, emission, magnetic_resonance
from .writing import write

WORKING_SIDE = 256  # px, the default working grid


def ct_mr(folder):
    """T2-weighted MR (fixed, oblique) and CT (moving), with a CT scout and a basic text report."""
    person = Person(1, "Phantom^Ada", "F", "19600102", "066Y", 64, 1.66)
    study = Study("ct-mr", person, "20260105", "081500", "Synthetic phantom: CT and MR head")
    subject = Subject(seed=11)
    fixed = Grid((0, -2, 16), (256, 256, 12), 0.9, 6.0, 5.0, tilt=(6, 0, 2))
    moving = Grid((1.5, 2, 17), (256, 256, 22), 0.96, 4.5, 4.5)
    truth = drawn(101, fixed, 2.5, (2.4, -2.0), 2.2)

    mr = Series(study, "mr", "MR", 3, "082500", "AX T2 TSE synthetic phantom")
    ct = Series(study, "ct", "CT", 2, "081800", "HEAD 4.5 SOFT synthetic phantom")
    out = folder / "ct-mr"
    made = list(mr_slices(mr, fixed, magnetic_resonance(subject, fixed, T2, 1), "T2"))
    for k, data in enumerate(made, start=1):
        write(data, out / "MR_AX_T2_TSE" / f"MR.{mr.number:04d}.{k:04d}.dcm", "JPEG 2000")
    hounsfield = computed_tomography(subject, moving, 2, truth.undone)
    for k, data in enumerate(ct_slices(ct, moving, hounsfield), start=1):
        write(data, out / "CT_HEAD_SOFT" / f"CT{k:06d}.dcm", "JPEG lossless")

    scout = Series(study, "scout", "CT", 1, "081600", "SCOUT synthetic phantom")
    write(ct_scout(scout, subject), out / "CT_SCOUT" / "CT000001.dcm", "explicit")
    sr = Series(study, "report", "SR", 9, "090000", "Report synthetic phantom", "basic text")
    text = "Synthetic phantom. An artificial lesion in the left hemisphere. No person was examined."
    write(report(sr, text, [evidence(made[0])]), out / "SR_REPORT" / "SR000001", "explicit")
    return record(study, mr, ct, fixed, truth)


def pet_mr(folder):
    """T1-weighted MR (fixed, oblique) and FDG PET (moving), with a three-plane localizer and a comprehensive SR."""
    person = Person(2, "Phantom^Zoë^Søren", "M", "19551112", "070Y", 78, 1.79)
    study = Study("pet-mr", person, "20260112", "101000", "Synthetic phantom: PET/MR head")
    subject = Subject(seed=12, size=(1.0, 0.99, 1.0), atrophy=1.15, lesion=(-36, -18, 22), lesion_radius=8, oedema=7)
    fixed = Grid((0, -3, 15), (256, 256, 12), 0.88, 6.0, 5.0, tilt=(7, 0, -2))
    moving = Grid((-1, 0, 16), (128, 128, 28), 2.0, 3.75, 3.75)
    truth = drawn(102, fixed, -2.0, (-2.6, 1.8), 2.0)

    mr = Series(study, "mr", "MR", 4, "102000", "AX T1 SE synthetic phantom")
    pt = Series(study, "pt", "PT", 6, "111500", "FDG BRAIN AC synthetic phantom")
    out = folder / "pet-mr"
    made = list(mr_slices(mr, fixed, magnetic_resonance(subject, fixed, T1, 3, peak=1000), "T1"))
    for data in made:
        write(data, out / "MR_AX_T1_SE" / str(data.SOPInstanceUID), "JPEG-LS")
    activity = 24000 * emission(subject, moving, FDG, 4, 5.0, 120, truth.undone)
    for k, data in enumerate(pt_slices(pt, moving, activity, 3.15e8, "101500", "111500"), start=1):
        write(data, out / "PT_FDG_BRAIN" / f"PT{k:04d}", "implicit")

    scout = Series(study, "localizer", "MR", 1, "101200", "3-PLANE LOCALIZER synthetic phantom")
    for k, data in enumerate(mr_localizer(scout, subject), start=1):
        write(data, out / "MR_LOCALIZER" / f"IM-0001-{k:04d}.dcm", "explicit")
    sr = Series(study, "report", "SR", 9, "120000", "Report synthetic phantom", "comprehensive")
    text = "Synthetic phantom. Raised artificial uptake in the right hemisphere. No person was examined."
    write(report(sr, text, [evidence(made[0])]), out / "SR_REPORT" / "report.sr", "deflated")
    return record(study, mr, pt, fixed, truth)


def spect_mr(folder):
    """T2-weighted MR (fixed, oblique) and a perfusion SPECT (moving), the latter one multi-frame file."""
    person = Person(3, "Phantom^Łucja", "F", "19480630", "077Y", 59, 1.60, charset="ISO_IR 192")
    study = Study("spect-mr", person, "20260119", "130000", "Synthetic phantom: SPECT and MR head")
    subject = Subject(seed=13, size=(0.97, 0.97, 0.98), atrophy=1.5, lesion=(38, -10, 24), lesion_radius=9)
    fixed = Grid((0, -1, 17), (224, 224, 12), 1.0, 6.0, 5.0, tilt=(5, -2, 0))
    moving = Grid((2, 1, 15), (96, 96, 28), 2.7, 4.0, 4.0)
    truth = drawn(103, fixed, 3.0, (1.5, 2.5), 2.2)

    mr = Series(study, "mr", "MR", 2, "131000", "AX T2 TSE synthetic phantom")
    nm = Series(study, "nm", "NM", 5, "142000", "HMPAO RECON synthetic phantom")
    out = folder / "spect-mr"
    for k, data in enumerate(mr_slices(mr, fixed, magnetic_resonance(subject, fixed, T2, 5), "T2"), start=1):
        write(data, out / "MR_AX_T2_TSE" / f"I{k * 10}", "explicit")
    counts = np.rint(400 * emission(subject, moving, PERFUSION, 6, 8.5, 60, truth.undone)).astype(np.uint16)
    write(nm_volume(nm, moving, counts), out / "NM_HMPAO_RECON" / "NM000000.IMA", "RLE")
    return record(study, mr, nm, fixed, truth)


def pet_ct(folder):
    """CT (fixed) and FDG PET (moving) of one scanner; the CT is signed, with padding and a head holder."""
    person = Person(4, "Phantom^Emil", "M", "19720915", "053Y", 85, 1.83)
    study = Study("pet-ct", person, "20260126", "073000", "Synthetic phantom: PET/CT head")
    subject = Subject(seed=14, size=(1.02, 1.0, 1.0), atrophy=0.9, lesion=(30, 38, 30), lesion_radius=10)
    fixed = Grid((0, 4, 16), (256, 256, 12), 1.0, 6.0, 5.0)
    moving = Grid((0, 4, 15), (96, 96, 30), 2.6, 3.4, 3.4)
    truth = drawn(104, fixed, 2.0, (-2.0, -2.2), 2.0)

    ct = Series(study, "ct", "CT", 2, "083000", "CT HEAD AC synthetic phantom")
    pt = Series(study, "pt", "PT", 3, "083500", "FDG HEAD AC synthetic phantom")
    out = folder / "pet-ct"
    hounsfield = computed_tomography(subject, fixed, 7, holder=True)
    for k, data in enumerate(ct_slices(ct, fixed, hounsfield, signed=True), start=1):
        write(data, out / "CT_HEAD_AC" / f"CT.{k}.img", "RLE")
    activity = 30000 * emission(subject, moving, FDG, 8, 5.5, 90, truth.undone)
    for data in pt_slices(pt, moving, activity, 3.7e8, "073500", "083500"):
        write(data, out / "PT_FDG_HEAD" / f"{data.SOPInstanceUID}.dcm", "big endian")
    return record(study, ct, pt, fixed, truth)


ALL = [ct_mr, pet_mr, spect_mr, pet_ct]


def evidence(data):
    return data.SOPClassUID, data.SOPInstanceUID, data.SeriesInstanceUID


def record(study, fixed_series, moving_series, grid, deformation):
    """The ground truth of a study as a document, with a few numbers to check an implementation against."""
    places = [grid.points(k).reshape(grid.size[1], grid.size[0], 3)[20:-20:8, 20:-20:8].reshape(-1, 3)
              for k in range(grid.size[2])]
    points = np.concatenate(places)
    points = points[np.linalg.norm((points - deformation.center) / (75, 92, 90), axis=1) < 1]
    lengths = np.linalg.norm(deformation(points), axis=1)
    pixel = max(grid.size[0], grid.size[1]) * grid.spacing / WORKING_SIDE
    probes = [tuple(deformation.center), tuple(np.add(deformation.center, (30, -20, 10)))]
    return {
        "study": study.key, "study_instance_uid": uid(study.key),
        "series": f"{moving_series.modality} onto {fixed_series.modality}",
        "fixed": {"modality": fixed_series.modality, "series_instance_uid": fixed_series.uid},
        "moving": {"modality": moving_series.modality, "series_instance_uid": moving_series.uid},
        "meaning": "aligned(a) = moving(a + u(a)) for a in the fixed series, mm, patient coordinates",
        "deformation": deformation.document(),
        "inside_head": {
            "mean_mm": round(float(lengths.mean()), 3), "max_mm": round(float(lengths.max()), 3),
            "working_pixel_mm": round(pixel, 6), "mean_px": round(float(lengths.mean() / pixel), 3),
            "max_px": round(float(lengths.max() / pixel), 3)},
        "examples": [
            {"at_mm": [round(float(v), 6) for v in p],
             "u_mm": [round(float(v), 6) for v in deformation(np.array([p]))[0]]} for p in probes],
    }
