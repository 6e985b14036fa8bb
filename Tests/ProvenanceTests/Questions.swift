// Every question of the command line, put to whatever ledger is given, about things in the middle of it.

import Foundation

@testable import Provenance

struct Question {
  var name: String
  var ask: () throws -> Void
}

/// What the questions are about, found in the ledger itself.
struct Questions {
  let ledger: Ledger
  private let facts: [String]
  /// A day before the last event.
  let recent: Date

  init(_ ledger: Ledger) throws {
    self.ledger = ledger
    let answer = try ledger.sql(
      """
      SELECT o.sop_uid, i.sop_uid, se.uid, st.uid, p.patient_id, j.id,
        (SELECT time FROM events ORDER BY seq DESC LIMIT 1),
        (SELECT sha256 FROM models ORDER BY id DESC LIMIT 1),
        (SELECT k.superseded_by FROM jobs k WHERE k.superseded_by IS NOT NULL ORDER BY k.id LIMIT 1)
      FROM slices s JOIN outputs o ON o.slice_id = s.id JOIN jobs j ON j.id = s.job_id
      JOIN pairs pa ON pa.id = j.pair_id JOIN series se ON se.id = pa.moving_series_id
      JOIN studies st ON st.id = se.study_id JOIN patients p ON p.id = st.patient_id
      JOIN slice_inputs x ON x.slice_id = s.id AND x.role = 'moving' JOIN instances i ON i.id = x.instance_id
      WHERE s.id = (SELECT max(id) / 2 FROM slices) LIMIT 1
      """)
    facts = answer.rows.first.map { $0.map(Listing.plain) } ?? []
    recent = (Timestamp.date(facts[6]) ?? .distantPast).addingTimeInterval(-86_400)
  }

  private var output: String { facts[0] }
  private var input: String { facts[1] }
  private var series: String { facts[2] }
  private var study: String { facts[3] }
  private var patient: String { facts[4] }
  private var job: Int64 { Int64(facts[5]) ?? 0 }
  private var model: String { String(facts[7].prefix(12)) }
  /// A job that took another's place.
  private var successor: Int64 { Int64(facts[8]) ?? 0 }

  /// The newest page of each listing, whatever is in the ledger.
  var pages: [Question] {
    let name = "newest 1,000"
    return [
      Question(name: "jobs, \(name)") { _ = try ledger.jobs() },
      Question(name: "inputs, \(name)") { _ = try ledger.inputs() },
      Question(name: "outputs, \(name)") { _ = try ledger.outputs() },
      Question(name: "events, \(name)") { _ = try ledger.events() },
      Question(name: "failures, all") { _ = try ledger.failures() },
      Question(name: "runs, \(name)") { _ = try ledger.runs() },
      Question(name: "conflicts") { _ = try ledger.conflicts() },
      Question(name: "status") { _ = try ledger.queue() },
    ]
  }

  /// Questions about something, answered without going through everything.
  var aboutSomething: [Question] { lineages + jobs + images + others }

  private var lineages: [Question] {
    [output, input, series, study].enumerated().map { index, uid in
      let what = ["an output", "an input", "a series", "a study"][index]
      return Question(name: "lineage of \(what)") { _ = try ledger.lineage(uid) }
    }
  }

  private var jobs: [Question] {
    let filters: [(String, AuditFilter)] = [
      ("failed", .init(state: "failed")), ("since a day", .init(since: recent)),
      ("before that", .init(until: recent)), ("failed since a day", .init(since: recent, state: "failed")),
      ("of a patient", .init(patient: patient)), ("of a study", .init(study: study)),
      ("of a model", .init(model: model)), ("of no modality", .init(modality: "NM")),
    ]
    return filters.map { name, filter in
      Question(name: "jobs \(name)") { _ = try ledger.jobs(filter) }
    } + [
      Question(name: "a job") { _ = try ledger.job(job) },
      Question(name: "a job with all there is") { _ = try ledger.account(job: job) },
      Question(name: "diff of two jobs") { _ = try ledger.difference(successor - 1, successor) },
      Question(name: "everything made with a model") { _ = try ledger.models(model) },
    ]
  }

  private var images: [Question] {
    let filters: [(String, AuditFilter)] = [
      ("since a day", .init(since: recent)), ("before that", .init(until: recent)),
      ("of a patient", .init(patient: patient)), ("of a study", .init(study: study)),
    ]
    let narrow = filters.flatMap { name, filter in
      [
        Question(name: "inputs \(name)") { _ = try ledger.inputs(filter) },
        Question(name: "outputs \(name)") { _ = try ledger.outputs(filter) },
      ]
    }
    return narrow + [
      Question(name: "inputs rejected") { _ = try ledger.inputs(.init(state: "rejected")) },
      Question(name: "inputs skipped since a day") {
        _ = try ledger.inputs(.init(since: recent, state: "skipped"))
      },
      Question(name: "outputs of a model") { _ = try ledger.outputs(.init(model: model)) },
      Question(name: "outputs of no modality") { _ = try ledger.outputs(.init(modality: "NM")) },
      Question(name: "outputs of a job") { _ = try ledger.outputs(.init(job: job)) },
      Question(name: "a slice in SQL") {
        _ = try ledger.sql("SELECT * FROM v_slices WHERE sop = '\(output)'")
      },
    ]
  }

  private var others: [Question] {
    [
      Question(name: "failures since a day") { _ = try ledger.failures(.init(since: recent)) },
      Question(name: "failures of a patient") { _ = try ledger.failures(.init(patient: patient)) },
      Question(name: "failures of a model") { _ = try ledger.failures(.init(model: model)) },
      Question(name: "runs since a day") { _ = try ledger.runs(.init(since: recent)) },
      Question(name: "events since a day") { _ = try ledger.events(.init(since: recent)) },
      Question(name: "events of a kind") { _ = try ledger.events(.init(state: "job.failed")) },
      Question(name: "events of a job") { _ = try ledger.events(.init(job: job)) },
      Question(name: "events of a study") { _ = try ledger.events(.init(study: study)) },
      Question(name: "events of a run") { _ = try ledger.events(.init(run: 1)) },
      Question(name: "summary of a run") { _ = try ledger.summary(run: 1) },
      Question(name: "export of a study, JSON") { try ledger.export(.json, .init(study: study)) { _ in } },
      Question(name: "export of a day, CSV") { try ledger.export(.csv, .init(since: recent)) { _ in } },
    ]
  }
}
