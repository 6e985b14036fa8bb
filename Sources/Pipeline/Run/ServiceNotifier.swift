// Tells systemd that the watcher is ready, what it does and that it lives; the datagrams of sd_notify(3), nothing more.

import Foundation
import Glibc
import Synchronization

/// Speaks to the service manager that started the program. Without one it does nothing.
///
/// `beat` is called from inside the work itself, never from a timer of its own: when the work hangs, the manager
/// hears nothing any more, ends the program and starts it anew.
public final class ServiceNotifier: Sendable {
  /// A path, or `@name` for a name in the abstract space.
  private let address: String?
  /// Seconds between signs of life; nil where the manager does not wait for any.
  private let interval: Double?
  private let uptime: @Sendable () -> Double
  private let lastBeat = Mutex(-Double.infinity)
  private let lastStatus = Mutex("")

  /// - Parameter environment: where systemd leaves `NOTIFY_SOCKET` and `WATCHDOG_USEC`.
  public init(environment: [String: String], uptime: @escaping @Sendable () -> Double) {
    address = environment["NOTIFY_SOCKET"].flatMap { $0.hasPrefix("/") || $0.hasPrefix("@") ? $0 : nil }
    let isForUs = environment["WATCHDOG_PID"].map { $0 == String(getpid()) } ?? true
    // Three signs in the time in which one is expected.
    interval = isForUs ? environment["WATCHDOG_USEC"].flatMap(Double.init).map { $0 / 1e6 / 3 } : nil
    self.uptime = uptime
  }

  public func ready() { send("READY=1") }

  public func stopping() { send("STOPPING=1") }

  /// A line for `systemctl status`; sent when it changes.
  public func status(_ text: String) {
    let isNew = lastStatus.withLock { last in
      defer { last = text }
      return last != text
    }
    if isNew { send("STATUS=" + text.replacing("\n", with: " ")) }
  }

  /// A sign of life, passed on as often as the manager wants one.
  public func beat() {
    guard let interval else { return }
    let isDue = lastBeat.withLock { last in
      let now = uptime()
      guard now - last >= interval else { return false }
      last = now
      return true
    }
    if isDue { send("WATCHDOG=1") }
  }

  /// A manager that does not listen is no reason to stop: what cannot be sent is dropped.
  private func send(_ text: String) {
    guard let address else { return }
    var name = sockaddr_un()
    name.sun_family = sa_family_t(AF_UNIX)
    var bytes = Array(address.utf8)
    guard bytes.count < MemoryLayout.size(ofValue: name.sun_path) else { return }
    if bytes[0] == UInt8(ascii: "@") { bytes[0] = 0 }
    withUnsafeMutableBytes(of: &name.sun_path) { $0.copyBytes(from: bytes) }
    let descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    guard descriptor >= 0 else { return }
    defer { close(descriptor) }
    let length = socklen_t(MemoryLayout<sa_family_t>.size + bytes.count)
    let message = Array(text.utf8)
    _ = withUnsafePointer(to: &name) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        sendto(descriptor, message, message.count, Int32(MSG_NOSIGNAL), $0, length)
      }
    }
  }
}
