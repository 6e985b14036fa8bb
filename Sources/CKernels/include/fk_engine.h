// The network's loops: what they compute and on which layout – not the network itself.
//
// Shape alphabet: B images, C channels, H rows, W columns, N = H·W pixels, T tokens, E features of a token.
// Every kernel exists for AVX-512, AVX2+FMA and any x86-64/portable machine; the best one is chosen at run time.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "isa.h"

#pragma clang assume_nonnull begin

/// B × C planes with a border of zeros: the layout in which a 3×3 convolution needs no edge code.
///
/// Pixel (x, y) of channel c of image b is `data[(b·C + c)·stride + y·(W+1) + x]`, for −1 ≤ x ≤ W and
/// −1 ≤ y ≤ H: one column of zeros stands right of each row and is at the same time left of the next, one
/// row of zeros above and below. Kernels that write a map leave its border zero.
typedef struct fk_map {
  float *data;
  ptrdiff_t stride;
  int32_t images, channels, height, width;
  /// Of a view of some rows: whether the image goes on above and below, in memory as well.
  bool more_above, more_below;
} fk_map;

/// What is done to a result before it is stored.
typedef enum fk_activation {
  fk_identity,
  fk_relu,
  /// slope 0.01
  fk_leaky_relu,
  fk_tanh,
  fk_sigmoid,
} fk_activation;

/// A dense convolution, 1×1 (`taps` 1) or 3×3 with zero padding (`taps` 9), in the order of `fk_pack`.
typedef struct fk_filter {
  int32_t taps, inputs, outputs;
  /// Packed, `outputs · inputs · taps` values. Null where `halves` has them.
  const float *_Nullable weights;
  /// [outputs]
  const float *bias;
  /// [outputs][16] or null: added at border pixels, index = sum of 1 top row, 2 bottom row, 4 left, 8 right.
  const float *_Nullable border;
  /// The weights of a 3×3 for Winograd's kernels in half precision, where that holds them exactly; readable 8 further.
  const uint16_t *_Nullable halves;
} fk_filter;

/// The one in use: the best, or what the environment variable FUSELINE_ISA (portable, avx2, avx512) lowers it to.
fk_isa fk_current_isa(void);
/// Uses another one from now on in this thread; never more than the machine has. For tests and measurements.
void fk_use_isa(fk_isa isa);

/// Zeroes the rows above and below every plane. The column belongs to whoever writes the rows.
void fk_clear_border(const fk_map *map);

/// y = act(filter(x)) + residual. x has `inputs`, y and residual `outputs` channels; all B images.
void fk_convolve(const fk_map *x, const fk_map *y, const fk_filter *filter, fk_activation activation,
                 const fk_map *_Nullable residual);

/// The same by Winograd's F(M×M, 3×3), M = 4 or 2; `activation` identity or ReLU. `filter` is packed by `fk_pack` as a 3×3
/// whose outputs were filled up with zeros to whole runs of eight (bias too) and has `taps` (M + 2)²: its weights
/// are transformed as they are needed, which costs less than reading four times as many from memory.
/// `scratch`: `fk_winograd_scratch(x, M, outputs, 0)` floats.
void fk_convolve_winograd(const fk_map *x, const fk_map *y, const fk_filter *filter, fk_activation activation,
                          const fk_map *_Nullable residual, float *scratch);
size_t fk_winograd_scratch(const fk_map *x, int32_t tile, int32_t outputs, int32_t hidden);

/// Gated feed-forward: y = residual + projection(GELU(g) ⊙ h), (g, h) = expansion(u).
/// `expansion`: 3×3, outputs in alternating runs of four g and four h; `projection`: 1×1, half as many inputs.
/// `scratch` holds `fk_gate_scratch(expansion->outputs)` floats. y may be residual.
void fk_gate(const fk_map *u, const fk_map *y, const fk_filter *expansion, const fk_filter *projection,
             const fk_map *residual, float *scratch);
size_t fk_gate_scratch(int32_t expanded);
/// The same with an expansion by Winograd with tiles of 4 (`taps` 36); H and W multiples of 4.
/// `scratch`: `fk_winograd_scratch(u, 4, expansion->outputs, projection->inputs)` floats.
void fk_gate_winograd(const fk_map *u, const fk_map *y, const fk_filter *expansion, const fk_filter *projection,
                      const fk_map *residual, float *scratch);

