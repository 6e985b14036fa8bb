// What slices and files come to, added up on the way past them, to be held against the sums that triggers keep.

internal import GRDB

/// Files by run and outcome.
struct IntakeSums: Sendable {
  private struct Key: Hashable {
    let run: Int64
    let outcome: String
  }

  private var files: [Key: Int] = [:]
  /// Rows of one run follow each other.
  private var run: Int64?
  private var counts: [(outcome: [UInt8], files: Int)] = []

  mutating func add(run: Int64, outcome: UnsafeRawBufferPointer) {
    if run != self.run {
      settle()
      self.run = run
    }
    for index in counts.indices where counts[index].outcome.withUnsafeBytes({ outcome.equals($0) }) {
      counts[index].files += 1
      return
    }
    counts.append(([UInt8](outcome), 1))
  }

  private mutating func settle() {
    if let run {
      for count in counts {
        files[Key(run: run, outcome: String(decoding: count.outcome, as: UTF8.self)), default: 0] +=
          count.files
      }
    }
    counts = []
  }

  mutating func add(_ others: IntakeSums) {
    var others = others
    others.settle()
    files.merge(others.files, uniquingKeysWith: +)
  }

  /// Names every sum in the ledger that is another one.
  func verify(_ db: Database, _ report: inout Verification) throws {
    var rest = files
    let rows = try Row.fetchCursor(
      db, sql: "SELECT run_id, outcome, files FROM intake_totals ORDER BY run_id, outcome")
    while let row = try rows.next() {
      let key = Key(run: row[0], outcome: row[1])
      report.addSum("run:\(key.run)", isSame: rest.removeValue(forKey: key) == row[2])
    }
    for key in rest.keys.sorted(by: { $0.run < $1.run }) { report.addSum("run:\(key.run)", isSame: false) }
  }
}

/// Slices by job, as `job_totals` has them.
struct SliceSums: Sendable {
  private struct Sum {
    var slices = 0
    var undeformed = 0
    var deformed = 0
    var mean = 0.0
    var most: Double?
    var first = ""
    var last = ""

    mutating func add(_ other: Sum) {
      slices += other.slices
      undeformed += other.undeformed
      deformed += other.deformed
      mean += other.mean
      most = [most, other.most].compactMap { $0 }.max()
      first = first.isEmpty ? other.first : min(first, other.first)
      last = max(last, other.last)
    }
  }

  private var jobs: [Int64: Sum] = [:]
  /// Slices of one job follow each other.
  private var job: Int64?
  private var sum = Sum()

  /// - Parameter rows: at a row of `AnnouncedSlices`.
  mutating func add(_ rows: RawRows) {
    let job = rows.integer(2)
    if job != self.job {
      settle()
      self.job = job
    }
    sum.slices += 1
    if rows.integer(7) == 0 { sum.undeformed += 1 }
    if !rows.isNull(9) {
      sum.deformed += 1
      sum.mean += rows.real(9)
    }
    if !rows.isNull(10) { sum.most = max(sum.most ?? rows.real(10), rows.real(10)) }
    let published = rows.text(20)
    if sum.first.isEmpty || published < sum.first { sum.first = published }
    if published > sum.last { sum.last = published }
  }

  private mutating func settle() {
    if let job { jobs[job, default: Sum()].add(sum) }
    sum = Sum()
  }

  mutating func add(_ others: SliceSums) {
    var others = others
    others.settle()
    jobs.merge(others.jobs) { one, other in
      var one = one
      one.add(other)
      return one
    }
  }

  /// Names every sum in the ledger that is another one.
  func verify(_ db: Database, _ report: inout Verification) throws {
    var rest = jobs
    let rows = try Row.fetchCursor(
      db,
      sql: """
        SELECT job_id, slices, undeformed, deformed, deformation_sum, deformation_max, first_published, last_published
        FROM job_totals ORDER BY job_id
        """)
    while let row = try rows.next() {
      let job: Int64 = row[0]
      report.addSum("job:\(job)", isSame: rest.removeValue(forKey: job).map { Self.is($0, row) } ?? false)
    }
    for job in rest.keys.sorted() { report.addSum("job:\(job)", isSame: false) }
  }

  private static func `is`(_ sum: Sum, _ row: Row) -> Bool {
    // Added up in another order, the sum can differ in its last digits.
    let tolerance = 1e-9 * Double(sum.slices) * (1 + abs(sum.mean))
    return sum.slices == row[1] && sum.undeformed == row[2] && sum.deformed == row[3]
      && abs(sum.mean - (row[4] as Double)) <= tolerance && sum.most == row[5] && sum.first == row[6]
      && sum.last == row[7]
  }
}

extension Verification {
  fileprivate mutating func addSum(_ subject: String, isSame: Bool) {
    records += 1
    if !isSame { add(.record, subject, "the sum kept of it is not what its rows come to") }
  }
}
