"""Every decision about a drop folder, as one small folder of files each. Usage: cases.py FOLDER

What is expected of each stands in expected.tsv under the same name. A case is a function; its name is the case's.
"""

import sys
from pathlib import Path

import numpy as np
from pydicom.sequence import Sequence

from scanner import CORONAL, IDENTITY, OBLIQUE, SAGITTAL, SIDE, Case, frame, item, mapping

SHIFT = [1, 0, 0, 4, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1]
CASES = []


def case(write):
    CASES.append(write)
    return write


def put(**attributes):
    """A change that sets attributes on every image."""
    def change(ds, _=0):
        for name, value in attributes.items():
            setattr(ds, name, value)
    return change


# ---- the ladder

@case
def ct_mr(c): c.mr(), c.ct()

@case
def pet_mr(c): c.mr(), c.pt()

@case
def spect_mr(c): c.mr(), c.nm()

@case
def pet_ct(c): c.ct(), c.pt()

@case
def four_modalities(c): c.mr(), c.ct(), c.pt(), c.nm()

@case
def other_frame(c): c.mr(), c.ct(FrameOfReferenceUID=frame(2))

@case
def no_frame(c): c.mr(), c.ct(change=lambda ds, _: delattr(ds, "FrameOfReferenceUID"))

@case
def other_frame_refused(c):
    c.mr(), c.ct(FrameOfReferenceUID=frame(2)), c.settings("alignment: {registration: same-frame}")

@case
def other_frame_trusted(c):
    c.mr(), c.ct(FrameOfReferenceUID=frame(2)), c.settings("alignment: {registration: header}")

@case
def registered(c):
    c.mr(), c.ct(FrameOfReferenceUID=frame(2)), c.registration(5, [(frame(1), SHIFT)], frame(2))

@case
def registered_the_other_way(c):
    c.mr(), c.ct(FrameOfReferenceUID=frame(2)), c.registration(5, [(frame(2), SHIFT), (frame(1), IDENTITY)], frame(1))

@case
def registered_in_a_third_frame(c):
    c.mr(), c.ct(FrameOfReferenceUID=frame(2))
    c.registration(5, [(frame(1), SHIFT), (frame(2), IDENTITY)], frame(3))

@case
def registered_by_a_chain(c):
    c.mr(), c.ct(FrameOfReferenceUID=frame(2))
    c.registration(5, [(frame(1), SHIFT)], frame(3)), c.registration(6, [(frame(2), SHIFT)], frame(3))

@case
def registered_in_another_study(c):
    c.mr(), c.ct(FrameOfReferenceUID=frame(2)), c.registration(5, [(frame(1), SHIFT)], frame(2), study=7)

@case
def registered_affine(c):
    c.mr(), c.ct(FrameOfReferenceUID=frame(2)), c.registration(5, [(frame(1), SHIFT)], frame(2), kind="AFFINE")

@case
def registered_with_a_scale(c):
    c.mr(), c.ct(FrameOfReferenceUID=frame(2)), c.registration(5, [(frame(1), [2] + SHIFT[1:])], frame(2))

@case
def registered_deformably(c):
    c.mr(), c.ct(FrameOfReferenceUID=frame(2)), c.registration(5, [(frame(1), SHIFT)], frame(2), deformable=True)

@case
def registered_for_somebody_else(c):
    c.mr(), c.ct(FrameOfReferenceUID=frame(2)), c.registration(5, [(frame(1), SHIFT)], frame(2), PatientID="P2")

@case
def registered_away(c):
    c.mr(), c.ct(FrameOfReferenceUID=frame(2))
    c.registration(5, [(frame(1), SHIFT[:3] + [400] + SHIFT[4:])], frame(2))

@case
def two_studies(c): c.mr(), c.ct(study=2)

@case
def two_studies_of_a_patient(c): c.mr(), c.ct(study=2, StudyDate="20260120"), c.settings("pairing: {scope: patient}")

@case
def two_studies_too_far_apart(c):
    c.mr(), c.ct(study=2, StudyDate="20260301"), c.settings("pairing: {scope: patient}")

@case
def two_studies_without_a_date(c):
    c.mr(), c.ct(study=2, change=lambda ds, _: delattr(ds, "StudyDate")), c.settings("pairing: {scope: patient}")

@case
def own_study_before_the_other(c):
    c.mr(), c.ct(), c.ct(3, study=2, slices=9), c.settings("pairing: {scope: patient}")

@case
def two_studies_of_two_people(c):
    c.mr(), c.ct(study=2, PatientBirthDate="19710101"), c.settings("pairing: {scope: patient}")

@case
def two_people_in_a_study(c): c.mr(), c.ct(PatientName="Phantom^Eve")

@case
def two_issuers(c): c.mr(IssuerOfPatientID="A"), c.ct(IssuerOfPatientID="B")

