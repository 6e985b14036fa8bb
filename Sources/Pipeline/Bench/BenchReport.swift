// What was measured, as `bench --json` prints it.

import Foundation
import Glibc
import Tensors

/// One thing measured: seconds per piece of work in each window.
public struct BenchPart: Codable, Hashable, Sendable {
  /// `engine`, `engines`, `resampling`, …
  public let name: String
  /// What one piece is, for instance "pair of 256×256".
  public let piece: String
  /// Threads at work.
  public let workers: Int
  /// Seconds per piece, one entry a window.
  public let windows: [Elapsed]
  /// Medians over the windows, seconds per piece.
  public let median: Elapsed
  /// Shortest and longest processor time per piece of a window, seconds.
  public let cpuRange: [Double]

  init(_ name: String, piece: String, workers: Int = 1, windows: [Elapsed]) {
    self.name = name
    self.piece = piece
    self.workers = workers
    self.windows = windows
    let cpu = windows.map(\.cpu).sorted(), wall = windows.map(\.wall).sorted()
    median =
      windows.isEmpty ? Elapsed(wall: 0, cpu: 0) : Elapsed(wall: Self.middle(wall), cpu: Self.middle(cpu))
    cpuRange = windows.isEmpty ? [] : [cpu[0], cpu[cpu.count - 1]]
  }

  private static func middle(_ sorted: [Double]) -> Double {
    let half = sorted.count / 2
    return sorted.count % 2 == 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2
  }
}

/// What the numbers depend on.
public struct BenchMachine: Codable, Hashable, Sendable {
  public let processor: String
  public let cores: Int
  /// Instruction set of the kernels in use.
  public let instructions: String
  /// Those of the processor's flags that kernels care about.
  public let flags: [String]
  /// Load average over a minute when measuring began.
  public let load: Double

  static var this: BenchMachine {
    let text = (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)) ?? ""
    func field(_ name: String) -> String {
      let line = text.split(separator: "\n").first { $0.hasPrefix(name) } ?? ""
      return line.split(separator: ":").dropFirst().joined(separator: ":").trimmingCharacters(
        in: .whitespaces)
    }
    let wanted = ["sse4_2", "avx", "avx2", "fma", "avx512", "amx"]
    var load = [0.0]
    getloadavg(&load, 1)
    return BenchMachine(
      processor: field("model name"), cores: ProcessInfo.processInfo.activeProcessorCount,
      instructions: Machine.instructions.rawValue,
      flags: field("flags").split(separator: " ").map(String.init).filter { flag in
        wanted.contains { $0 == flag || ($0 != "avx" && flag.hasPrefix($0)) }
      }, load: load[0])
  }
}

public struct BenchReport: Codable, Sendable {
  public let machine: BenchMachine
  public let parts: [BenchPart]
  public let study: StudyBench.Result?
  /// Largest resident size of the process so far, bytes.
  public let peakBytes: Int

  /// VmHWM of /proc/self/status.
  static var peakBytes: Int {
    let text = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
    let line = text.split(separator: "\n").first { $0.hasPrefix("VmHWM:") } ?? ""
    return line.split(whereSeparator: { !$0.isNumber }).first.flatMap { Int($0) }.map { $0 * 1024 } ?? 0
  }
}
