-- The ledger of Fuseline: what came in, what was made of it, how, and what happened when.
--
-- This file is the only definition of the database; the program runs it as it stands to make a new ledger.
-- Conventions:
--   times are UTC, ISO 8601 with milliseconds, e.g. 2026-03-01T02:00:00.000Z, so that text order is time order;
--   digests of files and texts are lower-case hexadecimal SHA-256; lengths are millimetres unless named _px;
--   columns ending in _json hold one JSON document that this schema does not look into;
--   patient identity stands in `patients`, and as the file has it in `headers` and `instances` (header_json,
--   original_path; of a file that was refused in `intake`). Nothing in `events` identifies a person;
--   `job_totals` and `intake_totals` repeat what other tables say, added up by triggers, and nothing else does.

PRAGMA application_id = 0x46555345;  -- "FUSE"
PRAGMA user_version = 5;             -- raised with every change of this file that a stored ledger must follow

-- Identity of this database. One row.
CREATE TABLE ledger (
  id         INTEGER PRIMARY KEY CHECK (id = 1),
  uuid       TEXT NOT NULL,
  created    TEXT NOT NULL,
  salt       BLOB CHECK (length(salt) = 32)  -- random; comes first in the digest of a row that names a person, so
                                     -- that nobody can guess the person from an event
) STRICT;

-- ---------------------------------------------------------------------------------------------------------
-- Events: the append-only, hash-chained record. docs/ledger.md defines the bytes that are hashed.

CREATE TABLE events (
  seq        INTEGER PRIMARY KEY,   -- 1, 2, 3 … without a gap
  time       TEXT NOT NULL,
  kind       TEXT NOT NULL,         -- what happened: 'job.done', 'instance.accepted', …
  subject    TEXT NOT NULL,         -- to what: 'job:17', 'instance:<SOP Instance UID>', 'run:3', …
  payload    TEXT NOT NULL CHECK (json_valid(payload)),  -- canonical JSON: keys sorted, no white space
  prev_hash  BLOB NOT NULL CHECK (length(prev_hash) = 32),
  hash       BLOB NOT NULL CHECK (length(hash) = 32)
) STRICT;
CREATE INDEX events_by_time ON events (time);
CREATE INDEX events_by_subject ON events (subject);
CREATE INDEX events_by_kind ON events (kind);

CREATE TRIGGER events_no_update BEFORE UPDATE ON events
BEGIN SELECT RAISE(ABORT, 'events are append-only'); END;
CREATE TRIGGER events_no_delete BEFORE DELETE ON events
BEGIN SELECT RAISE(ABORT, 'events are append-only'); END;
-- INSERT OR REPLACE would slip past the delete trigger; an event may only follow the last one.
CREATE TRIGGER events_in_order BEFORE INSERT ON events
WHEN NEW.seq IS NOT (SELECT coalesce(max(seq), 0) + 1 FROM events)
  OR NEW.prev_hash IS NOT coalesce((SELECT hash FROM events ORDER BY seq DESC LIMIT 1), zeroblob(32))
BEGIN SELECT RAISE(ABORT, 'an event must follow the last one'); END;

-- Signed statements "event `seq` had hash `hash`": a copy kept elsewhere reveals a tail cut off later.
CREATE TABLE checkpoints (
  id         INTEGER PRIMARY KEY,
  seq        INTEGER NOT NULL,
  hash       BLOB NOT NULL CHECK (length(hash) = 32),
  time       TEXT NOT NULL,
  public_key BLOB NOT NULL CHECK (length(public_key) = 32),  -- Ed25519
  signature  BLOB NOT NULL CHECK (length(signature) = 64)
) STRICT;
CREATE TRIGGER checkpoints_no_update BEFORE UPDATE ON checkpoints
BEGIN SELECT RAISE(ABORT, 'checkpoints are append-only'); END;
CREATE TRIGGER checkpoints_no_delete BEFORE DELETE ON checkpoints
BEGIN SELECT RAISE(ABORT, 'checkpoints are append-only'); END;

-- ---------------------------------------------------------------------------------------------------------
-- With what: software, settings, models, runs

-- One row per build on a machine; results can differ in the last bits between instruction sets.
CREATE TABLE software (
  id         INTEGER PRIMARY KEY,
  version    TEXT NOT NULL,
  blas       TEXT NOT NULL,
  host       TEXT NOT NULL,
  kernels    TEXT NOT NULL,
  registered TEXT NOT NULL,
  UNIQUE (version, blas, host, kernels)
) STRICT;

