"""Which series of several is taken, and which are left out. A function is a case."""

from scanner import SAGITTAL, case, frame, put


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
