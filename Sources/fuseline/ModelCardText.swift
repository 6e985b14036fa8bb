// A model's card for people: what it is, what it was made from, what it does and does not. Reads no weights.

import Foundation
import Pipeline

/// What a card may say beyond `ModelCard`; imported models' cards say none of it, and what is of another form is left out.
private struct ModelStory: Decodable {
  struct Data: Decodable {
    let name: String
    let pairs: [String: Int]?
  }

  /// Mean and standard deviation of every measure, by deformation and kind of pair.
  typealias Measures = [String: [String: [String: [Double]]]]

  let tensors: Int?
  let storage: String?
  let date: String?
  let machine: String?
  let trainedOn: [Data]?
  let licenceNote: String?
  let recipe: String?
  let samplesSeen: [String: Int]?
  let limits: [String]?
  let measures: Measures
  let split: String?

  private enum Key: String, CodingKey {
    case tensors, storage, date, machine, recipe, limits, numbers
    case trainedOn = "trained_on"
    case licenceNote = "licence_note"
    case samplesSeen = "samples_seen"
  }

  private struct AnyKey: CodingKey {
    let stringValue: String
    let intValue: Int? = nil
    init?(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
  }

  init(from decoder: any Decoder) throws {
    let card = try decoder.container(keyedBy: Key.self)
    tensors = try? card.decodeIfPresent(Int.self, forKey: .tensors)
    storage = try? card.decodeIfPresent(String.self, forKey: .storage)
    date = try? card.decodeIfPresent(String.self, forKey: .date)
    machine = try? card.decodeIfPresent(String.self, forKey: .machine)
    trainedOn = try? card.decodeIfPresent([Data].self, forKey: .trainedOn)
    licenceNote = try? card.decodeIfPresent(String.self, forKey: .licenceNote)
    recipe = try? card.decodeIfPresent(String.self, forKey: .recipe)
    samplesSeen = try? card.decodeIfPresent([String: Int].self, forKey: .samplesSeen)
    limits = try? card.decodeIfPresent([String].self, forKey: .limits)
    // Beside the deformations stand the split and the seed.
    let numbers = try? card.nestedContainer(keyedBy: AnyKey.self, forKey: .numbers)
    var measures: Measures = [:]
    for key in numbers?.allKeys ?? [] {
      measures[key.stringValue] = try? numbers?.decode([String: [String: [Double]]].self, forKey: key)
    }
    self.measures = measures
    split = AnyKey(stringValue: "split").flatMap { try? numbers?.decode(String.self, forKey: $0) }
  }
}

/// Lines for a terminal of the given width.
struct ModelCardText {
  private static let label = 13
  private let story: ModelStory
  private let model: ModelReference
  private let width: Int

  /// - Parameter card: the card's JSON.
  init(_ model: ModelReference, card: Data, width: Int) throws {
    self.model = model
    self.width = max(40, width)
    story = try JSONDecoder().decode(ModelStory.self, from: card)
  }

  var text: String { (facts + numbers + limits).joined(separator: "\n") + "\n" }

  private var facts: [String] {
    let card = model.card
    let seen = (story.samplesSeen ?? [:]).sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }
    let size = [story.tensors.map { "\($0) tensors" }, "\(card.parameters) parameters", story.storage]
    let data = (story.trainedOn ?? []).map { data in
      let pairs = (data.pairs ?? [:]).sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }
      return data.name + (pairs.isEmpty ? "" : " (\(pairs.joined(separator: ", ")))")
    }
    let lines: [(String, String?)] = [
      ("model", card.name + (card.provisional == true ? ", provisional" : "")),
      ("answers to", card.names.isEmpty ? nil : card.names.joined(separator: ", ")),
      ("for", card.pairs.isEmpty ? nil : card.pairs.joined(separator: ", ")),
      ("file", model.path), ("SHA-256", card.sha256),
      ("size", size.compactMap { $0 }.joined(separator: ", ")),
      ("made", [story.date, story.machine].compactMap { $0 }.joined(separator: ", ")),
      ("trained on", data.joined(separator: "; ")),
      ("samples", seen.joined(separator: ", ")), ("licence", story.licenceNote), ("recipe", story.recipe),
    ]
    return lines.flatMap { name, value in value.map { entry(name, $0) } ?? [] }
  }

  private var limits: [String] {
    (story.limits ?? []).enumerated().flatMap { entry($0.offset == 0 ? "limits" : "", "• " + $0.element) }
  }

  /// One line for each deformation and kind of pair that there are numbers of.
  private var numbers: [String] {
    let columns: [(title: String, width: Int, keys: [String], places: Int)] = [
      ("NCC", 15, ["ncc_before", "ncc_after"], 3), ("error px", 14, ["epe_before", "epe_after"], 2),
      ("Q_AB/F", 8, ["q_abf"], 3), ("VIF", 7, ["vif"], 3),
    ]
    let rows = story.measures.sorted { $0.key < $1.key }.flatMap { deformation, pairs in
      pairs.sorted { $0.key < $1.key }.map { pair, measures in
        let values = columns.map { column in
          let means = column.keys.map { key in
            measures[key]?.first.map { String(format: "%.\(column.places)f", $0) } ?? "–"
          }
          return padded(means.joined(separator: " → "), column.width)
        }
        return padded(deformation, 12) + padded(pair, 7) + values.joined()
      }
    }
    guard !rows.isEmpty else { return [] }
    let head =
      padded("deformation", 12) + padded("pair", 7) + columns.map { padded($0.title, $0.width) }.joined()
    let title = "means of the pairs of `\(story.split ?? "?")`, before → after alignment"
    return entry("numbers", title)
      + ([head] + rows).map { line in
        String(repeating: " ", count: Self.label)
          + line[..<(line.lastIndex { $0 != " " }.map(line.index(after:)) ?? line.startIndex)]
      }
  }

  /// A label and its value, wrapped between words.
  private func entry(_ name: String, _ value: String) -> [String] {
    guard !value.isEmpty else { return [] }
    var lines = [""]
    for word in value.split(separator: " ") {
      let last = lines[lines.count - 1]
      if last.isEmpty {
        lines[lines.count - 1] = String(word)
      } else if Self.label + last.count + 1 + word.count <= width {
        lines[lines.count - 1] = last + " " + word
      } else {
        lines.append(String(word))
      }
    }
    return lines.enumerated().map { padded($0.offset == 0 ? name : "", Self.label) + $0.element }
  }

  private func padded(_ text: String, _ count: Int) -> String {
    text + String(repeating: " ", count: max(0, count - text.count))
  }
}
