// swift-tools-version: 6.2
import PackageDescription

let package = Package(
    name: "resource-server",
    platforms: [.macOS(.v15)],
    dependencies: [
        .package(name: "cloakroom", path: "../../.."),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1"),
    ],
    targets: [
        .executableTarget(
            name: "ResourceServerExample",
            dependencies: [
                .product(name: "CloakroomCore", package: "cloakroom"),
                .product(name: "CloakroomMiddleware", package: "cloakroom"),
                .product(name: "CloakroomResourceServer", package: "cloakroom"),
                .product(name: "Hummingbird", package: "hummingbird"),
            ],
            path: "Sources/Notes")
    ]
)
