"""One data set per slice, or per volume for NM, with what its own object definition asks for (PS3.3 annex A)."""

import numpy as np

from .headers import code, decimal, image, item, pixels, place

HEAD_FIRST = dict(
    PatientOrientationCodeSequence=[code("102538003", "SCT", "recumbent", PatientOrientationModifierCodeSequence=[
        code("40199007", "SCT", "supine")])],
    PatientGantryRelationshipCodeSequence=[code("102540008", "SCT", "headfirst")],
)
FLUORINE = 6586.2  # s, half-life of 18F
TECHNETIUM = "Technetium Tc^99m^ exametazime"


def ct_slices(series, grid, hounsfield, signed=False):
    """CT Image: rescale −1024; unsigned 12 bit, or signed with padding outside the reconstruction circle."""
    for k, plane in enumerate(hounsfield):
        data = image(series, k + 1, ["AXIAL"])
        data.update(item(
            KVP="120", DataCollectionDiameter="500", ReconstructionDiameter=decimal(grid.size[0] * grid.spacing),
            GantryDetectorTilt="0", TableHeight="150", RotationDirection="CW", ExposureTime=1000, XRayTubeCurrent=250,
            Exposure=250, FilterType="BODY FILTER", ConvolutionKernel="SOFT", ScanOptions="AXIAL MODE",
            SliceLocation=decimal(round(float(grid.origin(k)[2]), 6)),
            RescaleIntercept="-1024", RescaleSlope="1", RescaleType="HU", WindowCenter="40", WindowWidth="80"))
        stored = np.clip(plane + 1024, 0, 4095)
        if signed:
            rows, columns = plane.shape
            j, i = np.mgrid[0:rows, 0:columns]
            outside = np.hypot(j - (rows - 1) / 2, i - (columns - 1) / 2) > columns / 2
            pixels(data, np.where(outside, -2000, stored).astype(np.int16), 16, padding=-2000)
        else:
            pixels(data, stored.astype(np.uint16), 12)
        place(data, grid.origin(k), grid.orientation(), grid.spacing, grid.thickness)
        yield data


def mr_slices(series, grid, magnitude, weighting, first=1, kind=("OTHER",)):
    """MR Image; `weighting` is "T1" or "T2"."""
    echo, repetition, train = ("12", "550", 1) if weighting == "T1" else ("98", "4200", 15)
    for k, plane in enumerate(magnitude):
        data = image(series, first + k, list(kind))
        data.update(item(
            ScanningSequence="SE", SequenceVariant="SK", ScanOptions="", MRAcquisitionType="2D",
            SequenceName=f"se2d_{weighting.lower()}", RepetitionTime=repetition, EchoTime=echo, EchoTrainLength=train,
            NumberOfAverages="1", ImagingFrequency="63.87", ImagedNucleus="1H", EchoNumbers=1,
            MagneticFieldStrength="1.5", SpacingBetweenSlices=decimal(grid.step), FlipAngle="90",
            WindowCenter="750", WindowWidth="1500", ProtocolName=f"HEAD {weighting}"))
        pixels(data, plane, 12)
        place(data, grid.origin(k), grid.orientation(), grid.spacing, grid.thickness)
        yield data


