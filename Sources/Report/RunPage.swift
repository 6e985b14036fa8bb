// One run – a night – as one HTML page: what came in, what was made, what failed and what to do about it.

internal import Foundation
internal import Pictures
internal import Pipeline
internal import Provenance

extension Reporter {
  /// A run by its number, or `last`, as `run-<number>.html`.
  /// - Throws: `LedgerError`, `CocoaError` where the page cannot be written.
  public func writeRun(_ asked: String, to folder: String) throws -> WrittenReport {
    let ledger = try Ledger.openReadOnly(path: settings.ledger)
    guard asked == "last" || Int64(asked) != nil else {
      throw LedgerError(.notFound, subject: asked, detail: "a run is named by its number, see audit runs")
    }
    let row = try ledger.run(Int64(asked))
    let summary = try ledger.summary(run: row.run)
    let details = try summary.jobs.map { try ledger.job($0.job, redact: isRedacted) }
    // One coordinator at a time: what ended while it worked is its own.
    let filter = AuditFilter(
      since: Timestamp.date(row.started),
      until: row.finished.flatMap(Timestamp.date).map { $0.addingTimeInterval(1) },
      limit: 500, redact: isRedacted)
    let page = RunPage(
      row: row, summary: summary, jobs: details, failures: try ledger.failures(filter),
      pictures: details.map { picture($0) }, isRedacted: isRedacted, now: now())
    let path = try write("run-\(row.run).html", in: folder) { try $0(page.text) }
    return WrittenReport(path: path, slices: summary.outputs, identical: 0, note: nil)
  }

  /// The middle slice of what a job published; nil where there is none or its file is gone.
  private func picture(_ detail: JobDetail) -> String? {
    guard !detail.outputs.isEmpty else { return nil }
    let path = settings.folders.output + "/" + detail.outputs[detail.outputs.count / 2].path
    guard let samples = try? PublishedPicture.samples(path),
      let jpeg = try? samples.jpeg(quality: SlicePictures.quality)
    else { return nil }
    return "data:image/jpeg;base64," + Data(jpeg).base64EncodedString()
  }
}

struct RunPage {
  let row: RunRow
  let summary: RunSummary
  let jobs: [JobDetail]
  let failures: Failures
  /// Of each job, as a data URL.
  let pictures: [String?]
  let isRedacted: Bool
  let now: Date

  var text: String {
    HTML.page(
      title: "Fuseline run \(row.run)", body: [header, main, footer].joined(separator: "\n"), scripts: [])
  }

  private var header: String {
    let end = Words.time(row.finished).map { "to \($0)" } ?? "and not ended yet"
    let state = row.state == "done" ? (failures.counts.isEmpty ? "done" : "mixed") : row.state
    let took = row.finished == nil ? "" : "; \(Words.duration(summary.seconds) ?? "")"
    return """
      <header><p class="brand">Fuseline <span>run \(row.run)</span></p>
      <h1>\(headline) <span class="state \(HTML.text(state))">\(HTML.text(row.state))</span></h1>
      <p class="lead"><code>\(HTML.text(row.command))</code> from \(Words.time(row.started) ?? "") \(end)\(took)\
      \(row.software.map { ", by Fuseline \(HTML.text($0))" } ?? "")\(row.host.map { " on \(HTML.text($0))" } ?? "").</p>
      <p class="notice">Fused images are derived and resampled. They are not for primary diagnosis.</p></header>
      """
  }

  private var headline: String {
    let pairs = summary.pairs
    if pairs.planned == 0 { return "Nothing to fuse" }
    let bad = pairs.failed + pairs.rejected
    if bad == 0 && pairs.done == pairs.planned { return "All \(Words.count(pairs.done, "pair")) fused" }
    return "\(pairs.done) of \(Words.count(pairs.planned, "pair")) fused"
  }

  private var main: String {
    "<main id=\"main\">" + [counts, trouble, cards, cases].joined(separator: "\n") + "</main>"
  }

