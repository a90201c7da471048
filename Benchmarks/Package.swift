// swift-tools-version: 6.2
import PackageDescription

let package = Package(
    name: "Benchmarks",
    dependencies: [.package(name: "swift-ipc", path: "..")],
    targets: [
        .target(name: "CBench"),
        .executableTarget(
            name: "ipc-bench",
            dependencies: ["CBench", .product(name: "IPC", package: "swift-ipc")],
            swiftSettings: [
                .swiftLanguageMode(.v6),
                .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
            ]
        ),
    ]
)
