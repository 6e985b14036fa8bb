// Whatever instant a process or the machine stops at, what is on disk is a whole ledger.

import Foundation
import Testing

@testable import Provenance

@Suite struct CrashTests {
  @Test func `a write-ahead log torn at any length leaves a whole ledger`() throws {
    let fixture = try Fixture()
    _ = try fixture.finished()
    let log = try Data(contentsOf: URL(fileURLWithPath: fixture.path + "-wal"))
    let base = try Data(contentsOf: URL(fileURLWithPath: fixture.path))
    #expect(log.count > 100_000)
    var lengths: Set<Int> = []
    for part in 0...24 {
      let copy = fixture.folder + "/copy\(part).sqlite"
      try base.write(to: URL(fileURLWithPath: copy))
      // An odd length tears a frame; the last one is complete.
      let length = part == 24 ? log.count : log.count * part / 24 / 2 * 2 + 1
      try log.prefix(length).write(to: URL(fileURLWithPath: copy + "-wal"))
      let ledger = try Ledger.open(path: copy)
      let verdict = try ledger.verify()
      #expect(verdict.whole, "cut at \(length): \(verdict.broken)")
      lengths.insert(verdict.events)
      _ = try ledger.beginRun(command: "run", settings: nil, software: nil)
      #expect(try ledger.verify().whole)
      try ledger.close()
    }
    #expect(lengths.count > 10, "the cuts fell into different states: \(lengths.sorted())")
  }

  @Test func `many readers and a writer do not disturb one another`() async throws {
    let fixture = try Fixture()
    let (run, job) = try fixture.planned()
    let path = fixture.path
    try await withThrowingTaskGroup(of: Void.self) { group in
      for _ in 0..<3 {
        group.addTask {
          for _ in 0..<10 {
            let reader = try Ledger.openReadOnly(path: path)
            #expect(try reader.verify().whole)
            try reader.close()
          }
        }
      }
      let attempt = try fixture.ledger.startAttempt(job: job.id, run: run)
      for index in 0..<3 {
        try fixture.ledger.commitPublished(Fixture.slice(index), job: job.id, attempt: attempt, intent: nil)
      }
      try fixture.ledger.finishJob(job.id)
      try await group.waitForAll()
    }
    #expect(try fixture.ledger.jobState(job.id).state == .done)
  }
}
