// Taking, keeping and giving back the lease. Every change of the ledger checks that it is still held.

internal import Foundation
internal import GRDB
internal import Synchronization

extension Ledger {
  /// Takes the lease, or takes it over from an owner that is gone: expired, on this host before the last boot,
  /// or a process of this host and boot that no longer runs.
  /// - Throws: `LeaseHeld` where another coordinator is alive.
  public func acquireLease(
    owner: LeaseOwner = .current(), seconds: Double,
    isAlive: (LeaseOwner) -> Bool = { LeaseOwner.isAlive($0) }
  ) throws -> Lease {
    let token = UUID().uuidString.lowercased()
    let lease = try write { change in
      let held = try Self.refuseIfLeased(change.db, owner: owner, now: change.now, isAlive: isAlive)
      let expires = Timestamp.text(change.date.addingTimeInterval(seconds))
      try change.run("DELETE FROM lease")
      try change.run(
        """
        INSERT INTO lease (id, token, pid, process_start, boot_id, host, acquired, renewed, expires)
        VALUES (1, ?, ?, ?, ?, ?, ?, ?, ?)
        """,
        [token, owner.pid, owner.processStart, owner.bootID, owner.host, change.now, change.now, expires])
      try change.append(
        held == nil ? "lease.acquired" : "lease.taken_over", subject: "lease:\(owner.host)",
        ["pid": .integer(Int64(owner.pid)), "from_pid": JSONValue(held.map { Int64($0.owner.pid) })])
      return Lease(
        token: token, owner: owner, acquired: change.now, expires: expires, takenOverFrom: held?.owner)
    }
    leaseToken.withLock { $0 = token }
    return lease
  }

  /// Extends the lease by `seconds` from now. No event: this happens every few seconds and changes nothing.
  /// - Throws: `LedgerError.Reason.leaseLost`.
  public func renewLease(_ lease: Lease, seconds: Double) throws -> Lease {
    try write { change in
      let expires = Timestamp.text(change.date.addingTimeInterval(seconds))
      try change.run(
        "UPDATE lease SET renewed = ?, expires = ? WHERE token = ?", [change.now, expires, lease.token])
      guard change.db.changesCount == 1 else { throw leaseLost() }
      var renewed = lease
      renewed.expires = expires
      return renewed
    }
  }

  /// Gives the lease back.
  public func releaseLease(_ lease: Lease) throws {
    try write { change in
      try change.run("DELETE FROM lease WHERE token = ?", [lease.token])
      guard change.db.changesCount == 1 else { throw leaseLost() }
      try change.append(
        "lease.released", subject: "lease:\(lease.owner.host)", ["pid": .integer(Int64(lease.owner.pid))])
    }
    leaseToken.withLock { $0 = nil }
  }

  /// Who coordinates now, if anybody.
  public func lease() throws -> Lease? {
    try read { try Self.currentLease($0) }
  }

  /// The lease of an owner that is gone, nil where there is none.
  /// - Throws: `LeaseHeld` where the owner is alive.
  @discardableResult
  static func refuseIfLeased(
    _ db: Database, owner: LeaseOwner, now: String, isAlive: (LeaseOwner) -> Bool
  ) throws -> Lease? {
    guard let held = try currentLease(db) else { return nil }
    guard isGone(held, for: owner, now: now, isAlive: isAlive) else {
      throw LeaseHeld(owner: held.owner, acquired: held.acquired, expires: held.expires)
    }
    return held
  }

  private static func currentLease(_ db: Database) throws -> Lease? {
    guard let row = try Row.fetchOne(db, sql: "SELECT * FROM lease") else { return nil }
    let owner = LeaseOwner(
      pid: row["pid"], processStart: row["process_start"], bootID: row["boot_id"], host: row["host"])
    return Lease(token: row["token"], owner: owner, acquired: row["acquired"], expires: row["expires"])
  }

  private static func isGone(
    _ held: Lease, for owner: LeaseOwner, now: String, isAlive: (LeaseOwner) -> Bool
  ) -> Bool {
    if held.expires <= now { return true }
    // Only on the same host do boot and process tell anything.
    guard held.owner.host == owner.host else { return false }
    return held.owner.bootID != owner.bootID || !isAlive(held.owner)
  }

  /// A coordinator that slept past its lease must not write into its successor's ledger.
  func refuseIfLeaseLost(_ db: Database) throws {
    guard let token = leaseToken.withLock({ $0 }) else { return }
    let current = try String.fetchOne(db.cachedStatement(sql: "SELECT token FROM lease"))
    if current != token { throw leaseLost() }
  }

  private func leaseLost() -> LedgerError {
    LedgerError(
      .leaseLost, subject: path,
      detail: "another coordinator has taken over since the lease expired, this process must stop")
  }
}
