// swift-tools-version: 6.2
import PackageDescription

let support: [Target.Dependency] = ["OwnLoginSupport", .product(name: "Hummingbird", package: "hummingbird")]

let package = Package(
    name: "own-login",
    platforms: [.macOS(.v15)],
    dependencies: [
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
    ],
    targets: [
        .target(
            name: "OwnLoginSupport",
            dependencies: [
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "CryptoExtras", package: "swift-crypto"),
                .product(name: "AsyncHTTPClient", package: "async-http-client"),
                .product(name: "Hummingbird", package: "hummingbird"),
            ],
            path: "hummingbird/support"),
        .executableTarget(name: "OwnLoginBefore", dependencies: support, path: "hummingbird/before"),
        .executableTarget(name: "OwnLoginAfter", dependencies: support, path: "hummingbird/after"),
    ]
)
