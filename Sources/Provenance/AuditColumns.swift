// How each listing answers to the parts of a filter.

extension AuditFilter.Columns {
  static let jobs = Self(
    time: "time", state: "state",
    modalities: ["fixed_modality", "moving_modality"], patient: "patient = :patient", study: "study = :study",
    model: true, run: "run = :run", job: "job = :job", order: "job DESC", timedOrder: "time DESC, job DESC")

  static let inputs = Self(
    time: "time", state: "state", modalities: ["modality"],
    patient: """
      intake IN (SELECT k.id FROM patients p JOIN instances i ON i.patient_id = p.id
        JOIN intake k ON k.instance_id = i.id WHERE p.patient_id = :patient)
      """,
    study: """
      intake IN (SELECT k.id FROM studies st JOIN series se ON se.study_id = st.id
          JOIN instances i ON i.series_id = se.id JOIN intake k ON k.instance_id = i.id WHERE st.uid = :study
        UNION ALL SELECT id FROM intake WHERE study_uid = :study)
      """, run: "run = :run", order: "time DESC, intake DESC")

  static let outputs = Self(
    time: "published", state: "job_state", modalities: ["fixed_modality", "moving_modality"],
    patient: "patient = :patient", study: "study = :study", model: true, job: "job = :job",
    order: "job DESC, slice DESC", scope: "job IN (SELECT id FROM jobs)",
    sinceScope: "job IN (SELECT job_id FROM job_totals WHERE last_published >= :since)",
    untilScope: "job IN (SELECT job_id FROM job_totals WHERE first_published < :until)")

  static let failures = Self(
    time: "time", state: "state", modalities: ["modality", "modality2"], patient: "patient = :patient",
    study: "study = :study", model: true, job: "job = :job", order: "time DESC, subject")

  static let runs = Self(time: "started", state: "state", run: "run = :run", order: "run DESC")

  static let events = Self(
    time: "time", state: "kind", patient: "seq IN (\(eventsOfPairs("p.patient_id = :patient")))",
    study: "seq IN (\(eventsOfPairs("st.uid = :study")))", run: eventsOfRun,
    job: """
      seq IN (SELECT seq FROM events WHERE subject = 'job:' || :job
        UNION SELECT event FROM slices WHERE job_id = :job)
      """, order: "seq DESC", timedOrder: "time DESC, seq DESC")

  /// Events of the jobs that a filter lets through, for filters that ask for what only jobs have.
  static func eventsOfJobs(_ jobs: String) -> String {
    """
    SELECT * FROM v_events WHERE seq IN (
      SELECT e.seq FROM (\(jobs)) w JOIN events e ON e.subject = 'job:' || w.job
      UNION SELECT s.event FROM (\(jobs)) w JOIN slices s ON s.job_id = w.job)
    ORDER BY seq
    """
  }

  /// There is one coordinator at a time, so that all events from the first of a run to its last are the run's.
  private static let eventsOfRun = """
    seq BETWEEN (SELECT min(seq) FROM events WHERE subject = 'run:' || :run) AND (
      SELECT CASE WHEN state = 'running' THEN (SELECT max(seq) FROM events) ELSE event END FROM runs WHERE id = :run)
    """

  /// Events of the images, jobs and slices of a study or a patient.
  private static func eventsOfPairs(_ condition: String) -> String {
    """
    SELECT i.event FROM instances i JOIN series se ON se.id = i.series_id JOIN studies st ON st.id = se.study_id
      JOIN patients p ON p.id = i.patient_id WHERE \(condition)
    UNION SELECT e.seq FROM patients p JOIN studies st ON st.patient_id = p.id JOIN series f ON f.study_id = st.id
      JOIN pairs pa ON pa.fixed_series_id = f.id JOIN jobs j ON j.pair_id = pa.id
      JOIN events e ON e.subject = 'job:' || j.id WHERE \(condition)
    UNION SELECT s.event FROM patients p JOIN studies st ON st.patient_id = p.id JOIN series f ON f.study_id = st.id
      JOIN pairs pa ON pa.fixed_series_id = f.id JOIN jobs j ON j.pair_id = pa.id
      JOIN slices s ON s.job_id = j.id WHERE \(condition)
    """
  }
}
