// Who coordinates: one process at a time, found out without lock files.

internal import Foundation

/// A process that wants to coordinate, told apart from every other one.
public struct LeaseOwner: Codable, Hashable, Sendable {
  public var pid: Int32
  /// Clock ticks between boot and the start of the process; nil where the system does not tell.
  public var processStart: Int64?
  /// Changes with every boot of the machine.
  public var bootID: String
  public var host: String

  public init(pid: Int32, processStart: Int64?, bootID: String, host: String) {
    self.pid = pid
    self.processStart = processStart
    self.bootID = bootID
    self.host = host
  }

  /// This process.
  public static func current() -> LeaseOwner {
    let pid = getpid()
    let boot = (try? String(contentsOfFile: "/proc/sys/kernel/random/boot_id", encoding: .utf8)) ?? ""
    return LeaseOwner(
      pid: pid, processStart: startTicks(pid: pid),
      bootID: boot.trimmingCharacters(in: .whitespacesAndNewlines), host: ProcessInfo.processInfo.hostName)
  }

  /// Is the process of this owner still there? Only meaningful on its own machine and boot.
  public static func isAlive(_ owner: LeaseOwner) -> Bool {
    if kill(owner.pid, 0) != 0, errno == ESRCH { return false }
    guard let status = status(pid: owner.pid) else { return true }
    // A killed process whose parent does not collect it, as in a container without init, stays as a zombie.
    if status.hasEnded { return false }
    return owner.processStart.map { $0 == status.start } ?? true
  }

  private static func startTicks(pid: Int32) -> Int64? { status(pid: pid)?.start }

  /// State and start time, fields 3 and 22 of /proc/PID/stat (proc(5)); the command name before them may hold spaces
  /// and parentheses.
  private static func status(pid: Int32) -> (hasEnded: Bool, start: Int64)? {
    guard let stat = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8),
      let end = stat.lastIndex(of: ")")
    else { return nil }
    let fields = stat[stat.index(after: end)...].split(separator: " ")
    guard fields.count > 19, let start = Int64(fields[19]) else { return nil }
    return (["Z", "X", "x"].contains(fields[0]), start)
  }
}

/// The right to write, until it expires or is released.
public struct Lease: Codable, Hashable, Sendable {
  public var token: String
  public var owner: LeaseOwner
  public var acquired: String
  public var expires: String
  /// The owner whose lease was taken over, if it was.
  public var takenOverFrom: LeaseOwner?
}

/// Another coordinator holds the lease; try again later (exit code 75).
public struct LeaseHeld: Error, Hashable, Sendable, CustomStringConvertible {
  public let owner: LeaseOwner
  public let acquired: String
  public let expires: String

  public var description: String {
    "process \(owner.pid) on \(owner.host) coordinates this ledger since \(acquired) (lease until \(expires)), "
      + "stop it or wait"
  }
}
