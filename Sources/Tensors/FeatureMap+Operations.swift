// Operations on whole maps that have no parameters: normalisation, attention over pixels, resampling, fields.

internal import CKernels

/// The members of a tuple in memory as pointers of their own.
func pointer<Whole, Part>(to whole: UnsafePointer<Whole>, _ part: KeyPath<Whole, Part>) -> UnsafePointer<Part>
{
  guard let offset = MemoryLayout<Whole>.offset(of: part) else {
    preconditionFailure("a stored member has an offset")
  }
  return UnsafeRawPointer(whole).advanced(by: offset).assumingMemoryBound(to: Part.self)
}

extension FeatureMap {
  /// Every plane of x to mean 0 and variance 1 over its pixels (eps 1e-5, no affine part), into this map.
  public func normalize(_ x: FeatureMap, leaky: Bool = false) {
    precondition(hasShape(of: x), "maps of one shape")
    withUnsafePointer(to: (x.view, view)) {
      fk_normalize(pointer(to: $0, \.0), pointer(to: $0, \.1), leaky ? 0.01 : 1)
    }
  }

  /// Two-way cross attention: this = K(d,e) + K(e,d), K(a,b) = p⊙softmax(p⊙r) + a, softmax over the pixels of a plane.
  ///
  /// d, e: one image each, either of which may be this. `gates`: for each of them p = ReLU(conv1) in the first C channels,
  /// r = ReLU(conv2) in the next.
  /// `summands`, where given, gets K(d,e) and K(e,d) as two images.
  public func crossAttend(
    _ d: FeatureMap, _ e: FeatureMap, gates: FeatureMap, summands: FeatureMap?, workspace: Workspace
  ) {
    precondition(hasShape(of: d) && hasShape(of: e) && images == 1, "two images become one")
    precondition(gates.images == 2 && gates.channels == 2 * channels, "C channels, gates 2C")
    workspace.scope {
      let scratch = workspace.floats(2 * view.stride)
      withUnsafePointer(to: (gates.view, d.view, e.view, view)) { maps in
        let pr = pointer(to: maps, \.0), d = pointer(to: maps, \.1), e = pointer(to: maps, \.2)
        summands.withPointer { fk_cross_attend(pr, d, e, pointer(to: maps, \.3), scratch, $0) }
      }
    }
  }

  /// Bilinear resampling of x to this map's size; `alignCorners` as in PyTorch.
  public func resize(
    _ x: FeatureMap, alignCorners: Bool, activation: Activation = .identity, workspace: Workspace
  ) {
    precondition(x.images == images && x.channels == channels, "planes of x become planes of this")
    precondition(activation != .tanh && activation != .sigmoid, "piecewise linear activations only")
    workspace.scope {
      let scratch = workspace.floats((x.height + 2) * width + 16)
      withUnsafePointer(to: (x.view, view)) {
        fk_resize(pointer(to: $0, \.0), pointer(to: $0, \.1), alignCorners, activation.code, scratch)
      }
    }
  }

  /// this += scale · field at this map's size (bilinear, aligned corners). Two channels: x and y offset, pixels.
  public func accumulate(field: FeatureMap, scale: Float, workspace: Workspace) {
    precondition(channels == 2 && field.channels == 2, "a field has two components")
    workspace.scope {
      let scratch = workspace.floats((field.height + 2) * width + 16)
      withUnsafePointer(to: (field.view, view)) {
        fk_accumulate_resized(pointer(to: $0, \.0), pointer(to: $0, \.1), scale, scratch)
      }
    }
  }

  /// The flow at this map's coarser resolution, in its pixels: mean of the central 2×2 of each block / block side.
  /// (PyTorch's bilinear resize without aligned corners and without antialiasing, for even factors.)
  public func shrink(flow: FeatureMap) {
    precondition(flow.width % (2 * width) == 0 && flow.height % (2 * height) == 0, "an even factor")
    withUnsafePointer(to: (flow.view, view)) { fk_shrink_flow(pointer(to: $0, \.0), pointer(to: $0, \.1)) }
  }

  /// x warped by a field in pixels, sampler W: a square's pixel x reads (x + φx)·S/(S−1) − ½, zero outside.
  public func warp(_ x: FeatureMap, by field: FeatureMap) {
    precondition(hasShape(of: x) && images == 1 && field.channels == 2, "one image and its field")
    precondition(
      width == height && width > 1 && field.width == width && field.height == height, "squares of one size")
    withUnsafePointer(to: (x.view, field.view, view)) {
      fk_warp(pointer(to: $0, \.0), pointer(to: $0, \.1), pointer(to: $0, \.2))
    }
  }

  /// The logistic function of every value, in place.
  public func sigmoid() {
    withUnsafePointer(to: view) { fk_sigmoid_map($0) }
  }

  /// Every value between `black` and `white` to its place in 0…1, in place; those beyond become 0 and 1.
  public func stretch(black: Float, white: Float) {
    precondition(black < white, "black below white")
    withUnsafePointer(to: view) { fk_stretch_map($0, black, 1 / (white - black)) }
  }

  /// this = a − b.
  public func subtract(_ a: FeatureMap, _ b: FeatureMap) {
    precondition(hasShape(of: a) && hasShape(of: b), "maps of one shape")
    for plane in 0..<images * channels {
      fk_subtract(
        a.view.data + plane * a.view.stride, b.view.data + plane * b.view.stride,
        view.data + plane * view.stride,
        height * (width + 1))
    }
  }
}
