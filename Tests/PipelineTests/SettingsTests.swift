// pipeline.yaml: the default is complete and consistent, and every mistake is named with its place.

import Foundation
import Pipeline
import Testing

@Suite struct SettingsTests {
  private func error(_ yaml: String) -> ConfigurationError? {
    do {
      _ = try Settings(yaml: yaml, file: "/site/pipeline.yaml")
      return nil
    } catch { return error as? ConfigurationError }
  }

  @Test func `the default is valid and puts everything beside the file`() throws {
    let settings = try Settings(yaml: "", file: "/site/pipeline.yaml")
    #expect(settings.folders.inbox == "/site/inbox")
    #expect(settings.ledger == "/site/fuseline.sqlite")
    #expect(settings.models == nil)
    #expect(settings.grid.side == 256)
    #expect(settings.pairing.rules.map(\.name) == ["CT-MR", "PET-MR", "SPECT-MR", "PET-CT"])
    #expect(settings.normalization["CT"] == .window(center: 40, width: 80))
    #expect(settings.intake.quietTime == 5)
  }

  @Test func `one key of a section leaves the others at their default`() throws {
    let settings = try Settings(yaml: "grid:\n  side: 128\n", file: "/site/pipeline.yaml")
    #expect(settings.grid.side == 128)
    #expect(settings.grid.antialias)
  }

  @Test func `a misspelt key is refused with its place and the nearest name`() {
    let error = error("grid:\n  sied: 128\n")
    #expect(error?.line == 2)
    #expect(error?.column == 3)
    #expect(error?.key == "grid.sied")
    #expect(error?.message.contains("“side”") == true)
  }

  @Test(arguments: [
    ("grid: {side: 100}", "grid.side"), ("grid: {side: big}", "grid.side"), ("grid: 3", "grid"),
    ("intake: {quiet_time: 5}", "intake.quiet_time"),
    ("intake: {quiet_time: 5 lightyears}", "intake.quiet_time"),
    ("pairing: {rules: []}", "pairing.rules"), ("pairing: {scope: ward}", "pairing.scope"),
    (
      "pairing: {rules: [{name: X, fixed: {modality: MR}, moving: {modality: MR}, model: a}]}",
      "pairing.rules[0].moving"
    ),
    ("pairing: {rules: [{name: X, fixed: {modality: MR}, model: a}]}", "pairing.rules[0].moving"),
    ("normalization: {CT: {method: window, center: 40, width: 80 HU}}", "normalization.CT.center"),
    ("normalization: {MR: {method: percentiles, low: 9 %, high: 3 %}}", "normalization.MR.high"),
    ("selection: {exclude: ['(']}", "selection.exclude"), ("folders: {store: inbox/store}", "folders"),
    ("output: {modality: XX}", "output.modality"), ("nonsense: 1", "nonsense"),
  ])
  func `a wrong value is refused at its key`(_ yaml: String, _ key: String) {
    #expect(error(yaml)?.key == key)
  }

  @Test func `broken YAML is refused with a line`() {
    #expect(error("grid:\n  side: [1\n")?.line != nil)
    #expect(error("- a\n- b\n") != nil)
    #expect(error("grid: {side: 64}\ngrid: {side: 32}\n") != nil)
  }

  @Test func `the digest ignores folders and workers but not what shapes pixels`() throws {
    let a = try Settings(yaml: "", file: "/a/pipeline.yaml")
    let b = try Settings(yaml: "processing: {workers: 3}", file: "/b/pipeline.yaml")
    let c = try Settings(yaml: "grid: {side: 128}", file: "/a/pipeline.yaml")
    #expect(a.digest == b.digest)
    #expect(a.digest != c.digest)
  }

  @Test(arguments: [
    "", "grid: {side: 128}", "normalization: {CT: {method: percentiles, low: 2 %, high: 98 %}}",
    "models: weights\ncheckpoint_key: ''\nmetrics: {file: fuseline.prom}",
    "selection: {MR: {prefer: [{volumetric: true}]}, exclude: ['\\bX\\b']}\nalerts: {command: [/usr/bin/mail, -s, \"a b\"]}",
    "schedule: {fuse: '22:00-06:00', time_zone: Europe/Vienna}\nretry: {crash: {attempts: 9}}",
    "pairing: {rules: [{name: X, fixed: {modality: MR, contrast: true}, moving: {modality: CT}, model: a}]}",
  ])
  func `effective settings, read again elsewhere, are the same settings`(_ yaml: String) throws {
    let text = try Settings.effectiveText(yaml: yaml, file: "/site/pipeline.yaml")
    let settings = try Settings(yaml: yaml, file: "/site/pipeline.yaml")
    #expect(try Settings(yaml: text, file: "/elsewhere/pipeline.yaml") == settings)
    #expect(text.contains("quiet_time: 5 s"))
  }
}
