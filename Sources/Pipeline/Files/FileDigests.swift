// Digests of recorded files as they are on disk now, for proving that nothing was changed.

public import Provenance

public struct FileDigests: Sendable {
  let folders: Settings.Folders

  public init(settings: Settings) { folders = settings.folders }

  /// SHA-256 of a file of the store or the output folder, nil where it is missing.
  public func digest(_ file: RecordedFile) throws -> String? {
    let path =
      switch file {
      case .input(let path): folders.store + "/" + path
      case .output(let path): folders.output + "/" + path
      }
    return FileSystem.exists(path) ? try FileSystem.sha256(path) : nil
  }
}
