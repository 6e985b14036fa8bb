"""Where slices lie: gaps, tilts, orders, frames of enhanced objects. A function is a case."""

import numpy as np
from pydicom.sequence import Sequence

from scanner import CORONAL, OBLIQUE, SAGITTAL, SIDE, case, frame, item, mapping, put


@case
def gap(c): c.mr(depths=[0, 3, 6, 15, 18]), c.ct()

@case
def thick_slices_touch(c): c.mr(depths=[0, 3, 6, 11, 14], change=put(SliceThickness=5)), c.ct()

@case
def same_position_twice(c): c.mr(depths=[0, 3, 6, 6, 9, 12]), c.ct()

@case
def uneven(c): c.mr(depths=[0, 3, 7, 10, 13]), c.ct()

@case
def reversed(c): c.mr(depths=[12, 9, 6, 3, 0]), c.ct()

@case
def shuffled(c): c.mr(depths=[6, 0, 12, 3, 9]), c.ct()

def tilted(c, degrees):
    def change(ds, k):
        ds.GantryDetectorTilt = degrees
        x, y, z = ds.ImagePositionPatient
        ds.ImagePositionPatient = [x, float(f"{y + 3 * k * np.tan(np.radians(degrees)):.6f}"), z]
    c.mr(), c.ct(change=change)

@case
def tilt_10(c): tilted(c, 10)

@case
def tilt_30(c): tilted(c, 30)

@case
def mixed_orientation(c): c.mr(change=lambda ds, k: put(ImageOrientationPatient=SAGITTAL)(ds) if k == 3 else None), c.ct()

@case
def mixed_matrix(c):
    def change(ds, k):
        if k == 4:
            ds.Rows, ds.PixelData = SIDE // 2, ds.PixelData[: SIDE * SIDE]
    c.mr(change=change), c.ct()

@case
def mixed_spacing(c): c.mr(change=lambda ds, k: put(PixelSpacing=[2, 2.1])(ds) if k == 1 else None), c.ct()

@case
def mixed_frames(c): c.mr(change=lambda ds, k: put(FrameOfReferenceUID=frame(4))(ds) if k == 1 else None), c.ct()

@case
def sagittal(c): c.mr(orientation=SAGITTAL), c.ct()

@case
def coronal(c): c.mr(orientation=CORONAL), c.ct()

@case
def oblique(c): c.mr(orientation=OBLIQUE), c.ct()

@case
def time_series(c): c.mr(depths=[0, 3, 6, 0, 3, 6], change=lambda ds, k: put(AcquisitionNumber=k // 3 + 1)(ds)), c.ct()

@case
def two_echoes(c): c.mr(depths=[0, 3, 6, 0, 3, 6], change=lambda ds, k: put(EchoTime=90 - 60 * (k // 3))(ds)), c.ct()

@case
def two_b_values(c):
    c.mr(depths=[0, 3, 6, 0, 3, 6], change=lambda ds, k: put(DiffusionBValue=float(1000 * (k // 3)))(ds)), c.ct()

@case
def magnitude_and_phase(c):
    c.mr(depths=[0, 3, 6, 0, 3, 6], change=lambda ds, k: put(ImageType=["ORIGINAL", "PRIMARY", "PM"[k // 3]])(ds)), c.ct()

@case
def nowhere(c): c.mr(change=lambda ds, k: delattr(ds, "ImagePositionPatient") if k == 2 else None), c.ct()

@case
def enhanced_mr(c): c.enhanced("MR", 1, "EMR"), c.ct()

@case
def enhanced_ct(c): c.mr(), c.enhanced("CT", 2, "ECT")

@case
def enhanced_pet(c): c.mr(), c.enhanced("PT", 3, "EPT", AttenuationCorrected="YES", Units="BQML")

@case
def enhanced_pet_in_suv(c):
    isotope = item(RadiopharmaceuticalStartDateTime="20260101090000", RadionuclideTotalDose=3.7e8,
                   RadionuclideHalfLife=6586.2)
    c.mr(), c.enhanced("PT", 3, "EPT", AttenuationCorrected="YES", DecayCorrected="YES", PatientWeight=70,
                       DecayCorrectionDateTime="20260101100000",
                       RadiopharmaceuticalInformationSequence=Sequence([isotope]),
                       groups=lambda _: {"RealWorldValueMappingSequence": Sequence([mapping(1, 0, "Bq/ml")])})

@case
def enhanced_in_time(c): c.enhanced("MR", 1, "EMR", times=2), c.ct()

@case
def spect_downwards(c): c.mr(), c.nm(spacing=-3.0)

@case
def spect_in_time(c):
    c.mr(), c.nm(frames=6, slices=[1, 2, 3, 1, 2, 3], change=put(TimeSlotVector=[1, 1, 1, 2, 2, 2]))

@case
def spect_not_reconstructed(c): c.mr(), c.nm(change=put(ImageType=["ORIGINAL", "PRIMARY", "TOMO", "EMISSION"]))
