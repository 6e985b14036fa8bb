-- A ledger as schema version 1 left it: one finished job of three slices, in SQL. Never edited.
PRAGMA application_id = 0x46555345;
PRAGMA user_version = 1;
PRAGMA foreign_keys = OFF;
BEGIN TRANSACTION;
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
INSERT INTO "attempts" VALUES(1,1,1,1,'node1:17','2026-03-01T02:00:00.000Z','2026-03-01T02:00:01.500Z','done',NULL,NULL);
CREATE TABLE checkpoints (
  id         INTEGER PRIMARY KEY,
  seq        INTEGER NOT NULL,
  hash       BLOB NOT NULL CHECK (length(hash) = 32),
  time       TEXT NOT NULL,
  public_key BLOB NOT NULL CHECK (length(public_key) = 32),  -- Ed25519
  signature  BLOB NOT NULL CHECK (length(signature) = 64)
) STRICT;
CREATE TABLE events (
  seq        INTEGER PRIMARY KEY,   -- 1, 2, 3 … without a gap
  time       TEXT NOT NULL,
  kind       TEXT NOT NULL,         -- what happened: 'job.done', 'instance.accepted', …
  subject    TEXT NOT NULL,         -- to what: 'job:17', 'instance:<SOP Instance UID>', 'run:3', …
  payload    TEXT NOT NULL CHECK (json_valid(payload)),  -- canonical JSON: keys sorted, no white space
  prev_hash  BLOB NOT NULL CHECK (length(prev_hash) = 32),
  hash       BLOB NOT NULL CHECK (length(hash) = 32)
) STRICT;
INSERT INTO "events" VALUES(1,'2026-03-01T02:00:00.000Z','ledger.created','ledger:3042b931-88be-4d82-9002-9809c54d3c4d','{"schema":1}',X'0000000000000000000000000000000000000000000000000000000000000000',X'0307C597785F12F6C86F0AEC57E24F63A176B75B750DC4570B6860F254E20032');
INSERT INTO "events" VALUES(2,'2026-03-01T02:00:00.000Z','software.registered','software:0.1.0','{"blas":"SkylakeX","host":"node1","kernels":"avx512"}',X'0307C597785F12F6C86F0AEC57E24F63A176B75B750DC4570B6860F254E20032',X'35720C4763CF42C2B1077AF9E289FE6AE12AEEA5FCBAE7177B7883727926338A');
INSERT INTO "events" VALUES(3,'2026-03-01T02:00:00.000Z','settings.registered','settings:42d4a51844396b51c13019b0519eaf2d60a258a92c82cbd1e0f5ea37962e1830','{}',X'35720C4763CF42C2B1077AF9E289FE6AE12AEEA5FCBAE7177B7883727926338A',X'21C880B748EFC00686B19B0E57F7545A12896FDDC1ED4388EAB2C6ECD841FC79');
INSERT INTO "events" VALUES(4,'2026-03-01T02:00:00.000Z','model.registered','model:ec1162e19fc2301b597bb911f7e1e2fae6905c90194eb90e19f8e318aa9e37f2','{"name":"ct-mr","parameters":1000000}',X'21C880B748EFC00686B19B0E57F7545A12896FDDC1ED4388EAB2C6ECD841FC79',X'88A382D9A70A836DBCF60EABBC99BD71DDEEAC96E1D8571576229C2AAF121800');
INSERT INTO "events" VALUES(5,'2026-03-01T02:00:00.000Z','run.began','run:1','{"command":"run"}',X'88A382D9A70A836DBCF60EABBC99BD71DDEEAC96E1D8571576229C2AAF121800',X'8918D29C8236292758CE6D4A730B9C196A8411DAD7985FE321D022DF7C235A27');
INSERT INTO "events" VALUES(6,'2026-03-01T02:00:00.000Z','instance.accepted','instance:1.2.2.0','{"run":1,"series":"1.2.2","sha256":"6dff070966ab34fef096eb8a468002e876abb83d93eae3f360b82928f793be64","size":1234}',X'8918D29C8236292758CE6D4A730B9C196A8411DAD7985FE321D022DF7C235A27',X'92334B9C1375814475AE0F94DE1516C288B7AC0F1F572978B98D16AB184AF135');
INSERT INTO "events" VALUES(7,'2026-03-01T02:00:00.000Z','instance.accepted','instance:1.2.3.0','{"run":1,"series":"1.2.3","sha256":"828b3ebbff1c931c66c44c03427c4a1be47bc80180352cab8ef44f17bd2eaced","size":1234}',X'92334B9C1375814475AE0F94DE1516C288B7AC0F1F572978B98D16AB184AF135',X'7B932A1DA9AFA74FEF3C92BA4BCE4A209D4BD25F8AF04B9C4035737586AE9BCA');
INSERT INTO "events" VALUES(8,'2026-03-01T02:00:00.000Z','instance.accepted','instance:1.2.2.1','{"run":1,"series":"1.2.2","sha256":"37f45463fcbe0540b1fd50da6bd4b3e6fa070993f4114fb8d7ba70be064f979d","size":1234}',X'7B932A1DA9AFA74FEF3C92BA4BCE4A209D4BD25F8AF04B9C4035737586AE9BCA',X'F8C5E0181C23FC82848C197704FB83E38741968F044B4A52331296E79C2C4030');
INSERT INTO "events" VALUES(9,'2026-03-01T02:00:00.000Z','instance.accepted','instance:1.2.3.1','{"run":1,"series":"1.2.3","sha256":"7c080d5e4a3fb1b866f9b4897ad91e6be8cbdbd6f9786da2a410274bee9daf14","size":1234}',X'F8C5E0181C23FC82848C197704FB83E38741968F044B4A52331296E79C2C4030',X'384F33444AF4359E587AB1D5B74FEBEFF8DE26379AA2B3D72F45B26BC7A21C01');
INSERT INTO "events" VALUES(10,'2026-03-01T02:00:00.000Z','instance.accepted','instance:1.2.2.2','{"run":1,"series":"1.2.2","sha256":"3254c28b4feea0cf334a7754494339dbc02446b1fec670c103962283521e056a","size":1234}',X'384F33444AF4359E587AB1D5B74FEBEFF8DE26379AA2B3D72F45B26BC7A21C01',X'43F576595F3B30C0866F24E89B848E4B9965D676AF9398FBCE95A6B1DBCECF61');
INSERT INTO "events" VALUES(11,'2026-03-01T02:00:00.000Z','instance.accepted','instance:1.2.3.2','{"run":1,"series":"1.2.3","sha256":"67337f179a81c3e86064249ecadd327b1c515bcfa07eecb1ca864729d578e078","size":1234}',X'43F576595F3B30C0866F24E89B848E4B9965D676AF9398FBCE95A6B1DBCECF61',X'D7F3DB88E8F4CD660EC319748F0A5A126E583B15D4AFB3BEF3712D15BD1D09B0');
INSERT INTO "events" VALUES(12,'2026-03-01T02:00:00.000Z','job.opened','job:1','{"fixed":"1.2.2","key":"5f109fdd8eaa9e66988d94d78a2297f21bd559b9d98bc51391ffa3bd88f39eda","kind":"CT-MR","moving":"1.2.3","run":1,"series":"2.25.9"}',X'D7F3DB88E8F4CD660EC319748F0A5A126E583B15D4AFB3BEF3712D15BD1D09B0',X'BB0B9E42FDE14619800D27DD92B6FBDDF6B550619F427CA186CC456ED2821C47');
INSERT INTO "events" VALUES(13,'2026-03-01T02:00:00.000Z','attempt.began','job:1','{"attempt":1,"from":"pending","run":1}',X'BB0B9E42FDE14619800D27DD92B6FBDDF6B550619F427CA186CC456ED2821C47',X'43862B0B57DF4903D2208AEEC7046EDC903ABB36659F144D5DFAE8D25D9D8F66');
INSERT INTO "events" VALUES(14,'2026-03-01T02:00:00.000Z','job.prepared','job:1','{}',X'43862B0B57DF4903D2208AEEC7046EDC903ABB36659F144D5DFAE8D25D9D8F66',X'19FCAF5445D4D5E448D68A7EB780DDB8BED4E190B6CDAF722A14E61947962990');
INSERT INTO "events" VALUES(15,'2026-03-01T02:00:00.500Z','slice.published','output:2.25.0','{"accepted":true,"job":1,"record":"834937799942e7872ee382faa64ed0a59bbba7c8fa195da5bffc89e7dca018aa","sha256":"eb618c31cf3d152ec7294d59d38732a8388e7c1ae78b68c391bd8a7936dbd516","slice":0}',X'19FCAF5445D4D5E448D68A7EB780DDB8BED4E190B6CDAF722A14E61947962990',X'2B57F345926EAFC8DE5E3EDEDFE8B37F5B279486F5533FD18192DA4FB3ADF7A2');
INSERT INTO "events" VALUES(16,'2026-03-01T02:00:01.000Z','slice.published','output:2.25.1','{"accepted":false,"job":1,"record":"db6326758e94d8393b804f4097c71824e9a6bfa6b2426adf85e2506474efacb8","sha256":"7ae40e28f3da44e0c319678dad67498e779acd9442dcffd7a86aa693eadc89e1","slice":1}',X'2B57F345926EAFC8DE5E3EDEDFE8B37F5B279486F5533FD18192DA4FB3ADF7A2',X'66728939D32C5D18642CC00E3893BED677E99623007CCAD66FB72DE6D27A6024');
INSERT INTO "events" VALUES(17,'2026-03-01T02:00:01.500Z','slice.published','output:2.25.2','{"accepted":true,"job":1,"record":"101d9a49873028506319ba63a531b3a71949cf727430c71f90c5e2585412c815","sha256":"2fe997ceb13eb39d2dcab91c9a472a0c3ef2b023cf18b1e652b7b2399c874986","slice":2}',X'66728939D32C5D18642CC00E3893BED677E99623007CCAD66FB72DE6D27A6024',X'AA370D1E620DC63B65E294C130A0BB9D0252FC9513DB7DF8D59842C871AF7858');
INSERT INTO "events" VALUES(18,'2026-03-01T02:00:01.500Z','job.done','job:1','{"from":"running","outputs":3,"record":"1c3cdcf5a436c97be40a38625bc21f3e10a55931f4ed55fdff7cc6e491928fcc"}',X'AA370D1E620DC63B65E294C130A0BB9D0252FC9513DB7DF8D59842C871AF7858',X'0F606FE238E952FA4A495B2EE2641E9D014279F5B428785E70BAFC1D49B56EE0');
INSERT INTO "events" VALUES(19,'2026-03-01T02:00:01.500Z','run.finished','run:1','{"outcome":"done"}',X'0F606FE238E952FA4A495B2EE2641E9D014279F5B428785E70BAFC1D49B56EE0',X'842861388321C10455CB741766D6A0D4EAE2398A2EDBCA44EC9E203CE5D8414A');
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
  header_json     TEXT NOT NULL CHECK (json_valid(header_json)),
  run_id          INTEGER REFERENCES runs (id),
  received        TEXT NOT NULL,
  event           INTEGER NOT NULL REFERENCES events (seq)
) STRICT;
INSERT INTO "instances" VALUES(1,'1.2.2.0','1.2.840.10008.5.1.4.1.1.4','1.2.840.10008.1.2.1',1,1,1,'1.2.1/1.2.2/1.2.2.0.dcm','PERSON_INVENTED/1.2.2.0','6dff070966ab34fef096eb8a468002e876abb83d93eae3f360b82928f793be64',1234,'{"rows":4}',1,'2026-03-01T02:00:00.000Z',6);
INSERT INTO "instances" VALUES(2,'1.2.3.0','1.2.840.10008.5.1.4.1.1.4','1.2.840.10008.1.2.1',2,1,1,'1.2.1/1.2.3/1.2.3.0.dcm','PERSON_INVENTED/1.2.3.0','828b3ebbff1c931c66c44c03427c4a1be47bc80180352cab8ef44f17bd2eaced',1234,'{"rows":4}',1,'2026-03-01T02:00:00.000Z',7);
INSERT INTO "instances" VALUES(3,'1.2.2.1','1.2.840.10008.5.1.4.1.1.4','1.2.840.10008.1.2.1',1,1,1,'1.2.1/1.2.2/1.2.2.1.dcm','PERSON_INVENTED/1.2.2.1','37f45463fcbe0540b1fd50da6bd4b3e6fa070993f4114fb8d7ba70be064f979d',1234,'{"rows":4}',1,'2026-03-01T02:00:00.000Z',8);
INSERT INTO "instances" VALUES(4,'1.2.3.1','1.2.840.10008.5.1.4.1.1.4','1.2.840.10008.1.2.1',2,1,1,'1.2.1/1.2.3/1.2.3.1.dcm','PERSON_INVENTED/1.2.3.1','7c080d5e4a3fb1b866f9b4897ad91e6be8cbdbd6f9786da2a410274bee9daf14',1234,'{"rows":4}',1,'2026-03-01T02:00:00.000Z',9);
INSERT INTO "instances" VALUES(5,'1.2.2.2','1.2.840.10008.5.1.4.1.1.4','1.2.840.10008.1.2.1',1,1,1,'1.2.1/1.2.2/1.2.2.2.dcm','PERSON_INVENTED/1.2.2.2','3254c28b4feea0cf334a7754494339dbc02446b1fec670c103962283521e056a',1234,'{"rows":4}',1,'2026-03-01T02:00:00.000Z',10);
INSERT INTO "instances" VALUES(6,'1.2.3.2','1.2.840.10008.5.1.4.1.1.4','1.2.840.10008.1.2.1',2,1,1,'1.2.1/1.2.3/1.2.3.2.dcm','PERSON_INVENTED/1.2.3.2','67337f179a81c3e86064249ecadd327b1c515bcfa07eecb1ca864729d578e078',1234,'{"rows":4}',1,'2026-03-01T02:00:00.000Z',11);
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
INSERT INTO "intake" VALUES(1,1,'2026-03-01T02:00:00.000Z','accepted',NULL,NULL,'PERSON_INVENTED/1.2.2.0','6dff070966ab34fef096eb8a468002e876abb83d93eae3f360b82928f793be64',1234,'1.2.2.0',NULL,NULL,NULL,NULL,1,6);
INSERT INTO "intake" VALUES(2,1,'2026-03-01T02:00:00.000Z','accepted',NULL,NULL,'PERSON_INVENTED/1.2.3.0','828b3ebbff1c931c66c44c03427c4a1be47bc80180352cab8ef44f17bd2eaced',1234,'1.2.3.0',NULL,NULL,NULL,NULL,2,7);
INSERT INTO "intake" VALUES(3,1,'2026-03-01T02:00:00.000Z','accepted',NULL,NULL,'PERSON_INVENTED/1.2.2.1','37f45463fcbe0540b1fd50da6bd4b3e6fa070993f4114fb8d7ba70be064f979d',1234,'1.2.2.1',NULL,NULL,NULL,NULL,3,8);
INSERT INTO "intake" VALUES(4,1,'2026-03-01T02:00:00.000Z','accepted',NULL,NULL,'PERSON_INVENTED/1.2.3.1','7c080d5e4a3fb1b866f9b4897ad91e6be8cbdbd6f9786da2a410274bee9daf14',1234,'1.2.3.1',NULL,NULL,NULL,NULL,4,9);
INSERT INTO "intake" VALUES(5,1,'2026-03-01T02:00:00.000Z','accepted',NULL,NULL,'PERSON_INVENTED/1.2.2.2','3254c28b4feea0cf334a7754494339dbc02446b1fec670c103962283521e056a',1234,'1.2.2.2',NULL,NULL,NULL,NULL,5,10);
INSERT INTO "intake" VALUES(6,1,'2026-03-01T02:00:00.000Z','accepted',NULL,NULL,'PERSON_INVENTED/1.2.3.2','67337f179a81c3e86064249ecadd327b1c515bcfa07eecb1ca864729d578e078',1234,'1.2.3.2',NULL,NULL,NULL,NULL,6,11);
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
CREATE TABLE jobs (
  id               INTEGER PRIMARY KEY,
  key              TEXT NOT NULL UNIQUE,  -- digest of series, inputs, model, settings and software version
  kind             TEXT NOT NULL,         -- 'CT-MR', 'PET-MR', 'SPECT-MR', 'PET-CT'
  study_id         INTEGER NOT NULL REFERENCES studies (id),
  fixed_series_id  INTEGER NOT NULL REFERENCES series (id),
  moving_series_id INTEGER NOT NULL REFERENCES series (id),
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
INSERT INTO "jobs" VALUES(1,'5f109fdd8eaa9e66988d94d78a2297f21bd559b9d98bc51391ffa3bd88f39eda','CT-MR',1,1,2,'247c620f1595cb662fde82f4aaeae5c99ba45a347777fd873ce46ae81e859b5b',1,1,1,'2.25.9',1,'done',NULL,NULL,1,NULL,NULL,3,'trilinear','{"method":"percentiles","lower":1.5,"upper":900}','{"method":"window","unit":"HU","suv_factor":null}','{"kind":"same-frame","matrix":null}','{"side":256}','2026-03-01T02:00:00.000Z','2026-03-01T02:00:00.000Z','2026-03-01T02:00:01.500Z',1.5,18);
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
CREATE TABLE ledger (
  id         INTEGER PRIMARY KEY CHECK (id = 1),
  uuid       TEXT NOT NULL,
  created    TEXT NOT NULL
) STRICT;
INSERT INTO "ledger" VALUES(1,'3042b931-88be-4d82-9002-9809c54d3c4d','2026-03-01T02:00:00.000Z');
CREATE TABLE models (
  id         INTEGER PRIMARY KEY,
  name       TEXT NOT NULL,
  sha256     TEXT NOT NULL,
  path       TEXT NOT NULL,
  parameters INTEGER NOT NULL,      -- number of trained values
  registered TEXT NOT NULL,
  UNIQUE (sha256, name)
) STRICT;
INSERT INTO "models" VALUES(1,'ct-mr','ec1162e19fc2301b597bb911f7e1e2fae6905c90194eb90e19f8e318aa9e37f2','Models/ct-mr',1000000,'2026-03-01T02:00:00.000Z');
CREATE TABLE outputs (
  id       INTEGER PRIMARY KEY,
  slice_id INTEGER NOT NULL UNIQUE REFERENCES slices (id),
  sop_uid  TEXT NOT NULL UNIQUE,
  path     TEXT NOT NULL UNIQUE,   -- relative to the output folder
  sha256   TEXT NOT NULL,
  size     INTEGER NOT NULL CHECK (size > 0)
) STRICT;
INSERT INTO "outputs" VALUES(1,1,'2.25.0','1.2.1/2.25.9/2.25.0.dcm','eb618c31cf3d152ec7294d59d38732a8388e7c1ae78b68c391bd8a7936dbd516',1000);
INSERT INTO "outputs" VALUES(2,2,'2.25.1','1.2.1/2.25.9/2.25.1.dcm','7ae40e28f3da44e0c319678dad67498e779acd9442dcffd7a86aa693eadc89e1',1001);
INSERT INTO "outputs" VALUES(3,3,'2.25.2','1.2.1/2.25.9/2.25.2.dcm','2fe997ceb13eb39d2dcab91c9a472a0c3ef2b023cf18b1e652b7b2399c874986',1002);
CREATE TABLE patients (
  id         INTEGER PRIMARY KEY,
  patient_id TEXT,                  -- (0010,0020)
  issuer     TEXT,                  -- (0010,0021)
  name       TEXT,                  -- (0010,0010), UTF-8
  birth_date TEXT,                  -- (0010,0030)
  sex        TEXT                   -- (0010,0040)
) STRICT;
INSERT INTO "patients" VALUES(1,'INV-1','TEST','Invented^Person','19500101','O');
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
INSERT INTO "runs" VALUES(1,'run','done','2026-03-01T02:00:00.000Z','2026-03-01T02:00:01.500Z',1,1,19);
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
INSERT INTO "series" VALUES(1,'1.2.2',1,'MR',2,'invented','1.2.9','accepted',NULL,NULL,'2026-03-01T02:00:00.000Z');
INSERT INTO "series" VALUES(2,'1.2.3',1,'CT',2,'invented','1.2.9','accepted',NULL,NULL,'2026-03-01T02:00:00.000Z');
CREATE TABLE settings (
  id         INTEGER PRIMARY KEY,
  sha256     TEXT NOT NULL UNIQUE,
  text       TEXT NOT NULL,
  registered TEXT NOT NULL
) STRICT;
INSERT INTO "settings" VALUES(1,'42d4a51844396b51c13019b0519eaf2d60a258a92c82cbd1e0f5ea37962e1830','grid: 256
','2026-03-01T02:00:00.000Z');
CREATE TABLE slice_inputs (
  slice_id    INTEGER NOT NULL REFERENCES slices (id),
  role        TEXT NOT NULL CHECK (role IN ('fixed', 'moving')),
  instance_id INTEGER NOT NULL REFERENCES instances (id),
  frame       INTEGER NOT NULL DEFAULT 0,  -- 1-based in a multi-frame image, 0 in a single-frame one
  PRIMARY KEY (slice_id, role, instance_id, frame)
) STRICT, WITHOUT ROWID;
INSERT INTO "slice_inputs" VALUES(1,'fixed',1,0);
INSERT INTO "slice_inputs" VALUES(1,'moving',2,0);
INSERT INTO "slice_inputs" VALUES(3,'moving',2,2);
INSERT INTO "slice_inputs" VALUES(2,'fixed',3,0);
INSERT INTO "slice_inputs" VALUES(1,'moving',4,2);
INSERT INTO "slice_inputs" VALUES(2,'moving',4,0);
INSERT INTO "slice_inputs" VALUES(3,'fixed',5,0);
INSERT INTO "slice_inputs" VALUES(2,'moving',6,2);
INSERT INTO "slice_inputs" VALUES(3,'moving',6,0);
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
INSERT INTO "slices" VALUES(1,1,1,0,1.5,-2.25,0.0,1,NULL,0.5,2.25,0.4,2.0,0.0,'mutual-information',0.5,0.625,0.9,0.7,'{"resample":0.1}','2026-03-01T02:00:00.500Z',15);
INSERT INTO "slices" VALUES(2,1,1,1,1.5,-2.25,3.0,0,'folds',0.5,2.25,0.4,2.0,0.0,'mutual-information',0.5,0.625,0.9,0.7,'{"resample":0.1}','2026-03-01T02:00:01.000Z',16);
INSERT INTO "slices" VALUES(3,1,1,2,1.5,-2.25,6.0,1,NULL,0.5,2.25,0.4,2.0,0.0,'mutual-information',0.5,0.625,0.9,0.7,'{"resample":0.1}','2026-03-01T02:00:01.500Z',17);
CREATE TABLE software (
  id         INTEGER PRIMARY KEY,
  version    TEXT NOT NULL,
  blas       TEXT NOT NULL,
  host       TEXT NOT NULL,
  kernels    TEXT NOT NULL,
  registered TEXT NOT NULL,
  UNIQUE (version, blas, host, kernels)
) STRICT;
INSERT INTO "software" VALUES(1,'0.1.0','SkylakeX','node1','avx512','2026-03-01T02:00:00.000Z');
CREATE TABLE studies (
  id          INTEGER PRIMARY KEY,
  uid         TEXT NOT NULL UNIQUE, -- Study Instance UID
  patient_id  INTEGER NOT NULL REFERENCES patients (id),  -- of the first instance seen
  date        TEXT,                 -- DICOM DA and TM as in the file, local to the scanner
  time        TEXT,
  description TEXT
) STRICT;
INSERT INTO "studies" VALUES(1,'1.2.1',1,'20260228','231500','Head');
CREATE INDEX events_by_time ON events (time);
CREATE INDEX events_by_subject ON events (subject);
CREATE TRIGGER events_no_update BEFORE UPDATE ON events
BEGIN SELECT RAISE(ABORT, 'events are append-only'); END;
CREATE TRIGGER events_no_delete BEFORE DELETE ON events
BEGIN SELECT RAISE(ABORT, 'events are append-only'); END;
CREATE TRIGGER events_in_order BEFORE INSERT ON events
WHEN NEW.seq IS NOT (SELECT coalesce(max(seq), 0) + 1 FROM events)
  OR NEW.prev_hash IS NOT coalesce((SELECT hash FROM events ORDER BY seq DESC LIMIT 1), zeroblob(32))
BEGIN SELECT RAISE(ABORT, 'an event must follow the last one'); END;
CREATE TRIGGER checkpoints_no_update BEFORE UPDATE ON checkpoints
BEGIN SELECT RAISE(ABORT, 'checkpoints are append-only'); END;
CREATE TRIGGER checkpoints_no_delete BEFORE DELETE ON checkpoints
BEGIN SELECT RAISE(ABORT, 'checkpoints are append-only'); END;
CREATE UNIQUE INDEX patients_distinct ON patients (
  coalesce(patient_id, ''), coalesce(issuer, ''), coalesce(name, ''), coalesce(birth_date, ''),
  coalesce(sex, ''));
CREATE INDEX patients_by_id ON patients (patient_id);
CREATE INDEX studies_by_patient ON studies (patient_id);
CREATE INDEX series_by_study ON series (study_id);
CREATE INDEX series_rejected ON series (id) WHERE state = 'rejected';
CREATE INDEX instances_by_series ON instances (series_id, patient_id);
CREATE INDEX instances_by_sha256 ON instances (sha256);
CREATE INDEX instances_by_patient ON instances (patient_id);
CREATE INDEX intake_by_run ON intake (run_id, outcome);
CREATE INDEX intake_by_sha256 ON intake (sha256);
CREATE INDEX intake_by_sop ON intake (sop_uid);
CREATE INDEX intake_by_instance ON intake (instance_id);
CREATE INDEX intake_by_study ON intake (study_uid) WHERE study_uid IS NOT NULL;
CREATE INDEX intake_by_reason ON intake (outcome, reason);
CREATE INDEX jobs_by_state ON jobs (state);
CREATE INDEX jobs_by_study ON jobs (study_id);
CREATE INDEX jobs_by_fixed ON jobs (fixed_series_id);
CREATE INDEX jobs_by_moving ON jobs (moving_series_id);
CREATE INDEX jobs_by_model ON jobs (model_id);
CREATE INDEX jobs_by_output_series ON jobs (output_series_uid);
CREATE INDEX jobs_by_run ON jobs (run_id);
CREATE INDEX jobs_by_finished ON jobs (finished);
CREATE TRIGGER jobs_state BEFORE UPDATE OF state ON jobs
WHEN OLD.state || '>' || NEW.state NOT IN (
  'pending>running', 'pending>rejected', 'pending>failed', 'pending>superseded',
  'running>done', 'running>failed', 'running>rejected', 'running>pending', 'running>superseded',
  'failed>pending', 'failed>rejected', 'failed>superseded',
  'rejected>pending', 'rejected>superseded', 'done>superseded',
  'superseded>pending', 'superseded>rejected', 'superseded>done')
BEGIN SELECT RAISE(ABORT, 'this change of a job''s state is not allowed'); END;
CREATE INDEX attempts_by_run ON attempts (run_id);
CREATE INDEX slices_by_attempt ON slices (attempt_id);
CREATE INDEX slice_inputs_by_instance ON slice_inputs (instance_id);
CREATE INDEX outputs_by_sha256 ON outputs (sha256);
CREATE INDEX intents_pending ON intents (id) WHERE state IN ('open', 'written');
CREATE INDEX intents_by_job ON intents (job_id);
CREATE VIEW v_jobs AS
SELECT j.id AS job, j.state, j.reason, j.sentence, j.kind,
  st.uid AS study, f.uid AS fixed, f.modality AS fixed_modality, m.uid AS moving,
  m.modality AS moving_modality, j.output_series_uid AS series, p.patient_id AS patient, p.issuer,
  mo.name AS model, mo.sha256 AS model_sha256, se.sha256 AS settings_sha256, so.version AS software,
  j.planned_slices AS slices, (SELECT count(*) FROM slices s WHERE s.job_id = j.id) AS outputs,
  j.attempts, j.retry_at, j.superseded_by, j.run_id AS run, j.opened, j.started, j.finished, j.seconds
FROM jobs j
JOIN studies st ON st.id = j.study_id
JOIN series f ON f.id = j.fixed_series_id
JOIN series m ON m.id = j.moving_series_id
JOIN patients p ON p.id = st.patient_id
JOIN settings se ON se.id = j.settings_id
JOIN software so ON so.id = j.software_id
LEFT JOIN models mo ON mo.id = j.model_id;
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
CREATE VIEW v_outputs AS
SELECT o.id AS output, o.sop_uid AS sop, o.path, o.sha256, o.size, s.published, s.idx AS slice, s.accepted,
  s.reason, s.deformation_mean, s.deformation_max, s.similarity_before, s.similarity_after, s.seconds,
  j.id AS job, j.state AS job_state, j.kind, j.output_series_uid AS series, st.uid AS study,
  f.modality AS fixed_modality, m.modality AS moving_modality, p.patient_id AS patient,
  mo.name AS model, mo.sha256 AS model_sha256
FROM outputs o
JOIN slices s ON s.id = o.slice_id
JOIN jobs j ON j.id = s.job_id
JOIN series f ON f.id = j.fixed_series_id
JOIN series m ON m.id = j.moving_series_id
JOIN studies st ON st.id = j.study_id
JOIN patients p ON p.id = st.patient_id
LEFT JOIN models mo ON mo.id = j.model_id;
CREATE VIEW v_lineage AS
SELECT o.sop_uid AS output, s.job_id AS job, s.idx AS slice, x.role, i.sop_uid AS input, x.frame,
  se.uid AS input_series, i.sha256 AS input_sha256, i.path AS input_path, i.id AS instance_id,
  o.slice_id
FROM outputs o
JOIN slices s ON s.id = o.slice_id
JOIN slice_inputs x ON x.slice_id = o.slice_id
JOIN instances i ON i.id = x.instance_id
JOIN series se ON se.id = i.series_id;
CREATE VIEW v_failures AS
SELECT 'job' AS what, j.state, j.reason, j.sentence, 'job:' || j.id AS subject,
  coalesce(j.finished, j.opened) AS time, j.id AS job, st.uid AS study, f.modality AS modality,
  m.modality AS modality2, p.patient_id AS patient, mo.name AS model, mo.sha256 AS model_sha256
FROM jobs j
JOIN studies st ON st.id = j.study_id
JOIN series f ON f.id = j.fixed_series_id
JOIN series m ON m.id = j.moving_series_id
JOIN patients p ON p.id = st.patient_id
LEFT JOIN models mo ON mo.id = j.model_id
WHERE j.state IN ('failed', 'rejected')
UNION ALL
SELECT 'file', k.outcome, k.reason, k.sentence, coalesce(k.sop_uid, 'sha256:' || k.sha256, 'intake:' || k.id),
  k.time, NULL, k.study_uid, k.modality, NULL, p.patient_id, NULL, NULL
FROM intake k
LEFT JOIN instances i ON i.id = k.instance_id
LEFT JOIN patients p ON p.id = i.patient_id
WHERE k.outcome = 'rejected'
UNION ALL
SELECT 'series', e.state, e.reason, e.sentence, 'series:' || e.uid, e.last_arrival, NULL, st.uid, e.modality,
  NULL, p.patient_id, NULL, NULL
FROM series e
JOIN studies st ON st.id = e.study_id
JOIN patients p ON p.id = st.patient_id
WHERE e.state = 'rejected';
CREATE VIEW v_patient_conflicts AS
SELECT patient_id, coalesce(issuer, '') AS issuer, count(*) AS identities,
  count(DISTINCT nullif(upper(rtrim(name, '^= ')), '')) > 1 AS name_differs,
  count(DISTINCT nullif(birth_date, '')) > 1 AS birth_date_differs,
  count(DISTINCT nullif(upper(sex), '')) > 1 AS sex_differs
FROM patients
WHERE coalesce(patient_id, '') <> ''
GROUP BY patient_id, coalesce(issuer, '')
HAVING name_differs OR birth_date_differs OR sex_differs;
CREATE VIEW v_study_conflicts AS
SELECT st.uid AS study, count(DISTINCT coalesce(p.issuer, '') || char(10) || coalesce(p.patient_id, '')) AS patients
FROM (SELECT DISTINCT series_id, patient_id FROM instances) i
JOIN series se ON se.id = i.series_id
JOIN studies st ON st.id = se.study_id
JOIN patients p ON p.id = i.patient_id
GROUP BY st.id
HAVING patients > 1;
CREATE VIEW v_uid_conflicts AS
SELECT k.sop_uid AS sop, i.sha256 AS kept_sha256, k.sha256 AS refused_sha256, k.time, se.uid AS series,
  k.quarantine_path
FROM intake k
JOIN instances i ON i.id = k.instance_id
JOIN series se ON se.id = i.series_id
WHERE k.outcome = 'rejected' AND k.reason = 'uid_conflict';
CREATE VIEW v_runs AS
SELECT r.id AS run, r.command, r.state, r.started, r.finished, so.version AS software, so.host,
  (SELECT count(*) FROM intake k WHERE k.run_id = r.id AND k.outcome = 'accepted') AS accepted,
  (SELECT count(*) FROM intake k WHERE k.run_id = r.id AND k.outcome = 'duplicate') AS duplicate,
  (SELECT count(*) FROM intake k WHERE k.run_id = r.id AND k.outcome = 'skipped') AS skipped,
  (SELECT count(*) FROM intake k WHERE k.run_id = r.id AND k.outcome = 'rejected') AS rejected,
  (SELECT count(*) FROM attempts a WHERE a.run_id = r.id) AS attempts
FROM runs r
LEFT JOIN software so ON so.id = r.software_id;
CREATE VIEW v_events AS
SELECT seq, time, kind, subject, payload, lower(hex(prev_hash)) AS prev_hash, lower(hex(hash)) AS hash
FROM events;
COMMIT;
