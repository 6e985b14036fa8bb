// What `--version` prints: the version and everything else that outputs depend on.

import Pipeline
import Tensors

enum VersionText {
  static var text: String {
    "\(Software.name.lowercased()) \(Software.version) (kernels \(Machine.instructions.rawValue))"
  }
}
