// A pair named by two paths: the series that lie there, and the rule that fits them – no store, no ledger.

import DICOM
import Foundation

struct AdHocPair {
  let settings: Settings

  /// The pair of the one series at each path.
  ///
  /// - Throws: `FileError`, `DICOMError` where a path does not hold one usable series, `PairRefusal` where the two do not
  ///   belong together.
  func pair(fixed: String, moving: String) throws -> Pair {
    try pair([catalogue(at: fixed), catalogue(at: moving)])
  }

  /// The files at a path: one series, and any registrations.
  private func catalogue(at path: String) throws -> Catalogue {
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
      throw FileError("read", path, code: ENOENT)
    }
    let files =
      isFolder.boolValue
      ? try DropFolder(path: path, ignore: settings.intake.ignore).scan().map(\.path) : [path]
    var instances: [CataloguedInstance] = []
    for file in files {
      guard
        case .accept(let instance, let digest) = try Examination(knownDigest: { _ in nil }).verdict(on: file)
      else {
        continue
      }
      instances.append(CataloguedInstance(instance: instance, path: file, sha256: digest))
    }
    let catalogue = Catalogue(instances)
    let all = catalogue.series
    guard all.count == 1 else {
      let found = all.map { "\($0.modality) \($0.uid)" }.joined(separator: ", ")
      throw DICOMError(
        .init("not_one_series"), subject: path,
        detail: all.isEmpty
          ? "no image that can be fused lies there; `fuseline plan \(path)` says why"
          : "several series lie there (\(found)); name a folder with one")
    }
    return catalogue
  }

  private func pair(_ sides: [Catalogue]) throws -> Pair {
    let (fixed, moving) = (sides[0].series[0], sides[1].series[0])
    guard
      let rule = settings.pairing.rules.first(where: {
        $0.fixed.modality == fixed.modality && $0.moving.modality == moving.modality
      })
    else {
      let known = settings.pairing.rules.map(\.name).joined(separator: ", ")
      throw PairRefusal(
        reason: Refusal(
          "no_rule", "no rule fuses \(moving.modality) onto \(fixed.modality); there are \(known)"))
    }
    return try Pairing(settings).pair(
      rule, fixed: fixed, moving: moving, registrations: sides.flatMap(\.registrations))
  }
}
