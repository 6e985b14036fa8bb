"""What values mean, and files that hold none. A function is a case."""

from pydicom.sequence import Sequence

from scanner import case, item, mapping, put


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


# What is no image at all, or not a whole one.

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