-- Effective settings as canonical text, under their digest.
CREATE TABLE settings (
  id         INTEGER PRIMARY KEY,
  sha256     TEXT NOT NULL UNIQUE,
  text       TEXT NOT NULL,
  registered TEXT NOT NULL
) STRICT;

CREATE TABLE models (
  id         INTEGER PRIMARY KEY,
  name       TEXT NOT NULL,
  sha256     TEXT NOT NULL,
  path       TEXT NOT NULL,
  parameters INTEGER NOT NULL,      -- number of trained values
  registered TEXT NOT NULL,
  UNIQUE (sha256, name)
) STRICT;

-- One process that worked on the ledger: a pass, or a daemon from start to stop.
CREATE TABLE runs (
  id          INTEGER PRIMARY KEY,
  command     TEXT NOT NULL,        -- 'run', 'watch', …
  state       TEXT NOT NULL CHECK (state IN ('running', 'done', 'failed', 'interrupted')),
  started     TEXT NOT NULL,
  finished    TEXT,
  settings_id INTEGER REFERENCES settings (id),
  software_id INTEGER REFERENCES software (id),
  event       INTEGER NOT NULL REFERENCES events (seq)
) STRICT;

-- ---------------------------------------------------------------------------------------------------------
-- What we have: patients, studies, series, instances

-- One row per distinct set of identifying attributes, exactly as the files say; two rows with one
-- Patient ID and issuer are a conflict (see v_patient_conflicts), never merged.
CREATE TABLE patients (
  id         INTEGER PRIMARY KEY,
  patient_id TEXT,                  -- (0010,0020)
  issuer     TEXT,                  -- (0010,0021)
  name       TEXT,                  -- (0010,0010), UTF-8
  birth_date TEXT,                  -- (0010,0030)
  sex        TEXT                   -- (0010,0040)
) STRICT;
CREATE UNIQUE INDEX patients_distinct ON patients (
  coalesce(patient_id, ''), coalesce(issuer, ''), coalesce(name, ''), coalesce(birth_date, ''),
  coalesce(sex, ''));
CREATE INDEX patients_by_id ON patients (patient_id);

CREATE TABLE studies (
  id          INTEGER PRIMARY KEY,
  uid         TEXT NOT NULL UNIQUE, -- Study Instance UID
  patient_id  INTEGER NOT NULL REFERENCES patients (id),  -- of the first instance seen
  date        TEXT,                 -- DICOM DA and TM as in the file, local to the scanner
  time        TEXT,
  description TEXT,
  arrivals    INTEGER NOT NULL DEFAULT 0,  -- grows with every image taken in and every resend that matters
  worked_off  TEXT                  -- rules, models and version under which its pairs were last worked off; NULL: to do
) STRICT;
CREATE INDEX studies_by_patient ON studies (patient_id);
CREATE INDEX studies_to_do ON studies (id) WHERE worked_off IS NULL;

CREATE TABLE series (
  id              INTEGER PRIMARY KEY,
  uid             TEXT NOT NULL UNIQUE,
  study_id        INTEGER NOT NULL REFERENCES studies (id),
  modality        TEXT NOT NULL,
  number          INTEGER,
  description     TEXT,
  frame_of_reference TEXT,
  state           TEXT NOT NULL DEFAULT 'accepted' CHECK (state IN ('accepted', 'skipped', 'rejected')),
  reason          TEXT,             -- stable code
  sentence        TEXT,             -- for the operator
  last_arrival    TEXT NOT NULL,    -- when its latest instance was taken in
  CHECK ((state = 'accepted') = (reason IS NULL))
) STRICT;
CREATE INDEX series_by_study ON series (study_id);
CREATE INDEX series_rejected ON series (id) WHERE state = 'rejected';

-- What images of one series have in common in their headers: the whole header of the first of them.
CREATE TABLE headers (
  id              INTEGER PRIMARY KEY,
  series_id       INTEGER NOT NULL REFERENCES series (id),
  header_json     TEXT NOT NULL CHECK (json_valid(header_json))
) STRICT;
CREATE INDEX headers_by_series ON headers (series_id);

