// Plain planes without a border: sampled along a deformation, measured, checked – nothing of the network.

internal import CKernels

/// Values of a plane sampled at (x + dx, y + dy) – sampler V: exact positions, bilinear, the border pixel outside.
public func sampleClamped(_ values: [Float], width: Int, height: Int, dx: [Float], dy: [Float]) -> [Float] {
  let count = width * height
  precondition(values.count == count && dx.count == count && dy.count == count, "one offset per pixel")
  return [Float](unsafeUninitializedCapacity: count) { buffer, initialized in
    if let start = buffer.baseAddress {
      fk_sample_clamped(values, Int32(width), Int32(height), dx, dy, start, fk_current_isa())
    }
    initialized = count
  }
}

/// A deformation in numbers, over the pixels of a mask.
public struct FlowNumbers {
  /// Sum of the displacements' lengths and the greatest squared one, pixels.
  public let lengths: Double
  public let longestSquared: Double
  /// Smallest Jacobian determinant of (x + dx, y + dy), infinity without pixels, and how many are ≤ 0.
  public let smallest: Double
  public let folded: Int
  /// Pixels looked at.
  public let count: Int

  /// - Parameters:
  ///   - dx, dy: row-major offsets, pixels. Derivatives are central differences, one-sided at the border.
  ///   - mask: the pixels to look at; nil for all.
  public init(dx: [Float], dy: [Float], columns: Int, rows: Int, mask: [Bool]?) {
    let count = columns * rows
    precondition(dx.count == count && dy.count == count, "one offset per pixel")
    precondition(mask.map { $0.count == count } ?? true, "one mask value per pixel")
    var scratch = [Double](repeating: 0, count: 2 * columns)
    var found = fk_flow_numbers()
    withOptionalPointer(mask) {
      fk_measure_flow(
        dx, dy, Int32(columns), Int32(rows), $0, &scratch, &found, fk_current_isa())
    }
    (lengths, longestSquared, smallest) = (found.lengths, found.longest_squared, found.smallest)
    (folded, self.count) = (Int(found.folded), Int(found.count))
  }
}

private func withOptionalPointer(_ mask: [Bool]?, _ body: (UnsafePointer<Bool>?) -> Void) {
  guard let mask else { return body(nil) }
  mask.withUnsafeBufferPointer { body($0.baseAddress) }
}

/// Whether every value is a finite number.
public func allFinite(_ values: [Float]) -> Bool {
  values.withUnsafeBufferPointer { buffer in
    buffer.baseAddress.map { fk_all_finite($0, buffer.count) } ?? true
  }
}
