// swift-tools-version: 6.2
import PackageDescription

let package = Package(
    name: "notes",
    platforms: [.macOS(.v15)],
    dependencies: [
        .package(name: "cloakroom", path: "../.."),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
    ],
    targets: [
        .executableTarget(
            name: "Notes",
            dependencies: [
                .product(name: "CloakroomCore", package: "cloakroom"),
                .product(name: "CloakroomFiles", package: "cloakroom"),
                .product(name: "CloakroomSessions", package: "cloakroom"),
                .product(name: "CloakroomMiddleware", package: "cloakroom"),
                .product(name: "CloakroomEndpoints", package: "cloakroom"),
                .product(name: "CloakroomSQLite", package: "cloakroom"),
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ]),
        .testTarget(
            name: "NotesTests",
            dependencies: ["Notes", .product(name: "HummingbirdTesting", package: "hummingbird")]),
    ]
)
