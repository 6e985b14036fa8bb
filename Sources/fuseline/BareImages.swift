// `model apply`: images in files to the network and back; PNG for people, safetensors for numbers.

import BSAFusion
import Foundation
import Imaging
import Pictures
import Pipeline
import Tensors

struct BareImages {
  /// A model's name, or a file of weights.
  let model: String
  /// Where names are looked up.
  let models: String?
  /// Of the moving image, where it is known.
  let modality: String?

  func fuse(fixed: String, moving: String, into output: String, dump: Bool) throws {
    guard output.hasSuffix(".png") || output.hasSuffix(".safetensors") else {
      throw ExitStatus(code: EX_USAGE, sentence: "\(output): the result is a .png or a .safetensors file")
    }
    if dump && output.hasSuffix(".png") {
      throw ExitStatus(code: EX_USAGE, sentence: "\(output): --dump needs a .safetensors file as the result")
    }
    let fixedPlane = try grey(image(fixed), path: fixed)
    let memory = EngineMemory(side: fixedPlane.columns)
    let movingImage = try image(moving)
    let colour: ColourPicture? =
      if case .rgb(let red, let green, let blue) = movingImage {
        ColourPicture(rgb: ColourPlanes(red, green, blue))
      } else { nil }
    let movingPlane = try colour?.luminance ?? grey(movingImage, path: moving)
    var tensors: [NamedTensor] = []
    let trace: Trace? =
      dump
      ? { name, shape, values in tensors.append(NamedTensor(name: name, shape: shape, values: values)) } : nil
    // For a dump, branches that have no influence are kept.
    let network = try ModelLibrary.network(model, folder: models, keepingIdleBranches: dump, waiting: false)
    let engine = try FusionEngine(
      model: network, side: fixedPlane.columns, modality: modality, memory: memory)
    let result = Result { try engine.fuse(fixed: fixedPlane, moving: movingPlane, trace: trace) }
    // Weights that could not be read say so themselves, before the pass that missed them does.
    try network.complete()
    return try write(result.get(), colour, tensors, to: output)
  }

  private func write(
    _ result: Fused, _ colour: ColourPicture?, _ intermediates: [NamedTensor], to path: String
  ) throws {
    guard path.hasSuffix(".png") else {
      let results = outputs(result)
      let names = Set(results.map(\.name))
      return try SafetensorsFile.write(results + intermediates.filter { !names.contains($0.name) }, to: path)
    }
    guard let colour else { return try Picture.grey(result.fused).write(to: path) }
    let rgb = colour.fused(result)
    try Picture.rgb(red: rgb.first, green: rgb.second, blue: rgb.third).write(to: path)
  }

  private func outputs(_ result: Fused) -> [NamedTensor] {
    let side = result.fused.columns
    return [
      NamedTensor(name: "fused", shape: [1, 1, side, side], values: result.fused.pixels),
      NamedTensor(
        name: "flow", shape: [1, 2, side, side], values: result.flow.dx.pixels + result.flow.dy.pixels),
      NamedTensor(name: "aligned", shape: [1, 1, side, side], values: result.aligned.pixels),
    ]
  }

  private func image(_ path: String) throws -> Picture {
    guard FileManager.default.fileExists(atPath: path) else {
      throw ExitStatus(code: ExitStatus.missingInput, sentence: "\(path): there is no such file")
    }
    return path.hasSuffix(".safetensors") ? .grey(try tensor(path)) : try Picture(path: path)
  }

  private func tensor(_ path: String) throws -> Plane {
    let file = try Weights(path: path, digesting: false)
    guard let shape = file.shape(of: "image"), shape.count == 4, shape[0] == 1, shape[1] == 1,
      shape[2] == shape[3]
    else {
      throw ExitStatus(
        code: ExitStatus.badData,
        sentence: "\(path): needs a tensor `image` of shape [1,1,S,S], float32 in 0…1")
    }
    return Plane(columns: shape[3], rows: shape[2], pixels: try file.values("image", shape: shape))
  }

  /// A grey picture; RGB with three equal channels counts as grey, as the paper's test images are stored.
  private func grey(_ picture: Picture, path: String) throws -> Plane {
    switch picture {
    case .grey(let plane): return plane
    case .rgb(let red, let green, let blue):
      if red == green && green == blue { return red }
      throw ExitStatus(code: ExitStatus.badData, sentence: "\(path): the fixed image must be grey")
    }
  }
}