-- Every image taken into the store. A SOP Instance UID stands for one set of bytes only.
CREATE TABLE instances (
  id              INTEGER PRIMARY KEY,
  sop_uid         TEXT NOT NULL UNIQUE,
  sop_class_uid   TEXT NOT NULL,
  transfer_syntax TEXT NOT NULL,
  series_id       INTEGER NOT NULL REFERENCES series (id),
  patient_id      INTEGER NOT NULL REFERENCES patients (id),
  number          INTEGER,
  path            TEXT NOT NULL UNIQUE,   -- relative to the store
  original_path   TEXT,                   -- where it lay in the drop folder; may name a person, so stays here
  sha256          TEXT NOT NULL,
  size            INTEGER NOT NULL CHECK (size >= 0),
  header_id       INTEGER REFERENCES headers (id),
  header_json     TEXT NOT NULL CHECK (json_valid(header_json)),  -- what differs from `headers`: a merge patch
                                          -- (RFC 7396); the whole header where header_id is NULL. See v_headers
  run_id          INTEGER REFERENCES runs (id),
  received        TEXT NOT NULL,
  event           INTEGER NOT NULL REFERENCES events (seq)
) STRICT;
CREATE INDEX instances_by_series ON instances (series_id, patient_id);
CREATE INDEX instances_by_sha256 ON instances (sha256);
CREATE INDEX instances_by_patient ON instances (patient_id);

-- Images whose files retention has let go, because all that was made of them is proven. The row comes first, then the
-- file goes. An image that is sent again is in the store again, and has no row here.
CREATE TABLE releases (
  instance_id INTEGER PRIMARY KEY REFERENCES instances (id),
  event       INTEGER NOT NULL REFERENCES events (seq),   -- instance.released
  removed     TEXT                    -- when its file was gone for good; NULL: it may still be there
) STRICT;
CREATE INDEX releases_open ON releases (instance_id) WHERE removed IS NULL;

-- Every file seen at the door and what became of it: accepted + duplicate + skipped + rejected = files.
--   skipped:  not for us (a report, a localizer)
--   rejected: for us, but unsafe to use (truncated, the UID of another image)
CREATE TABLE intake (
  id              INTEGER PRIMARY KEY,
  run_id          INTEGER REFERENCES runs (id),
  time            TEXT NOT NULL,
  outcome         TEXT NOT NULL CHECK (outcome IN ('accepted', 'duplicate', 'skipped', 'rejected')),
  reason          TEXT,
  sentence        TEXT,
  original_path   TEXT NOT NULL,
  sha256          TEXT,                   -- NULL where the file could not be read at all
  size            INTEGER,
  sop_uid         TEXT,                   -- as far as the file could be read
  series_uid      TEXT,
  study_uid       TEXT,
  modality        TEXT,
  quarantine_path TEXT,
  instance_id     INTEGER REFERENCES instances (id),  -- accepted: itself; duplicate or uid_conflict: the one kept
  event           INTEGER NOT NULL REFERENCES events (seq),
  CHECK (outcome IN ('accepted', 'duplicate') OR reason IS NOT NULL)
) STRICT;
CREATE INDEX intake_by_run ON intake (run_id, outcome);
CREATE INDEX intake_by_sha256 ON intake (sha256);
CREATE INDEX intake_by_sop ON intake (sop_uid);
CREATE INDEX intake_by_instance ON intake (instance_id);
CREATE INDEX intake_by_study ON intake (study_uid) WHERE study_uid IS NOT NULL;
CREATE INDEX intake_by_time ON intake (time);
CREATE INDEX intake_by_outcome ON intake (outcome, time);
CREATE INDEX intake_rejected ON intake (time, reason) WHERE outcome = 'rejected';
CREATE INDEX intake_uid_conflicts ON intake (sop_uid, instance_id, sha256)
  WHERE outcome = 'rejected' AND reason = 'uid_conflict';

-- How many files of each outcome a run has seen. A daemon's run can have millions.
CREATE TABLE intake_totals (
  run_id  INTEGER NOT NULL REFERENCES runs (id),
  outcome TEXT NOT NULL,
  files   INTEGER NOT NULL,
  PRIMARY KEY (run_id, outcome)
) STRICT, WITHOUT ROWID;
CREATE TRIGGER intake_counted AFTER INSERT ON intake WHEN NEW.run_id IS NOT NULL
BEGIN
  INSERT INTO intake_totals (run_id, outcome, files) VALUES (NEW.run_id, NEW.outcome, 1)
  ON CONFLICT (run_id, outcome) DO UPDATE SET files = files + 1;
END;

-- ---------------------------------------------------------------------------------------------------------
-- What is made: pairs, jobs, attempts, slices, outputs

-- Two series that a rule put together, whatever was made of them since: with other images, another model or other
-- settings it is another job of the same pair. Its study is that of the fixed series.
CREATE TABLE pairs (
  id               INTEGER PRIMARY KEY,
  kind             TEXT NOT NULL,         -- the rule: 'CT-MR', 'PET-MR', 'SPECT-MR', 'PET-CT'
  fixed_series_id  INTEGER NOT NULL REFERENCES series (id),
  moving_series_id INTEGER NOT NULL REFERENCES series (id),
  found            TEXT NOT NULL,         -- when its first job was opened
  UNIQUE (fixed_series_id, moving_series_id, kind)
) STRICT;
CREATE INDEX pairs_by_moving ON pairs (moving_series_id);

