// swift-tools-version: 6.2
import PackageDescription

/// Continuous integration turns warnings into errors; who merely uses the package is not stopped by a newer compiler's.
let strict: [SwiftSetting] =
    Context.environment["IPC_WARNINGS_AS_ERRORS"] == nil ? [] : [.treatAllWarnings(as: .error)]
let strictC: [CSetting] =
    Context.environment["IPC_WARNINGS_AS_ERRORS"] == nil ? [] : [.treatAllWarnings(as: .error)]

/// What the thread sanitizer has to be told of in programs that tests run; `Scripts/sanitize` asks for it.
let marks: [Target.Dependency] = Context.environment["IPC_MUTEX_MARKS"] == nil ? [] : ["MutexMarks"]

/// To run the tests on the library as it is released, they have to see what is internal; being tests, they need no optimising.
let testable = Context.environment["IPC_TESTABLE_RELEASE"] != nil
let seen: [SwiftSetting] = testable ? [.unsafeFlags(["-enable-testing"])] : []
let quicklyBuilt: [SwiftSetting] = testable ? [.unsafeFlags(["-Onone"])] : []

let settings: [SwiftSetting] =
    [
        .swiftLanguageMode(.v6),
        .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
        .enableUpcomingFeature("MemberImportVisibility"),
        .enableUpcomingFeature("InternalImportsByDefault"),
        .enableUpcomingFeature("ExistentialAny"),
    ] + strict

let package = Package(
    name: "swift-ipc",
    products: [
        .library(name: "IPC", targets: ["IPC"]),
        .library(name: "IPCTestSupport", targets: ["IPCTestSupport"]),
        .executable(name: "ipc", targets: ["IPCTool"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-system", from: "1.6.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.6.0"),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.5.0"),
        .package(url: "https://github.com/swiftlang/swift-docc-plugin", from: "1.4.0"),
    ],
    targets: [
        .target(name: "CIPC", cSettings: strictC),
        .target(
            name: "IPC",
            dependencies: [
                "CIPC",
                .product(name: "SystemPackage", package: "swift-system"),
                .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: settings + seen
        ),
        .target(name: "CIPCTestSupport", cSettings: strictC),
        .target(name: "IPCTestSupport", dependencies: ["IPC", "CIPCTestSupport"], swiftSettings: settings),
        .executableTarget(
            name: "IPCTool",
            dependencies: [
                "IPC",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Logging", package: "swift-log"),
            ] + marks,
            swiftSettings: settings + seen
        ),
        .executableTarget(name: "TestChild", path: "Tests/TestChild", cSettings: strictC),
        .executableTarget(
            name: "TestWorkers", dependencies: ["IPC"] + marks, path: "Tests/TestWorkers", swiftSettings: settings),
        .executableTarget(
            name: "TestSharers", dependencies: ["IPC"] + marks, path: "Tests/TestSharers", swiftSettings: settings),
        .target(name: "MutexMarks", path: "Tests/MutexMarks", cSettings: strictC),
        .testTarget(
            name: "IPCTests",
            dependencies: ["IPC", "CIPC", "IPCTestSupport", "TestChild", "TestWorkers", "TestSharers", "MutexMarks"],
            swiftSettings: settings + quicklyBuilt
        ),
        .testTarget(
            name: "IPCToolTests",
            dependencies: ["IPC", "CIPC", "IPCTool", "IPCTests", "TestChild"],
            swiftSettings: settings + quicklyBuilt
        ),
        .testTarget(
            name: "TidyTests", dependencies: ["IPC", "IPCTests"], swiftSettings: settings + quicklyBuilt),
    ]
)