def pt_slices(series, grid, activity, dose, injected, start):
    """PET Image in Bq/ml, decay corrected to the start of the acquisition, its own slope in every slice.

    activity [slices, rows, columns] in Bq/ml at the series time; dose in Bq; times as HHMMSS.
    """
    moment = f"{series.study.date}{injected}.00"
    for k, plane in enumerate(activity):
        # Rounded up to what the decimal string can say, so that no voxel leaves the 15 bits.
        slope = float(f"{max(float(plane.max()), 1.0) / 32000:.6g}")
        data = image(series, k + 1, [])
        del data.PatientPosition  # the two code sequences say it (C.7.3.1.1.2)
        data.update(item(
            SeriesType=["STATIC", "IMAGE"], Units="BQML", CountsSource="EMISSION", NumberOfSlices=grid.size[2],
            CorrectedImage=["DECY", "ATTN", "SCAT", "DTIM", "RAN", "NORM"], DecayCorrection="START",
            RandomsCorrectionMethod="DLYD", AttenuationCorrectionMethod="measured", ScatterCorrectionMethod="model",
            ReconstructionMethod="simulated", CollimatorType="NONE", AcquisitionStartCondition="MANU",
            AcquisitionTerminationCondition="TIME", FieldOfViewShape="CYLINDRICAL RING",
            ReconstructionDiameter=decimal(grid.size[0] * grid.spacing),
            FrameReferenceTime="299000", ActualFrameDuration=600000, DecayFactor="1.0", ImageIndex=k + 1,
            SliceLocation=decimal(round(float(grid.origin(k)[2]), 6)),
            AcquisitionTime=start, RescaleIntercept="0", RescaleSlope=decimal(slope),
            WindowCenter="16000", WindowWidth="32000",
            RadiopharmaceuticalInformationSequence=[item(
                Radiopharmaceutical="Fludeoxyglucose", RadiopharmaceuticalVolume="5",
                RadiopharmaceuticalStartTime=injected, RadiopharmaceuticalStartDateTime=moment,
                RadionuclideTotalDose=decimal(dose), RadionuclideHalfLife=decimal(FLUORINE),
                RadionuclidePositronFraction="0.967",
                RadionuclideCodeSequence=[code("77004003", "SCT", "^18^Fluorine")],
                RadiopharmaceuticalCodeSequence=[code("35321007", "SCT", "Fluorodeoxyglucose F^18^")])],
            EnergyWindowRangeSequence=[item(EnergyWindowLowerLimit="435", EnergyWindowUpperLimit="585")],
            **HEAD_FIRST))
        pixels(data, np.clip(np.rint(plane / slope), 0, 32767).astype(np.int16), 16)
        place(data, grid.origin(k), grid.orientation(), grid.spacing, grid.thickness)
        yield data


def nm_volume(series, grid, counts):
    """NM Image: a reconstructed SPECT volume, its slices as frames of one file in the order of the slice vector."""
    slices = grid.size[2]
    data = image(series, 1, ["RECON TOMO", "EMISSION"], orientation_label="")
    del data.PatientPosition  # the two code sequences say it (C.7.3.1.1.2)
    numbers = list(range(1, slices + 1))
    data.update(item(
        NumberOfFrames=slices, FrameIncrementPointer=0x00540080, SliceVector=numbers, NumberOfSlices=slices,
        CountsAccumulated=int(counts.sum()), AcquisitionTerminationCondition="",
        NumberOfEnergyWindows=1, NumberOfDetectors=1, NumberOfRotations=1,
        EnergyWindowInformationSequence=[item(
            EnergyWindowName="Tc99m",
            EnergyWindowRangeSequence=[item(EnergyWindowLowerLimit="126.5", EnergyWindowUpperLimit="154.5")])],
        RadiopharmaceuticalInformationSequence=[item(
            RadionuclideCodeSequence=[code("72454007", "SCT", "^99m^Technetium")],
            Radiopharmaceutical=TECHNETIUM, RadionuclideTotalDose="740", RadiopharmaceuticalRoute="Intravenous")],
        DetectorInformationSequence=[item(
            CollimatorGridName="LEHR", CollimatorType="PARA", FieldOfViewShape="RECTANGLE", StartAngle="0",
            ImagePositionPatient=[decimal(round(float(v), 9)) for v in grid.origin(0)],
            ImageOrientationPatient=[decimal(round(float(v), 12)) for v in grid.orientation()])],
        RotationInformationSequence=[item(
            StartAngle="0", AngularStep="3", RotationDirection="CW", ScanArc="360", ActualFrameDuration=20000,
            NumberOfFramesInRotation=120, RadialPosition="150")],
        SpacingBetweenSlices=decimal(grid.step), SliceProgressionDirection="",
        ReconstructionDiameter=decimal(grid.size[0] * grid.spacing), **HEAD_FIRST))
    pixels(data, counts, 16)
    data.PixelSpacing = [decimal(grid.spacing)] * 2
    data.SliceThickness = decimal(grid.thickness)
    return data
