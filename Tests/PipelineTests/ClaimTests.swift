// Taking files in beside writers that replace them: what leaves the drop folder is what is on record, nothing else.

import Foundation
import Glibc
import Logging
import Provenance
import Synchronization
import Testing

@testable import Pipeline

@Suite final class ClaimTests {
  private let folder = NSTemporaryDirectory() + "claim-\(UUID().uuidString)"
  private let ledger: Ledger
  private let intake: Intake

  init() throws {
    for name in ["inbox", "mine"] {
      try FileManager.default.createDirectory(
        atPath: folder + "/" + name, withIntermediateDirectories: true)
    }
    let settings = try Settings(yaml: "", file: folder + "/pipeline.yaml")
    ledger = try Ledger.open(path: settings.ledger)
    intake = Intake(
      folders: settings.folders, archives: settings.intake.archives, ignore: settings.intake.ignore,
      ledger: ledger, run: try ledger.beginRun(command: "watch", settings: nil, software: nil),
      logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }, now: { Date() })
  }

  deinit { try? FileManager.default.removeItem(atPath: folder) }

  private var inbox: DropFolder { DropFolder(path: folder + "/inbox", ignore: [".*"]) }

  private func write(_ name: String, _ text: String) throws {
    try Data(text.utf8).write(to: URL(fileURLWithPath: folder + "/" + name))
  }

  private func text(_ name: String) throws -> String {
    try String(contentsOfFile: folder + "/" + name, encoding: .utf8)
  }

  private func names(_ name: String) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: folder + "/" + name).sorted()
  }

  private func takeAll() throws { _ = try intake.takeIn(inbox.scan(), progress: { _ in }) }

  private func recorded() throws -> Set<String> {
    Set(
      try ledger.sql("SELECT sha256 FROM intake").rows.compactMap { row in
        if case .string(let digest) = row[0] { digest } else { nil }
      })
  }

  /// Puts a new file in place of every other one as soon as the one before it has gone, and keeps what lay there: the
  /// file that a plain rename would have replaced ends up in `mine`.
  private final class Writer: Sendable {
    private typealias Rename =
      @Sendable @convention(c) (
        Int32, UnsafePointer<CChar>, Int32, UnsafePointer<CChar>, UInt32
      ) -> Int32
    /// RENAME_NOREPLACE and RENAME_EXCHANGE of linux/fs.h.
    private static let (noReplace, exchange): (UInt32, UInt32) = (1, 2)

    private let mine: String
    private let theirs: String
    private let names: [String]
    private let isOver = Atomic<Bool>(false)
    private let hasEnded = DispatchSemaphore(value: 0)

    init(mine: String, theirs: String, names: [String]) {
      (self.mine, self.theirs, self.names) = (mine + "/", theirs + "/", names)
    }

    func start() throws {
      let rename = unsafeBitCast(try #require(dlsym(nil, "renameat2")), to: Rename.self)
      Thread { [self] in
        for index in stride(from: 1, to: names.count, by: 2) {
          let (before, name) = (names[index - 1], names[index])
          while access(theirs + before, F_OK) == 0 && !isOver.load(ordering: .relaxed) {}
          while rename(AT_FDCWD, mine + name, AT_FDCWD, theirs + name, Self.exchange) != 0
            && rename(AT_FDCWD, mine + name, AT_FDCWD, theirs + name, Self.noReplace) != 0
          {}
        }
        hasEnded.signal()
      }.start()
    }

    func end() {
      isOver.store(true, ordering: .relaxed)
      hasEnded.wait()
    }
  }

  @Test func `a file renamed over one that is just being taken in is not lost`() throws {
    let names = (0..<Intake.batchSize).map { String(format: "%02d", $0) }
    for round in 0..<3 {
      for name in names {
        try write("inbox/" + name, "\(round) \(name) first")
        try write("mine/" + name, "\(round) \(name) second")
      }
      let writer = Writer(mine: folder + "/mine", theirs: inbox.path, names: names)
      try writer.start()
      try takeAll()
      writer.end()
      let kept = try Set(
        ["inbox", "mine"].flatMap { folder in
          try self.names(folder).map { try text(folder + "/" + $0) }
        })
      let known = try recorded()
      for text in names.flatMap({ ["\(round) \($0) first", "\(round) \($0) second"] }) {
        #expect(known.contains(sha256Hex(text)) || kept.contains(text), "\(text) is nowhere")
      }
      try takeAll()
      #expect(try self.names("inbox").isEmpty)
    }
  }

  @Test
  func `what an interrupted pass left claimed comes back under its name, or beside a new file of that name`()
    throws
  {
    try write("inbox/a", "first a")
    try write("inbox/b", "first b")
    for file in try inbox.scan() { #expect(try file.claimed() != nil) }
    #expect(try inbox.scan().isEmpty)
    try write("inbox/b", "second b")
    try inbox.settleNames(in: inbox.contents(), quietTime: 0, now: Date())
    let found = try inbox.scan()
    #expect(found.count == 3 && found.contains { $0.path == inbox.path + "/a" })
    try takeAll()
    #expect(try recorded() == Set(["first a", "first b", "second b"].map { sha256Hex($0) }))
    #expect(try names("inbox").isEmpty)
  }

  /// Overwrites every file that has got its second name and can still be opened by its first.
  private final class Overwriter: Sendable {
    private let paths: [String]
    private let isOver = Atomic<Bool>(false)
    private let hasEnded = DispatchSemaphore(value: 0)

    init(_ paths: [String]) { self.paths = paths }

    func start() {
      Thread { [self] in
        while !isOver.load(ordering: .relaxed) {
          for path in paths {
            var info = stat()
            guard lstat(path, &info) == 0, info.st_nlink > 1, let file = fopen(path, "r+") else { continue }
            fputs("overwritten", file)
            fclose(file)
          }
        }
        hasEnded.signal()
      }.start()
    }

    func end() {
      isOver.store(true, ordering: .relaxed)
      hasEnded.wait()
    }
  }

  @Test func `a writer that opens a file again while it is taken in cannot change what is on record`() throws
  {
    for name in 0..<Intake.batchSize {
      try write("inbox/\(name)", "this is the file that was number \(name)")
    }
    let overwriter = Overwriter(try inbox.scan().map(\.path))
    overwriter.start()
    try takeAll()
    overwriter.end()
    let rows = try ledger.sql("SELECT sha256, quarantine_path FROM intake").rows
    #expect(rows.count == Intake.batchSize)
    for row in rows {
      guard case .string(let digest) = row[0], case .string(let path) = row[1] else { continue }
      #expect(try FileSystem.sha256(path) == digest, "\(path) is not what was taken in")
    }
  }

  @Test func `a file that changed since it was scanned keeps its name`() throws {
    try write("inbox/a", "first")
    let seen = try #require(try inbox.scan().first)
    try write("inbox/a", "longer than the first")
    #expect(try seen.claimed() == nil)
    #expect(try names("inbox") == ["a"] && text("inbox/a") == "longer than the first")
  }

  @Test func `what is taken in is recorded under the name its writer gave it, however long`() throws {
    let name = String(repeating: "ä", count: 127)
    try write("inbox/" + name, "text")
    try takeAll()
    #expect(try names("inbox").isEmpty)
    let rows = try ledger.sql("SELECT original_path FROM intake").rows
    guard case .string(let path) = rows.first?.first else { return #expect(Bool(false), "nothing on record") }
    #expect(path == inbox.path + "/" + name)
  }

  @Test func `a name that is not UTF-8 is replaced by one that can be read, once its writer is quiet`() throws
  {
    // "Müller" and a folder "é", in Latin-1.
    let latin = Array((inbox.path + "/M").utf8) + [0xFC] + Array("ller.dcm".utf8) + [0]
    let below = Array((inbox.path + "/").utf8) + [0xE9, 0]
    #expect(mkdir(below.map(CChar.init(bitPattern:)), 0o755) == 0)
    let inside = below.dropLast() + Array("/b".utf8) + [0]
    for path in [latin, inside] {
      let file = fopen(path.map(CChar.init(bitPattern:)), "w")
      fputs(path == latin ? "one" : "two", file)
      fclose(file)
    }
    #expect(try inbox.scan().isEmpty)
    #expect(try !inbox.settleNames(in: inbox.contents(), quietTime: 60, now: Date()))
    #expect(try inbox.settleNames(in: inbox.contents(), quietTime: 60, now: Date() + 61))
    let found = try inbox.scan().map(\.path)
    #expect(found.count == 2 && found.contains { $0.hasSuffix("-M%FCller.dcm") })
    #expect(found.contains { $0.hasSuffix("-%E9/b") })
    try takeAll()
    #expect(try recorded() == Set(["one", "two"].map { sha256Hex($0) }))
  }

  @Test func `a name like ours that nobody made is an ordinary one`() {
    #expect(ClaimName.original(of: ".fuseline-note") == nil)
    #expect(ClaimName.original(of: ClaimName.make(for: "IM 1")) == "IM 1")
    #expect(ClaimName.make(for: String(repeating: "ä", count: 127)).utf8.count <= 255)
  }
}
