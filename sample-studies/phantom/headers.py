"""The attributes every file of a study shares, module by module (PS3.3 section C) – pydicom data sets, no pixels."""

import uuid
from dataclasses import dataclass

from pydicom.dataset import Dataset

NAMESPACE = uuid.UUID("3f6a0c1e-6f0b-5a51-9c53-1d8f0b7d2a64")
CLASSES = {
    "CT": "1.2.840.10008.5.1.4.1.1.2", "MR": "1.2.840.10008.5.1.4.1.1.4", "PT": "1.2.840.10008.5.1.4.1.1.128",
    "NM": "1.2.840.10008.5.1.4.1.1.20", "basic text": "1.2.840.10008.5.1.4.1.1.88.11",
    "comprehensive": "1.2.840.10008.5.1.4.1.1.88.33",
}
MADE_BY = "Fuseline synthetic phantom"


def uid(*parts):
    """A UID that is the same in every run: 2.25 and a name-based UUID (PS3.5 B.2)."""
    return "2.25." + str(uuid.uuid5(NAMESPACE, "/".join(map(str, parts))).int)


@dataclass(frozen=True)
class Person:
    number: int
    name: str
    sex: str
    birth_date: str
    age: str
    weight: float  # kg
    size: float  # m
    charset: str = "ISO_IR 100"


@dataclass(frozen=True)
class Study:
    key: str
    person: Person
    date: str
    time: str
    description: str


@dataclass(frozen=True)
class Series:
    study: Study
    key: str
    modality: str
    number: int
    time: str
    description: str
    sop_class: str = ""

    @property
    def uid(self):
        return uid(self.study.key, self.key)


def item(**attributes):
    data = Dataset()
    for name, value in attributes.items():
        setattr(data, name, value)
    return data


def code(value, scheme, meaning, **more):
    return item(CodeValue=value, CodingSchemeDesignator=scheme, CodeMeaning=meaning, **more)


def base(series, number):
    """SOP Common, Patient, Patient Study, General Study, General Series and Equipment of instance `number`."""
    study, person = series.study, series.study.person
    data = item(
        SpecificCharacterSet=person.charset,
        SOPClassUID=CLASSES[series.sop_class or series.modality],
        SOPInstanceUID=uid(study.key, series.key, number),
        PatientName=person.name, PatientID=f"FUSELINE-PHANTOM-{person.number}",
        IssuerOfPatientID="FUSELINE-SYNTHETIC", PatientBirthDate=person.birth_date, PatientSex=person.sex,
        PatientAge=person.age, PatientWeight=person.weight, PatientSize=person.size,
        PatientComments="Synthetic digital phantom. Not a person.",
        StudyInstanceUID=uid(study.key), StudyDate=study.date, StudyTime=study.time,
        AccessionNumber=f"PHANTOM{person.number:04d}", ReferringPhysicianName="", StudyID=str(person.number),
        StudyDescription=study.description,
        Modality=series.modality, SeriesInstanceUID=series.uid, SeriesNumber=series.number,
        SeriesDate=study.date, SeriesTime=series.time, SeriesDescription=series.description,
        Manufacturer=MADE_BY, InstitutionName=MADE_BY, ManufacturerModelName=f"Phantom {series.modality}",
        StationName=f"PHANTOM-{series.modality}", DeviceSerialNumber=f"{person.number:06d}", SoftwareVersions="1",
        InstanceNumber=number, ContentDate=study.date, ContentTime=series.time,
    )
    return data


def image(series, number, kind, orientation_label=None):
    """`base` with General Acquisition, General Image and Frame of Reference."""
    data = base(series, number)
    data.ImageType = ["ORIGINAL", "PRIMARY", *kind]
    data.AcquisitionNumber = 1
    data.AcquisitionDate = series.study.date
    data.AcquisitionTime = series.time
    data.ImageComments = "Synthetic digital phantom, not for diagnosis"
    data.BodyPartExamined = "HEAD"
    data.PatientPosition = "HFS"
    data.FrameOfReferenceUID = uid(series.study.key, "frame of reference")
    data.PositionReferenceIndicator = ""
    data.BurnedInAnnotation = "NO"
    data.LossyImageCompression = "00"
    if orientation_label is not None:
        data.PatientOrientation = orientation_label
    return data


def decimal(value):
    """A number as a decimal string of at most 16 characters (PS3.5 6.2)."""
    for digits in range(15, 5, -1):
        text = f"{value + 0.0:.{digits}g}"
        if len(text) <= 16:
            return text
    raise ValueError(f"{value} does not fit a decimal string")


def place(data, origin, orientation, spacing, thickness):
    """Image Plane (C.7.6.2), mm."""
    data.ImagePositionPatient = [decimal(round(float(v), 9)) for v in origin]
    data.ImageOrientationPatient = [decimal(round(float(v), 12)) for v in orientation]
    data.PixelSpacing = [decimal(spacing), decimal(spacing)]
    data.SliceThickness = decimal(thickness)


def pixels(data, array, bits, padding=None):
    """Image Pixel (C.7.6.3) for one grey frame or several; `array` is uint16 or int16 [rows, columns] or [frames, …]."""
    data.SamplesPerPixel = 1
    data.PhotometricInterpretation = "MONOCHROME2"
    data.Rows, data.Columns = array.shape[-2:]
    data.BitsAllocated, data.BitsStored, data.HighBit = 16, bits, bits - 1
    data.PixelRepresentation = int(array.dtype.kind == "i")
    if padding is not None:
        data.PixelPaddingValue = padding
    data.PixelData = array.astype(array.dtype.newbyteorder("<")).tobytes()
    data["PixelData"].VR = "OW"