/// Each plane to mean 0 and variance 1 (biased, eps 1e-5; sums in double), then x if positive, else slope·x.
/// y may be x.
void fk_normalize(const fk_map *x, const fk_map *y, float slope);

/// gram[a·C + b] = Σ over pixels of k[a]·q[b] of one image, in double. k, q: C channels.
void fk_gram(const fk_map *k, const fk_map *q, int32_t image, double *gram);

/// y = x − mean of x; one image of one channel. Mean and biased variance in double.
void fk_centre(const fk_map *x, const fk_map *y, double *mean, double *variance);

/// Sums over the pixels of a plane whose border is zero, taps of their 3×3 neighbourhoods in row-major order.
typedef struct fk_plane_sums {
  /// Σ tap[s] · tap[t], [9][9]
  double products[81];
  /// Σ tap[t]
  double values[9];
} fk_plane_sums;

void fk_plane_sums_of(const fk_map *x, fk_plane_sums *sums);

/// Most channels of `fk_attend_plane`.
#define FK_PLANE_CHANNELS 8

/// A multi-Dconv transposed attention whose C ≤ FK_PLANE_CHANNELS channels all come from one plane by a 1×1 before it.
typedef struct fk_plane_attention {
  int32_t channels;
  /// The 1×1: channel c is scale[c] · plane + shift[c].
  const float *scale, *shift;
  /// q, k and v, composed: weights [3C][C][9], bias [3C], border [3C][16] as in fk_filter.
  const float *weights, *bias, *border;
  /// conv4: [C][C], [C].
  const float *output, *output_bias;
} fk_plane_attention;

/// y = 1×1(x) + MDTA(normalised 1×1(x)) for image `image` of x, one channel; y: C channels of the same image.
/// q, k and v are 3×3 filters of the plane itself, so their Gram matrix follows from the plane's second moments and the
/// whole is one 3×3 convolution. `centred`: a map of one plane, overwritten.
void fk_attend_plane(const fk_map *x, int32_t image, const fk_map *centred, const fk_map *y,
                     const fk_plane_attention *attention);

/// s = K(d,e) + K(e,d) with K(a,b) = p⊙softmax(p⊙r) + a, the softmax over the pixels of each plane.
/// `pr`: 2 images (d, e) of 2C channels, p of the image first, then r. d, e, s: 1 image; s may be d or e.
/// `scratch` holds two planes. For traces: `k` (2 images, C channels) gets both summands when not null.
void fk_cross_attend(const fk_map *pr, const fk_map *d, const fk_map *e, const fk_map *s, float *scratch,
                     const fk_map *_Nullable k);

/// Bilinear resize of every plane to y's size, then the activation. `scratch`: `x.H · y.W + 2 · y.W + 16` floats.
void fk_resize(const fk_map *x, const fk_map *y, bool align_corners, fk_activation activation, float *scratch);

/// flow ± = scale · (field resized to flow's size with aligned corners). One image of two channels each.
void fk_accumulate_resized(const fk_map *field, const fk_map *flow, float scale, float *scratch);

/// The mean of the central 2×2 pixels of each block of flow, divided by the block's side.
void fk_shrink_flow(const fk_map *flow, const fk_map *y);

/// Sampler W: y(x, y) = bilinear value at ((x+dx)·S/(S−1) − ½, …), zero outside. x and y square, flow 2 channels.
void fk_warp(const fk_map *x, const fk_map *flow, const fk_map *y);

/// The logistic function of every pixel, in place.
void fk_sigmoid_map(const fk_map *map);

/// (v − black)·scale of every pixel v, in place, clamped to 0…1; what is not a number stays so.
void fk_stretch_map(const fk_map *map, float black, float scale);

/// y = a − b.
void fk_subtract(const float *a, const float *b, float *y, ptrdiff_t count);

/// Plain planes in and out of a map's image.
void fk_import(const float *planes, const fk_map *map, int32_t image);
void fk_export(const fk_map *map, int32_t image, float *planes);

/// The 16×16 patches of an image as rows [N/256][C·16·16], channel-major.
void fk_patches(const fk_map *map, int32_t image, float *rows);
/// Tokens [T][C] to planes, row-major, and back.
void fk_tokens_to_map(const float *tokens, const fk_map *map, int32_t image);