@case
def a_stranger_with_the_same_id(c): c.mr(), c.ct(), c.mr(5, study=2, PatientBirthDate="19500505")

@case
def a_name_in_capitals_elsewhere(c): c.mr(), c.ct(), c.mr(5, study=2, PatientName="PHANTOM^ADA")

@case
def nobody(c): c.mr(PatientID=""), c.ct(PatientID="")

@case
def a_series_of_two_people(c): c.mr(change=lambda ds, k: put(PatientID="P2")(ds) if k == 2 else None), c.ct()

@case
def apart(c): c.mr(), c.ct(start=100)

@case
def partly_overlapping(c): c.mr(), c.ct(start=9)

@case
def too_little_overlap(c): c.mr(), c.ct(start=9), c.settings("pairing: {minimum_overlap: 3 cm}")


# ---- selection

@case
def localizer_by_name(c): c.mr(SeriesDescription="3 plane localizer"), c.mr(6), c.ct()

@case
def localizer_by_type(c): c.mr(), c.ct(change=put(ImageType=["ORIGINAL", "PRIMARY", "LOCALIZER"]))

@case
def scout(c): c.ct(SeriesDescription="Topogram 0.6", slices=2), c.ct(6), c.mr()

@case
def derived_mr(c): c.mr(change=put(ImageType=["DERIVED", "SECONDARY", "MPR"])), c.ct()

@case
def derived_ct_is_used(c): c.mr(), c.ct(change=put(ImageType=["DERIVED", "SECONDARY", "REFORMATTED"]))

@case
def echo_planar(c): c.mr(change=put(ScanningSequence=["EP"])), c.mr(6), c.ct()

@case
def mosaic(c): c.mr(change=put(ImageType=["ORIGINAL", "PRIMARY", "M", "ND"], SoftwareVersions="x")), c.mr(6, change=put(
    ImageType=["ORIGINAL", "PRIMARY", "M", "ND", "MOSAIC"])), c.ct()

@case
def angiography(c): c.mr(SeriesDescription="TOF 3D multi-slab", slices=9), c.mr(6), c.ct()

@case
def volumetric_before_thick(c):
    c.mr(slices=9, change=put(MRAcquisitionType="2D")), c.mr(6, change=put(MRAcquisitionType="3D")), c.ct()

@case
def axial_before_sagittal(c): c.mr(orientation=SAGITTAL, slices=9), c.mr(6), c.ct()

@case
def most_slices(c): c.mr(), c.mr(6, slices=7), c.ct()

@case
def lowest_number(c): c.mr(), c.mr(6, SeriesNumber=0), c.ct()

@case
def lowest_uid(c): c.mr(), c.mr(6, SeriesNumber=1), c.ct()

@case
def corrected_pet(c): c.mr(), c.pt(change=put(CorrectedImage=["DECY"]), slices=9), c.pt(6)

@case
def uncorrected_pet_only(c): c.mr(), c.pt(change=put(CorrectedImage=["DECY", "SCAT"]))

@case
def uncorrected_by_method(c):
    def change(ds, _):
        del ds.CorrectedImage
        ds.AttenuationCorrectionMethod = "NONE"
    c.mr(), c.pt(change=change)

@case
def uncorrected_by_name(c): c.mr(), c.pt(SeriesDescription="PET Brain NAC"), c.pt(6)

@case
def soft_before_bone(c): c.mr(), c.ct(ConvolutionKernel="H70h", spacing=1, slices=13), c.ct(6, ConvolutionKernel="H31s")

@case
def soft_before_bone_ge(c): c.mr(), c.ct(ConvolutionKernel="BONEPLUS"), c.ct(6, ConvolutionKernel="STANDARD")

@case
def thin_before_thick(c): c.mr(), c.ct(), c.ct(6, spacing=1, slices=13)

@case
def head_before_neck(c): c.mr(), c.ct(BodyPartExamined="NECK", slices=9), c.ct(6, BodyPartExamined="HEAD")

@case
def same_frame_before_better(c): c.mr(), c.mr(6, slices=12, FrameOfReferenceUID=frame(2)), c.ct()

@case
def rule_by_description(c):
    c.mr(SeriesDescription="T1 MPRAGE", slices=9), c.mr(6, SeriesDescription="T2 TSE"), c.ct()
    c.settings("pairing: {rules: [{name: CT-MR, fixed: {modality: MR, description: 'T2'}, moving: {modality: CT}, "
               "model: ct-mr}]}")

@case
def rule_nobody_meets(c):
    c.mr(), c.ct(), c.settings(
        "pairing: {rules: [{name: CT-MR, fixed: {modality: MR, contrast: true}, moving: {modality: CT}, model: ct-mr}]}")

@case
def contrast_preferred(c):
    c.mr(), c.mr(6, ContrastBolusAgent="Gd"), c.ct(), c.settings("selection: {MR: {prefer: [{contrast: true}]}}")

