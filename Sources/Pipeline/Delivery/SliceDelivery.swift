// From a fused slice to the object that is filed: identity, place, sources and the sentence of what was done.

import DICOM
import Foundation
import Imaging
import Provenance

/// Builds the derived images of one pair.
struct SliceDelivery: Sendable {
  let volumes: PairVolumes
  let identity: JobIdentity
  let model: ModelCard
  let settings: Settings
  private let fixedInstances: [String: CataloguedInstance]
  private let movingInstances: [String: CataloguedInstance]
  /// Dates of the whole output series.
  private let seriesDates: SecondaryCapture.Dates

  init(volumes: PairVolumes, identity: JobIdentity, model: ModelCard, settings: Settings) {
    self.volumes = volumes
    self.identity = identity
    self.model = model
    self.settings = settings
    fixedInstances = Self.byUID(volumes.pair.fixed)
    movingInstances = Self.byUID(volumes.pair.moving)
    let members = volumes.pair.fixed.members + volumes.pair.moving.members
    seriesDates = .latest(series: members.map(\.instance), content: [])
  }

  private static func byUID(_ series: Series) -> [String: CataloguedInstance] {
    Dictionary(series.members.map { ($0.instance.sopInstanceUID, $0) }) { first, _ in first }
  }

  func path(_ capture: SecondaryCapture) -> OutputPath {
    OutputPath(
      study: capture.fixed.studyInstanceUID, series: capture.identity.seriesInstanceUID,
      instance: capture.identity.sopInstanceUID)
  }

  /// Where a slice's output will lie, before it is made.
  func planned(_ index: Int) -> PlannedOutput {
    let source = volumes.fixed.sources[index]
    let uid = identity.outputUID(fixed: source)
    let study = (fixedInstances[source.sopInstanceUID]?.instance ?? volumes.pair.fixed.first).studyInstanceUID
    let place = OutputPath(study: study, series: identity.outputSeriesUID, instance: uid)
    return PlannedOutput(index: index, sopInstanceUID: uid, part: place.part, final: place.relative)
  }

  /// - Throws: `PairRefusal` where the fixed series has no frame of reference to keep.
  func capture(_ slice: FusedSlice) throws -> SecondaryCapture {
    let series = volumes.pair.fixed.first
    guard let frame = series.frameOfReferenceUID else {
      throw PairRefusal(
        reason: Refusal(
          "missing_frame_of_reference", "the fixed series has no Frame of Reference UID to keep"))
    }
    let source = volumes.fixed.sources[slice.index]
    let fixed = fixedInstances[source.sopInstanceUID]?.instance ?? series
    return SecondaryCapture(
      identity: SecondaryCapture.Identity(
        sopInstanceUID: identity.outputUID(fixed: source), seriesInstanceUID: identity.outputSeriesUID,
        seriesNumber: settings.output.seriesNumber + (series.seriesNumber ?? 0),
        seriesDescription: "Fused \(volumes.pair.rule.name) BSAFusion - NOT FOR PRIMARY DIAGNOSIS",
        instanceNumber: slice.index + 1, modality: settings.output.modality == .OT ? "OT" : series.modality),
      place: SecondaryCapture.Place(
        grid: slice.grid, sliceThickness: thickness(fixed, source), frameOfReferenceUID: frame,
        patientPosition: series.patientPosition,
        bodyPart: series.bodyPartExamined ?? volumes.pair.moving.first.bodyPartExamined),
      pixels: slice.pixels.captured,
      dates: dates(slice),
      fixed: .init(
        fixed, frames: source.frame.map { [$0] }, spatialLocationsPreserved: true, path: source.path),
      moving: movingSources(slice),
      derivation: SecondaryCapture.Derivation(aligned: slice.record.accepted, facts: facts(slice)),
      product: SecondaryCapture.Product(version: Software.version))
  }

  /// The slice's row in the ledger.
  ///
  /// - Parameter seconds: what writing `output` took.
  func publication(
    _ slice: FusedSlice, _ output: SlicePublication.Output, writtenIn seconds: Double
  ) throws -> SlicePublication {
    let record = slice.record
    var timings = record.timings
    timings.write = seconds
    return SlicePublication(
      index: slice.index, position: volumes.fixed.grid.origins[slice.index], inputs: inputs(of: slice),
      neighbours: record.accepted ? record.averaged.filter { $0 != slice.index } : [],
      accepted: record.accepted, reason: record.reason,
      deformation: .init(
        meanMillimetres: record.meanMillimetres, maxMillimetres: record.maxMillimetres,
        meanPixels: record.meanMillimetres / slice.grid.columnSpacing,
        maxPixels: record.maxMillimetres / slice.grid.columnSpacing, folding: record.folding),
      similarity: .init(
        measure: "mutual information, bits", before: record.similarityBefore, after: record.similarityAfter),
      inside: record.coverage, seconds: record.seconds, timings: try JSONDocument(encoding: timings),
      output: output)
  }

