// swift-tools-version: 6.2
import PackageDescription

/// Swift 6 language mode comes with the tools version; these are the upcoming features the house adds,
/// and every warning is an error.
let swift: [SwiftSetting] = [
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
  .treatAllWarnings(as: .error),
]

/// Kernels are optimised in debug builds too: tests run real image sizes through them.
let fast: [CSetting] = [.unsafeFlags(["-O2"], .when(configuration: .debug))]
let fastCXX: [CXXSetting] = [.unsafeFlags(["-O2"], .when(configuration: .debug))]

let argumentParser = Target.Dependency.product(
  name: "ArgumentParser", package: "swift-argument-parser")
let crypto = Target.Dependency.product(name: "Crypto", package: "swift-crypto")
let grdb = Target.Dependency.product(name: "GRDB", package: "GRDB.swift")
/// SQLite's own functions, for going through millions of rows.
let sqlite = Target.Dependency.product(name: "GRDBSQLite", package: "GRDB.swift")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let yams = Target.Dependency.product(name: "Yams", package: "Yams")

let package = Package(
  name: "fuseline",
  products: [.executable(name: "fuseline", targets: ["fuseline"])],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
    .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
    .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
    .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
  ],
  targets: [
    // C seams: one target per library, no policy.
    .target(
      name: "CDCMTK", cxxSettings: fastCXX,
      linkerSettings: [
        "dcmjpeg", "ijg8", "ijg12", "ijg16", "dcmjpls", "dcmimgle", "dcmdata", "oflog", "ofstd",
        "openjp2", "z",
      ].map { .linkedLibrary($0) }),
    .target(name: "CKernels", cSettings: fast, linkerSettings: [.linkedLibrary("m")]),
    .target(name: "CZip", cSettings: fast, linkerSettings: [.linkedLibrary("zip")]),
    .target(name: "CJPEG", cSettings: fast, linkerSettings: [.linkedLibrary("jpeg")]),
    .target(name: "CPNG", cSettings: fast, linkerSettings: [.linkedLibrary("png")]),

    // Pure: no C library, no DICOM, no SQLite, no files.
    .target(
      name: "Imaging", dependencies: ["CKernels"], swiftSettings: swift,
      linkerSettings: [.linkedLibrary("m")]),
    // Pure as well: images in, a rigid transform and a verdict out.
    .target(
      name: "Registration", dependencies: ["CKernels", "Imaging"], swiftSettings: swift,
      linkerSettings: [.linkedLibrary("m")]),
    .target(name: "Tensors", dependencies: ["CKernels", crypto], swiftSettings: swift),
    .target(name: "BSAFusion", dependencies: ["Tensors", "Imaging"], swiftSettings: swift),
    .target(name: "Checkpoints", dependencies: ["CKernels"], swiftSettings: swift),

    // Side effects live here.
    .target(name: "Pictures", dependencies: ["CJPEG", "CPNG", "Imaging"], swiftSettings: swift),
    .target(name: "DICOM", dependencies: ["CDCMTK", "Imaging", crypto], swiftSettings: swift),
    .target(
      name: "Provenance", dependencies: [grdb, sqlite, crypto],
      resources: [.embedInCode("../../schema.sql")], swiftSettings: swift),
    .target(
      name: "Pipeline",
      dependencies: [
        "BSAFusion", "CZip", "Checkpoints", "DICOM", "Imaging", "Provenance", "Registration", "Tensors",
        crypto, logging, yams,
      ],
      resources: [.embedInCode("../../pipeline.yaml")], swiftSettings: swift),
    .target(
      name: "Report",
      dependencies: ["BSAFusion", "DICOM", "Imaging", "Pictures", "Pipeline", "Provenance"],
      resources: ["page.css", "viewer.js", "plots.js", "job.js"].map { .embedInCode("Page/\($0)") },
      swiftSettings: swift),
    .executableTarget(
      name: "fuseline",
      dependencies: [
        "BSAFusion", "Checkpoints", "DICOM", "Imaging", "Pictures", "Pipeline", "Provenance",
        "Registration", "Report", "Tensors", argumentParser, logging,
      ], swiftSettings: swift),

    .executableTarget(
      name: "register-volumes", dependencies: ["Imaging", "Registration"],
      path: "Benchmarks/registration/register-volumes", swiftSettings: swift),

    .testTarget(
      name: "ImagingTests", dependencies: ["Imaging", "CKernels"], exclude: ["Judge"],
      swiftSettings: swift),
    .testTarget(
      name: "RegistrationTests", dependencies: ["CKernels", "Imaging", "Registration"], swiftSettings: swift),
    .testTarget(name: "TensorsTests", dependencies: ["Tensors", "CKernels"], swiftSettings: swift),
    .testTarget(
      name: "BSAFusionTests", dependencies: ["BSAFusion"], exclude: ["Goldens"],
      swiftSettings: swift),
    .testTarget(
      name: "CheckpointsTests", dependencies: ["Checkpoints"], exclude: ["Files"],
      swiftSettings: swift),
    .testTarget(
      name: "PicturesTests", dependencies: ["Imaging", "Pictures"], exclude: ["Judge"],
      swiftSettings: swift),
    .testTarget(
      name: "DICOMTests", dependencies: ["DICOM", "Imaging", crypto], exclude: ["Judge"],
      swiftSettings: swift),
    .testTarget(
      name: "ProvenanceTests", dependencies: ["Provenance"], exclude: ["Judge", "Ledgers"],
      swiftSettings: swift),
    .testTarget(
      name: "ReportTests", dependencies: ["Pipeline", "Report"], swiftSettings: swift),
    .testTarget(name: "PipelineTests", dependencies: ["Pipeline"], swiftSettings: swift),
    .testTarget(
      name: "EndToEndTests", dependencies: ["fuseline", "Pipeline"], exclude: ["Fixtures", "Judge"],
      swiftSettings: swift),
  ],
  swiftLanguageModes: [.v6], cLanguageStandard: .c17, cxxLanguageStandard: .cxx17)
