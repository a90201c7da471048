// Every way in which a start fails that can be made from files and arguments, each with the error that it must give.
import Glibc
import IPC
import Testing

/// A command that cannot be started.
enum FailingStart: String, CaseIterable, Sendable, CustomTestStringConvertible {
    case missing, missingInPath, missingOnTheWay, emptyName, notExecutable, notExecutableInPath, directory
    case emptyFile, scriptWithoutInterpreter, foreignArchitecture, truncatedProgram
    case interpreterMissing, carriageReturn, loaderMissing, interpreterNotExecutable, interpreterIsDirectory
    case busy, longName, longNameInPath, longPath, linkLoop
    case longArgument, longVariable, longTotal
    case nulInProgram, nulInArgument, nulInVariableName, nulInVariableValue, equalsInVariableName, emptyVariableName
    case directoryMissing, directoryIsFile
    case inputMissing, outputExists, outputIsDirectory

    var testDescription: String { rawValue }

    /// The kind and the error number that the start must give.
    var expected: (kind: StartError.Kind, errno: Errno) {
        switch self {
        case .missing, .missingInPath, .emptyName: (.notFound, .noSuchFileOrDirectory)
        case .missingOnTheWay: (.notFound, .notDirectory)
        case .notExecutable, .notExecutableInPath: (.notExecutable, .permissionDenied)
        case .directory: (.isDirectory, .permissionDenied)
        case .emptyFile, .scriptWithoutInterpreter, .foreignArchitecture: (.unknownFormat, .execFormatError)
        case .truncatedProgram: (.unknownFormat, .execFormatError)
        case .interpreterMissing, .carriageReturn, .loaderMissing: (.interpreterNotFound, .noSuchFileOrDirectory)
        case .interpreterNotExecutable, .interpreterIsDirectory: (.interpreterNotExecutable, .permissionDenied)
        case .busy: (.busy, .textFileBusy)
        case .longName, .longNameInPath, .longPath: (.nameTooLong, .fileNameTooLong)
        case .linkLoop: (.symbolicLinkLoop, .tooManySymbolicLinkLevels)
        case .longArgument, .longVariable, .longTotal: (.argumentsTooLong, .argListTooLong)
        case .nulInProgram, .nulInArgument, .nulInVariableName, .nulInVariableValue, .equalsInVariableName,
            .emptyVariableName:
            (.invalidArgument, .invalidArgument)
        case .directoryMissing: (.directoryNotFound, .noSuchFileOrDirectory)
        case .directoryIsFile: (.directoryNotFound, .notDirectory)
        case .inputMissing: (.streamNotOpened, .noSuchFileOrDirectory)
        case .outputExists: (.streamNotOpened, .fileExists)
        case .outputIsDirectory: (.streamNotOpened, .isDirectory)
        }
    }

    /// What the message must name.
    var subject: String {
        switch self {
        case .missing: "/there-is-no-such-program"
        case .missingInPath: "no-such-program: "
        case .missingOnTheWay: "/plain/program"
        case .emptyName: "''"
        case .notExecutable, .notExecutableInPath: "/plain"
        case .directory: "/bin"
        case .emptyFile: "/empty"
        case .scriptWithoutInterpreter: "/script"
        case .foreignArchitecture: "/foreign"
        case .truncatedProgram: "/truncated"
        case .interpreterMissing: "interpreter /no/such/interpreter"
        case .carriageReturn: "interpreter /bin/sh (the line ends with a carriage return)"
        case .loaderMissing: "its program loader is missing"
        case .interpreterNotExecutable: "/plain"
        case .interpreterIsDirectory: "/bin"
        case .busy: "/busy"
        case .longName, .longNameInPath: String(repeating: "n", count: 300)
        case .longPath: "/program"
        case .linkLoop: "/loop"
        case .longArgument: "the longest 200000"
        case .longVariable: "the longest 200002"
        case .longTotal: "3000"
        case .nulInProgram: "program"
        case .nulInArgument: "argument 2 of true"
        case .nulInVariableName, .nulInVariableValue: "environment variable N"
        case .equalsInVariableName: "environment variable A=B"
        case .emptyVariableName: "an empty name"
        case .directoryMissing: "/no-such-directory"
        case .directoryIsFile: "/plain"
        case .inputMissing: "/no-such-input"
        case .outputExists: "/plain"
        case .outputIsDirectory: "/bin"
        }
    }

