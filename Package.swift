// swift-tools-version: 6.2
import PackageDescription

/// The settings of every target: warnings are errors, and each file declares its own imports and their access level.
let strict: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .treatAllWarnings(as: .error),
]

let crypto: Target.Dependency = .product(name: "Crypto", package: "swift-crypto")
let cryptoExtras: Target.Dependency = .product(name: "CryptoExtras", package: "swift-crypto")
let hummingbird: Target.Dependency = .product(name: "Hummingbird", package: "hummingbird")
let hummingbirdTesting: Target.Dependency = .product(name: "HummingbirdTesting", package: "hummingbird")
let hummingbirdCore: Target.Dependency = .product(name: "HummingbirdCore", package: "hummingbird")
let httpTypes: Target.Dependency = .product(name: "HTTPTypes", package: "swift-http-types")
let nioCore: Target.Dependency = .product(name: "NIOCore", package: "swift-nio")
let nioPosix: Target.Dependency = .product(name: "NIOPosix", package: "swift-nio")
let nioHTTP1: Target.Dependency = .product(name: "NIOHTTP1", package: "swift-nio")
let logging: Target.Dependency = .product(name: "Logging", package: "swift-log")
let metrics: Target.Dependency = .product(name: "Metrics", package: "swift-metrics")
let coreMetrics: Target.Dependency = .product(name: "CoreMetrics", package: "swift-metrics")
let lifecycle: Target.Dependency = .product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
let asyncHTTPClient: Target.Dependency = .product(name: "AsyncHTTPClient", package: "async-http-client")
let grdb: Target.Dependency = .product(name: "GRDB", package: "GRDB.swift")

