// What this machine computes with: the vector instructions of the kernels. For provenance, `doctor` and `bench`.

internal import CKernels

public enum Machine {
  /// Vector instructions of the kernels.
  public enum InstructionSet: String, Sendable, CaseIterable {
    case portable, avx2, avx512

    var code: fk_isa {
      switch self {
      case .portable: FK_ISA_PORTABLE
      case .avx2: FK_ISA_AVX2
      case .avx512: FK_ISA_AVX512
      }
    }

    init(_ code: fk_isa) {
      self = code == FK_ISA_AVX512 ? .avx512 : code == FK_ISA_AVX2 ? .avx2 : .portable
    }
  }

  /// Whose matrix products run. The ledger and its exports have a field for it since another library's kernels could be
  /// chosen; they are all our own now.
  public static let products = "own kernels"

  /// The best this processor has, and what is in use (`FUSELINE_ISA` can lower it).
  public static var bestInstructions: InstructionSet { InstructionSet(fk_best_isa()) }
  public static var instructions: InstructionSet { InstructionSet(fk_current_isa()) }

  /// Has planes, volumes and weights made in memory that was used before; for the beginning of a program.
  public static func reuseFreedMemory() { fk_reuse_freed_memory() }

  /// Uses another instruction set from now on in this thread; never a better one than the processor has.
  public static func use(_ instructions: InstructionSet) { fk_use_isa(instructions.code) }
}
