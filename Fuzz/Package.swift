// swift-tools-version: 6.2
import PackageDescription

/// The compiler's name of the package above: its folder's name as an identifier. The grammar uses `package` declarations
/// of CloakroomCore.
let cloakroom = String(
    (Context.packageDirectory.split(separator: "/").dropLast().last ?? "").lowercased().enumerated()
        .map { $1.isLetter || $1.isNumber && $0 > 0 ? $1 : "_" })

/// The settings of the package above, and libFuzzer's instrumentation. `Wire` is a link to the gateway's own files: the
/// grammar is compiled with instrumentation here, and its dependencies without.
let settings: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .treatAllWarnings(as: .error),
    .unsafeFlags(["-package-name", cloakroom, "-sanitize=fuzzer"]),
]

let package = Package(
    name: "cloakroom-fuzz",
    platforms: [.macOS(.v15)],
    dependencies: [
        .package(name: "cloakroom", path: ".."),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
    ],
    targets: [
        .systemLibrary(name: "CLibFuzzer"),
        .executableTarget(
            name: "CloakroomFuzz",
            dependencies: [
                "CLibFuzzer",
                .product(name: "CloakroomCore", package: "cloakroom"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOEmbedded", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
            ],
            packageAccess: false,
            swiftSettings: settings,
            // gold ends with an internal error.
            linkerSettings: [.unsafeFlags(["-sanitize=fuzzer", "-use-ld=lld"])]),
    ]
)
