// The written parts of a job's page: decisions, means, lineage, history.

internal import Foundation
internal import Provenance

extension JobPage {
  var decisions: String {
    var points: [String] = []
    let used = account.slices.filter(\.accepted).map(\.idx)
    if !used.isEmpty {
      points.append(
        "<b>Deformed</b> on slices \(Words.ranges(used)): it does not fold, and the pair has no less in common."
      )
    }
    let refused = Dictionary(grouping: account.slices.filter { !$0.accepted }) { $0.reason ?? "refused" }
    for (reason, slices) in refused.sorted(by: { $0.key < $1.key }) {
      points.append(
        "<b>Not deformed</b> on slices \(Words.ranges(slices.map(\.idx))): \(HTML.text(Words.refusal(reason))) "
          + "<code>\(HTML.text(reason))</code>")
    }
    for (name, document) in [
      (account.fixed.modality, account.detail.normalization.fixed),
      (account.moving.modality, account.detail.normalization.moving),
    ] {
      let leaves = Dictionary(Words.leaves(document)) { first, _ in first }
      if let fallback = leaves["fallback"] {
        points.append("<b>\(HTML.text(name))</b> was not normalised as configured: \(HTML.text(fallback)).")
      }
    }
    if let planned = job.slices, planned != account.slices.count, !account.slices.isEmpty {
      points.append("\(account.slices.count) of \(planned) slices are published.")
    }
    if let reason = job.reason {
      points.append("<b>The job</b>: \(HTML.text(job.sentence ?? reason)) <code>\(HTML.text(reason))</code>")
    }
    if let missing {
      points.append(
        "<b>This page</b> shows the published images only, for the rest could not be made again: \(HTML.text(missing))"
      )
    }
    if let other = job.supersededBy { points.append("Job \(other) stands for this one now.") }
    let list = points.map { "<li>\($0)</li>" }.joined(separator: "\n")
    return "<section><h2>Decisions</h2><ul class=\"points\">\(list)</ul></section>"
  }

  var means: String {
    let software = account.software
    let model = account.model.map { "\(HTML.text($0.name)) \(HTML.code($0.sha256))" }
    let blocks: [(String, String)] = [
      ("Series", HTML.facts([series("Fixed", account.fixed), series("Moving", account.moving)])),
      (
        "Means",
        HTML.facts([
          ("Model", model), ("Settings", HTML.code(account.settingsSHA256)),
          ("Software", HTML.text("Fuseline \(software.version)")),
          ("Computed with", HTML.text("\(software.blas), \(software.kernels), on \(software.host)")),
          ("Interpolation", account.detail.interpolation.map(HTML.text)),
        ])
      ),
      ("Registration", leaves(account.detail.registration)),
      ("Normalisation, fixed", leaves(account.detail.normalization.fixed)),
      ("Normalisation, moving", leaves(account.detail.normalization.moving)),
      ("Working grid and notes", leaves(account.detail.details)),
    ]
    let cards = blocks.filter { !$0.1.isEmpty }.map { "<div class=\"card\"><h3>\($0.0)</h3>\($0.1)</div>" }
    let settings = (try? account.settings.decode(JSONValue.self)).map(Self.pretty) ?? account.settings.text
    return """
      <section><h2>How it was made</h2><div class="cards">\(cards.joined(separator: "\n"))</div>
      \(HTML.more("All settings that shape an output", "<pre>\(HTML.text(settings))</pre>"))</section>
      """
  }

  private func series(_ role: String, _ series: JobAccount.Series) -> (String, String?) {
    let number = series.number.map { " · series \($0)" } ?? ""
    let description = series.description.map { " · \($0)" } ?? ""
    return (role, HTML.text(series.modality + number + description) + " " + HTML.code(series.uid))
  }

  private func leaves(_ document: JSONDocument?) -> String {
    let rows = Words.leaves(document)
    return rows.isEmpty ? "" : HTML.facts(rows.map { ($0.0, HTML.text($0.1)) })
  }

  var lineage: String {
    guard !account.slices.isEmpty else { return "" }
    let numbers = account.slices.map { slice in
      [
        "<a href=\"#slice=\(slice.idx + 1)\">\(slice.idx + 1)</a>",
        slice.accepted ? "yes" : "no: \(HTML.text(Words.refusal(slice.reason ?? "")))",
        Words.number(slice.mean), Words.number(slice.max), Words.number(slice.folding.map { $0 * 100 }),
        Words.number(slice.before, 3), Words.number(slice.after, 3),
        Words.number(slice.inside.map { $0 * 100 }, 0), Words.number(slice.seconds),
      ]
    }
    let outputs = account.slices.map { slice in
      let made = pictures[slice.idx].map { $0.sha256 == slice.sha256 ? "yes" : "no" }
      return [
        "\(slice.idx + 1)", HTML.code(slice.sop), HTML.code(slice.sha256), missing == nil ? made ?? "–" : "–",
        HTML.text(slice.path),
      ]
    }
    let inputs = account.inputs.map {
      [HTML.text($0.role), HTML.code($0.sop), HTML.code($0.sha256), HTML.text($0.path)]
    }
    return """
      <section><h2>Lineage</h2>
      <p>Every output with its digest, and every image it was made of. <code>fuseline audit lineage UID</code> tells the
      same of one image, <code>fuseline audit verify</code> proves that none was changed.</p>
      \(HTML.more("Numbers of all \(account.slices.count) slices", HTML.table("Numbers of all slices",
      ["Slice", "Deformed", "Mean, mm", "Largest, mm", "Folding, %", "Similarity before", "After", "Covered, %", "Time, s"],
      numeric: [0, 2, 3, 4, 5, 6, 7, 8], numbers)))
      \(HTML.more("\(Words.count(outputs.count, "output"))", HTML.table("Outputs",
      ["Slice", "SOP Instance UID", "SHA-256", "Same bytes when made again", "File"], numeric: [0], outputs)))
      \(HTML.more("\(Words.count(inputs.count, "input"))", HTML.table("Inputs",
      ["Role", "SOP Instance UID", "SHA-256", "File in the store"], inputs)))</section>
      """
  }

  var history: String {
    let attempts = account.detail.attempts.map { attempt in
      [
        "\(attempt.number)", Words.time(attempt.started) ?? "", Words.time(attempt.finished) ?? "–",
        HTML.text(attempt.outcome ?? "under way"),
        HTML.text(attempt.sentence ?? attempt.reason ?? "–"),
      ]
    }
    let events = account.events.map {
      ["\($0.seq)", Words.time($0.time) ?? "", HTML.text($0.kind), HTML.code($0.hash)]
    }
    return """
      <section><h2>History</h2>
      \(attempts.isEmpty ? "<p>Never attempted.</p>" : HTML.table("Attempts",
      ["Attempt", "Started", "Finished", "Outcome", "Why"], numeric: [0], attempts))
      \(HTML.more("\(Words.count(events.count, "event")) of the hash chain", HTML.table("Events",
      ["Number", "Time", "What", "Digest"], numeric: [0], events)))</section>
      """
  }

  /// Settings as indented JSON.
  private static func pretty(_ value: JSONValue) -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    return (try? encoder.encode(value)).map { String(decoding: $0, as: UTF8.self) } ?? value.canonicalText
  }
}
