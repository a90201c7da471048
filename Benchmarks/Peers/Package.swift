// swift-tools-version: 6.2
import PackageDescription

/// What others offer for the same work, each as people would write it; built only when `run --peers` asks for it.
let package = Package(
    name: "Peers",
    platforms: [.macOS(.v15)],
    dependencies: [
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/swiftlang/swift-subprocess", from: "1.0.2"),
    ],
    targets: [
        .target(name: "Kit"),
        .executableTarget(name: "foundation-peer", dependencies: ["Kit"]),
        .executableTarget(
            name: "subprocess-peer", dependencies: ["Kit", .product(name: "Subprocess", package: "swift-subprocess")]),
        .executableTarget(
            name: "nio-peer",
            dependencies: [
                .product(name: "NIOCore", package: "swift-nio"), .product(name: "NIOPosix", package: "swift-nio"),
            ]),
    ]
)
