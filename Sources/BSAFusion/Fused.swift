// What a pass gives back.

public import Imaging
internal import Tensors

/// A dense displacement on the fixed image's grid, in pixels: fixed pixel (x, y) shows moving (x + dx, y + dy).
public struct Flow: Sendable, Hashable {
  /// Offset along the columns' index (rightwards), pixels.
  public let dx: Plane
  /// Offset along the rows' index (downwards), pixels.
  public let dy: Plane

  public init(dx: Plane, dy: Plane) {
    precondition(dx.columns == dy.columns && dx.rows == dy.rows, "both components on one grid")
    self.dx = dx
    self.dy = dy
  }

  /// A plane sampled at the displaced positions: bilinear, exact, the nearest border pixel outside (sampler V).
  public func warp(_ plane: Plane) -> Plane {
    precondition(plane.columns == dx.columns && plane.rows == dx.rows, "the flow is on the plane's grid")
    return Plane(
      columns: plane.columns, rows: plane.rows,
      pixels: sampleClamped(
        plane.pixels, width: plane.columns, height: plane.rows, dx: dx.pixels, dy: dy.pixels))
  }
}

/// The result for one pair of slices.
public struct Fused: Sendable {
  /// Fused image, 0…1.
  public let fused: Plane
  /// Where the network found the moving image's content, pixels of the working grid.
  public let flow: Flow
  /// The moving image as it was given.
  let moving: Plane

  public init(fused: Plane, flow: Flow, moving: Plane) {
    (self.fused, self.flow, self.moving) = (fused, flow, moving)
  }

  /// The moving image at those places (sampler V); sampled when asked for.
  public var aligned: Plane { flow.warp(moving) }
}
