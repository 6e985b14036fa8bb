// What the geometry gate decides about a series before any pixel is read, and the volume read afterwards.

public import Imaging

/// A stack of frames that passed the geometry gate: which frame is which slice, and where they lie.
public struct SeriesPlan: Sendable, Hashable, Codable {
  /// One slice: an instance of `instances` and a 0-based frame of it.
  public struct Slice: Sendable, Hashable, Codable {
    public let instance: Int
    public let frame: Int

    public init(instance: Int, frame: Int) {
      self.instance = instance
      self.frame = frame
    }
  }

  public let seriesInstanceUID: String
  public let modality: String
  /// Headers of the instances slices come from.
  public let instances: [Instance]
  /// Slices in ascending order along the normal, one per origin of `grid`.
  public let slices: [Slice]
  public let grid: VolumeGrid
  /// Median distance of neighbouring slices along the normal, mm.
  public let spacing: Double
  /// Unit of the rescaled values: `HU`, `SUVbw`, `BQML`, `counts` or `arbitrary`.
  public let unit: String
  /// Factor from rescaled values to SUVbw, when the header allows one; already meant in `unit`.
  public let suvFactor: Double?
  /// What an operator should know: tilt, uneven spacing, frames left out, why there is no SUV.
  public let notes: [String]

  public init(
    seriesInstanceUID: String, modality: String, instances: [Instance], slices: [Slice], grid: VolumeGrid,
    spacing: Double, unit: String, suvFactor: Double?, notes: [String]
  ) {
    precondition(slices.count == grid.slices, "a plan has one slice per origin")
    self.seriesInstanceUID = seriesInstanceUID
    self.modality = modality
    self.instances = instances
    self.slices = slices
    self.grid = grid
    self.spacing = spacing
    self.unit = unit
    self.suvFactor = suvFactor
    self.notes = notes
  }
}

extension SeriesPlan {
  /// Whether values are turned round on reading: `MONOCHROME1` without a unit. What they are turned about is the whole
  /// volume's, so such a series is not read in sections.
  public var isTurnedRound: Bool {
    unit == "arbitrary" && instances[0].pixels.photometricInterpretation == "MONOCHROME1"
  }

  /// `notes`, and what reading adds to them.
  public var notesOfReading: [String] {
    notes
      + (isTurnedRound ? ["values were turned round, since MONOCHROME1 shows the least as white"] : [])
  }

  /// Where each slice comes from; `path` says where the file of a SOP Instance UID is.
  public func sources(path: (String) -> String) -> [SourceFrame] {
    slices.map { slice in
      let instance = instances[slice.instance]
      return SourceFrame(
        sopInstanceUID: instance.sopInstanceUID, sopClassUID: instance.sopClassUID,
        frame: instance.pixels.frames > 1 ? slice.frame + 1 : nil, path: path(instance.sopInstanceUID))
    }
  }

  /// The plan of neighbouring slices alone.
  public func section(_ range: Range<Int>) -> SeriesPlan {
    let used = Set(slices[range].map(\.instance)).sorted()
    let renumbered = Dictionary(uniqueKeysWithValues: used.enumerated().map { ($1, $0) })
    return SeriesPlan(
      seriesInstanceUID: seriesInstanceUID, modality: modality, instances: used.map { instances[$0] },
      slices: slices[range].map { Slice(instance: renumbered[$0.instance] ?? 0, frame: $0.frame) },
      grid: VolumeGrid(plane: grid.plane, origins: Array(grid.origins[range])), spacing: spacing, unit: unit,
      suvFactor: suvFactor, notes: notes)
  }
}

/// Where a slice comes from, for references and lineage.
public struct SourceFrame: Sendable, Hashable, Codable {
  public let sopInstanceUID: String
  public let sopClassUID: String
  /// 1-based frame number in a multi-frame instance, nil in a single-frame one.
  public let frame: Int?
  public let path: String

  public init(sopInstanceUID: String, sopClassUID: String, frame: Int?, path: String) {
    self.sopInstanceUID = sopInstanceUID
    self.sopClassUID = sopClassUID
    self.frame = frame
    self.path = path
  }
}

/// A series as voxels: rescaled values in patient space with the origin of every slice.
public struct SeriesVolume: Sendable {
  /// Rescaled values; padding is NaN.
  public let volume: Volume
  /// `HU`, `SUVbw`, `BQML`, `counts` or `arbitrary`.
  public let unit: String
  /// The factor that was multiplied in, when `unit` is `SUVbw`.
  public let suvFactor: Double?
  /// One per slice, same order as `volume.grid.origins`.
  public let sources: [SourceFrame]
  public let notes: [String]

  public init(volume: Volume, unit: String, suvFactor: Double?, sources: [SourceFrame], notes: [String]) {
    precondition(sources.count == volume.grid.slices, "a volume has one source per slice")
    self.volume = volume
    self.unit = unit
    self.suvFactor = suvFactor
    self.sources = sources
    self.notes = notes
  }
}
