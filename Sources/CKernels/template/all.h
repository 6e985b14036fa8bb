// Every kernel of one instruction set. Define FK_LANES, FK_TILE_OUTPUTS, FK_TILE_VECTORS and FK_TABLE, then include.
#include "vector.h"

#include "gelu.h"

#include "../table.h"

#include "halves.h"

#include "convolution.h"

#include "gate.h"

#include "winograd_lines.h"

#define FK_M 4
#include "winograd.h"
#undef FK_M
#define FK_M 2
#include "winograd.h"
#undef FK_M

#include "winograd_choice.h"

#include "winograd_gate.h"

#include "fold.h"

#include "product.h"

#include "normalization.h"

#include "plane_sums.h"

#include "attention.h"

#include "resize.h"

const fk_table FK_TABLE = {
    .tile = FK_TILE,
    .convolve = convolve,
    .gate = gate,
    .convolve_winograd = convolve_winograd,
    .gate_winograd = gate_winograd,
    .product = product,
    .normalize = normalize,
    .centre = centre,
    .plane_sums = plane_sums,
    .compose = compose,
    .gram = gram,
    .cross_attend = cross_attend,
    .resize = resize,
    .accumulate_resized = accumulate_resized,
    .shrink_flow = shrink_flow,
    .warp = warp,
    .layer_norm = layer_norm,
    .softmax_rows = softmax_rows,
    .gelu = gelu_in_place,
    .sigmoid_map = sigmoid_map,
    .half_to_float = half_to_float,
    .exact_halves = exact_halves,
};
