// The gated feed-forward on Winograd's convolution with tiles of 4: expanded channels live in phases of one chunk, gated and projected there.

enum { wino_points = 36, wino_pixels = 16 };

/// Adds the border corrections of eight outputs in phases.
static void wino_add_border(float *out, const wino_chunk *chunk, const fk_map *u, const float *border) {
  for (int r = 0; r < chunk->rows; r++) {
    const int row = (chunk->first + r) % chunk->image_rows, last = chunk->row_tiles - 1;
    for (int k = 0; k < 4; k++) {
      const int side = at_top(u, 4 * row + k) + at_bottom(u, 4 * row + k);
      for (int o = 0; o < 8; o++) {
        float *line = out + o * chunk->output_plane + 4 * k * chunk->stride + (ptrdiff_t)r * chunk->row_tiles;
        const float *values = border + 16 * o + side;
        if (side)
          for (int p = 0; p < 4; p++)
            for (int j = p == 0 ? 1 : 0; j < chunk->row_tiles - (p == 3 ? 1 : 0); j++)
              line[p * chunk->stride + j] += values[0];
        line[0] += values[4];
        line[3 * chunk->stride + last] += values[8];
      }
    }
  }
}

/// The gated products of all expanded channels: hidden[channel][16][T].
static void wino_hidden(const fk_map *u, const float *v, const wino_chunk *chunk, const fk_filter *expansion,
                        float *transformed, float *m, float *out, float *hidden) {
  for (int o = 0; o < expansion->outputs; o += 8) {
    wino_run_4(v, chunk, expansion->inputs, wino_weights_at_4(u, expansion, o, transformed), expansion->bias + o, m, out);
    if (expansion->border) wino_add_border(out, chunk, u, expansion->border + 16 * o);
    for (int i = 0; i < 4; i++) {
      const float *g = out + i * chunk->output_plane, *h = out + (i + 4) * chunk->output_plane;
      float *to = hidden + (o / 2 + i) * chunk->output_plane;
      for (ptrdiff_t t = 0; t < wino_pixels * chunk->stride; t += FK_LANES) store(to + t, gelu(load(g + t)) * load(h + t));
    }
  }
}

static void gate_winograd(const fk_map *u, const fk_map *y, const fk_filter *expansion, const fk_filter *projection,
                          const fk_map *residual, float *scratch) {
  const int all = u->height / 4 * u->images, kept = fk_winograd_prepares(u, 4) ? expansion->outputs : 8;
  float *transformed = scratch, *v = scratch + (ptrdiff_t)kept * wino_points * expansion->inputs;
  wino_prepare_4(u, expansion, transformed);
  for (int first = 0; first < all;) {
    const wino_chunk chunk = wino_chunk_at_4(u, first);
    float *m = v + wino_points * chunk.input_plane, *out = m + wino_points * chunk.product_plane;
    float *hidden = out + 8 * chunk.output_plane;
    wino_transform_4(u, &chunk, v, hidden + projection->inputs * chunk.output_plane);
    wino_hidden(u, v, &chunk, expansion, transformed, m, out, hidden);
    const ptrdiff_t count = wino_pixels * chunk.stride;
    const tile_task task = {.x = hidden, .x_stride = chunk.output_plane, .inputs = projection->inputs, .taps = 1,
                            .y = out, .y_stride = chunk.output_plane, .activation = fk_identity};
    const float *weights = projection->weights;
    for (int o = 0; o < projection->outputs;) {
      const int width = run_width(projection->outputs, o);
      // One run at a time through the eight outputs' place, which the hidden channels no longer need.
      tile_task run = task;
      run.y = out - o * chunk.output_plane;
      for (ptrdiff_t p = 0; p < count; p += FK_TILE) tile_run(width, &run, weights, projection->bias, o, p, count - p);
      for (int i = 0; i < width; i++)
        wino_store_4(out + i * chunk.output_plane, &chunk, y, o + i, residual, fk_identity);
      weights += (ptrdiff_t)width * projection->inputs;
      o += width;
    }
    first += chunk.rows;
  }
}