let package = Package(
    name: "cloakroom",
    platforms: [.macOS(.v15)],
    products: [
        .executable(name: "cloakroom", targets: ["cloakroom"]),
        .library(name: "CloakroomCore", targets: ["CloakroomCore"]),
        .library(name: "CloakroomTokens", targets: ["CloakroomTokens"]),
        .library(name: "CloakroomFiles", targets: ["CloakroomFiles"]),
        .library(name: "CloakroomStores", targets: ["CloakroomStores"]),
        .library(name: "CloakroomSessions", targets: ["CloakroomSessions"]),
        .library(name: "CloakroomPasskeys", targets: ["CloakroomPasskeys"]),
        .library(name: "CloakroomAccounts", targets: ["CloakroomAccounts"]),
        .library(name: "CloakroomMiddleware", targets: ["CloakroomMiddleware"]),
        .library(name: "CloakroomResourceServer", targets: ["CloakroomResourceServer"]),
        .library(name: "CloakroomEndpoints", targets: ["CloakroomEndpoints"]),
        .library(name: "CloakroomGateway", targets: ["CloakroomGateway"]),
        .library(name: "CloakroomSQLite", targets: ["CloakroomSQLite"]),
        .library(name: "CloakroomPostgres", targets: ["CloakroomPostgres"]),
        .library(name: "CloakroomTesting", targets: ["CloakroomTesting"]),
    ],
    dependencies: [
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
        .package(url: "https://github.com/apple/swift-metrics", from: "2.13.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-extras", from: "1.35.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
        .package(url: "https://github.com/apple/swift-nio-http2", from: "1.46.0"),
        .package(url: "https://github.com/apple/swift-asn1", from: "1.7.4"),
        .package(url: "https://github.com/apple/swift-certificates", from: "1.21.1"),
        .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
    ],
    targets: [
        .systemLibrary(
            name: "CSodium", pkgConfig: "libsodium", providers: [.apt(["libsodium-dev"]), .brew(["libsodium"])]),
        .systemLibrary(name: "CPQ", pkgConfig: "libpq", providers: [.apt(["libpq-dev"]), .brew(["libpq"])]),
        .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"]), .brew(["zlib"])]),

        .target(name: "CloakroomCore", swiftSettings: strict),
        .target(
            name: "CloakroomTokens", dependencies: ["CloakroomCore", "CZlib", crypto, cryptoExtras],
            swiftSettings: strict),
        .target(
            name: "CloakroomPasskeys", dependencies: ["CloakroomCore", "CloakroomTokens", crypto, cryptoExtras],
            swiftSettings: strict),
        .target(name: "CloakroomFiles", swiftSettings: strict),
        .target(name: "CloakroomStores", dependencies: ["CloakroomCore", metrics], swiftSettings: strict),
        .target(
            name: "CloakroomSessions",
            dependencies: [
                "CloakroomCore", "CloakroomTokens", "CloakroomFiles", "CloakroomStores", crypto, logging, metrics,
            ],
            swiftSettings: strict),
        .target(
            name: "CloakroomAccounts",
            dependencies: [
                "CloakroomCore", "CloakroomTokens", "CloakroomStores", "CloakroomSessions", "CSodium", crypto,
            ],
            resources: [.embedInCode("Passwords/common-passwords.txt")],
            swiftSettings: strict),
        .target(
            name: "CloakroomSQLite",
            dependencies: ["CloakroomCore", "CloakroomFiles", "CloakroomStores", grdb, logging],
            swiftSettings: strict),
        .target(
            name: "CloakroomPostgres",
            dependencies: ["CloakroomCore", "CloakroomFiles", "CloakroomStores", "CPQ", logging, metrics],
            swiftSettings: strict),
        .target(
            name: "CloakroomMiddleware",
            dependencies: [
                "CloakroomCore", "CloakroomTokens", hummingbird, httpTypes, nioCore, logging, metrics,
            ],
            swiftSettings: strict),
        .target(
            name: "CloakroomResourceServer",
            dependencies: [
                "CloakroomCore", "CloakroomTokens", "CloakroomMiddleware", hummingbird, httpTypes, nioCore, nioHTTP1,
                logging, lifecycle, asyncHTTPClient,
            ],
            swiftSettings: strict),
        .target(
            name: "CloakroomWeb",
            path: "Web",
            exclude: ["client/adapters", "client/package.json", "demo"],
            resources: [
                .embedInCode("client/client.js"), .embedInCode("client/client.d.ts"),
                .embedInCode("pages/login.html"), .embedInCode("pages/login.js"),
                .embedInCode("pages/hand-over.html"),
                .embedInCode("pages/signup.html"), .embedInCode("pages/signup.js"),
                .embedInCode("pages/account.html"), .embedInCode("pages/account.js"),
                .embedInCode("pages/form.js"), .embedInCode("pages/sessions.js"), .embedInCode("pages/style.css"),
            ],
            swiftSettings: strict),
        .target(
            name: "CloakroomDemo",
            dependencies: ["CloakroomWeb"],
            path: "Web/demo",
            resources: [
                .embedInCode("demo.html"), .embedInCode("demo.js"), .embedInCode("demo.css"), .embedInCode("look.js"),
            ],
            swiftSettings: strict),
        .target(
            name: "CloakroomEndpoints",
            dependencies: [
                "CloakroomCore", "CloakroomTokens", "CloakroomFiles", "CloakroomStores", "CloakroomSessions",
                "CloakroomAccounts", "CloakroomMiddleware", "CloakroomWeb", hummingbird, hummingbirdCore, httpTypes,
                nioCore, nioHTTP1, nioPosix, logging, lifecycle, crypto,
                .product(name: "NIOHTTPTypesHTTP1", package: "swift-nio-extras"),
            ],
            swiftSettings: strict),
        .target(
            name: "CloakroomGateway",
            dependencies: [
                "CloakroomCore", "CloakroomTokens", "CloakroomMiddleware", hummingbirdCore, nioCore, nioPosix, logging,
                httpTypes,
                .product(name: "NIOTLS", package: "swift-nio"),
                .product(name: "NIOHTTP2", package: "swift-nio-http2"),
                .product(name: "NIOHPACK", package: "swift-nio-http2"),
            ],
            swiftSettings: strict),
        .target(
            name: "CloakroomTesting", dependencies: ["CloakroomCore", "CloakroomStores", logging],
            swiftSettings: strict),
        .executableTarget(
            name: "cloakroom",
            dependencies: [
                "CloakroomCore", "CloakroomTokens", "CloakroomFiles", "CloakroomStores", "CloakroomSessions",
                "CloakroomAccounts", "CloakroomSQLite", "CloakroomPostgres", "CloakroomMiddleware",
                "CloakroomEndpoints",
                "CloakroomGateway", "CloakroomWeb", "CloakroomDemo", "CSodium", crypto, hummingbird, hummingbirdCore,
                httpTypes, nioCore, logging,
                metrics,
                lifecycle,
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
                .product(name: "NIOExtras", package: "swift-nio-extras"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
                .product(name: "SwiftASN1", package: "swift-asn1"),
                .product(name: "X509", package: "swift-certificates"),
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Yams", package: "Yams"),
            ],
            swiftSettings: strict),

        .testTarget(name: "CloakroomCoreTests", dependencies: ["CloakroomCore"], swiftSettings: strict),
        .testTarget(
            name: "CloakroomTokensTests",
            dependencies: ["CloakroomCore", "CloakroomTokens", crypto],
            resources: [.copy("Vectors")],
            swiftSettings: strict),
        .testTarget(
            name: "CloakroomPasskeysTests",
            dependencies: ["CloakroomCore", "CloakroomTokens", "CloakroomPasskeys", crypto, cryptoExtras],
            resources: [.copy("Vectors")],
            swiftSettings: strict),
        .testTarget(
            name: "CloakroomSQLiteTests",
            dependencies: [
                "CloakroomCore", "CloakroomFiles", "CloakroomStores", "CloakroomSQLite", "CloakroomTesting", grdb,
                logging,
            ],
            swiftSettings: strict),
        .testTarget(
            name: "CloakroomPostgresTests",
            dependencies: [
                "CloakroomCore", "CloakroomTokens", "CloakroomFiles", "CloakroomStores", "CloakroomSessions",
                "CloakroomPostgres", "CloakroomTesting", logging,
            ],
            exclude: ["cluster.sh"],
            swiftSettings: strict),
        .testTarget(
            name: "CloakroomSessionsTests",
            dependencies: [
                "CloakroomCore", "CloakroomTokens", "CloakroomFiles", "CloakroomStores", "CloakroomSessions",
                "CloakroomSQLite", "CloakroomTesting", logging, grdb,
            ],
            swiftSettings: strict),
        .testTarget(
            name: "CloakroomAccountsTests",
            dependencies: [
                "CloakroomCore", "CloakroomTokens", "CloakroomFiles", "CloakroomStores", "CloakroomSessions",
                "CloakroomAccounts", "CloakroomSQLite", "CloakroomTesting", logging, grdb,
            ],
            swiftSettings: strict),
        .testTarget(
            name: "CloakroomMiddlewareTests",
            dependencies: [
                "CloakroomCore", "CloakroomTokens", "CloakroomMiddleware", hummingbird, hummingbirdTesting, httpTypes,
                nioCore, logging,
            ],
            swiftSettings: strict),
        .testTarget(
            name: "CloakroomResourceServerTests",
            dependencies: [
                "CloakroomCore", "CloakroomTokens", "CloakroomMiddleware", "CloakroomResourceServer",
                "CloakroomTesting", hummingbird, hummingbirdTesting, httpTypes, nioCore, logging,
            ],
            swiftSettings: strict),
        .testTarget(
            name: "CloakroomEndpointsTests",
            dependencies: [
                "CloakroomCore", "CloakroomTokens", "CloakroomFiles", "CloakroomStores", "CloakroomSessions",
                "CloakroomAccounts",
                "CloakroomMiddleware", "CloakroomEndpoints", "CloakroomSQLite", "CloakroomTesting", hummingbird,
                hummingbirdTesting, httpTypes,
                nioCore, logging, nioHTTP1, nioPosix,
                .product(name: "NIOEmbedded", package: "swift-nio"),
            ],
            swiftSettings: strict),
        .testTarget(
            name: "CloakroomGatewayTests",
            dependencies: [
                "CloakroomCore", "CloakroomTokens", "CloakroomMiddleware", "CloakroomGateway", nioCore, nioPosix,
                .product(name: "NIOHPACK", package: "swift-nio-http2"),
            ],
            swiftSettings: strict),
        .testTarget(
            name: "CloakroomCommandTests",
            dependencies: [
                "cloakroom", "CloakroomCore", "CloakroomTokens", "CloakroomFiles", "CloakroomStores",
                "CloakroomSessions", "CloakroomAccounts",
                "CloakroomMiddleware", "CloakroomEndpoints", "CloakroomGateway", logging, coreMetrics,
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: strict),
    ]
)
