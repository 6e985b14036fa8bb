// The quick reader of plain headers beside the JSON decoder, which reads all others.

import Foundation
import Testing

@testable import Tensors

@Suite struct HeaderTests {
  private func plain(_ json: String) -> HeaderJSON? {
    var json = json
    return json.withUTF8 { PlainHeader.read(UnsafeRawBufferPointer($0)) }
  }

  @Test(arguments: [
    "{}", " { } ", #"{"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#,
    "{\"a.b\" : {\"data_offsets\":[ 0 ,\t16],\n\"shape\":[2, 2],\"dtype\":\"F32\"} }   ",
    #"{"__metadata__":{"format":"pt","by":""},"x":{"dtype":"F16","shape":[],"data_offsets":[10,100000000000]}}"#,
    #"{"x":{"dtype":"F32","shape":[0,3],"data_offsets":[0,0]},"y":{"dtype":"I8","shape":[1],"data_offsets":[0,1]}}"#,
  ])
  func `a plain header reads as the decoder reads it`(_ json: String) throws {
    let quick = try #require(plain(json))
    let decoded = try JSONDecoder().decode(HeaderJSON.self, from: Data(json.utf8))
    #expect(quick.metadata == decoded.metadata && quick.tensors.keys == decoded.tensors.keys)
    for (name, tensor) in quick.tensors {
      let other = try #require(decoded.tensors[name])
      #expect(tensor.dtype == other.dtype && tensor.shape == other.shape)
      #expect(tensor.data_offsets == other.data_offsets)
    }
  }

  @Test(arguments: [
    "", "{", "[]", "{}}", "{\"x\"", "{\"x\":1}", #"{"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},}"#,
    #"{"x":{"dtype":"F32","shape":[1,],"data_offsets":[0,4]}}"#,
    #"{"x":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}"#,
    #"{"x":{"dtype":"F32","shape":[1.5],"data_offsets":[0,4]}}"#,
    #"{"x":{"dtype":"F32","shape":[01],"data_offsets":[0,4]}}"#,
    #"{"x":{"dtype":"F32","shape":[9223372036854775808],"data_offsets":[0,4]}}"#,
    #"{"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4],"more":"1"}}"#,
    #"{"x":{"dtype":"F32","shape":[1]}}"#,
    #"{"a \"quoted\" name":{"dtype":"F32","shape":[],"data_offsets":[0,4]}}"#,
    #"{"ü":{"dtype":"F32","shape":[],"data_offsets":[0,4]}}"#, "{\"x\u{1}\":{}}",
    #"{"x":{"dtype":"F32","shape":[],"data_offsets":[0,4]},"x":{"dtype":"F32","shape":[],"data_offsets":[0,4]}}"#,
  ])
  func `what is not plain is left to the decoder`(_ json: String) {
    #expect(plain(json) == nil)
  }
}