    /// The command, in a folder that ``Ground/prepare(_:)`` has prepared.
    func command(in folder: FilePath) -> Command {
        let here = folder.string
        let good = Command("/bin/true")
        func variable(_ name: [UInt8], _ value: [UInt8]) -> Command {
            good.environment(.inherited.setting(name, to: value))
        }
        return switch self {
        case .missing: Command("\(here)/there-is-no-such-program")
        case .missingInPath: Command("no-such-program", "argument")
        case .missingOnTheWay: Command("\(here)/plain/program")
        case .emptyName: Command("")
        case .notExecutable: Command("\(here)/plain")
        case .notExecutableInPath: Command("plain").environment(.empty.setting("PATH", to: "/usr/bin:\(here)"))
        case .directory: Command("\(here)/bin")
        case .emptyFile: Command("\(here)/empty")
        case .scriptWithoutInterpreter: Command("\(here)/script")
        case .foreignArchitecture: Command("\(here)/foreign")
        case .truncatedProgram: Command("\(here)/truncated")
        case .interpreterMissing: Command("\(here)/no-interpreter")
        case .carriageReturn: Command("\(here)/carriage-return")
        case .loaderMissing: Command("\(here)/no-loader")
        case .interpreterNotExecutable: Command("\(here)/plain-interpreter")
        case .interpreterIsDirectory: Command("\(here)/directory-interpreter")
        case .busy: Command("\(here)/busy")
        case .longName: Command("\(here)/\(String(repeating: "n", count: 300))")
        case .longNameInPath: Command(String(repeating: "n", count: 300))
        case .longPath: Command("\(here)/\(String(repeating: "d/", count: 2_100))program")
        case .linkLoop: Command("\(here)/loop")
        case .longArgument: Command("/bin/true", String(repeating: "a", count: 200_000))
        case .longVariable: variable([UInt8(ascii: "V")], [UInt8](repeating: 97, count: 200_000))
        case .longTotal:
            Command("/bin/true", arguments: (0..<30).map { _ in [UInt8](repeating: 97, count: 99_999) })
        case .nulInProgram: Command("/bin/tr\0ue")
        case .nulInArgument: Command("/bin/true", "good", "b\0d")
        case .nulInVariableName: variable(Array("N\0".utf8), [])
        case .nulInVariableValue: variable(Array("N".utf8), [65, 0])
        case .equalsInVariableName: variable(Array("A=B".utf8), [])
        case .emptyVariableName: variable([], Array("value".utf8))
        case .directoryMissing: good.directory(folder.appending("no-such-directory"))
        case .directoryIsFile: good.directory(folder.appending("plain"))
        case .inputMissing: good.input(.file(folder.appending("no-such-input")))
        case .outputExists: good.error(.file(folder.appending("plain"), .create))
        case .outputIsDirectory: good.error(.file(folder.appending("bin")))
        }
    }
}

/// The files that failing starts need.
enum Ground {
    /// Makes them; the file that is open for writing stays so as long as the result lives.
    static func prepare(_ folder: FilePath) async throws -> ByteWriter {
        let here = folder.string
        func make(_ name: String, _ content: [UInt8], mode: UInt32 = 0o755) async throws {
            let file = try ByteWriter(
                Descriptor.open(folder.appending(name), for: .replace, permissions: FilePermissions(rawValue: mode)))
            try await file.write(content)
            try file.close()
            #expect(chmod("\(here)/\(name)", mode) == 0)
        }
        func text(_ name: String, _ content: String, mode: UInt32 = 0o755) async throws {
            try await make(name, Array(content.utf8), mode: mode)
        }
        try await text("plain", "#!/bin/sh\n", mode: 0o644)
        #expect(mkdir("\(here)/bin", 0o755) == 0)
        try await text("empty", "")
        try await text("script", "echo without an interpreter\n")
        try await text("no-interpreter", "#!/no/such/interpreter -x\n")
        try await text("carriage-return", "#!/bin/sh\r\necho\r\n")
        try await text("plain-interpreter", "#! \(here)/plain\n")
        try await text("directory-interpreter", "#!\(here)/bin\n")
        #expect(symlink("loop", "\(here)/loop") == 0)
        let original = try ByteReader(Descriptor.open(FilePath(TestChild.path), for: .read))
        let program = try await original.readAll(limit: 1 << 24)
        try await make("truncated", Array(program.prefix(20)))
        try await make("foreign", Array(program[..<18]) + [0x34, 0x12] + Array(program[20...]))
        try await make("no-loader", withoutLoader(program))
        let busy = try ByteWriter(
            Descriptor.open(folder.appending("busy"), for: .replace, permissions: FilePermissions(rawValue: 0o755)))
        try await busy.write(program)
        return busy
    }

    /// A program whose loader, the file that the kernel starts for it, has another name.
    private static func withoutLoader(_ program: [UInt8]) -> [UInt8] {
        let name = Array("/ld-linux".utf8)
        var changed = program
        let start = changed.indices.first { changed[$0...].starts(with: name) }
        if let start { changed[start + 1] = UInt8(ascii: "x") }
        return changed
    }
}
