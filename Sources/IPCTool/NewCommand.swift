// ipc new: a small package that uses the library, as a place to begin.
import ArgumentParser
import FoundationEssentials
import IPC

struct NewCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "new",
        abstract: "Write a small package that uses the library.",
        discussion: """
            Its program reports faults, ends in order on Ctrl-C and SIGTERM, and says an
            error in one line. A folder that is there already is left alone.

            Example: ipc new hello && swift run --package-path hello
            """)

    @Argument(help: "The package's name, and the folder's.")
    var name: String

    @Option(
        help: ArgumentHelp(
            "Where the library is: a folder or a repository's URL. If not said, the checkout of which this tool was built.",
            valueName: "path|URL"))
    var package: String?

    @Flag(help: "Print one JSON object.")
    var json = false

    func validate() throws {
        guard name.wholeMatch(of: #/[A-Za-z][A-Za-z0-9_-]{0,99}/#) != nil else {
            throw ValidationError("a package's name is a letter and up to 99 letters, digits, - and _")
        }
        if NewPackage.takenNames.contains(name.lowercased()) {
            throw ValidationError("the name '\(name)' is taken by a module that the package uses")
        }
    }

    func run() throws {
        let (name, package, json) = (name, package, json)
        try perform(json: json) {
            let new = try NewPackage(name: name, library: package)
            try new.write()
            try await say(
                "wrote \(name); to run it: swift run --package-path \(name)",
                ["wrote": new.files.map { "\(name)/\($0.path)" }],
                json: json)
            return .success
        }
    }
}

/// The files of a new package.
private struct NewPackage {
    /// Names with which it could not be built, in small letters.
    static let takenNames: Set = [
        "ipc", "cipc", "swift-ipc", "swift", "main", "glibc", "foundation", "logging", "swift-log", "systempackage",
        "csystem",
        "swift-system", "synchronization", "swift-argument-parser", "swift-docc-plugin",
    ]

    let name: String
    /// How the manifest says where the library is.
    let dependency: String
    /// What the manifest calls the library's package.
    let identity: String

    /// - Parameter library: a folder, an address, or nothing for the checkout that this file is in.
    init(name: String, library: String?) throws {
        self.name = name
        if let library, library.contains("://") || library.hasPrefix("git@") {
            dependency = ".package(url: \(library.debugDescription), branch: \"main\")"
            let last = library.prefix { $0 != "?" && $0 != "#" }.split { $0 == "/" || $0 == ":" }.last ?? ""
            identity = String(last.hasSuffix(".git") ? last.dropLast(4) : last)
        } else {
            let folder = library.map { FilePath($0) } ?? Self.checkout
            let path = FilePath(FileManager.default.currentDirectoryPath).pushing(folder).lexicallyNormalized().string
            guard FileManager.default.isReadableFile(atPath: "\(path)/Package.swift") else {
                throw NotWritten(reason: "there is no package in \(path); say where the library is with --package")
            }
            dependency = ".package(name: \"swift-ipc\", path: \(path.debugDescription))"
            identity = "swift-ipc"
        }
    }

    private static let checkout = FilePath(#filePath).removingLastComponent().removingLastComponent()
        .removingLastComponent()

    var files: [(path: String, text: String)] {
        [("Package.swift", manifest), (".gitignore", ".build/\n"), ("Sources/\(name)/main.swift", program)]
    }

    private var manifest: String {
        """
        // swift-tools-version: 6.2
        import PackageDescription

        let package = Package(
            name: "\(name)",
            dependencies: [\(dependency)],
            targets: [
                .executableTarget(
                    name: "\(name)", dependencies: [.product(name: "IPC", package: "\(identity)")],
                    swiftSettings: [.swiftLanguageMode(.v6)])
            ]
        )

        """
    }

    private var program: String {
        """
        // \(name): says which system it runs on.
        import Glibc
        import IPC

        do {
            // A fault is a line on standard error before the program dies of it.
            try Signal.reportFaults()
            try EventLoop.run {
                // Ctrl-C and SIGTERM cancel what waits in here, so that it ends as after any other error.
                try await Signal.cancelling(on: .interrupt, .terminate) {
                    let system = try await Command("uname", "-sr").read(timeout: .seconds(5))
                    try await ByteWriter.standardOutput.write("\(name) runs on \\(system)\\n")
                }
            }
        } catch let error as SignalCancellationError {
            error.event.signal.endProcess()
        } catch {
            _ = try? FileDescriptor.standardError.writeAll("\(name): \\(error)\\n".utf8)
            exit(1)
        }

        """
    }

    /// Writes them into a new folder; what could not be finished is taken away.
    func write() throws {
        do {
            try FileManager.default.createDirectory(atPath: name, withIntermediateDirectories: false)
        } catch let error as CocoaError {
            throw SystemError("make", on: name, Self.errno(of: error))
        }
        do {
            try FileManager.default.createDirectory(
                atPath: "\(name)/Sources/\(name)", withIntermediateDirectories: true)
            for file in files { try Data(file.text.utf8).write(to: URL(filePath: "\(name)/\(file.path)")) }
        } catch {
            try? FileManager.default.removeItem(atPath: name)
            throw SystemError("write", on: name, (error as? CocoaError).map(Self.errno) ?? .ioError)
        }
    }
}

extension NewPackage {
    private static func errno(of error: CocoaError) -> Errno {
        switch error.code {
        case .fileWriteFileExists: .fileExists
        case .fileWriteNoPermission: .permissionDenied
        case .fileWriteOutOfSpace: .noSpace
        case .fileWriteVolumeReadOnly: .readOnlyFileSystem
        case .fileNoSuchFile: .noSuchFileOrDirectory
        default: .ioError
        }
    }
}

/// No package was written.
private struct NotWritten: Error, CustomStringConvertible {
    let reason: String

    var description: String { "write the package: \(reason)" }
}
