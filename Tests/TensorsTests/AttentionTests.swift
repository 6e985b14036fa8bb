// Normalisation and the two attentions over pixels against their definitions, with every instruction set.

import Foundation
import Testing

@testable import Tensors

extension KernelTests {
  @Suite struct AttentionTests {
    let workspace = Workspace.dirty(capacity: 1 << 22)

    @Test func `planes are normalised over their pixels only`() {
      for (height, width) in awkwardSizes {
        workspace.scope {
          let x = workspace.numbers(channels: 3, height: height, width: width, seed: 31)
          let y = workspace.map(channels: 3, height: height, width: width)
          let expected = Planes(x).normalized.map { $0 < 0 ? 0.01 * $0 : $0 }
          withEveryInstructionSet { instructions in
            y.normalize(x, leaky: true)
            #expect(expected.difference(Planes(y)) < 2e-6, "\(instructions) \(height)×\(width)")
            checkBorder(y, "\(instructions)")
          }
        }
      }
    }

    @Test(arguments: [1, 3, 8, 13])
    func `attention over channels takes one softmax over all pairs`(_ c: Int) {
      let output = ConvolutionParameters.numbers(c, c, taps: 1, seed: 45)
      for (height, width) in awkwardSizes {
        workspace.scope {
          let parts = (0..<4).map {
            workspace.numbers(channels: c, height: height, width: width, seed: 40 + UInt64($0))
          }
          let y = workspace.map(channels: c, height: height, width: width)
          let q = Planes(parts[0]), k = Planes(parts[1]), v = Planes(parts[2])
          let mixed = attended(query: q, key: k, value: v)
          let expected = mixed.convolved(output).adding(Planes(parts[3]))
          withEveryInstructionSet { instructions in
            workspace.scope {
              let folded = workspace.attention(channels: c)
              folded.fold(query: parts[0], key: parts[1], output: output, workspace: workspace)
              y.attend(value: parts[2], folded, output: output, adding: parts[3])
            }
            #expect(expected.difference(Planes(y)) < 3e-6, "\(instructions) \(height)×\(width)")
            checkBorder(y, "\(instructions)")
          }
        }
      }
    }

    @Test(arguments: [1, 5, 8])
    func `attention on multiples of one plane needs neither query nor key`(_ c: Int) throws {
      let mlp = ConvolutionParameters.numbers(1, c, taps: 1, seed: 61)
      let output = ConvolutionParameters.numbers(c, c, taps: 1, seed: 62)
      let parts = (0..<3).map { part in
        (
          ConvolutionParameters.numbers(c, c, taps: 1, seed: 63 + part),
          ConvolutionParameters.numbers(c, c, taps: 9, seed: 66 + part)
        )
      }
      let joined = ConvolutionParameters.joined(parts.map { $0.0.composed(with: $0.1) })
      let attention = try #require(PlaneAttention(mlp: mlp, queryKeyValue: joined, output: output))
      for (height, width) in awkwardSizes + tiledSizes {
        workspace.scope {
          let x = workspace.numbers(images: 2, channels: 1, height: height, width: width, seed: 69)
          let y = workspace.map(images: 2, channels: c, height: height, width: width)
          let features = Planes(x, image: 1).convolved(mlp), u = features.normalized
          let qkv = parts.map { u.convolved($0.0).convolved($0.1) }
          let mixed = attended(query: qkv[0], key: qkv[1], value: qkv[2])
          let expected = mixed.convolved(output).adding(features)
          withEveryInstructionSet { instructions in
            attention(x, into: y, workspace: workspace)
            #expect(expected.difference(Planes(y, image: 1)) < 1e-5, "\(instructions) \(height)×\(width)")
            checkBorder(y, "\(instructions)")
          }
        }
      }
    }

    @Test func `cross attention gates by a softmax over the pixels of each plane`() {
      for (height, width) in awkwardSizes {
        workspace.scope {
          let de = workspace.numbers(images: 2, channels: 3, height: height, width: width, seed: 51)
          let gates = workspace.numbers(images: 2, channels: 6, height: height, width: width, seed: 52)
          for image in 0..<2 {
            gates.fill(image: image, from: gates.values(image: image).map { max(0, 3 * $0) })
          }
          let s = workspace.map(channels: 3, height: height, width: width)
          let summands = workspace.map(images: 2, channels: 3, height: height, width: width)
          let expected = (0..<2).map { image in
            gated(
              Planes(de, image: image), by: Planes(gates, image: image), with: Planes(gates, image: 1 - image)
            )
          }
          let sum = expected[0].adding(expected[1])
          withEveryInstructionSet { instructions in
            s.crossAttend(de.image(0), de.image(1), gates: gates, summands: summands, workspace: workspace)
            for image in 0..<2 {
              #expect(expected[image].difference(Planes(summands, image: image)) < 3e-6, "\(instructions)")
            }
            #expect(sum.difference(Planes(s)) < 3e-6, "\(instructions) \(height)×\(width)")
            checkBorder(s, "\(instructions)")
            // Either of the two may be overwritten.
            for image in 0..<2 {
              workspace.scope {
                let copies = (0..<2).map { workspace.copy(of: de.image($0)) }
                copies[image].crossAttend(
                  copies[0], copies[1], gates: gates, summands: nil, workspace: workspace)
                #expect(copies[image].values() == s.values(), "\(instructions) \(height)×\(width)")
                checkBorder(copies[image], "\(instructions)")
              }
            }
          }
        }
      }
    }

    /// Σ_a P[a,·]·v[a], P = softmax over all pairs of Σ_n k[a,n]·q[b,n].
    private func attended(query q: Planes, key k: Planes, value v: Planes) -> Planes {
      let c = q.channels, size = q.height * q.width
      var p = (0..<c * c).map { i in
        (0..<size).reduce(0.0) { $0 + k.values[i / c * size + $1] * q.values[i % c * size + $1] }
      }
      let top = p.max() ?? 0
      p = p.map { exp($0 - top) }
      let total = p.reduce(0, +)
      return .make(c, q.height, q.width) { b, row, column in
        (0..<c).reduce(0.0) { $0 + p[$1 * c + b] / total * v[$1, row, column] }
      }
    }

    /// p⊙softmax(p⊙r) + x, p in the first channels of `own`, r in the last of `other`.
    private func gated(_ x: Planes, by own: Planes, with other: Planes) -> Planes {
      let c = x.channels, size = x.height * x.width
      let weights = (0..<c).map { c in
        let products = (0..<size).map { exp(own.values[c * size + $0] * other.values[(c + 3) * size + $0]) }
        let total = products.reduce(0, +)
        return products.map { $0 / total }
      }
      return .make(c, x.height, x.width) { c, row, column in
        own[c, row, column] * weights[c][row * x.width + column] + x[c, row, column]
      }
    }
  }
}