-- One pair to fuse, under one model and one set of settings. The same work has the same key.
CREATE TABLE jobs (
  id               INTEGER PRIMARY KEY,
  key              TEXT NOT NULL UNIQUE,  -- digest of kind, series, inputs, model, settings and software version
  pair_id          INTEGER NOT NULL REFERENCES pairs (id),
  inputs_sha256    TEXT NOT NULL,         -- over the digests of all instances of both series
  model_id         INTEGER REFERENCES models (id),
  settings_id      INTEGER NOT NULL REFERENCES settings (id),
  software_id      INTEGER NOT NULL REFERENCES software (id),
  output_series_uid TEXT,
  run_id           INTEGER REFERENCES runs (id),  -- the run that opened it
  state            TEXT NOT NULL CHECK (
    state IN ('pending', 'running', 'done', 'failed', 'rejected', 'superseded')),
  reason           TEXT,
  sentence         TEXT,
  attempts         INTEGER NOT NULL DEFAULT 0,    -- since it was opened or requeued by hand
  retry_at         TEXT,                  -- failed: when to try again; NULL: not by itself (dead letter)
  superseded_by    INTEGER REFERENCES jobs (id),
  planned_slices   INTEGER,
  interpolation    TEXT,
  normalization_fixed_json  TEXT CHECK (normalization_fixed_json IS NULL OR json_valid(normalization_fixed_json)),
  normalization_moving_json TEXT CHECK (normalization_moving_json IS NULL OR json_valid(normalization_moving_json)),
  registration_json         TEXT CHECK (registration_json IS NULL OR json_valid(registration_json)),
  details_json     TEXT CHECK (details_json IS NULL OR json_valid(details_json)),   -- working grid, notes on geometry, …
  opened           TEXT NOT NULL,
  started          TEXT,                  -- of the last attempt
  finished         TEXT,
  seconds          REAL,                  -- of the last attempt
  event            INTEGER NOT NULL REFERENCES events (seq),  -- of the last change of state
  CHECK (state NOT IN ('failed', 'rejected') OR reason IS NOT NULL)
) STRICT;
CREATE INDEX jobs_by_state ON jobs (state);
CREATE INDEX jobs_to_retry ON jobs (retry_at) WHERE retry_at IS NOT NULL;
CREATE INDEX jobs_by_pair ON jobs (pair_id);
CREATE INDEX jobs_by_model ON jobs (model_id);
CREATE INDEX jobs_by_output_series ON jobs (output_series_uid);
CREATE INDEX jobs_by_run ON jobs (run_id);
CREATE INDEX jobs_by_time ON jobs (coalesce(finished, started, opened));
-- The Spatial Registration object of a job, by its SOP Instance UID and its series.
CREATE INDEX jobs_by_registration ON jobs (registration_json ->> '$.output.sop') WHERE registration_json IS NOT NULL;
CREATE INDEX jobs_by_registration_series ON jobs (registration_json ->> '$.output.series')
  WHERE registration_json IS NOT NULL;

-- The state machine; whatever is not listed is a mistake of the program and is refused.
CREATE TRIGGER jobs_state BEFORE UPDATE OF state ON jobs
WHEN OLD.state || '>' || NEW.state NOT IN (
  'pending>running', 'pending>rejected', 'pending>failed', 'pending>superseded',
  'running>done', 'running>failed', 'running>rejected', 'running>pending', 'running>superseded',
  'failed>pending', 'failed>rejected', 'failed>superseded',
  'rejected>pending', 'rejected>superseded', 'done>superseded',
  'superseded>pending', 'superseded>rejected', 'superseded>done')
BEGIN SELECT RAISE(ABORT, 'this change of a job''s state is not allowed'); END;

CREATE TABLE attempts (
  id       INTEGER PRIMARY KEY,
  job_id   INTEGER NOT NULL REFERENCES jobs (id),
  run_id   INTEGER REFERENCES runs (id),
  number   INTEGER NOT NULL,        -- 1, 2, … over the life of the job
  worker   TEXT,                    -- host and process, or cluster task
  started  TEXT NOT NULL,
  finished TEXT,
  outcome  TEXT CHECK (outcome IN ('done', 'failed', 'rejected', 'interrupted')),  -- NULL: under way
  reason   TEXT,
  sentence TEXT,
  UNIQUE (job_id, number)
) STRICT;
CREATE INDEX attempts_by_run ON attempts (run_id);

