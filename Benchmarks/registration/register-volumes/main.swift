// Registers pairs of uncompressed MetaImage volumes and prints one JSON line a pair – for benchmarks, not for users.

import Foundation
import Glibc
import Imaging
import Registration

/// A float volume in the MetaImage format, header and data in one file, as SimpleITK writes it uncompressed.
func metaImage(_ path: String) throws -> Volume {
  let data = try Data(contentsOf: URL(filePath: path), options: .alwaysMapped)
  let marker = Data("ElementDataFile = LOCAL\n".utf8)
  guard let end = data.range(of: marker) else { throw CocoaError(.fileReadCorruptFile) }
  var fields: [String: [Double]] = [:]
  for line in String(decoding: data[..<end.lowerBound], as: UTF8.self).split(separator: "\n") {
    let parts = line.split(separator: "=", maxSplits: 1)
    guard parts.count == 2 else { continue }
    fields[parts[0].trimmingCharacters(in: .whitespaces)] = parts[1].split(separator: " ").compactMap {
      Double($0)
    }
  }
  guard let size = fields["DimSize"], let spacing = fields["ElementSpacing"], let offset = fields["Offset"],
    let axes = fields["TransformMatrix"], size.count == 3, axes.count == 9
  else { throw CocoaError(.fileReadCorruptFile) }
  let directions = (0..<3).map { SIMD3(axes[3 * $0], axes[3 * $0 + 1], axes[3 * $0 + 2]) }
  let origin = SIMD3(offset[0], offset[1], offset[2])
  let plane = PlaneGrid(
    columns: Int(size[0]), rows: Int(size[1]), origin: origin, rowDirection: directions[0],
    columnDirection: directions[1], columnSpacing: spacing[0], rowSpacing: spacing[1])
  let count = Int(size[0] * size[1] * size[2])
  let voxels = [Float](unsafeUninitializedCapacity: count) { buffer, filled in
    filled = data[end.upperBound...].copyBytes(to: buffer) / 4
  }
  return Volume(
    grid: VolumeGrid(
      plane: plane, origins: (0..<Int(size[2])).map { origin + Double($0) * spacing[2] * directions[2] }),
    voxels: voxels)
}

func processorSeconds() -> Double {
  var time = timespec()
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
  return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
}

struct Line: Encodable {
  let fixed: String
  let moving: String
  let result: RegistrationResult
  let evidence: RegistrationEvidence
  let evidence_seconds: Double
  let cpu_seconds: Double
  let prepare_seconds: Double
}

let encoder = JSONEncoder()
encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
let paths = Array(CommandLine.arguments.dropFirst())
for index in stride(from: 0, to: paths.count - 1, by: 2) {
  let (fixed, moving) = (try metaImage(paths[index]), try metaImage(paths[index + 1]))
  let started = processorSeconds()
  let pyramids = (try Pyramid(fixed), try Pyramid(moving))
  let prepared = processorSeconds()
  let registration = RigidRegistration(fixed: pyramids.0, moving: pyramids.1)
  let result = registration.register()
  let registered = processorSeconds()
  let evidence = registration.evidence(result)
  let line = Line(
    fixed: paths[index], moving: paths[index + 1], result: result, evidence: evidence,
    evidence_seconds: processorSeconds() - registered, cpu_seconds: processorSeconds() - started,
    prepare_seconds: prepared - started)
  print(String(decoding: try encoder.encode(line), as: UTF8.self))
}
