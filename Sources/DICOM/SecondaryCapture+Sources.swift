// What a capture refers to and whose dates it bears: instances, and the latest of their dates and times.

extension SecondaryCapture {
  /// An instance, or some frames of it, that the capture is made from.
  public struct Source: Sendable, Hashable {
    public var sopClassUID: String
    public var sopInstanceUID: String
    public var seriesInstanceUID: String
    public var studyInstanceUID: String
    /// 1-based numbers of the frames used of a multi-frame instance; nil for a single-frame one.
    public var frames: [Int]?
    /// Spatial Locations Preserved (0028,135A): true for the fixed slice, false for what was resampled or deformed.
    public var spatialLocationsPreserved: Bool
    /// Where its file is now: attributes of patient, study and scanner are read from it.
    public var path: String

    public init(
      sopClassUID: String, sopInstanceUID: String, seriesInstanceUID: String, studyInstanceUID: String,
      frames: [Int]?, spatialLocationsPreserved: Bool, path: String
    ) {
      self.sopClassUID = sopClassUID
      self.sopInstanceUID = sopInstanceUID
      self.seriesInstanceUID = seriesInstanceUID
      self.studyInstanceUID = studyInstanceUID
      self.frames = frames
      self.spatialLocationsPreserved = spatialLocationsPreserved
      self.path = path
    }

    public init(_ instance: Instance, frames: [Int]?, spatialLocationsPreserved: Bool, path: String) {
      self.init(
        sopClassUID: instance.sopClassUID, sopInstanceUID: instance.sopInstanceUID,
        seriesInstanceUID: instance.seriesInstanceUID, studyInstanceUID: instance.studyInstanceUID,
        frames: frames, spatialLocationsPreserved: spatialLocationsPreserved, path: path)
    }

    /// One entry an instance, in the order of their first mention, with all frames mentioned in ascending order.
    static func united(_ sources: [Source]) -> [Source] {
      sources.grouped(by: \.sopInstanceUID).map { mentions in
        var source = mentions[0]
        let frames = mentions.compactMap(\.frames).flatMap { $0 }
        source.frames = frames.isEmpty ? nil : Set(frames).sorted()
        return source
      }
    }
  }

  /// Dates and times of series and content, DA and TM; taken from sources, never from a clock, so that one UID
  /// never stands for different bytes.
  public struct Dates: Sendable, Hashable {
    public var seriesDate: String?
    public var seriesTime: String?
    public var contentDate: String?
    public var contentTime: String?

    public init(seriesDate: String?, seriesTime: String?, contentDate: String?, contentTime: String?) {
      self.seriesDate = seriesDate
      self.seriesTime = seriesTime
      self.contentDate = contentDate
      self.contentTime = contentTime
    }

    /// The latest Series Date and Time among all instances of both series – one value for the whole output
    /// series – and the latest Content Date and Time among those this slice was made from. An instance without one
    /// counts with its acquisition's, else its study's.
    public static func latest(series: [Instance], content: [Instance]) -> Dates {
      let moment = series.compactMap(\.seriesMoment).max()
      let frame = content.compactMap(\.contentMoment).max()
      return Dates(
        seriesDate: moment?.date, seriesTime: moment?.time, contentDate: frame?.date,
        contentTime: frame?.time)
    }
  }
}

/// A DA and, where known, a TM; ordered as DICOM's own digits are.
private struct Moment: Comparable {
  let date: String
  let time: String?

  init?(_ date: String?, _ time: String?) {
    guard let date, !date.isEmpty else { return nil }
    self.date = date
    self.time = time
  }

  static func < (a: Moment, b: Moment) -> Bool { (a.date, a.time ?? "") < (b.date, b.time ?? "") }
}

extension Instance {
  fileprivate var seriesMoment: Moment? {
    Moment(seriesDate, seriesTime) ?? Moment(acquisitionDate, acquisitionTime) ?? Moment(studyDate, studyTime)
  }

  fileprivate var contentMoment: Moment? {
    Moment(contentDate, contentTime) ?? Moment(acquisitionDate, acquisitionTime)
      ?? Moment(studyDate, studyTime)
  }
}
