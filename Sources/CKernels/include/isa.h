// Instruction sets the kernels are built for, and which of them this processor has.
#pragma once

typedef enum { FK_ISA_PORTABLE = 0, FK_ISA_AVX2 = 1, FK_ISA_AVX512 = 2 } fk_isa;

/// The widest that this processor has; AVX2 counts only with FMA, AVX-512 means F, BW, DQ and VL.
fk_isa fk_best_isa(void);
