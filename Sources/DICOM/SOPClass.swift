// Which SOP classes are images here, and which of them are cross-sections that can be stacked (PS3.4 B.5).

/// What a SOP class means to this program.
public enum SOPClass {
  /// CT, MR, NM and PET image storages: stacks of these can be fused.
  public static let crossSections: Set<String> = [
    "1.2.840.10008.5.1.4.1.1.2",  // CT
    "1.2.840.10008.5.1.4.1.1.2.1",  // Enhanced CT
    "1.2.840.10008.5.1.4.1.1.2.2",  // Legacy Converted Enhanced CT
    "1.2.840.10008.5.1.4.1.1.4",  // MR
    "1.2.840.10008.5.1.4.1.1.4.1",  // Enhanced MR
    "1.2.840.10008.5.1.4.1.1.4.4",  // Legacy Converted Enhanced MR
    "1.2.840.10008.5.1.4.1.1.20",  // NM
    "1.2.840.10008.5.1.4.1.1.128",  // PET
    "1.2.840.10008.5.1.4.1.1.128.1",  // Legacy Converted Enhanced PET
    "1.2.840.10008.5.1.4.1.1.130",  // Enhanced PET
  ]

  /// Secondary Capture storages: images, but not sources of a fusion.
  public static let secondaryCaptures: Set<String> = [
    "1.2.840.10008.5.1.4.1.1.7",  // single-frame
    "1.2.840.10008.5.1.4.1.1.7.2",  // multi-frame greyscale byte
    "1.2.840.10008.5.1.4.1.1.7.3",  // multi-frame greyscale word
    "1.2.840.10008.5.1.4.1.1.7.4",  // multi-frame true colour
  ]

  public static let spatialRegistration = "1.2.840.10008.5.1.4.1.1.66.1"
  public static let deformableSpatialRegistration = "1.2.840.10008.5.1.4.1.1.66.3"

  /// Objects that say how frames of reference lie to each other.
  public static func isRegistration(_ uid: String) -> Bool {
    uid == spatialRegistration || uid == deformableSpatialRegistration
  }

  public static func isImage(_ uid: String) -> Bool {
    crossSections.contains(uid) || secondaryCaptures.contains(uid)
  }
}
