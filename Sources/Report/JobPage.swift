// One job as one HTML page that needs nothing else: what stands where. The pictures' script is in Page/.

internal import Foundation
internal import Imaging
internal import Provenance

/// A page about a job. Patient attributes are in it only if they are in the account.
struct JobPage {
  let account: JobAccount
  /// By index of the slice; nil where there is no picture.
  let pictures: [Int: SlicePictures]
  /// Why the slices could not be made again, where only the published files are shown.
  let missing: String?
  let isRedacted: Bool
  let isLossless: Bool
  let now: Date

  var job: JobRow { account.detail.job }

  /// The page in pieces, in order.
  func pieces(_ write: (String) throws -> Void) throws {
    let title = "\(job.kind) fusion, job \(job.job)"
    let mark = "<!-- pictures -->"
    let body = [
      "<a class=\"skip\" href=\"#main\">Skip to the content</a>", header,
      "<main id=\"main\">",
      pictures.isEmpty ? noPictures : JobViewer.markup(full: missing == nil), plots, decisions, means,
      lineage, history,
      "</main>", footer, mark,
    ].joined(separator: "\n")
    let scripts = pictures.isEmpty ? [] : [Assets.viewer, Assets.plots, Assets.job]
    let page = HTML.page(title: title, body: body, scripts: scripts)
    let parts = page.components(separatedBy: mark)
    try write(parts[0])
    try write("<script type=\"application/json\" id=\"data\">\(HTML.json(viewerData))</script>\n")
    for (index, picture) in pictures.sorted(by: { $0.key < $1.key }) {
      try write("<script type=\"text/plain\" id=\"slice-\(index)\">\(picture.block)</script>\n")
    }
    try write(parts.dropFirst().joined())
  }

  private var header: String {
    let patient = account.patient.map { patient in
      let facts: [(String, String?)] = [
        ("Patient", patient.name.map { HTML.text(Self.personName($0)) }),
        ("ID", patient.patientID.map(HTML.text)),
        ("Born", Words.date(patient.birthDate)), ("Sex", patient.sex.map(HTML.text)),
        ("Study", Words.date(account.study?.date)),
        ("Description", account.study?.description.map(HTML.text)),
      ]
      return HTML.facts(facts)
    }
    return """
      <header><p class="brand">Fuseline <span>job \(job.job)</span></p>
      <h1>\(HTML.text(job.kind)) fusion <span class="state \(job.state.rawValue)">\(Words.state(job.state))</span></h1>
      <p class="lead">\(summary)</p>\(patient ?? "<p class=\"quiet\">Patient attributes are left out of this page.</p>")
      <p class="notice">Fused images are derived and resampled. They are not for primary diagnosis.</p></header>
      """
  }

  /// The components of a person name (PS3.5 6.2.1) in reading order, first group only.
  private static func personName(_ name: String) -> String {
    let group = name.split(separator: "=", omittingEmptySubsequences: false).first ?? ""
    let parts = group.split(separator: "^", omittingEmptySubsequences: false).map(String.init)
    guard parts.count > 1 else { return String(group) }
    let given = parts[1...].filter { !$0.isEmpty }.joined(separator: " ")
    return given.isEmpty ? parts[0] : "\(parts[0]), \(given)"
  }

  private var summary: String {
    if let sentence = job.sentence, job.state == .rejected || job.state == .failed {
      return "\(HTML.text(sentence)) <code>\(HTML.text(job.reason ?? ""))</code>"
    }
    let used = account.slices.filter(\.accepted)
    let largest = used.compactMap(\.max).max()
    let mean = used.isEmpty ? nil : used.compactMap(\.mean).reduce(0, +) / Double(used.count)
    var text =
      "\(account.moving.modality) brought onto \(Words.count(account.slices.count, "slice")) of \(account.fixed.modality)"
    if !used.isEmpty {
      text +=
        "; deformed on \(used.count) of them, by \(Words.number(mean, 1, "mm")) on average and "
        + "\(Words.number(largest, 1, "mm")) at most"
    }
    if used.count < account.slices.count {
      text += "; fused undeformed on \(account.slices.count - used.count)"
    }
    return HTML.text(text + ".") + " " + proof
  }

  /// Whether what is shown is what was published.
  private var proof: String {
    guard missing == nil, !account.slices.isEmpty else { return "" }
    let different = account.slices.filter { pictures[$0.idx]?.sha256 != $0.sha256 }.map(\.idx)
    if different.isEmpty {
      return
        "<span class=\"good\">Made again from the stored inputs for this page: every file is byte for byte the "
        + "published one.</span>"
    }
    return
      "<span class=\"warn\">Made again for this page; slices \(Words.ranges(different)) do not have the bytes that "
      + "were published: another processor, or a change. <code>fuseline audit reproduce</code> tells how far off.</span>"
  }

  private var noPictures: String {
    account.slices.isEmpty
      ? "<section><h2>Images</h2><p>This job has published none.</p></section>"
      : "<section><h2>Images</h2><p>\(HTML.text(missing ?? ""))</p></section>"
  }

  private var plots: String {
    account.slices.count < 2 || pictures.isEmpty
      ? ""
      : """
      <section aria-labelledby="plots-title"><h2 id="plots-title">Slice by slice</h2>
      <p class="quiet">Click a plot to go to that slice. Amber marks slices that were fused undeformed.</p>
      <div id="plots" class="plots"></div></section>
      """
  }

  private var footer: String {
    """
    <footer><p>Written \(Words.time(Timestamp.text(now)) ?? "") by Fuseline from its ledger. Pictures on this page are \
    \(isLossless ? "PNG, without loss" : "JPEG of quality \(SlicePictures.quality)"), on the network's grid and after \
    normalisation; the files named above are the record.</p></footer>
    """
  }
}
