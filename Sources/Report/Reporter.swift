// From the ledger to a page in a folder: reads everything, writes one file, changes nothing else.

public import Foundation
internal import Pictures
public import Pipeline
internal import Provenance
internal import Synchronization

/// A page that was written.
public struct WrittenReport: Encodable, Sendable {
  public let path: String
  /// Slices shown, and how many of them were made again with the bytes that were published.
  public let slices: Int
  public let identical: Int
  /// Why slices could not be made again, where only the published images are shown.
  public let note: String?
}

/// Writes reports of jobs and runs.
public struct Reporter: Sendable {
  let settings: Settings
  let isRedacted: Bool
  let isLossless: Bool
  let now: @Sendable () -> Date

  /// - Parameters:
  ///   - redact: leaves patient attributes and the texts and dates of studies out.
  ///   - lossless: pictures as PNG instead of JPEG.
  public init(
    settings: Settings, redact: Bool = false, lossless: Bool = false,
    now: @escaping @Sendable () -> Date = { Date() }
  ) {
    self.settings = settings
    isRedacted = redact
    isLossless = lossless
    self.now = now
  }

  /// One job, named by its number or by an output's or its series' UID, as `job-<number>.html`.
  ///
  /// The slices are made again from the stored inputs; where that is not possible, the published images are shown.
  /// - Throws: `LedgerError`, `CocoaError` where the page cannot be written.
  public func writeJob(
    _ asked: String, to folder: String, progress: @escaping ProgressHandler
  ) async throws -> WrittenReport {
    let ledger = try Ledger.openReadOnly(path: settings.ledger)
    guard let id = try ledger.job(asked: asked) else {
      throw LedgerError(.notFound, subject: asked, detail: "no job of this number or UID, see audit jobs")
    }
    let account = try ledger.account(job: id, redact: isRedacted)
    var pictures: [Int: SlicePictures] = [:]
    var missing: String?
    if !account.slices.isEmpty {
      do {
        pictures = try await remade(account, ledger, progress)
      } catch let error where !(error is CancellationError) {
        missing = "\(error)"
        pictures = published(account)
      }
    }
    let page = JobPage(
      account: account, pictures: pictures, missing: missing, isRedacted: isRedacted, isLossless: isLossless,
      now: now())
    let path = try write("job-\(id).html", in: folder, page.pieces)
    let identical = account.slices.count { pictures[$0.idx]?.sha256 == $0.sha256 }
    return WrittenReport(path: path, slices: account.slices.count, identical: identical, note: missing)
  }

  private func remade(
    _ account: JobAccount, _ ledger: Ledger, _ progress: @escaping ProgressHandler
  ) async throws -> [Int: SlicePictures] {
    let recorded = try RecordedJob(account.detail.job, ledger: ledger, settings: settings)
    let wanted = Set(account.slices.map(\.idx))
    let colour = recorded.volumes.pair.rule.colour
    let made = Mutex<[Int: SlicePictures]>([:])
    try await recorded.eachSlice(progress: progress) { [isLossless] slice, sha256 in
      guard wanted.contains(slice.index) else { return }
      let pictures = try SlicePictures(slice, sha256: sha256, colour: colour, lossless: isLossless)
      made.withLock { $0[slice.index] = pictures }
    }
    return made.withLock { $0 }
  }

  /// Slices whose file is gone are left out; the page says that something is missing either way.
  private func published(_ account: JobAccount) -> [Int: SlicePictures] {
    var pictures: [Int: SlicePictures] = [:]
    for slice in account.slices {
      let path = settings.folders.output + "/" + slice.path
      pictures[slice.idx] = try? SlicePictures(published: path, lossless: isLossless)
    }
    return pictures
  }

  /// Writes a page that is either complete under its name or not there. Mode 0640: it shows a patient.
  func write(_ name: String, in folder: String, _ pieces: ((String) throws -> Void) throws -> Void) throws
    -> String
  {
    let files = FileManager.default
    try files.createDirectory(atPath: folder, withIntermediateDirectories: true)
    let path = URL(fileURLWithPath: folder).appendingPathComponent(name).path
    let part = path + ".part"
    guard files.createFile(atPath: part, contents: nil, attributes: [.posixPermissions: 0o640]),
      let file = FileHandle(forWritingAtPath: part)
    else { throw CocoaError(.fileWriteUnknown, userInfo: [NSFilePathErrorKey: part]) }
    do {
      try pieces { try file.write(contentsOf: Data($0.utf8)) }
      try file.close()
      guard rename(part, path) == 0 else {
        throw CocoaError(.fileWriteUnknown, userInfo: [NSFilePathErrorKey: path])
      }
    } catch {
      try? files.removeItem(atPath: part)
      throw error
    }
    return path
  }
}
