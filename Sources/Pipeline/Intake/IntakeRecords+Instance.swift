// Headers as the ledger records them; a translation, no decisions.

import DICOM
import Provenance

extension AcceptedInstance {
  init(_ instance: Instance, file: DropFile, digest: String, path: String) throws {
    let patient = instance.patient
    self.init(
      sopInstanceUID: instance.sopInstanceUID, sopClassUID: instance.sopClassUID,
      transferSyntaxUID: instance.transferSyntaxUID, number: instance.instanceNumber,
      patient: PatientRecord(
        patientID: patient.patientID, issuer: patient.issuerOfPatientID, name: patient.name,
        birthDate: patient.birthDate, sex: patient.sex),
      study: StudyRecord(
        uid: instance.studyInstanceUID, date: instance.studyDate, time: instance.studyTime,
        description: instance.studyDescription),
      series: SeriesRecord(
        uid: instance.seriesInstanceUID, modality: instance.modality, number: instance.seriesNumber,
        description: instance.seriesDescription, frameOfReferenceUID: instance.frameOfReferenceUID),
      path: path, originalPath: file.originalPath, sha256: digest, size: file.size,
      header: try JSONDocument(encoding: instance))
  }
}

extension RefusedFile {
  init(_ file: DropFile, _ instance: Instance?, _ digest: String, _ why: Refusal, place: String?) {
    self.init(
      reason: why.code, sentence: why.sentence, originalPath: file.originalPath, sha256: digest,
      size: file.size,
      sopInstanceUID: instance?.sopInstanceUID, seriesInstanceUID: instance?.seriesInstanceUID,
      studyInstanceUID: instance?.studyInstanceUID, modality: instance?.modality, quarantinePath: place)
  }
}
