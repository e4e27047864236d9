// swift-tools-version: 6.2
import Foundation
import PackageDescription

/// The settings of the package above, written again: a manifest cannot import another one, and SwiftPM passes no settings
/// on to a package that depends on it.
let strict: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .treatAllWarnings(as: .error),
]

/// The scripts, pages and texts beside the Swift files. `LabFile` reads them at run time. SwiftPM warns about each file
/// that the manifest does not list.
let texts = ["Bank", "Report", "attacks", "storage"].flatMap { folder -> [String] in
    let names = FileManager.default.enumerator(atPath: "\(Context.packageDirectory)/\(folder)")?.allObjects ?? []
    return names.compactMap { $0 as? String }.filter { name in
        ["css", "html", "js", "md"].contains { name.hasSuffix(".\($0)") }
    }.map { "\(folder)/\($0)" }
}

func cloakroom(_ name: String) -> Target.Dependency { .product(name: name, package: "cloakroom") }

let hummingbird: Target.Dependency = .product(name: "Hummingbird", package: "hummingbird")
let httpTypes: Target.Dependency = .product(name: "HTTPTypes", package: "swift-http-types")
let nioCore: Target.Dependency = .product(name: "NIOCore", package: "swift-nio")
let nioPosix: Target.Dependency = .product(name: "NIOPosix", package: "swift-nio")

let package = Package(
    name: "cloakroom-lab",
    platforms: [.macOS(.v15)],
    products: [.executable(name: "cloakroom-lab", targets: ["CloakroomLab"])],
    dependencies: [
        .package(name: "cloakroom", path: ".."),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1"),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
    ],
    targets: [
        .executableTarget(
            name: "CloakroomLab",
            dependencies: [
                cloakroom("CloakroomCore"), cloakroom("CloakroomTokens"), cloakroom("CloakroomFiles"),
                cloakroom("CloakroomStores"), cloakroom("CloakroomSessions"), cloakroom("CloakroomMiddleware"),
                cloakroom("CloakroomEndpoints"), cloakroom("CloakroomSQLite"),
                hummingbird,
                .product(name: "HummingbirdCore", package: "hummingbird"), httpTypes, nioCore, nioPosix,
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
            ],
            path: ".",
            exclude: ["README.md", "Tests"] + texts,
            swiftSettings: strict),
        .testTarget(
            name: "CloakroomLabTests",
            dependencies: [
                "CloakroomLab", cloakroom("CloakroomMiddleware"), hummingbird, httpTypes, nioCore, nioPosix,
            ],
            path: "Tests",
            swiftSettings: strict),
    ]
)
