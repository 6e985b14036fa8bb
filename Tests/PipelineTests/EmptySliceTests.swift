// A slice in which one of the images shows nothing: the other one is the picture.

import BSAFusion
import Foundation
import Imaging
import Testing

@testable import Pipeline

@Suite struct EmptySliceTests {
  private static let top = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent().path

  private struct Missing: Error {}

  /// A window above all bone: every slice of the CT is black.
  @Test func `a fixed slice that shows nothing leaves the moving image as it lies`() throws {
    let settings = try Settings(
      yaml: "normalization: {CT: {method: window, center: 9000 HU, width: 2 HU}}", file: "/site/pipeline.yaml"
    )
    let study = Self.top + "/sample-studies/pet-ct/"
    let pair = try AdHocPair(settings: settings).pair(
      fixed: study + "CT_HEAD_AC", moving: study + "PT_FDG_HEAD")
    let volumes = try PairVolumes(pair, settings: settings)
    let model = try ModelLibrary.network("pet-mr", folder: Self.top + "/Models")
    let fuser = try SliceFuser(
      volumes: volumes, model: model, settings: settings, prepared: PreparedSlices())
    let planes = try volumes.planes(slice: 5)
    let slice = try fuser.fuse(slice: 5)
    #expect(slice.record.reason == "no_contrast")
    let colour = try #require(volumes.pair.rule.colour.flatMap(ColourTable.named))
    let moving = ColourPicture(planes.moving, table: colour)
    let still = Flow(
      dx: Plane(columns: planes.grid.columns, rows: planes.grid.rows),
      dy: Plane(columns: planes.grid.columns, rows: planes.grid.rows))
    let view = FieldOfView(
      inside: planes.inside, columns: planes.grid.columns, rows: planes.grid.rows, flow: still)
    let expected = moving.coloured(view.compose(moving.luminance, fixed: planes.fixed), flow: still)
    guard case .rgb(let bytes) = slice.pixels else { throw Missing() }
    #expect(bytes == expected.interleavedBytes)
  }
}