-- One fused slice, published. Deformation is that of the whole field, whether accepted or not.
CREATE TABLE slices (
  id                  INTEGER PRIMARY KEY,
  job_id              INTEGER NOT NULL REFERENCES jobs (id),
  attempt_id          INTEGER REFERENCES attempts (id),
  idx                 INTEGER NOT NULL,  -- 0, 1, … along the normal of the fixed series
  x                   REAL NOT NULL,     -- Image Position (Patient) of the fixed slice, LPS
  y                   REAL NOT NULL,
  z                   REAL NOT NULL,
  accepted            INTEGER NOT NULL CHECK (accepted IN (0, 1)),  -- was the deformation applied
  reason              TEXT,              -- why not
  deformation_mean    REAL,
  deformation_max     REAL,
  deformation_mean_px REAL,
  deformation_max_px  REAL,
  folding             REAL,              -- fraction of pixels with a Jacobian ≤ 0
  similarity_measure  TEXT,
  similarity_before   REAL,
  similarity_after    REAL,
  inside              REAL,              -- fraction of the slice that the moving volume covers
  seconds             REAL,
  timings_json        TEXT CHECK (timings_json IS NULL OR json_valid(timings_json)),
  published           TEXT NOT NULL,
  event               INTEGER NOT NULL REFERENCES events (seq),
  UNIQUE (job_id, idx),
  CHECK (accepted = 1 OR reason IS NOT NULL)
) STRICT;
CREATE INDEX slices_by_attempt ON slices (attempt_id);

-- What the slices of a job come to.
CREATE TABLE job_totals (
  job_id          INTEGER PRIMARY KEY REFERENCES jobs (id),
  slices          INTEGER NOT NULL,
  undeformed      INTEGER NOT NULL,       -- of them, those fused without deformation
  deformed        INTEGER NOT NULL,       -- of them, those with a mean deformation on record
  deformation_sum REAL NOT NULL,          -- of those means, mm
  deformation_max REAL,                   -- mm
  first_published TEXT NOT NULL,
  last_published  TEXT NOT NULL
) STRICT;
CREATE INDEX job_totals_by_time ON job_totals (last_published);
CREATE TRIGGER slices_counted AFTER INSERT ON slices
BEGIN
  INSERT INTO job_totals VALUES (
    NEW.job_id, 1, NEW.accepted = 0, NEW.deformation_mean IS NOT NULL, coalesce(NEW.deformation_mean, 0.0),
    NEW.deformation_max, NEW.published, NEW.published)
  ON CONFLICT (job_id) DO UPDATE SET
    slices = slices + 1, undeformed = undeformed + excluded.undeformed, deformed = deformed + excluded.deformed,
    deformation_sum = deformation_sum + excluded.deformation_sum,
    deformation_max = CASE
      WHEN coalesce(excluded.deformation_max > deformation_max, deformation_max IS NULL) THEN excluded.deformation_max
      ELSE deformation_max END,
    first_published = min(first_published, excluded.first_published),
    last_published = max(last_published, excluded.last_published);
END;

-- What a slice was made of: the fixed image, every moving image a pixel was interpolated from, and the registration
-- objects that say where the moving image lies.
CREATE TABLE slice_inputs (
  slice_id    INTEGER NOT NULL REFERENCES slices (id),
  role        TEXT NOT NULL CHECK (role IN ('fixed', 'moving', 'registration')),
  instance_id INTEGER NOT NULL REFERENCES instances (id),
  frame       INTEGER NOT NULL DEFAULT 0,  -- 1-based in a multi-frame image, 0 in a single-frame one
  PRIMARY KEY (slice_id, role, instance_id, frame)
) STRICT, WITHOUT ROWID;
CREATE INDEX slice_inputs_by_instance ON slice_inputs (instance_id);

CREATE TABLE outputs (
  id       INTEGER PRIMARY KEY,
  slice_id INTEGER NOT NULL UNIQUE REFERENCES slices (id),
  sop_uid  TEXT NOT NULL UNIQUE,
  path     TEXT NOT NULL UNIQUE,   -- relative to the output folder
  sha256   TEXT NOT NULL,
  size     INTEGER NOT NULL CHECK (size > 0)
) STRICT;
CREATE INDEX outputs_by_sha256 ON outputs (sha256);

-- ---------------------------------------------------------------------------------------------------------
-- Being interrupted: intents and the lease

