// Small parts of the daemon: retry pauses, datagrams for systemd, what is mounted where, settling.

import Foundation
import Provenance
import Testing

@testable import Pipeline

@Suite struct WatchPartsTests {
  private func rule(attempts: Int = 4, jitter: Double = 0) -> RetryRule {
    RetryRule(attempts: attempts, delay: 10, multiplier: 3, maximum: 60, jitter: jitter)
  }

  @Test func `pauses grow up to their maximum, and the last attempt has none`() {
    #expect((1...4).map { rule().delay(afterAttempt: $0, of: "k") } == [10, 30, 60, nil])
    #expect(rule(attempts: 0).delay(afterAttempt: 500, of: "k") == 60)
  }

  @Test func `jitter stays within its bounds and parts two jobs`() {
    let pauses = (0..<50).compactMap { rule(jitter: 0.2).delay(afterAttempt: 1, of: "job \($0)") }
    #expect(pauses.allSatisfy { (8...12).contains($0) })
    #expect(Set(pauses).count == 50)
    #expect(
      rule(jitter: 0.2).delay(afterAttempt: 1, of: "a") == rule(jitter: 0.2).delay(afterAttempt: 1, of: "a"))
  }

  @Test func `systemd hears that it is ready, what it does, and that it lives`() throws {
    let path = NSTemporaryDirectory() + "n-\(UUID().uuidString.prefix(8))"
    let listener = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0)
    defer {
      close(listener)
      unlink(path)
    }
    var name = sockaddr_un()
    name.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &name.sun_path) { $0.copyBytes(from: Array(path.utf8)) }
    let bound = withUnsafePointer(to: &name) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(listener, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
      }
    }
    #expect(bound == 0)
    let notifier = ServiceNotifier(
      environment: ["NOTIFY_SOCKET": path, "WATCHDOG_USEC": "60000000"], uptime: { 100 })
    notifier.ready()
    notifier.status("one\ntwo")
    notifier.status("one\ntwo")
    notifier.beat()
    notifier.beat()
    notifier.stopping()
    var heard: [String] = []
    var buffer = [UInt8](repeating: 0, count: 256)
    while true {
      let count = recv(listener, &buffer, buffer.count, Int32(MSG_DONTWAIT))
      if count < 0 { break }
      heard.append(String(decoding: buffer[..<count], as: UTF8.self))
    }
    #expect(heard == ["READY=1", "STATUS=one two", "WATCHDOG=1", "STOPPING=1"])
  }

  @Test func `another program's watchdog and no manager at all are silence`() {
    ServiceNotifier(environment: [:], uptime: { 0 }).beat()
    ServiceNotifier(environment: ["NOTIFY_SOCKET": "/nowhere/at/all"], uptime: { 0 }).ready()
  }

  @Test func `a share is told from a disk by the deepest mount that holds the folder`() {
    let table = """
      22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw
      30 22 0:40 / /srv/drop\\040box rw,relatime shared:5 - nfs4 nas:/export rw,vers=4.2
      31 22 0:41 / /srv rw - cifs //nas/x rw
      """
    #expect(Mounts.fileSystem(of: "/srv/drop box/inbox", table: table) == "nfs4")
    #expect(Mounts.fileSystem(of: "/srv/other", table: table) == "cifs")
    #expect(Mounts.fileSystem(of: "/home/x", table: table) == "ext4")
  }

  @Test func `a study has settled once nothing came for the settle time`() {
    let box = Box()
    let settling = Settling(seconds: 60, uptime: { box.value })
    var study = DueStudy(uid: "1.2", arrivals: 3, lastArrival: "2026-03-01T02:00:00.000Z")
    #expect(!settling.isSettled(study))
    box.value = 59
    #expect(!settling.isSettled(study))
    study.arrivals = 4
    box.value = 61
    #expect(!settling.isSettled(study))
    box.value = 121
    #expect(settling.isSettled(study))
  }

  /// A number that a test moves; used from one thread.
  private final class Box: @unchecked Sendable { var value = 0.0 }

  @Test func `a pass by cron is over when what it found waiting has been taken in and has settled`() {
    let pass = ScheduledPass()
    let date = Date(timeIntervalSince1970: 1000)
    #expect(pass.end(by: 500, hasFiles: false, unsettled: []) == nil, "none has begun")
    #expect(pass.begin(at: date, uptime: 500, interval: 10))
    #expect(!pass.begin(at: date + 1, uptime: 501, interval: 10))
    #expect(pass.firstLook == 510)
    #expect(pass.end(by: 500, hasFiles: false, unsettled: []) == nil, "nobody has looked yet")
    #expect(pass.end(by: 510, hasFiles: true, unsettled: ["1"]) == nil)
    #expect(pass.end(by: 900, hasFiles: true, unsettled: []) == nil, "files are still taken in")
    #expect(pass.end(by: 901, hasFiles: false, unsettled: ["1", "2"]) == nil)
    #expect(pass.end(by: 950, hasFiles: false, unsettled: ["2", "3"]) == nil)
    #expect(pass.end(by: 951, hasFiles: false, unsettled: ["3"]) == date, "study 3 is for the next one")
    #expect(pass.begin(at: date + 100, uptime: 1000, interval: 10), "the next one is another")
    #expect(pass.end(by: 1010, hasFiles: false, unsettled: []) == date + 100)
  }
}