  private var counts: String {
    let figures: [(Int, String, String)] = [
      (summary.instances.accepted, "images taken in", ""), (summary.instances.duplicate, "there before", ""),
      (summary.instances.skipped, "left out", ""),
      (summary.instances.rejected, "files refused", summary.instances.rejected > 0 ? "bad" : ""),
      (summary.pairs.done, "pairs fused", ""),
      (summary.pairs.failed, "failed", summary.pairs.failed > 0 ? "bad" : ""),
      (summary.pairs.rejected, "refused", summary.pairs.rejected > 0 ? "warn" : ""),
      (summary.outputs, "images published", ""), (summary.slices.undeformed, "of them undeformed", ""),
    ]
    let cells = figures.map { "<li class=\"\($0.2)\"><b>\($0.0)</b> \($0.1)</li>" }
    return
      "<section><h2 class=\"visually-hidden\">Counts</h2><ul class=\"figures\">\(cells.joined())</ul></section>"
  }

  private var trouble: String {
    guard !failures.counts.isEmpty else {
      return
        "<section><h2>To do</h2><p class=\"good\">Nothing: no file, series or pair failed or was refused.</p></section>"
    }
    let items = failures.counts.map { count in
      """
      <li><b>\(count.count) × \(HTML.text(count.what)) \(HTML.text(count.state))</b> \
      \(HTML.text(count.sentence ?? "")) <code>\(HTML.text(count.reason))</code></li>
      """
    }
    return "<section><h2>To do</h2><ul class=\"points\">\(items.joined(separator: "\n"))</ul></section>"
  }

  private var cards: String {
    let items = zip(jobs, pictures).map { detail, picture in card(detail, picture) }
    return items.isEmpty
      ? "" : "<section><h2>Jobs</h2><ul class=\"jobs\">\(items.joined(separator: "\n"))</ul></section>"
  }

  private func card(_ detail: JobDetail, _ picture: String?) -> String {
    let job = detail.job
    let used = detail.outputs.filter(\.accepted)
    let largest = used.compactMap(\.deformationMax).max()
    let image =
      picture.map {
        "<img src=\"\($0)\" alt=\"Fused image of job \(job.job), middle slice\" width=\"160\" height=\"160\">"
      }
      ?? "<div class=\"none\">no image</div>"
    let why = job.reason.map { "<p>\(HTML.text(job.sentence ?? $0)) <code>\(HTML.text($0))</code></p>" } ?? ""
    let patient =
      isRedacted ? "" : job.patient.map { "<p class=\"quiet\">Patient \(HTML.text($0))</p>" } ?? ""
    let numbers =
      detail.outputs.isEmpty
      ? ""
      : """
      <p>\(Words.count(detail.outputs.count, "slice")), \(used.count) deformed\
      \(largest.map { ", by \(Words.number($0, 1, "mm")) at most" } ?? "")\
      \(Words.duration(job.seconds).map { "; \($0)" } ?? "")</p>
      """
    return """
      <li>\(image)<div><h3>Job \(job.job): \(HTML.text(job.kind))
      <span class="state \(job.state.rawValue)">\(Words.state(job.state))</span></h3>\(patient)\(numbers)\(why)
      <p class="quiet"><code>fuseline report \(job.job) -o .</code></p></div></li>
      """
  }

  private var cases: String {
    guard !failures.cases.isEmpty else { return "" }
    let rows = failures.cases.map { row in
      [
        Words.time(row.time) ?? "", HTML.text(row.what), HTML.text(row.state), HTML.code(row.subject),
        HTML.text(row.modality ?? "–"), HTML.text(row.sentence ?? row.reason),
      ]
    }
    let table = HTML.table(
      "What failed or was refused", ["Time", "What", "State", "Which", "Modality", "Why, and what to do"],
      rows)
    return "<section><h2>Every case</h2>\(table)</section>"
  }

  private var footer: String {
    """
    <footer><p>Written \(Words.time(Timestamp.text(now)) ?? "") by Fuseline from its ledger. \
    <code>fuseline audit failures</code> and <code>fuseline audit jobs</code> tell more.</p></footer>
    """
  }
}
