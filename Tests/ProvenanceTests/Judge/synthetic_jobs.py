"""Jobs and slices of a synthetic ledger, with their events; everything else is synthetic_ledger.py."""

import hashlib

from ledger_format import canonical, real, sha, text


class Jobs:
    """What `Filler` knows about work: it brings events, tables and counters."""

    # One job, done; some fail or are refused before they begin

    def job(self, pair, study, series, model, superseded=False):
        self.jobs += 1
        job, run, (fixed, _), (moving, _) = self.jobs, self.runs, *series
        key, inputs, output = sha(f"key {job}"), sha(f"inputs {job}"), f"2.25.{int(sha(f'series {job}')[:32], 16)}"
        opened = self.now
        self.event(
            "job.opened", f"job:{job}",
            canonical({"fixed": fixed, "key": key, "kind": "CT-MR", "moving": moving, "run": run, "series": output}),
        )
        name, model_sha = self.models[model - 1]
        normalization = '{"lower":0,"method":"percentiles","unit":"arbitrary","upper":1630}'
        window = '{"lower":0,"method":"window","unit":"HU","upper":80}'
        registration, details = '{"kind":"same-frame"}', '{"columns":256,"pixel_mm":0.9,"rows":256}'
        planned, reason, sentence, attempts = self.per_job, None, None, 1
        if job % 97 == 0:
            event, state = self.refuse(job), "rejected"
            reason, sentence, attempts = "gap_in_series", "images are missing in the middle, send the series again", 0
        else:
            self.event("attempt.began", f"job:{job}", f'{{"attempt":1,"from":"pending","run":{run}}}')
            self.event("job.prepared", f"job:{job}", f'{{"slices":{planned}}}')
            for index in range(planned):
                self.slice(job, study, output, series, index)
            if job % 53 == 0:
                event, state = self.event("job.failed", f"job:{job}", '{"from":"running","reason":"timeout"}'), "failed"
                reason, sentence = "timeout", "not done after 600 s, the worker was killed"
            else:
                record = sha(
                    f"i{job};" + text(key) + text("CT-MR") + text(fixed) + text(moving) + text(inputs)
                    + text(model_sha) + text(sha(self.settings)) + text(self.settings) + text("0.1.0") + text("none")
                    + text("node1") + text("avx512") + text(output) + f"i{planned};" + text("trilinear")
                    + text(normalization) + text(window) + text(registration) + text(details) + "\n"
                )
                event, state = self.event(
                    "job.done", f"job:{job}", f'{{"from":"running","outputs":{planned},"record":"{record}"}}'
                ), "done"
            self.tables["attempts"].rows.append(
                (job, job, run, 1, "node1", opened, self.now, state, reason, sentence)
            )
        if superseded and state == "done":
            state, reason = "superseded", "other_inputs_model_or_settings"
            event = self.event(
                "job.superseded", f"job:{job}", canonical({"by": job + 1, "from": "done", "reason": reason})
            )
        self.tables["jobs"].rows.append(
            (job, key, pair, inputs, model, 1, 1, output, run, state, reason, sentence, attempts,
             job + 1 if state == "superseded" else None, planned, "trilinear", normalization, window, registration,
             details, opened, opened if attempts else None, self.now, 90.5, event)
        )

    def refuse(self, job):
        return self.event("job.rejected", f"job:{job}", '{"from":"pending","reason":"gap_in_series"}')

    MEASURE = "mutual information, bits"
    TIMINGS = '{"compose":0.01,"judge":0.02,"network":0.7,"resample":0.05,"write":0.004}'
    PLACE = real(-120.5) + real(-119.25)
    TAIL = (
        real(0.5) + real(2.25) + real(0.75) + real(2.5) + real(0.0) + text(MEASURE) + real(0.5) + real(0.625)
        + real(1.0) + real(0.83) + text(TIMINGS)
    )

    def slice(self, job, study, output, series, index):
        self.slices += 1
        (_, fixed), (_, moving) = series
        used = [moving[index], moving[(index + 1) % len(moving)]]
        accepted = index % 25 != 0
        reason = None if accepted else "folds"
        digest = sha(f"output {job} {index}")
        sop = f"2.25.{int(digest[:32], 16)}"
        path, size, now, z = f"{study}/{output}/{sop}.dcm", 199000 + index, self.now, index * 3.0
        inputs = "".join(
            f"{text('moving')}t{len(s)}:{s};t64:{d};i0;\n" for _, s, d in sorted(used, key=lambda member: member[1])
        )
        record = hashlib.sha256(
            (
                f"i{job};i{index};{self.PLACE}{real(z)}i{int(accepted)};{text(reason) if reason else 'n;'}{self.TAIL}"
                f"t{len(now)}:{now};t{len(sop)}:{sop};t{len(path)}:{path};t64:{digest};i{size};\n"
                f"t5:fixed;t{len(fixed[index][1])}:{fixed[index][1]};t64:{fixed[index][2]};i0;\n{inputs}"
            ).encode()
        ).hexdigest()
        event = self.event(
            "slice.published", f"output:{sop}",
            f'{{"accepted":{"true" if accepted else "false"},"attempt":{job},"job":{job},"record":"{record}",'
            f'"sha256":"{digest}","slice":{index}}}',
        )
        self.tables["slices"].rows.append(
            (self.slices, job, job, index, -120.5, -119.25, z, int(accepted), reason, 0.5, 2.25, 0.75, 2.5, 0.0,
             self.MEASURE, 0.5, 0.625, 1.0, 0.83, self.TIMINGS, now, event)
        )
        self.tables["slice_inputs"].rows.append((self.slices, "fixed", fixed[index][0], 0))
        self.tables["slice_inputs"].rows.extend((self.slices, "moving", row, 0) for row, _, _ in used)
        self.tables["outputs"].rows.append((self.slices, sop, path, digest, size))
