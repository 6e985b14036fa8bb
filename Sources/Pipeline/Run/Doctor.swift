// Whether a machine can run the pipeline: each thing it needs, looked at, with what to do where it is missing.

import DICOM
import Foundation
import Provenance
import Tensors

public struct Finding: Encodable, Sendable {
  public let check: String
  public let ok: Bool
  public let detail: String
}

public struct Doctor: Sendable {
  /// Less free space than this on a folder's file system is too little for a night's work.
  static let enoughFreeBytes: UInt64 = 1 << 30

  let settings: Settings

  public init(settings: Settings) { self.settings = settings }

  public func examine() -> [Finding] { folders() + [dictionary, arithmetic] + models() + [ledger, clock] }

  private func folders() -> [Finding] {
    let folders = settings.folders
    return [
      ("inbox", folders.inbox), ("store", folders.store), ("output", folders.output),
      ("quarantine", folders.quarantine),
    ]
    .map { name, path in
      let free = FileSystem.freeBytes(path) ?? 0
      let space = "\(free >> 30) GiB free"
      guard FileSystem.exists(path) else {
        let parent = Self.nearestParent(path)
        let ok = FileSystem.isWritable(parent)
        return Finding(
          check: name, ok: ok,
          detail: ok
            ? "\(path) will be created, \(space)" : "\(path) is missing and cannot be created in \(parent)")
      }
      if !FileSystem.isWritable(path) {
        return Finding(check: name, ok: false, detail: "\(path) cannot be written; check owner and mode")
      }
      return Finding(
        check: name, ok: free >= Self.enoughFreeBytes,
        detail: free >= Self.enoughFreeBytes ? "\(path), \(space)" : "\(path), only \(space): make room")
    }
  }

  private static func nearestParent(_ path: String) -> String {
    var candidate = path
    while !FileSystem.exists(candidate) && candidate != "/" {
      candidate = (candidate as NSString).deletingLastPathComponent
    }
    return candidate
  }

  private var dictionary: Finding {
    let ok = DICOMFile.isDictionaryLoaded
    return Finding(
      check: "DICOM data dictionary", ok: ok,
      detail: ok ? "loaded" : "not found; install libdcmtk17 or set DCMDICTPATH to dicom.dic")
  }

  private var arithmetic: Finding {
    let best = Machine.bestInstructions, used = Machine.instructions
    let detail = "kernels \(used.rawValue)"
    let ok = used != .portable || best == .portable
    return Finding(
      check: "arithmetic", ok: ok,
      detail: ok ? detail : detail + ": slow, this processor has \(best.rawValue); unset FUSELINE_ISA")
  }

  private func models() -> [Finding] {
    do {
      let library = try ModelLibrary(folder: settings.models)
      return Set(settings.pairing.rules.map(\.model)).sorted().map { name in
        do {
          let model = try library.model(named: name)
          _ = try ModelLibrary.load(model)
          return Finding(check: "model \(name)", ok: true, detail: "\(model.path), as its card says")
        } catch { return Finding(check: "model \(name)", ok: false, detail: "\(error)") }
      }
    } catch { return [Finding(check: "models", ok: false, detail: "\(error)")] }
  }

  private var ledger: Finding {
    guard FileSystem.exists(settings.ledger) else {
      return Finding(check: "ledger", ok: true, detail: "\(settings.ledger) will be created by the first run")
    }
    do {
      let report = try Ledger.openReadOnly(path: settings.ledger).verify()
      let detail =
        report.first.map { "broken at \($0.subject): \($0.detail)" } ?? "\(report.events) events, chain whole"
      return Finding(check: "ledger", ok: report.whole, detail: "\(settings.ledger): \(detail)")
    } catch { return Finding(check: "ledger", ok: false, detail: "\(error)") }
  }

  private var clock: Finding {
    let zone = TimeZone.current
    // Any real clock is past the program's own making.
    let ok = Date().timeIntervalSince1970 > 1_767_225_600  // 2026-01-01T00:00:00Z
    return Finding(
      check: "clock", ok: ok,
      detail: ok
        ? "time zone \(zone.identifier), \(Date().formatted(.iso8601))" : "the clock is wrong; set it")
  }
}
