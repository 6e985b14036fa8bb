// The kernels for any machine: vectors of four, no instruction beyond the platform's baseline.
#define FK_LANES 4
#define FK_TILE_OUTPUTS 4
#define FK_TILE_VECTORS 2
#define FK_TABLE fk_table_portable
#include "template/all.h"
