// What this machine computes with: BLAS kernels and vector instructions. For provenance, `doctor` and `bench`.

internal import CKernels
internal import COpenBLAS

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

  /// Chooses OpenBLAS's kernels for this processor, one thread per product. Engines do it when they are made.
  public static func initialize() { ob_initialize() }

  /// OpenBLAS's core, e.g. "SkylakeX". Results differ in their last bits between cores.
  public static var blasCore: String {
    ob_initialize()
    return String(cString: ob_core_name())
  }

  /// OpenBLAS's version and build options.
  public static var blasConfiguration: String { String(cString: ob_configuration()) }

  /// The best this processor has, and what is in use (`FUSELINE_ISA` can lower it).
  public static var bestInstructions: InstructionSet { InstructionSet(fk_best_isa()) }
  public static var instructions: InstructionSet { InstructionSet(fk_current_isa()) }

  /// Uses another instruction set from now on in this thread; never a better one than the processor has.
  public static func use(_ instructions: InstructionSet) { fk_use_isa(instructions.code) }
}