-- "About to put this file there", written before the file system is touched. What is still open at start was
-- interrupted; the row says where to look. Completed ones are removed, given-up ones stay.
CREATE TABLE intents (
  id         INTEGER PRIMARY KEY,
  kind       TEXT NOT NULL CHECK (kind IN ('store', 'quarantine', 'publish')),
  state      TEXT NOT NULL CHECK (state IN ('open', 'written', 'abandoned')),
  from_path  TEXT NOT NULL,        -- publish: the .part file; else: the file in the drop folder
  final_path TEXT NOT NULL,
  sop_uid    TEXT,
  sha256     TEXT,                 -- publish: known from 'written' on
  size       INTEGER,
  job_id     INTEGER REFERENCES jobs (id),
  idx        INTEGER,              -- publish: index of the slice
  record_json TEXT CHECK (record_json IS NULL OR json_valid(record_json)),  -- what is to be recorded with the file
  opened     TEXT NOT NULL,
  closed     TEXT
) STRICT;
CREATE INDEX intents_pending ON intents (id) WHERE state IN ('open', 'written');
CREATE INDEX intents_by_job ON intents (job_id);

-- Who coordinates. One row at most; a process that finds the row changed under it stops writing.
CREATE TABLE lease (
  id            INTEGER PRIMARY KEY CHECK (id = 1),
  token         TEXT NOT NULL,
  pid           INTEGER NOT NULL,
  process_start INTEGER,           -- clock ticks after boot: tells a re-used pid from the old process
  boot_id       TEXT NOT NULL,
  host          TEXT NOT NULL,
  acquired      TEXT NOT NULL,
  renewed       TEXT NOT NULL,
  expires       TEXT NOT NULL
) STRICT;

