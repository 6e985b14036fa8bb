// What can be wrong with a picture file, in words an operator can act on.

/// A refusal to read or write a picture.
public struct PictureError: Error, Hashable, Sendable, CustomStringConvertible {
  /// Stable code for programs.
  public struct Reason: RawRepresentable, Hashable, Sendable {
    public let rawValue: String
    public init(rawValue: String) { self.rawValue = rawValue }
    init(_ rawValue: String) { self.rawValue = rawValue }
  }

  public let reason: Reason
  /// Path of the picture.
  public let subject: String
  /// What is wrong and what to do, one sentence.
  public let detail: String

  init(_ reason: Reason, subject: String, detail: String) {
    self.reason = reason
    self.subject = subject
    self.detail = detail
  }

  public var description: String { "\(subject): \(detail) [\(reason.rawValue)]" }
}

extension PictureError.Reason {
  /// The file system refused to open or read it.
  public static let unreadable = Self("unreadable")
  /// Its content is not a PNG.
  public static let notPNG = Self("not_png")
  /// It ends before its last row does.
  public static let truncated = Self("truncated")
  /// Its checksums, header or compressed data contradict themselves.
  public static let damaged = Self("damaged")
  /// It has an alpha channel or a transparent colour.
  public static let transparent = Self("transparent")
  /// An edge is longer than 16384 pixels.
  public static let tooLarge = Self("too_large")
  public static let memory = Self("memory")
  /// The file system refused to create or write it.
  public static let cannotWrite = Self("cannot_write")
  /// The file system is full.
  public static let noSpace = Self("no_space")
}