@case
def excluded_by_spacing(c): c.mr(), c.ct(), c.settings("selection: {CT: {exclude: [{spacing: '> 2 mm'}]}}")

@case
def one_slice(c): c.mr(), c.ct(slices=1)

@case
def no_rule(c): c.mr(), c.settings(
    "pairing: {rules: [{name: PET-CT, fixed: {modality: CT}, moving: {modality: PT}, model: pet-mr}]}")

@case
def a_report_and_a_capture(c):
    c.mr(), c.ct(), c.save(c.base("SR", 7), 1)
    c.series("CT", 8, sop_class="SC", SeriesDescription="Dose Report")


# ---- geometry

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


# ---- values

@case
def colour(c):
    def change(ds, _):
        ds.SamplesPerPixel, ds.PhotometricInterpretation, ds.PlanarConfiguration = 3, "RGB", 0
        ds.PixelData = ds.PixelData * 3
    c.mr(change=change, kind="u1"), c.ct()

@case
def monochrome1_and_8_bits(c): c.mr(change=put(PhotometricInterpretation="MONOCHROME1"), kind="u1"), c.ct(kind="i2")

@case
def modality_lut(c):
    table = item(LUTDescriptor=[2, 0, 16], ModalityLUTType="HU", LUTData=b"\0\0\1\0")
    c.mr(), c.ct(change=put(ModalityLUTSequence=Sequence([table])))

@case
def slope_of_nothing(c): c.mr(), c.ct(change=put(RescaleSlope=0))

@case
def ct_without_rescale(c):
    def change(ds, _):
        del ds.RescaleSlope, ds.RescaleIntercept
    c.mr(), c.ct(change=change)

@case
def ct_mapped_to_hu(c):
    def change(ds, _):
        del ds.RescaleSlope, ds.RescaleIntercept
        ds.RealWorldValueMappingSequence = Sequence([mapping(1, -1024, "[hnsf'U]")])
    c.mr(), c.ct(change=change)

@case
def pet_of_two_units(c): c.mr(), c.pt(change=lambda ds, k: put(Units="CNTS")(ds) if k == 1 else None)

@case
def pet_without_weight(c): c.mr(), c.pt(change=lambda ds, _: delattr(ds, "PatientWeight"))

@case
def pet_not_decay_corrected(c): c.mr(), c.pt(change=put(DecayCorrection="NONE"))

@case
def pet_corrected_to_injection(c): c.mr(), c.pt(change=put(DecayCorrection="ADMIN"))

@case
def pet_over_midnight(c):
    def change(ds, _):
        ds.SeriesTime = ds.AcquisitionTime = "003000"
        ds.RadiopharmaceuticalInformationSequence[0].RadiopharmaceuticalStartTime = "233000"
    c.mr(), c.pt(change=change)

@case
def pet_injected_after_the_scan(c):
    def change(ds, _):
        ds.RadiopharmaceuticalInformationSequence[0].RadiopharmaceuticalStartDateTime = "20260101110000"
    c.mr(), c.pt(change=change)

@case
def pet_in_philips_counts(c):
    def change(ds, _):
        ds.Units = "CNTS"
        ds.private_block(0x7053, "Philips PET Private Group", create=True).add_new(0, "DS", "0.000587")
    c.mr(), c.pt(change=change)

@case
def pet_mapped_to_suv(c):
    def change(ds, k):
        del ds.PatientWeight
        ds.RescaleSlope = 0.5 * (k + 1)
        ds.RealWorldValueMappingSequence = Sequence([mapping(0.5 * (k + 1) * 4.2e-4, 0, "{SUVbw}g/ml")])
    c.mr(), c.pt(change=change)

@case
def pet_mapped_inconsistently(c):
    def change(ds, k):
        del ds.PatientWeight
        ds.RealWorldValueMappingSequence = Sequence([mapping(4.2e-4 * (k + 1), 0, "{SUVbw}g/ml")])
    c.mr(), c.pt(change=change)


# ---- files

@case
def truncated(c):
    c.mr(), c.ct()
    path = c.folder / "003.dcm"
    path.write_bytes(path.read_bytes()[:-200])

@case
def not_dicom(c): c.mr(), c.ct(), (c.folder / "note.txt").write_text("call me back")

@case
def twice_the_same(c): c.mr(), c.ct(), (c.folder / "again.dcm").write_bytes((c.folder / "001.dcm").read_bytes())

@case
def one_uid_two_images(c):
    c.mr(), c.ct()
    c.mr(change=put(SOPInstanceUID=c.uid(2, 1, 1), ContentTime="110000"), slices=1)

@case
def no_pixels(c): c.mr(change=lambda ds, k: delattr(ds, "PixelData") if k == 4 else None), c.ct()


def main():
    for number, write in enumerate(CASES, start=1):
        write(Case(Path(sys.argv[1]) / write.__name__, number))


main()
