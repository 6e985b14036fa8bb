// One coordinator at a time, without lock files.

import Foundation
import Testing

@testable import Provenance

@Suite struct LeaseTests {
  static func owner(pid: Int32 = 100, boot: String = "boot-1", host: String = "node1") -> LeaseOwner {
    LeaseOwner(pid: pid, processStart: 1, bootID: boot, host: host)
  }

  @Test func `a second coordinator is refused while the first one lives`() throws {
    let fixture = try Fixture()
    _ = try fixture.ledger.acquireLease(owner: Self.owner(), seconds: 30)
    let second = try fixture.again()
    let error = #expect(throws: LeaseHeld.self) {
      try second.acquireLease(owner: Self.owner(pid: 200), seconds: 30, isAlive: { _ in true })
    }
    #expect(error?.owner.pid == 100)
    #expect(error?.description.contains("process 100 on node1") == true)
  }

  @Test(arguments: [
    ("expired", 31.0, owner(pid: 200), true), ("process gone", 1, owner(pid: 200), false),
    ("rebooted since", 1, owner(pid: 200, boot: "boot-2"), true),
  ]) func `the lease of an owner that is gone is taken over`(
    why: String, seconds: Double, successor: LeaseOwner, alive: Bool
  ) throws {
    let fixture = try Fixture()
    let first = try fixture.ledger.acquireLease(owner: Self.owner(), seconds: 30)
    fixture.clock.advance(seconds)
    let second = try fixture.again()
    let lease = try second.acquireLease(owner: successor, seconds: 30, isAlive: { _ in alive })
    #expect(lease.takenOverFrom == first.owner)
    #expect(try second.lease()?.owner == successor)
    #expect(try second.events(.init(state: "lease.taken_over")).count == 1)
  }

  @Test func `another host's process is trusted until its lease expires`() throws {
    let fixture = try Fixture()
    _ = try fixture.ledger.acquireLease(owner: Self.owner(), seconds: 30)
    let second = try fixture.again()
    #expect(throws: LeaseHeld.self) {
      try second.acquireLease(
        owner: Self.owner(boot: "boot-2", host: "node2"), seconds: 30, isAlive: { _ in false })
    }
  }

  @Test func `a coordinator that slept past its lease cannot write any more`() throws {
    let fixture = try Fixture()
    let lease = try fixture.ledger.acquireLease(owner: Self.owner(), seconds: 30)
    fixture.clock.advance(60)
    let second = try fixture.again()
    _ = try second.acquireLease(owner: Self.owner(pid: 200), seconds: 30)
    let error = #expect(throws: LedgerError.self) {
      try fixture.ledger.beginRun(command: "run", settings: nil, software: nil)
    }
    #expect(error?.reason == .leaseLost)
    #expect(throws: LedgerError.self) { try fixture.ledger.renewLease(lease, seconds: 30) }
    #expect(throws: LedgerError.self) { try fixture.ledger.releaseLease(lease) }
    _ = try second.beginRun(command: "run", settings: nil, software: nil)
  }

  @Test func `a renewed lease holds, a released one is free`() throws {
    let fixture = try Fixture()
    var lease = try fixture.ledger.acquireLease(owner: Self.owner(), seconds: 30)
    fixture.clock.advance(20)
    lease = try fixture.ledger.renewLease(lease, seconds: 30)
    fixture.clock.advance(20)
    let second = try fixture.again()
    #expect(throws: LeaseHeld.self) {
      try second.acquireLease(owner: Self.owner(pid: 200), seconds: 30, isAlive: { _ in true })
    }
    try fixture.ledger.releaseLease(lease)
    #expect(try second.acquireLease(owner: Self.owner(pid: 200), seconds: 30).takenOverFrom == nil)
  }

  @Test func `this process is alive, and one that has ended is not`() throws {
    let mine = LeaseOwner.current()
    #expect(mine.pid == getpid() && !mine.bootID.isEmpty && mine.processStart != nil)
    #expect(LeaseOwner.isAlive(mine))
    var recycled = mine
    recycled.processStart = 1
    #expect(!LeaseOwner.isAlive(recycled), "the pid belongs to another process now")
    let child = Process()
    child.executableURL = URL(fileURLWithPath: "/bin/true")
    try child.run()
    let pid = child.processIdentifier
    child.waitUntilExit()
    #expect(!LeaseOwner.isAlive(LeaseOwner(pid: pid, processStart: nil, bootID: "", host: "")))
  }

  @Test func `a killed process that nobody has collected yet is gone`() throws {
    var arguments: [UnsafeMutablePointer<CChar>?] = [strdup("sleep"), strdup("60"), nil]
    defer { for argument in arguments { free(argument) } }
    var pid: pid_t = 0
    #expect(posix_spawn(&pid, "/bin/sleep", nil, nil, &arguments, nil) == 0)
    let child = LeaseOwner(pid: pid, processStart: nil, bootID: "", host: "")
    #expect(LeaseOwner.isAlive(child))
    kill(pid, SIGKILL)
    var information = siginfo_t()
    // Waits for its end without collecting it.
    #expect(waitid(P_PID, id_t(pid), &information, WEXITED | WNOWAIT) == 0)
    #expect(!LeaseOwner.isAlive(child))
    waitpid(pid, nil, 0)
  }
}
