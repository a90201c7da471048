// Keys that a file keeps.
import Glibc
import SystemPackage
import Testing

@testable import IPC

@Suite(.guarded)
struct KeyFileTests {
    @Test("V7: all who ask get one number, another for each file, and none of it is half there")
    func kept() async throws {
        try await withTemporaryFolder { folder in
            var all: Set<SystemV.Key> = []
            for round in 0..<50 {
                let path = folder.appending("key\(round)")
                let keys = try await withThrowingTaskGroup(of: SystemV.Key.self) { group in
                    for _ in 0..<8 { group.addTask { @concurrent in try .kept(in: path) } }
                    return try await group.reduce(into: Set()) { $0.insert($1) }
                }
                #expect(keys.count == 1 && !keys.contains(.private))
                all.formUnion(keys)
            }
            #expect(all.count == 50 && Folder.names(in: folder.string).count == 50)
            var status = stat()
            #expect(stat(folder.appending("key0").string, &status) == 0 && status.st_mode & 0o777 == 0o600)
        }
    }

    @Test("A file that holds something else, that others may write, and a link are refused")
    func refused() async throws {
        try await withTemporaryFolder { folder in
            func error(_ path: FilePath) -> Errno? {
                let error = #expect(throws: SystemError.self) { _ = try SystemV.Key.kept(in: path) }
                return error?.errno
            }
            func put(_ text: String, _ path: FilePath) throws {
                let file = try Descriptor.open(path, for: .replace)
                file.withRawDescriptor { number in _ = text.withCString { write(number, $0, strlen($0)) } }
            }
            let path = folder.appending("key")
            for text in ["", "12345678", "00000000\n", "1234567g\n", "123456789\n"] {
                try put(text, path)
                chmod(path.string, 0o600)
                #expect(error(path) == .badMessage)
            }
            try put("12345678\n", path)
            #expect(try SystemV.Key.kept(in: path) == .number(0x1234_5678))
            chmod(path.string, 0o622)
            #expect(error(path) == .notPermitted)
            chmod(path.string, 0o600)
            symlink(path.string, folder.appending("link").string)
            #expect(error(folder.appending("link")) == .tooManySymbolicLinkLevels)
            #expect(error(folder.appending("none/key")) == .noSuchFileOrDirectory)
            #expect(error(folder) != nil)
        }
    }
}
