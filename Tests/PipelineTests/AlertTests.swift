// Alerts: one of a kind in the cool-down, the number held back, on a clock that the test moves.

import Foundation
import Logging
import Provenance
import Synchronization
import Testing

@testable import Pipeline

@Suite final class AlertTests {
  private final class WallClock: Sendable {
    private let value = Mutex(Date(timeIntervalSince1970: 1_772_330_400))
    var now: Date { value.withLock { $0 } }
    func advance(_ seconds: Double) { value.withLock { $0.addTimeInterval(seconds) } }
  }

  private let folder = NSTemporaryDirectory() + "alerts-\(UUID().uuidString)"
  private let clock = WallClock()
  private let ledger: Ledger

  init() throws {
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    ledger = try Ledger.open(path: folder + "/fuseline.sqlite", clock: { [clock] in clock.now })
  }

  deinit { try? FileManager.default.removeItem(atPath: folder) }

  private func alerts() -> Alerts {
    // Each alert is a file of its own, so that it does not matter which command ends first.
    let command = ["/bin/sh", "-c", "cat > \"$0/$$.part\" && mv \"$0/$$.part\" \"$0/$$.alert\"", folder]
    return Alerts(
      settings: AlertSettings(command: command, coolDown: 3600), ledger: ledger,
      logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }, now: { [clock] in clock.now })
  }

  /// What was raised, once `count` have arrived.
  private func raised(_ count: Int) throws -> [String] {
    var found: [String] = []
    for _ in 0..<6000 {
      found = try FileManager.default.contentsOfDirectory(atPath: folder).filter { $0.hasSuffix(".alert") }
      if found.count >= count { break }
      usleep(100_000)
    }
    return try found.map { name in
      let data = try Data(contentsOf: URL(fileURLWithPath: folder + "/" + name))
      let alert = try #require(JSONSerialization.jsonObject(with: data) as? [String: Any])
      return "\(alert["event"] ?? "") \(alert["reason"] ?? "") held \(alert["held"] ?? "")"
    }.sorted()
  }

  @Test func `one kind is raised once in the cool-down, and the next says how many were held back`() throws {
    let alerts = alerts()
    let low = Alert(kind: .lowSpace, reason: "low_space", sentence: "only 3 MiB are free")
    alerts.raise(low)
    clock.advance(1800)
    alerts.raise(low)
    clock.advance(1799)
    alerts.raise(low)
    // Another kind has its own time.
    alerts.raise(Alert(kind: .deadLetter, job: 7, reason: "timeout", sentence: "not done after 3 s"))
    clock.advance(1)
    alerts.raise(low)
    #expect(
      try raised(3) == [
        "dead_letter timeout held 0", "low_space low_space held 0", "low_space low_space held 2",
      ])
  }

  @Test func `the cool-down outlives the process, and a clock put back does not silence anybody`() throws {
    let low = Alert(kind: .lowSpace, reason: "low_space", sentence: "only 3 MiB are free")
    alerts().raise(low)
    clock.advance(60)
    alerts().raise(low)
    clock.advance(-86_400)
    alerts().raise(low)
    #expect(try raised(2).count == 2)
  }
}
