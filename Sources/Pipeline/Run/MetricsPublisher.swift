// Where the watcher's numbers go: a file that is replaced as a whole, and an answer on a port of this machine.

import Foundation
import Glibc
import Logging
import Synchronization

public struct MetricsSettings: Codable, Hashable, Sendable {
  /// Nil: none is written.
  public var file: String?
  /// 0: none is opened.
  public var port: Int
}

extension MetricsSettings {
  init(_ section: YAMLSection, absolute: (String) -> String) throws {
    try section.allow(["file", "port"])
    let name = try section.string("file")
    if !name.isEmpty && !name.hasSuffix(".prom") {
      throw section.error("file", "“\(name)” must end in .prom, other names are not collected")
    }
    file = name.isEmpty ? nil : absolute(name)
    port = try section.int("port", in: 0...65_535)
  }
}

/// Publishes the latest exposition. A failure is logged once and never stops the work.
final class MetricsPublisher: Sendable {
  private let settings: MetricsSettings
  private let logger: Logger
  private let latest = Mutex("")
  private let hasComplained = Mutex(false)

  init(settings: MetricsSettings, logger: Logger) {
    self.settings = settings
    self.logger = logger
    if settings.port > 0 { serve() }
  }

  func publish(_ text: String) {
    latest.withLock { $0 = text }
    guard let file = settings.file else { return }
    do {
      // The collector is another user; no number here is a patient's.
      try FileSystem.write(Data(text.utf8), to: file, mode: 0o644)
    } catch { complain("\(error)") }
  }

  private func complain(_ why: String) {
    let isFirst = hasComplained.withLock { done in
      defer { done = true }
      return !done
    }
    if isFirst { logger.error("the metrics cannot be published", metadata: ["why": "\(why)"]) }
  }

  /// One short answer after another; a scraper asks every few seconds.
  private func serve() {
    let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    var yes: Int32 = 1
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<Int32>.size))
    var name = sockaddr_in()
    name.sin_family = sa_family_t(AF_INET)
    name.sin_port = in_port_t(UInt16(settings.port)).bigEndian
    name.sin_addr.s_addr = in_addr_t(0x7F00_0001).bigEndian
    let isBound = withUnsafePointer(to: &name) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(listener, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
      }
    }
    guard listener >= 0, isBound, listen(listener, 8) == 0 else {
      complain("port \(settings.port): \(String(cString: strerror(errno)))")
      if listener >= 0 { close(listener) }
      return
    }
    Thread { [self] in
      while true {
        let client = accept(listener, nil, nil)
        if client >= 0 { answer(client) }
      }
    }.start()
  }

  private func answer(_ client: Int32) {
    defer { close(client) }
    // A client that says nothing must not keep the others waiting.
    var patience = timeval(tv_sec: 2, tv_usec: 0)
    for option in [SO_RCVTIMEO, SO_SNDTIMEO] {
      setsockopt(client, SOL_SOCKET, option, &patience, socklen_t(MemoryLayout<timeval>.size))
    }
    var buffer = [UInt8](repeating: 0, count: 4096)
    let count = recv(client, &buffer, buffer.count, 0)
    guard count > 0 else { return }
    let request = String(decoding: buffer[..<count], as: UTF8.self)
    let isKnown = request.hasPrefix("GET /metrics ")
    let body = isKnown ? latest.withLock { $0 } : "only GET /metrics is answered here\n"
    let head =
      "HTTP/1.1 \(isKnown ? "200 OK" : "404 Not Found")\r\nContent-Type: text/plain; version=0.0.4\r\n"
      + "Content-Length: \(body.utf8.count)\r\nConnection: close\r\n\r\n"
    var rest = Array((head + body).utf8)[...]
    while !rest.isEmpty {
      let sent = rest.withUnsafeBytes { send(client, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
      if sent <= 0 { return }
      rest = rest.dropFirst(sent)
    }
  }
}