  /// The fixed image, the moving ones it was interpolated from, and the registrations that place them.
  private func inputs(of slice: FusedSlice) -> [SlicePublication.Input] {
    let fixed = volumes.fixed.sources[slice.index]
    let moving = slice.movingSlices.map { volumes.moving.sources[$0] }
    let registrations = volumes.pair.transform.objects.map(\.instance.sopInstanceUID)
    var inputs = [
      SlicePublication.Input(role: .fixed, sopInstanceUID: fixed.sopInstanceUID, frame: fixed.frame)
    ]
    inputs += moving.map { .init(role: .moving, sopInstanceUID: $0.sopInstanceUID, frame: $0.frame) }
    inputs += registrations.map { .init(role: .registration, sopInstanceUID: $0) }
    return inputs
  }

  private func dates(_ slice: FusedSlice) -> SecondaryCapture.Dates {
    let content = SecondaryCapture.Dates.latest(series: [], content: sources(slice).map(\.instance))
    var dates = seriesDates
    dates.contentDate = content.contentDate
    dates.contentTime = content.contentTime
    return dates
  }

  private func sources(_ slice: FusedSlice) -> [CataloguedInstance] {
    let fixed = fixedInstances[volumes.fixed.sources[slice.index].sopInstanceUID].map { [$0] } ?? []
    return fixed
      + slice.movingSlices.compactMap { movingInstances[volumes.moving.sources[$0].sopInstanceUID] }
  }

  /// One source per instance; the frames of a multi-frame one are listed together.
  private func movingSources(_ slice: FusedSlice) -> [SecondaryCapture.Source] {
    let frames = Dictionary(
      grouping: slice.movingSlices.map { volumes.moving.sources[$0] }, by: \.sopInstanceUID)
    return frames.sorted { $0.key < $1.key }.compactMap { uid, parts in
      guard let member = movingInstances[uid] else { return nil }
      let numbers = parts.compactMap(\.frame).sorted()
      return .init(
        member.instance, frames: numbers.isEmpty ? nil : numbers, spatialLocationsPreserved: false,
        path: parts[0].path)
    }
  }

  private func thickness(_ instance: Instance, _ source: SourceFrame) -> Double? {
    let frame = (source.frame ?? 1) - 1
    let own = instance.frames.indices.contains(frame) ? instance.frames[frame].sliceThickness : nil
    return own ?? (volumes.slices > 1 ? volumes.pair.fixedPlan.spacing : nil)
  }

  /// What was done, in reading order, for Derivation Description.
  private func facts(_ slice: FusedSlice) -> [String] {
    return [
      "\(Software.name) \(Software.version): \(volumes.pair.rule.name) fusion by BSAFusion, not for primary diagnosis",
      "model \(model.name) SHA-256 \(model.sha256.prefix(16))",
      "settings SHA-256 \(settings.digest.prefix(16))",
      "fixed \(text(volumes.fixedNormalization))", "moving \(text(volumes.movingNormalization))",
      "moving resampled (\(settings.grid.interpolation.rawValue)) onto \(slice.grid.columns)x\(slice.grid.rows) pixels of "
        + millimetres(slice.grid.columnSpacing),
      alignment(slice.record), coverage(slice.record),
    ] + registered
      + volumes.pair.transform.objects.map { "placed by registration \($0.instance.sopInstanceUID)" }
  }

  private func alignment(_ record: SliceRecord) -> String {
    if record.showsOneImage {
      return "not fused: one image is constant, the other is shown (\(record.reason ?? ""))"
    }
    guard record.accepted else { return "not deformed (\(record.reason ?? "refused"))" }
    guard record.maxMillimetres > 0 else { return "not deformed (nothing found beyond the model's noise)" }
    let reach = ThroughPlane.reach * settings.alignment.throughPlane
    return
      "deformed by mean \(millimetres(record.meanMillimetres)), max \(millimetres(record.maxMillimetres))"
      + (record.averaged.count > 1
        ? ", averaged over \(record.averaged.count) slices within \(millimetres(reach))" : "")
  }

  private var registered: [String] {
    guard let rigid = volumes.registration.rigid else { return [] }
    return [
      "placed by rigid registration of the voxels: turned \(number(rigid.turn)) degrees, shifted "
        + "\(millimetres(rigid.shift)), normalised mutual information \(number(rigid.before)) to \(number(rigid.after))"
    ]
  }

  private func coverage(_ record: SliceRecord) -> String {
    record.coverage >= 1
      ? "moving covers all of it"
      : "moving covers \(number(record.coverage * 100)) % of it, elsewhere the fixed image alone"
  }

  private func text(_ map: AppliedNormalization) -> String {
    "normalised by \(map.method) from \(number(map.lower)) to \(number(map.upper)) \(map.unit)"
  }

  private func millimetres(_ value: Double) -> String { number(value) + " mm" }
}

/// A number for people, independent of the locale: at most two decimals.
private func number(_ value: Double) -> String { String(format: "%.2f", value) }

extension FusedPixels {
  var captured: SecondaryCapture.Pixels {
    switch self {
    case .grey(let bytes): .grey8(bytes)
    case .rgb(let bytes): .rgb8(bytes)
    }
  }
}
