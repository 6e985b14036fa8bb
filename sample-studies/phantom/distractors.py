"""Files a study holds that are not to be fused: localizers and structured reports."""

import numpy as np

from .grid import Grid
from .headers import base, code, image, item, pixels, place, uid
from .modalities import mr_slices
from .scanners import CT, T1, magnetic_resonance, sampled


def ct_scout(series, subject):
    """A lateral radiograph made of the phantom itself: line integrals of its attenuation."""
    grid = Grid((0, 0, 5), (96, 96, 40), 2.6, 4.0, 4.0)
    attenuation = np.maximum(sampled(subject, grid, CT, sublayers=1) + 1000, 0).sum(axis=2)  # along x: [z, y]
    lateral = attenuation[::-1]  # head up
    tall = np.repeat(lateral, 2, axis=0)
    data = image(series, 1, ["LOCALIZER"])
    data.update(item(
        KVP="120", ScanOptions="SCOUT MODE", RescaleIntercept="0", RescaleSlope="1", WindowCenter="1300",
        WindowWidth="1800", XRayTubeCurrent=20))
    pixels(data, np.rint(tall / tall.max() * 1800 + 400).astype(np.uint16), 12)
    place(data, (0, -2.6 * 95 / 2, 5 + 78), (0, 1, 0, 0, 0, -1), 2.6, 500)
    data.PixelSpacing = ["2", "2.6"]
    return data


def mr_localizer(series, subject):
    """Three planes through the middle, one file each."""
    planes = {"axial": (0, 0, 0), "coronal": (-90, 0, 0), "sagittal": (-90, 0, 90)}
    for number, tilt in enumerate(planes.values(), start=1):
        grid = Grid((2, 0, 8), (96, 96, 1), 2.6, 10.0, 8.0, tilt=tilt)
        magnitude = magnetic_resonance(subject, grid, T1, subject.seed * 10 + number, snr=25)
        yield from mr_slices(series, grid, magnitude, "T1", first=number, kind=("LOCALIZER",))


def report(series, text, evidence):
    """Basic Text or Comprehensive SR about the instances `evidence` [(SOP class, SOP instance UID, series UID)]."""
    data = base(series, 1)
    head = code("18748-4", "LN", "Diagnostic imaging report")
    seen = {}
    for sop_class, instance, owner in evidence:
        seen.setdefault(owner, []).append(item(ReferencedSOPClassUID=sop_class, ReferencedSOPInstanceUID=instance))
    finding = item(
        RelationshipType="CONTAINS", ValueType="TEXT", ConceptNameCodeSequence=[code("121071", "DCM", "Finding")],
        TextValue=text)
    data.update(item(
        ReferencedPerformedProcedureStepSequence=[], PerformedProcedureCodeSequence=[],
        CompletionFlag="COMPLETE", VerificationFlag="UNVERIFIED",
        CurrentRequestedProcedureEvidenceSequence=[item(
            StudyInstanceUID=uid(series.study.key),
            ReferencedSeriesSequence=[
                item(SeriesInstanceUID=owner, ReferencedSOPSequence=items) for owner, items in seen.items()])],
        ValueType="CONTAINER", ConceptNameCodeSequence=[head], ContinuityOfContent="SEPARATE",
        ContentSequence=[finding]))
    return data
