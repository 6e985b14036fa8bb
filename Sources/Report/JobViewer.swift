// The picture part of a job's page: its controls, and the numbers its script works with.

internal import Imaging
internal import Provenance

enum JobViewer {
  private static let views = [
    ("fixed", "Fixed"), ("moving", "Moving"), ("aligned", "Aligned"), ("fused", "Fused"),
    ("checker", "Checkerboard"), ("curtain", "Curtain"), ("overlay", "Overlay"), ("four", "All four"),
  ]

  /// - Parameter full: all pictures and the deformation are there, not only what was published.
  static func markup(full: Bool) -> String {
    let buttons = views.enumerated().filter { full || $1.0 == "fused" }.map { index, view in
      """
      <button type="button" data-view="\(view.0)" aria-pressed="false" aria-keyshortcuts="\(index + 1)">\(view.1) \
      <kbd>\(index + 1)</kbd></button>
      """
    }
    let overlays =
      full
      ? """
      <div class="layers" role="group" aria-label="Deformation">
      <label><input type="checkbox" id="grid"> Deformation grid <kbd>G</kbd></label>
      <label><input type="checkbox" id="map"> Magnitude map <kbd>M</kbd></label>
      <label><input type="checkbox" id="strong"> Grid drawn 4 times as strong <kbd>X</kbd></label>
      <label><input type="checkbox" id="before"> Compare before alignment <kbd>A</kbd></label></div>
      """ : ""
    return """
      <section id="viewer" aria-labelledby="viewer-title"><h2 id="viewer-title" class="visually-hidden">Images</h2>
      <div class="views" role="group" aria-label="View">\(buttons.joined(separator: "\n"))</div>
      <div class="stage"><div class="frame">
      <canvas id="picture" tabindex="0" role="img" aria-label="Slice" aria-describedby="hint"></canvas>
      <p id="hint" class="visually-hidden">Arrow keys change the slice, digits the view. Press question mark for all keys.</p>
      <div id="legend" class="legend" hidden><span id="legend-low">0</span><canvas id="legend-bar" width="160" height="10"
      aria-hidden="true"></canvas><span id="legend-high"></span></div></div>
      <aside class="side" aria-label="This slice"><p class="which"><span id="which">Slice</span>
      <button type="button" id="help" aria-haspopup="dialog">Keys <kbd>?</kbd></button></p>
      <p id="verdict" class="verdict" aria-live="polite"></p><dl class="facts" id="facts"></dl>
      <h3>Made of</h3><ul id="made" class="uids"></ul><h3>Published as</h3><ul id="published" class="uids"></ul>
      <p id="pointer" class="quiet pointer">Point at the image for positions.</p></aside></div>
      <div class="scroller"><canvas id="ticks" height="8" aria-hidden="true"></canvas>
      <label class="visually-hidden" for="slider">Slice</label>
      <input type="range" id="slider" min="1" value="1" step="1"></div>\(overlays)
      <div id="glance" class="glance" role="group" aria-label="Slices at a glance"></div>
      <dialog id="keys" aria-labelledby="keys-title"><h2 id="keys-title">Keys</h2><dl class="facts">
      <div><dt>← → ↑ ↓</dt><dd>one slice back or on</dd></div><div><dt>Page Up, Page Down</dt><dd>ten slices</dd></div>
      <div><dt>Home, End</dt><dd>first, last slice</dd></div><div><dt>1 – 8</dt><dd>view</dd></div>
      <div><dt>G, M, X</dt><dd>deformation grid, magnitude map, grid four times as strong</dd></div>
      <div><dt>A</dt><dd>compare before or after alignment</dd></div>
      <div><dt>, .</dt><dd>move the curtain; finer or coarser checkerboard</dd></div>
      <div><dt>Space</dt><dd>run through the slices</dd></div><div><dt>?</dt><dd>this list</dd></div></dl>
      <form method="dialog"><button>Close</button></form></dialog></section>
      """
  }
}

/// What the script of a page gets as JSON; names are short because there is one per slice.
struct ViewerData: Encodable {
  struct Slice: Encodable {
    let index: Int
    let position: [Double]
    let ok: Bool
    let why: String
    let mean: Double?
    let max: Double?
    let folding: Double?
    let before: Double?
    let after: Double?
    let inside: Double?
    let seconds: Double?
    /// Pixels per step of the field's signed bytes.
    let scale: Double
    let same: Bool?
    let sop: String
    let path: String
    let made: [Int]
  }
  struct Input: Encodable {
    let role: String
    let sop: String
    let sha: String
  }

  let full: Bool
  let type: String
  let side: Int
  /// mm.
  let pixel: Double
  let nodes: Int
  /// Axis along which slices lie, and the letters at the edges of a slice (left, top, right, bottom), where known.
  let axis: Int
  let edges: [String]
  let origins: [[Double]]
  let row: [Double]
  let column: [Double]
  let fixed: String
  let moving: String
  let measure: String
  let slices: [Slice]
  let inputs: [Input]
}

extension JobPage {
  var viewerData: ViewerData {
    let places = Dictionary(
      account.inputs.enumerated().map { ($1.instance, $0) }, uniquingKeysWith: { first, _ in first })
    let slices = account.slices.map { slice in
      ViewerData.Slice(
        index: slice.idx, position: [slice.x, slice.y, slice.z], ok: slice.accepted,
        why: slice.accepted ? "" : Words.refusal(slice.reason ?? "refused"), mean: slice.mean, max: slice.max,
        folding: slice.folding, before: slice.before, after: slice.after, inside: slice.inside,
        seconds: slice.seconds, scale: pictures[slice.idx]?.fieldScale ?? 0,
        same: missing == nil ? pictures[slice.idx].map { $0.sha256 == slice.sha256 } : nil, sop: slice.sop,
        path: slice.path, made: (account.made[slice.idx] ?? []).compactMap { places[$0] })
    }
    let first = pictures.min { $0.key < $1.key }?.value
    let grid = first?.grid
    let normal = grid?.normal ?? SIMD3(0, 0, 1)
    let axis = (0..<3).max { abs(normal[$0]) < abs(normal[$1]) } ?? 2
    return ViewerData(
      full: missing == nil, type: isLossless ? "image/png" : "image/jpeg", side: first?.side ?? 0,
      pixel: grid?.columnSpacing ?? 0, nodes: SlicePictures.nodes, axis: axis,
      edges: grid.map(Self.edges) ?? [],
      origins: account.slices.map { pictures[$0.idx]?.grid }.map { Self.list($0?.origin) },
      row: Self.list(grid?.rowDirection), column: Self.list(grid?.columnDirection),
      fixed: account.fixed.modality, moving: account.moving.modality,
      measure: account.slices.first?.measure ?? "similarity", slices: slices,
      inputs: account.inputs.map { .init(role: $0.role, sop: $0.sop, sha: $0.sha256) })
  }

  private static func list(_ vector: SIMD3<Double>?) -> [Double] {
    vector.map { [$0.x, $0.y, $0.z] } ?? []
  }

  /// Towards which side of the patient the edges of a picture lie (PS3.3 C.7.6.1.1.1).
  private static func edges(_ grid: PlaneGrid) -> [String] {
    func letter(_ direction: SIMD3<Double>) -> String {
      let axis = (0..<3).max { abs(direction[$0]) < abs(direction[$1]) } ?? 0
      return [["L", "R"], ["P", "A"], ["H", "F"]][axis][direction[axis] > 0 ? 0 : 1]
    }
    let right = grid.rowDirection, down = grid.columnDirection
    return [letter(-right), letter(-down), letter(right), letter(down)]
  }
}
