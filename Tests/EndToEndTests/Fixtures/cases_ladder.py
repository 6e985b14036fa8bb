"""Which series goes with which: studies, frames of reference, registration objects, patients. A function is a case."""

from scanner import IDENTITY, case, frame, put

# 4 mm to the left.
SHIFT = [1, 0, 0, 4, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1]


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
