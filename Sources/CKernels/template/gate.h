// The gated feed-forward in one sweep: the expanded channels of a tile never leave the cache.

/// Positions of a tile that lie on the image's border, with their index into fk_filter.border.
typedef struct border_list {
  int count;
  int16_t offset[FK_TILE];
  int16_t side[FK_TILE];
} border_list;

static void list_border(const fk_map *map, ptrdiff_t position, border_list *list) {
  const int row = map->width + 1;
  list->count = 0;
  int y = (int)(position / row), x = (int)(position % row);
  for (int i = 0; i < FK_TILE && y < map->height; i++) {
    const int side = at_top(map, y) + at_bottom(map, y) + (x == 0 ? 4 : 0) + (x == map->width - 1 ? 8 : 0);
    if (side && x < map->width) {
      list->offset[list->count] = (int16_t)i;
      list->side[list->count++] = (int16_t)side;
    }
    if (++x == row) x = 0, y++;
  }
}

/// One tile: expansion run by run into eight short rows, gated into the hidden rows, projected into y.
static void gate_tile(const tile_task *expand, const tile_task *project, const fk_map *map,
                      const fk_filter *expansion, const fk_filter *projection, ptrdiff_t position,
                      ptrdiff_t count, float *scratch) {
  border_list list;
  list_border(map, position, &list);
  float *run = scratch, *hidden = scratch + 8 * FK_TILE;
  tile_task task = *expand;
  task.x += position;
  task.y = run;
  task.y_stride = FK_TILE;
  for (int o = 0; o < expansion->outputs; o += 8) {
    tile_run(8, &task, expansion->weights + (ptrdiff_t)o * expansion->inputs * 9, expansion->bias + o, 0, 0, FK_TILE);
    if (expansion->border)
      for (int b = 0; b < list.count; b++)
        for (int i = 0; i < 8; i++)
          run[i * FK_TILE + list.offset[b]] += expansion->border[(o + i) * 16 + list.side[b]];
    for (int i = 0; i < 4 * FK_TILE; i += FK_LANES)
      store(hidden + (o / 2) * FK_TILE + i, gelu(load(run + i)) * load(run + 4 * FK_TILE + i));
  }
  task = *project;
  task.x = hidden;
  task.x_stride = FK_TILE;
  task.y += position;
  task.residual += position;
  const float *weights = projection->weights;
  for (int o = 0; o < projection->outputs;) {
    const int width = run_width(projection->outputs, o);
    tile_run(width, &task, weights, projection->bias, o, 0, count);
    weights += (ptrdiff_t)width * projection->inputs;
    o += width;
  }
}

static void gate(const fk_map *u, const fk_map *y, const fk_filter *expansion, const fk_filter *projection,
                 const fk_map *residual, float *scratch) {
  const ptrdiff_t count = flat_count(u);
  for (int image = 0; image < u->images; image++) {
    const tile_task expand = {.x = plane_of(u, image, 0), .x_stride = u->stride, .row = u->width + 1,
                              .inputs = expansion->inputs, .taps = 9, .activation = fk_identity};
    const tile_task project = {.inputs = projection->inputs, .taps = 1, .y = plane_of(y, image, 0),
                               .y_stride = y->stride, .residual = plane_of(residual, image, 0),
                               .activation = fk_identity};
    for (ptrdiff_t p = 0; p < count; p += FK_TILE)
      gate_tile(&expand, &project, u, expansion, projection, p, count - p, scratch);
    for (int o = 0; o < y->channels; o++) clear_column(plane_of(y, image, o), y);
  }
}
