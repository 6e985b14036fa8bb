// Zip archives and DICOMDIR trees dropped whole: good ones, and those made to do harm.

import Foundation
import Testing

@Suite struct ArchiveTests {
  private static let configuration = "grid: {side: 32}\nintake: {quiet_time: 0 s}\n"

  /// Runs Python with the inbox and the sample studies as arguments; false where the test Python is not set up.
  private func python(_ site: Site, _ script: String) throws -> Bool {
    let program = Site.root.appendingPathComponent(".venv/bin/python").path
    guard FileManager.default.isExecutableFile(atPath: program) else {
      print("skipped: no .venv; run make setup")
      return false
    }
    let process = Process()
    process.executableURL = URL(fileURLWithPath: program)
    process.arguments = [
      "-c", "import sys, os, zipfile\ninbox, samples = sys.argv[1:3]\n" + script, site.inbox, Site.samples,
    ]
    try process.run()
    process.waitUntilExit()
    #expect(process.terminationStatus == 0)
    return true
  }

  private func reasons(_ site: Site) throws -> [String] {
    let output = try site.run(
      "audit", "sql", "SELECT DISTINCT reason FROM intake WHERE outcome = 'rejected' ORDER BY reason", "--csv"
    ).output
    return output.split(whereSeparator: \.isNewline).dropFirst().map(String.init)
  }

  @Test func `a zipped study is taken apart, whatever its entries are called`() throws {
    let site = try Site(Self.configuration)
    let made = try python(
      site,
      """
      with zipfile.ZipFile(inbox + "/study.dat", "w", zipfile.ZIP_DEFLATED) as z:
          n = 0
          for root, _, names in os.walk(samples + "/ct-mr"):
              for name in names:
                  n += 1
                  z.write(os.path.join(root, name), ["../../evil%d", "/etc/evil%d", "a/b/%d", "C:\\\\x\\\\%d", "con\\u0308%d"][n % 5] % n)
          z.writestr("__MACOSX/._x", b"noise")
          z.writestr("folder/", b"")
      """)
    guard made else { return }
    let run = try site.run("run", "--json")
    #expect(run.code == 0, "\(run.errors)")
    #expect(site.files("output").count == 12)
    #expect(site.files("inbox").isEmpty)
    #expect(!site.files("store").contains { $0.contains("evil") || $0.contains(".unpacking") })
    let parent = (site.folder as NSString).deletingLastPathComponent
    #expect(!(try FileManager.default.contentsOfDirectory(atPath: parent)).contains { $0.hasPrefix("evil") })
    // The same images in the folder as well: duplicates, nothing twice.
    try site.drop(Site.samples + "/ct-mr")
    #expect(try site.run("run").code == 0)
    #expect(site.files("output").count == 12)
    #expect(try site.run("audit", "verify").code == 0)
  }

  @Test func `bombs, damaged and nested archives are refused, each with its reason`() throws {
    let site = try Site(
      Self.configuration.replacingOccurrences(
        of: "quiet_time: 0 s", with: "quiet_time: 0 s, archives: {files: 50, ratio: 100, size: 100 MiB}"))
    let made = try python(
      site,
      """
      import io
      with zipfile.ZipFile(inbox + "/bomb.zip", "w", zipfile.ZIP_DEFLATED) as z: z.writestr("a", b"\\0" * 50_000_000)
      with zipfile.ZipFile(inbox + "/many.zip", "w") as z:
          for i in range(60): z.writestr(str(i), b"x")
      inner = io.BytesIO()
      with zipfile.ZipFile(inner, "w") as z: z.writestr("a", os.urandom(1000))
      with zipfile.ZipFile(inbox + "/nested.zip", "w") as z: z.writestr("inner.zip", inner.getvalue())
      good = inner.getvalue()
      open(inbox + "/cut.zip", "wb").write(good[:len(good) // 2])
      broken = bytearray(good); broken[100] ^= 255
      open(inbox + "/crc.zip", "wb").write(broken)
      """)
    guard made else { return }
    #expect(try site.run("run").code == 1)
    #expect(try reasons(site) == ["archive_damaged", "archive_too_large", "not_dicom"])
    #expect(site.files("inbox").isEmpty)
    #expect(site.files("quarantine").count { !$0.hasSuffix(".json") } == 5)
  }

  @Test func `an encrypted archive is refused with a sentence that says what to do`() throws {
    let site = try Site(Self.configuration)
    let made = try python(
      site,
      """
      import io
      plain = io.BytesIO()
      with zipfile.ZipFile(plain, "w") as z:
          z.write(samples + "/ct-mr/CT_SCOUT/CT000001.dcm", "a")
      data = bytearray(plain.getvalue())
      # Bit 0 of the general purpose flag, in the local and in the central header (APPNOTE 4.4.4).
      for signature, offset in ((b"PK\\x03\\x04", 6), (b"PK\\x01\\x02", 8)):
          data[data.index(signature) + offset] |= 1
      open(inbox + "/secret.zip", "wb").write(data)
      """)
    guard made else { return }
    #expect(try site.run("run").code == 1)
    #expect(try reasons(site) == ["archive_encrypted"])
    let failures = try site.run("audit", "failures").output
    #expect(failures.contains("send it without a password"), "\(failures)")
    #expect(site.files("store").isEmpty && site.files("inbox").isEmpty)
  }

  @Test func `a DICOMDIR tree is its files; the directory itself is set aside`() throws {
    let site = try Site(Self.configuration)
    let made = try python(
      site,
      """
      import pydicom, warnings
      from pydicom.fileset import FileSet
      warnings.simplefilter("ignore")
      tree = FileSet()
      for root, _, names in os.walk(samples + "/ct-mr"):
          for name in names:
              try: tree.add(os.path.join(root, name))
              except Exception: pass
      tree.write(inbox + "/CD")
      """)
    guard made else { return }
    #expect(site.files("inbox").contains { $0.hasSuffix("DICOMDIR") })
    let run = try site.run("run", "--json")
    #expect(run.code == 0, "\(run.errors)")
    #expect(site.files("output").count == 12)
    #expect(site.files("inbox").isEmpty)
  }
}