/// Rows [T][E]: y = (x − mean)/√(variance + 1e-5) · weight + bias.
void fk_layer_norm(const float *x, const float *weight, const float *bias, float *y, ptrdiff_t rows, ptrdiff_t e);
/// Rows [T][E], `stride` apart, in place: softmax of scale · x.
void fk_softmax_rows(float *x, ptrdiff_t rows, ptrdiff_t e, ptrdiff_t stride, float scale);
/// Rows [T][E] += bias[E].
void fk_add_bias(float *x, const float *bias, ptrdiff_t rows, ptrdiff_t e);
/// In place, exact (erf) form; absolute error below 4e-7, relative to |x| below 1.1e-7.
void fk_gelu(float *x, ptrdiff_t count);

/// Columns of a panel: weights of `fk_product` lie in blocks of this many outputs.
#define FK_PANEL 64

/// y[rows][columns] = x[rows][inputs] · w + bias, or added to y. Row r of x and y starts r · stride values in; column n of
/// w's row k is `w[n / FK_PANEL · panel_stride + k · w_stride + n % FK_PANEL]`. w and `bias` are readable to the end of
/// the last vector of 16 columns.
typedef struct fk_product_task {
  ptrdiff_t rows, inputs, columns;
  const float *x;
  ptrdiff_t x_stride;
  /// Null where `halves` has the weights.
  const float *_Nullable w;
  ptrdiff_t w_stride, panel_stride;
  /// [columns] or null
  const float *_Nullable bias;
  float *y;
  ptrdiff_t y_stride;
  bool accumulating;
  /// Whole panels as `w`, in half precision.
  const uint16_t *_Nullable halves;
} fk_product_task;

void fk_product(const fk_product_task *task);
/// Weights [outputs][inputs] to panels [⌈outputs / FK_PANEL⌉][inputs][FK_PANEL], filled up with zeros.
void fk_pack_panels(const float *weights, ptrdiff_t outputs, ptrdiff_t inputs, float *packed);
/// y[columns][y_stride] = x[rows][x_stride] transposed, rows of y filled up with zeros.
void fk_transpose(const float *x, ptrdiff_t rows, ptrdiff_t columns, ptrdiff_t x_stride, float *y, ptrdiff_t y_stride);

/// Weights [outputs][inputs][taps] to the order the kernels read: runs of eight (then 4, 2, 1) outputs,
/// within a run [inputs][taps][run].
void fk_pack(const float *weights, int32_t outputs, int32_t inputs, int32_t taps, float *packed);

/// A 1×1 convolution and the 3×3 after it as one 3×3, composed in double.
/// first [m][i], first_bias [m], second [o][m][9], second_bias [o] → weights [o][i][9], bias [o], border [o][16].
void fk_compose(const float *first, const float *first_bias, const float *second, const float *second_bias,
                int32_t inputs, int32_t middle, int32_t outputs, float *weights, float *bias, float *border);

/// Attention folded into the convolution after it, packed: weights[c][a] = Σ_b conv[c][b] · p[a][b], p and conv C × C.
void fk_fold_attention(const float *p, const float *conv, int32_t channels, float *weights, float *packed);

/// p = softmax over all `count` entries together, in double.
void fk_softmax_joint(const double *logits, ptrdiff_t count, float *p);

/// Has the allocator use freed memory again for pieces of up to 32 MiB instead of giving each back at once: fresh pages cost
/// more than most of what is done with them. Up to 64 MiB are kept.
void fk_reuse_freed_memory(void);

/// Gives memory that was freed, but kept for later, back to the system.
void fk_return_free_memory(void);

bool fk_all_finite(const float *values, ptrdiff_t count);
/// The same of values in half precision, which need not be aligned; nor need those below.
bool fk_halves_are_finite(const void *halves, ptrdiff_t count);
/// Whether `count` values, `step` apart from `first` on, are zero.
bool fk_halves_are_zero(const void *halves, ptrdiff_t first, ptrdiff_t step, ptrdiff_t count);
/// Weights [outputs][size] in half precision to runs [⌈outputs / run⌉][size][run], filled up with zeros: the order of `fk_pack`
/// where `run` is 8, that of `fk_pack_panels` where it is FK_PANEL.
void fk_pack_halves(const void *halves, ptrdiff_t outputs, ptrdiff_t size, ptrdiff_t run, uint16_t *packed);
/// IEEE 754 half precision to single, exact. Neither need be aligned.
void fk_half_to_float(const void *halves, ptrdiff_t count, float *values);
/// Finite values to half precision where that holds every one of them exactly, else false (`halves` is then undefined).
bool fk_exact_halves(const float *values, ptrdiff_t count, uint16_t *halves);

#pragma clang assume_nonnull end