-- When something was last done that must not be repeated too soon: an alert, a scheduled pass.
CREATE TABLE marks (
  name TEXT PRIMARY KEY,
  time TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- ---------------------------------------------------------------------------------------------------------
-- Questions people ask

-- What does the header of an image say?
CREATE VIEW v_headers AS
SELECT i.id AS instance_id, i.sop_uid AS sop,
  CASE WHEN i.header_id IS NULL THEN i.header_json ELSE json_patch(h.header_json, i.header_json) END AS header
FROM instances i LEFT JOIN headers h ON h.id = i.header_id;

-- Which pairs were worked on, with what, and how did it end?
CREATE VIEW v_jobs AS
SELECT j.id AS job, j.state, j.reason, j.sentence, pa.id AS pair, pa.kind,
  st.uid AS study, f.uid AS fixed, f.modality AS fixed_modality, m.uid AS moving,
  m.modality AS moving_modality, j.output_series_uid AS series, p.patient_id AS patient, p.issuer,
  j.model_id, mo.name AS model, mo.sha256 AS model_sha256, se.sha256 AS settings_sha256, so.version AS software,
  j.planned_slices AS slices, coalesce(t.slices, 0) AS outputs,
  j.attempts, j.retry_at, j.superseded_by, j.run_id AS run, j.opened, j.started, j.finished, j.seconds,
  coalesce(j.finished, j.started, j.opened) AS time
FROM jobs j
JOIN pairs pa ON pa.id = j.pair_id
JOIN series f ON f.id = pa.fixed_series_id
JOIN series m ON m.id = pa.moving_series_id
JOIN studies st ON st.id = f.study_id
JOIN patients p ON p.id = st.patient_id
JOIN settings se ON se.id = j.settings_id
JOIN software so ON so.id = j.software_id
LEFT JOIN job_totals t ON t.job_id = j.id
LEFT JOIN models mo ON mo.id = j.model_id;

-- Which pairs are there, and how does each stand? Of its jobs, the one that stands for the pair now.
CREATE VIEW v_pairs AS
SELECT pa.id AS pair, pa.kind, st.uid AS study, f.uid AS fixed, f.modality AS fixed_modality, m.uid AS moving,
  m.modality AS moving_modality, p.patient_id AS patient, pa.found,
  (SELECT count(*) FROM jobs k WHERE k.pair_id = pa.id) AS jobs, j.id AS job, j.state, j.reason, j.sentence
FROM pairs pa
JOIN series f ON f.id = pa.fixed_series_id
JOIN series m ON m.id = pa.moving_series_id
JOIN studies st ON st.id = f.study_id
JOIN patients p ON p.id = st.patient_id
LEFT JOIN jobs j ON j.id = (
  SELECT k.id FROM jobs k WHERE k.pair_id = pa.id ORDER BY k.state = 'superseded', k.id DESC LIMIT 1);

-- Which files came in, and what became of each?
CREATE VIEW v_inputs AS
SELECT k.id AS intake, k.time, k.outcome AS state, k.reason, k.sentence, k.sop_uid AS sop,
  coalesce(se.uid, k.series_uid) AS series, coalesce(st.uid, k.study_uid) AS study,
  coalesce(se.modality, k.modality) AS modality, p.patient_id AS patient, k.sha256, k.size,
  CASE k.outcome WHEN 'accepted' THEN i.path ELSE k.quarantine_path END AS path, k.run_id AS run
FROM intake k
LEFT JOIN instances i ON i.id = k.instance_id
LEFT JOIN series se ON se.id = i.series_id
LEFT JOIN studies st ON st.id = se.study_id
LEFT JOIN patients p ON p.id = i.patient_id;

-- Which images were made, from which pair, with which model?
CREATE VIEW v_outputs AS
SELECT o.id AS output, o.sop_uid AS sop, o.path, o.sha256, o.size, s.published, s.idx AS slice, s.accepted,
  s.reason, s.deformation_mean, s.deformation_max, s.similarity_before, s.similarity_after, s.seconds,
  j.id AS job, j.state AS job_state, pa.kind, j.output_series_uid AS series, st.uid AS study,
  f.modality AS fixed_modality, m.modality AS moving_modality, p.patient_id AS patient,
  j.model_id, mo.name AS model, mo.sha256 AS model_sha256
FROM outputs o
JOIN slices s ON s.id = o.slice_id
JOIN jobs j ON j.id = s.job_id
JOIN pairs pa ON pa.id = j.pair_id
JOIN series f ON f.id = pa.fixed_series_id
JOIN series m ON m.id = pa.moving_series_id
JOIN studies st ON st.id = f.study_id
JOIN patients p ON p.id = st.patient_id
LEFT JOIN models mo ON mo.id = j.model_id;

-- From which images was each output made? And the other way round.
CREATE VIEW v_lineage AS
SELECT o.sop_uid AS output, s.job_id AS job, s.idx AS slice, x.role, i.sop_uid AS input, x.frame,
  se.uid AS input_series, i.sha256 AS input_sha256, i.path AS input_path, i.id AS instance_id,
  o.slice_id
FROM outputs o
JOIN slices s ON s.id = o.slice_id
JOIN slice_inputs x ON x.slice_id = o.slice_id
JOIN instances i ON i.id = x.instance_id
JOIN series se ON se.id = i.series_id;

-- Everything recorded of a slice in one row: what it was made of, how, and what came out.
CREATE VIEW v_slices AS
SELECT s.job_id AS job, s.idx AS slice, s.x, s.y, s.z, o.sop_uid AS sop, o.sha256, o.path, pa.kind,
  (SELECT i.sop_uid FROM slice_inputs k JOIN instances i ON i.id = k.instance_id
   WHERE k.slice_id = s.id AND k.role = 'fixed') AS fixed,
  (SELECT json_group_array(i.sop_uid) FROM slice_inputs k JOIN instances i ON i.id = k.instance_id
   WHERE k.slice_id = s.id AND k.role = 'moving') AS moving,
  (SELECT json_group_array(i.sop_uid) FROM slice_inputs k JOIN instances i ON i.id = k.instance_id
   WHERE k.slice_id = s.id AND k.role = 'registration') AS registrations,
  j.normalization_fixed_json AS normalization_fixed, j.normalization_moving_json AS normalization_moving,
  j.registration_json AS registration, s.accepted, s.reason, s.deformation_mean, s.deformation_max, s.folding,
  s.similarity_measure, s.similarity_before, s.similarity_after, s.inside, s.seconds, s.timings_json AS timings,
  s.published, mo.name AS model, mo.sha256 AS model_sha256, a.number AS attempt, s.event
FROM slices s
JOIN jobs j ON j.id = s.job_id
JOIN pairs pa ON pa.id = j.pair_id
LEFT JOIN outputs o ON o.slice_id = s.id
LEFT JOIN attempts a ON a.id = s.attempt_id
LEFT JOIN models mo ON mo.id = j.model_id;

-- What went wrong: jobs that failed or were rejected …
CREATE VIEW v_failed_jobs AS
SELECT 'job' AS what, j.state, j.reason, j.sentence, 'job:' || j.id AS subject,
  coalesce(j.finished, j.opened) AS time, j.id AS job, st.uid AS study, f.modality AS modality,
  m.modality AS modality2, p.patient_id AS patient, j.model_id, mo.name AS model, mo.sha256 AS model_sha256
FROM jobs j
JOIN pairs pa ON pa.id = j.pair_id
JOIN series f ON f.id = pa.fixed_series_id
JOIN series m ON m.id = pa.moving_series_id
JOIN studies st ON st.id = f.study_id
JOIN patients p ON p.id = st.patient_id
LEFT JOIN models mo ON mo.id = j.model_id
WHERE j.state IN ('failed', 'rejected');

-- … files refused at the door …
CREATE VIEW v_refused_files AS
SELECT 'file' AS what, 'rejected' AS state, k.reason, k.sentence,
  coalesce(k.sop_uid, 'sha256:' || k.sha256, 'intake:' || k.id) AS subject, k.time, NULL AS job,
  k.study_uid AS study, k.modality, NULL AS modality2, p.patient_id AS patient, NULL AS model_id, NULL AS model,
  NULL AS model_sha256
FROM intake k
LEFT JOIN instances i ON i.id = k.instance_id
LEFT JOIN patients p ON p.id = i.patient_id
WHERE k.outcome = 'rejected';

-- … and series that are unsafe to use;
CREATE VIEW v_rejected_series AS
SELECT 'series' AS what, e.state, e.reason, e.sentence, 'series:' || e.uid AS subject, e.last_arrival AS time,
  NULL AS job, st.uid AS study, e.modality, NULL AS modality2, p.patient_id AS patient, NULL AS model_id,
  NULL AS model, NULL AS model_sha256
FROM series e
JOIN studies st ON st.id = e.study_id
JOIN patients p ON p.id = st.patient_id
WHERE e.state = 'rejected';

-- in one list.
CREATE VIEW v_failures AS
SELECT * FROM v_failed_jobs UNION ALL SELECT * FROM v_refused_files UNION ALL SELECT * FROM v_rejected_series;

-- One Patient ID and issuer, but different people by name, birth date or sex. Spelling in upper or lower case
-- and empty trailing name components are no difference; an absent value contradicts nothing.
CREATE VIEW v_patient_conflicts AS
SELECT patient_id, coalesce(issuer, '') AS issuer, count(*) AS identities,
  count(DISTINCT nullif(upper(rtrim(name, '^= ')), '')) > 1 AS name_differs,
  count(DISTINCT nullif(birth_date, '')) > 1 AS birth_date_differs,
  count(DISTINCT nullif(upper(sex), '')) > 1 AS sex_differs
FROM patients
WHERE coalesce(patient_id, '') <> ''
GROUP BY patient_id, coalesce(issuer, '')
HAVING name_differs OR birth_date_differs OR sex_differs;

-- One Study Instance UID in files of different patients. The index over series and patient tells which studies have
-- images of anybody but the first one, so that images need not be gone through.
CREATE VIEW v_study_conflicts AS
SELECT st.uid AS study, (
  SELECT count(DISTINCT coalesce(p.issuer, '') || char(10) || coalesce(p.patient_id, ''))
  FROM series e JOIN instances i ON i.series_id = e.id JOIN patients p ON p.id = i.patient_id
  WHERE e.study_id = st.id) AS patients
FROM studies st
WHERE EXISTS (
    SELECT 1 FROM series e WHERE e.study_id = st.id
      AND ((SELECT min(patient_id) FROM instances WHERE series_id = e.id) < st.patient_id
        OR (SELECT max(patient_id) FROM instances WHERE series_id = e.id) > st.patient_id))
  AND patients > 1;

-- One SOP Instance UID with other bytes: the first is kept, the other was refused.
CREATE VIEW v_uid_conflicts AS
SELECT k.sop_uid AS sop, i.sha256 AS kept_sha256, k.sha256 AS refused_sha256, k.time, se.uid AS series,
  k.quarantine_path
FROM intake k
JOIN instances i ON i.id = k.instance_id
JOIN series se ON se.id = i.series_id
WHERE k.outcome = 'rejected' AND k.reason = 'uid_conflict';

-- What did each run do?
CREATE VIEW v_runs AS
SELECT r.id AS run, r.command, r.state, r.started, r.finished, so.version AS software, so.host,
  coalesce((SELECT files FROM intake_totals t WHERE t.run_id = r.id AND t.outcome = 'accepted'), 0) AS accepted,
  coalesce((SELECT files FROM intake_totals t WHERE t.run_id = r.id AND t.outcome = 'duplicate'), 0) AS duplicate,
  coalesce((SELECT files FROM intake_totals t WHERE t.run_id = r.id AND t.outcome = 'skipped'), 0) AS skipped,
  coalesce((SELECT files FROM intake_totals t WHERE t.run_id = r.id AND t.outcome = 'rejected'), 0) AS rejected,
  (SELECT count(*) FROM attempts a WHERE a.run_id = r.id) AS attempts
FROM runs r
LEFT JOIN software so ON so.id = r.software_id;

-- The chain, with digests one can read.
CREATE VIEW v_events AS
SELECT seq, time, kind, subject, payload, lower(hex(prev_hash)) AS prev_hash, lower(hex(hash)) AS hash
FROM events;
