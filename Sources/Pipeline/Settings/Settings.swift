// Everything an operator can choose, with values checked; not how it is written in YAML.

public import Imaging

/// The effective settings of a run. Paths are absolute.
public struct Settings: Codable, Hashable, Sendable {
  public var folders: Folders
  /// Path of the ledger's SQLite file.
  public var ledger: String
  /// Path of the key that signs checkpoints of the ledger; nil signs none.
  public var checkpointKey: String?
  /// Folder with the network's weights, nil for the shipped ones.
  public var models: String?
  public var intake: IntakeSettings
  public var watch: WatchSettings
  public var schedule: Schedule
  public var pairing: PairingSettings
  public var selection: SelectionSettings
  public var grid: GridSettings
  /// By modality (CT, MR, PT, NM).
  public var normalization: [String: NormalizationSettings]
  public var alignment: AlignmentSettings
  public var output: OutputSettings
  public var processing: ProcessingSettings
  public var retry: RetrySettings
  public var alerts: AlertSettings
  public var limits: LimitSettings
  public var metrics: MetricsSettings
  public var retention: RetentionSettings

  public struct Folders: Codable, Hashable, Sendable {
    public var inbox: String
    public var store: String
    public var output: String
    public var quarantine: String
  }
}

public struct IntakeSettings: Codable, Hashable, Sendable {
  /// Seconds a file must have been unchanged before it is taken at first sight.
  public var quietTime: Double
  /// Seconds that a file which ends too early is given to grow, from its last change; `watch` only.
  public var incompleteTime: Double
  public var archives: ArchiveSettings
  /// Shell patterns of file names that are never looked at (a writer's temporary files).
  public var ignore: [String]
}

public struct WatchSettings: Codable, Hashable, Sendable {
  /// Seconds between two scans of the drop folder.
  public var interval: Double
  /// Is the watcher woken by the file system's events between scans, where there are any?
  public var events: Bool
  /// Seconds a study must have got no image before it is fused.
  public var settleTime: Double
}

public struct PairingSettings: Codable, Hashable, Sendable {
  public enum Scope: String, Codable, Sendable, CaseIterable { case study, patient }
  public var scope: Scope
  /// Scope patient: largest distance between the two studies, days.
  public var windowDays: Double
  /// The moving series must reach at least this far through the fixed one along its normal, mm; any part of it
  /// where 0. Looked at wherever a common frame of reference exists.
  public var minimumOverlap: Double
  public var rules: [PairingRule]
}

/// Which two modalities are fused, and with which network.
public struct PairingRule: Codable, Hashable, Sendable {
  /// Shown to people and kept in the ledger: `CT-MR`, `PET-MR`, …
  public var name: String
  public var fixed: SeriesCriteria
  public var moving: SeriesCriteria
  /// Name of the model, resolved by `ModelLibrary`.
  public var model: String
  /// Colour table of the moving series in the fused picture; nil fuses in grey.
  public var colour: String?
}

/// What a series must be to take one side of a rule.
public struct SeriesCriteria: Codable, Hashable, Sendable {
  public var modality: String
  /// What else must hold; empty asks nothing.
  public var condition: SeriesCondition
  /// Which of several is taken; nil leaves it to the modality's list.
  public var prefer: [SeriesPreference]?
}

public struct SelectionSettings: Codable, Hashable, Sendable {
  public var minimumSlices: Int
  /// Regular expressions; a match in Series Description, Protocol Name or Image Type leaves the series out.
  public var exclude: [String]
  /// By modality (CT, MR, PT, NM).
  public var modalities: [String: ModalitySelection]
}

/// How the series of one modality are chosen.
public struct ModalitySelection: Codable, Hashable, Sendable {
  /// A series that meets any of these is left out.
  public var exclude: [SeriesCondition] = []
  /// Which of several is taken, the weightiest first.
  public var prefer: [SeriesPreference] = [.order(.mostSlices)]
}

public struct GridSettings: Codable, Hashable, Sendable {
  /// Columns and rows of the working grid, pixels.
  public var side: Int
  public var interpolation: Interpolation
  public var antialias: Bool
}

/// How the values of one modality are brought to 0…1.
public enum NormalizationSettings: Codable, Hashable, Sendable {
  /// Linear window, PS3.3 C.11.2.1.2; HU.
  case window(center: Double, width: Double)
  /// Percentiles of the volume, 0…100; what lies below `noiseFloor` (0…1) of the upper limit is background.
  case percentiles(low: Double, high: Double, noiseFloor: Double = 0)
  /// Standardised uptake value by body weight, g/ml; `noiseFloor` as above.
  case suv(low: Double, high: Double, noiseFloor: Double = 0)
}

public struct AlignmentSettings: Codable, Hashable, Sendable {
  public enum Registration: String, Codable, Sendable, CaseIterable {
    /// By a common frame of reference, else a registration object, else by registering the voxels.
    case auto
    /// By registering the voxels, whatever the headers say.
    case rigid
    /// As `auto`, but where nothing relates the frames of reference positions are trusted all the same.
    case header
    /// As `auto`, but where nothing relates the frames of reference the pair is refused.
    case sameFrame = "same-frame"
  }
  /// Largest accepted fraction (0…1) of pixels whose Jacobian determinant is not positive.
  public var maximumFolding: Double
  /// Standard deviation, mm, of the Gaussian along the normal that deformations are averaged by; 0: not averaged.
  public var throughPlane: Double
  public var registration: Registration
}

public struct OutputSettings: Codable, Hashable, Sendable {
  public enum Modality: String, Codable, Sendable, CaseIterable { case fixed, OT }
  public var modality: Modality
  public var seriesNumber: Int
  /// Is a registration found from voxels also written as a Spatial Registration object?
  public var registrationObject: Bool
}

public struct ProcessingSettings: Codable, Hashable, Sendable {
  /// Slices fused at the same time; 0 is one per core.
  public var workers: Int
  /// Seconds after which a job's worker is killed.
  public var deadline: Double
}
