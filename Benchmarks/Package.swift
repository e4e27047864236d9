// swift-tools-version: 6.2
import PackageDescription

/// The compiler's name of the package above: its folder's name as an identifier. The tools here use `package`
/// declarations, as the package's own tests do.
let cloakroom = String(
    (Context.packageDirectory.split(separator: "/").dropLast().last ?? "").lowercased().enumerated()
        .map { $1.isLetter || $1.isNumber && $0 > 0 ? $1 : "_" })
let insider: [SwiftSetting] = [.unsafeFlags(["-package-name", cloakroom])]

func product(_ name: String) -> Target.Dependency { .product(name: name, package: "cloakroom") }

let store: [Target.Dependency] = [
    product("CloakroomCore"), product("CloakroomTokens"), product("CloakroomFiles"), product("CloakroomStores"),
    product("CloakroomSessions"), product("CloakroomAccounts"), product("CloakroomSQLite"),
    product("CloakroomPostgres"),
]
let server: [Target.Dependency] = [product("CloakroomMiddleware"), product("CloakroomEndpoints")]

let package = Package(
    name: "cloakroom-benchmarks",
    platforms: [.macOS(.v15)],
    dependencies: [
        .package(name: "cloakroom", path: ".."),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
    ],
    targets: [
        .executableTarget(
            name: "StoreBench",
            dependencies: store + [
                .product(name: "GRDB", package: "GRDB.swift"), .product(name: "GRDBSQLite", package: "GRDB.swift"),
            ],
            packageAccess: false, swiftSettings: insider),
        .executableTarget(
            name: "HelloServer", dependencies: [.product(name: "Hummingbird", package: "hummingbird")]),
        .executableTarget(
            name: "AppServer",
            dependencies: store + server + [
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "Crypto", package: "swift-crypto"),
            ],
            packageAccess: false, swiftSettings: insider),
        .executableTarget(
            name: "SeedSessions", dependencies: store, packageAccess: false, swiftSettings: insider),
        .target(name: "CAllocations"),
        .executableTarget(
            name: "MicroBench",
            dependencies: store + server + [
                "CAllocations", .product(name: "Crypto", package: "swift-crypto"),
            ],
            packageAccess: false, swiftSettings: insider),
        .executableTarget(name: "RenewLoad"),
    ]
)
