// One series of a pair: what its headers planned and where its files are. Its voxels are read when they are wanted.

public import DICOM
public import Imaging

/// A series that passed the geometry gate, with its files.
public struct PlannedSeries: Sendable {
  let plan: SeriesPlan
  /// One per slice, in the order of the grid's origins.
  public let sources: [SourceFrame]
  private let paths: [String: String]

  init(_ series: Series, _ plan: SeriesPlan) {
    self.plan = plan
    let paths = Dictionary(series.members.map { ($0.instance.sopInstanceUID, $0.path) }) { first, _ in first }
    self.paths = paths
    // Every UID of the plan is one of the series it was made from.
    sources = plan.sources { paths[$0] ?? "" }
  }

  public var grid: VolumeGrid { plan.grid }
  /// What an operator should know of the series.
  public var notes: [String] { plan.notesOfReading }

  /// Memory that one slice takes, bytes.
  var sliceBytes: Int { grid.plane.rows * grid.plane.columns * MemoryLayout<Float>.stride }
  /// Memory that all slices take, bytes.
  var bytes: Int { sliceBytes * grid.slices }

  /// Decodes all slices and keeps none.
  ///
  /// - Throws: as `read`.
  func check() throws(DICOMError) { try SeriesReader.check(plan) { paths[$0] ?? "" } }

  /// Decodes all slices, or some.
  ///
  /// - Throws: `DICOMError` where pixels cannot be decoded or a file is not the one planned.
  func read(_ slices: Range<Int>? = nil) throws(DICOMError) -> Volume {
    try SeriesReader.read(slices.map(plan.section) ?? plan) { paths[$0] ?? "" }.volume
  }
}
