// Which file a name means: the folders of the PATH that the program will have, in their order, and no others.
import Glibc
import IPC
import Testing

@Suite(.guarded)
struct ExecutableLookupTests {
    /// Makes a script that says its own name.
    private func make(_ folder: FilePath, _ name: [UInt8], mode: UInt32 = 0o755) async throws {
        let path = Array(folder.string.utf8) + [UInt8(ascii: "/")] + name
        let number = open(path.forC, O_WRONLY | O_CREAT, 0o700)
        let file = try ByteWriter(Descriptor(adopting: number))
        try await file.write("#!/bin/sh\necho $0\n")
        try file.close()
        chmod(path.forC, mode)
    }

    private func folder(_ name: String, in folder: FilePath) -> FilePath {
        mkdir(folder.appending(name).string, 0o755)
        return folder.appending(name)
    }

    private func answer(_ program: any ProgramArgument, path: any ProgramArgument) async throws -> [UInt8] {
        let command = Command(program).environment(.empty.setting("PATH", to: path))
        return try await command.capture().output.bytes.dropLast()
    }

    @Test func theFirstFolderThatHasAnExecutableFileOfTheNameCounts() async throws {
        try await withTemporaryFolder { here in
            let names = ["plain", "directory", "first", "second"].map { folder($0, in: here) }
            try await make(names[0], Array("program".utf8), mode: 0o644)
            mkdir(names[1].appending("program").string, 0o755)
            for name in names[2...] { try await make(name, Array("program".utf8)) }
            let path = (["/no/such/folder", TestChild.path] + names.map(\.string)).joined(separator: ":")
            #expect(try await answer("program", path: path) == Array("\(names[2])/program".utf8))
        }
    }

    @Test("P11: empty and relative folders of the PATH are passed over, also in another directory")
    func emptyAndRelativeFolders() async throws {
        try await withTemporaryFolder { here in
            try await make(here, Array("program".utf8))
            try await make(folder("relative", in: here), Array("program".utf8))
            for path in ["", ":", "::", ".", "relative", "./relative:relative/::."] {
                let command = Command("program").directory(here).environment(.empty.setting("PATH", to: path))
                let error = try await #require(throws: StartError.self, "\(path)") { try await command.run() }
                #expect(error.kind == .notFound)
                #expect(error.detail == "searched \(path)")
            }
            let found = Command("program").environment(.empty.setting("PATH", to: "::relative:\(here):"))
            #expect(try await found.read() == "\(here)/program")
        }
    }

    @Test func thePathIsTheOneThatTheProgramWillHave() async throws {
        try await withTemporaryFolder { here in
            try await make(here, Array("program".utf8))
            await #expect(throws: StartError.self) { try await Command("program").run() }
            let inherited = Command("program").environment(.inherited.setting("PATH", to: "\(here):/usr/bin:/bin"))
            #expect(try await inherited.read() == "\(here)/program")
            #expect(try await Command("true").environment(.inherited.removing("PATH")).capture().status.isSuccess)
            #expect(try await Command("true").environment(.empty).capture().status.isSuccess)
        }
    }

    @Test("P14: names and folders that are not UTF-8 are found as the bytes that they are")
    func notText() async throws {
        try await withTemporaryFolder { here in
            try await make(here, [0xFF, 0xFE])
            #expect(try await answer([0xFF, 0xFE], path: here.string) == Array("\(here)/".utf8) + [0xFF, 0xFE])
            let odd = Array("\(here)/".utf8) + [0xC3]
            #expect(mkdir(odd.forC, 0o755) == 0)
            let copy = try await Command("cp", TestChild.path, odd + Array("/child".utf8)).capture()
            #expect(copy.status.isSuccess)
            let command = Command("child", "echo", "found").environment(.empty.setting("PATH", to: odd))
            #expect(try await command.read() == "found")
            _ = try await Command("rm", "-r", here).capture()
        }
    }

    @Test func whichGivesTheFileThatWouldBeRun() async throws {
        #expect(Command.which("sh").map { access($0.string, X_OK) } == 0)
        #expect(Command.which("/bin/sh") == "/bin/sh")
        #expect(Command.which("no-such-program") == nil)
        #expect(Command.which("/no/such/program") == nil)
        #expect(Command.which("/etc/passwd") == nil)
        #expect(Command.which("/bin") == nil, "a directory is no program")
        #expect(Command.which("") == nil)
        #expect(Command.which(".") == nil)
    }

    @Test func aRelativeProgramIsLookedForInItsDirectory() async throws {
        try await withTemporaryFolder { here in
            try await make(folder("inside", in: here), Array("program".utf8))
            let command = Command("./program").directory(here.appending("inside"))
            #expect(try await command.read() == "./program")
            let missing = Command("inside/no-program").directory(here)
            #expect(try await #require(throws: StartError.self) { try await missing.run() }.kind == .notFound)
            symlink("/no/such/file", here.appending("dangling").string)
            let dangling = Command("./dangling").directory(here)
            #expect(try await #require(throws: StartError.self) { try await dangling.run() }.kind == .notFound)
            // The diagnosis must look where the child would have.
            let directory = Command("./inside").directory(here)
            #expect(try await #require(throws: StartError.self) { try await directory.run() }.kind == .isDirectory)
        }
    }
}
