// Times as the ledger writes them: UTC, ISO 8601, milliseconds. Not the times inside DICOM files.

public import Foundation

/// Conversion between `Date` and the ledger's text, which sorts as time does.
public enum Timestamp {
  private static let style = Date.ISO8601FormatStyle(includingFractionalSeconds: true)
  private static let whole = Date.ISO8601FormatStyle()

  /// For example `2026-03-01T02:00:00.000Z`.
  public static func text(_ date: Date) -> String {
    // The style truncates; half a millisecond more makes it round, so that text → date → text is stable.
    date.addingTimeInterval(0.0005).formatted(style)
  }

  /// The date of a text made by `text(_:)`, or of one without fractional seconds; nil for anything else.
  public static func date(_ text: String) -> Date? {
    (try? style.parse(text)) ?? (try? whole.parse(text))
  }
}
