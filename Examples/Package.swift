// swift-tools-version: 6.2
import PackageDescription

/// Each example is a folder of its own with one file; a new one gets its line here.
let examples = [
    "alive", "background", "backticks", "bogus", "catsock-client", "catsock-server", "comm-cat", "command-server",
    "daemonize", "daytime", "expect-login", "forking-server", "gateway", "hup-daemon", "hup-group", "interact",
    "interactive", "lock-wait", "magic-cat", "mkfifo", "msg-demo", "open2-cat", "outta-here", "pipe-pair", "precious",
    "reaper", "rtime", "safe-backtick", "safe-pipe", "safe-writer", "sem-create", "sem-give", "sem-take",
    "shared-counter", "shm-demo", "signals", "signature-server", "socket-pair", "spooler", "status-reader",
    "tcp-client", "tcp-server",
    "time-server", "udp-time", "webget", "zap",
]

let ipc = Target.Dependency.product(name: "IPC", package: "swift-ipc")

/// As for the library: continuous integration turns warnings into errors.
let strict: [SwiftSetting] =
    Context.environment["IPC_WARNINGS_AS_ERRORS"] == nil ? [] : [.treatAllWarnings(as: .error)]

let settings: [SwiftSetting] =
    [
        .swiftLanguageMode(.v6),
        .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
        .enableUpcomingFeature("MemberImportVisibility"),
        .enableUpcomingFeature("InternalImportsByDefault"),
        .enableUpcomingFeature("ExistentialAny"),
    ] + strict

let package = Package(
    name: "Examples",
    dependencies: [.package(name: "swift-ipc", path: "..")],
    targets: examples.map { name in
        .executableTarget(name: name, dependencies: [ipc], path: name, swiftSettings: settings)
    } + [
        // Builds of the whole package have the examples beside the tests; linking them into the tests would take longer.
        .testTarget(name: "ExamplesTests", dependencies: [ipc], swiftSettings: settings)
    ]
)
