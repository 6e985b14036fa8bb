// The palettes themselves, as few numbers as give every one of their 256 entries exactly.

extension ColourTable {
  /// Black, red, yellow, white.
  public static let hotIron = ColourTable(
    name: "hot-iron", uid: "1.2.840.10008.1.5.1",
    red: [(0, 0), (127, 254), (128, 255), (255, 255)],
    green: [(0, 0), (128, 0), (254, 252), (255, 255)],
    blue: [(0, 0), (191, 0), (254, 252), (255, 255)])

  /// Black, green-blue, magenta, orange, white.
  public static let pet = ColourTable(
    name: "pet", uid: "1.2.840.10008.1.5.2",
    red: [(0, 0), (63, 0), (64, 1), (105, 83), (107, 86), (192, 255), (255, 255)],
    green: [
      (0, 0), (1, 2), (62, 125), (63, 128), (64, 126), (127, 1), (128, 0), (254, 252), (255, 255),
    ],
    blue: [
      (0, 0), (1, 1), (128, 255), (129, 252), (192, 0), (212, 80), (213, 85), (254, 250), (255, 255),
    ])

  /// Black, blue, red, orange, white.
  public static let hotMetalBlue = ColourTable(
    name: "hot-metal-blue", uid: "1.2.840.10008.1.5.3",
    red: [(0, 0), (85, 0), (102, 50), (119, 90), (153, 190), (170, 255), (255, 255)],
    green: [(0, 0), (119, 0), (238, 224), (255, 255)],
    blue: [
      (0, 0), (16, 31), (34, 67), (68, 133), (84, 165), (102, 200), (119, 150), (136, 50), (153, 0), (170, 0),
      (238, 200), (255, 255),
    ])

  /// Twenty flat colours.
  public static let pet20Step: ColourTable = {
    let steps: [(start: Int, colour: Int)] = [
      (0, 0x000000), (13, 0x600050), (26, 0x303050), (39, 0x303070), (51, 0x505080), (64, 0x6060b0),
      (77, 0x7070c0), (90, 0x8080e0), (102, 0x306030), (115, 0x309030), (128, 0x50c050), (141, 0x40e040),
      (153, 0xe0e050), (166, 0xd0d060), (179, 0xd0b040), (192, 0xd09000), (204, 0xc06000), (217, 0xb03000),
      (230, 0xff0000), (243, 0xffffff),
    ]
    let ends = steps.dropFirst().map(\.start) + [256]
    let entries = zip(steps, ends).flatMap { step, end in
      let colour = SIMD3(
        UInt8(step.colour >> 16), UInt8(step.colour >> 8 & 0xff), UInt8(step.colour & 0xff))
      return [SIMD3<UInt8>](repeating: colour, count: end - step.start)
    }
    return ColourTable(name: "pet-20-step", uid: "1.2.840.10008.1.5.4", entries: entries)
  }()
}
