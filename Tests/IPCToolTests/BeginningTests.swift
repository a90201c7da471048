// ipc guide and ipc new.
import Glibc
import IPC
import Testing

@testable import IPCTests

@Suite("Guide and new packages", .guarded)
struct BeginningTests {
    @Test("The guide fits on a screen, and each word that it gives is one it takes")
    func guide() async throws {
        let picture = try await Tool.run("guide")
        #expect(picture.status == 0 && picture.output.split(separator: "\n").allSatisfy { $0.count <= 80 })
        let words = picture.output.matches(of: #/ {2,}([a-z]+(?:, [a-z]+)*)\n/#)
            .flatMap { $0.1.split(separator: ", ") }
        #expect(words.count == 16)
        for word in words {
            let page = try await Tool.run("guide", String(word))
            #expect(page.status == 0 && page.output.hasPrefix("\(word): "))
            #expect(page.output.split(separator: "\n").count == 3)
        }
        #expect(try await Tool.run("guide", "telepathy").isUsageError)
        #expect(try await Tool.run("guide", "--json").output.hasPrefix(#"{"mechanisms":[{"call":"#))
    }

    @Test("A new package has its files, and none that was there is touched")
    func new() async throws {
        try await withTemporaryFolder { folder in
            let run = try await Tool.script(#"cd "$1" && "$ipc" new my-app"#, folder.string)
            #expect(run.status == 0 && run.output.contains("swift run --package-path my-app"))
            let files = try await Command("find", "my-app", "-type", "f").directory(folder).read()
            #expect(
                Set(files.split(separator: "\n")) == [
                    "my-app/Package.swift", "my-app/.gitignore", "my-app/Sources/my-app/main.swift",
                ])
            let again = try await Tool.script(#"cd "$1" && "$ipc" new my-app --json"#, folder.string)
            #expect(again.status == 71 && again.error == "ipc: make my-app: file exists (EEXIST)\n")
            #expect(again.output.contains(#""errno":"EEXIST""#))
            #expect(try await Command("find", "my-app", "-type", "f").directory(folder).read() == files)
        }
    }

    @Test("A new package has the library from where it was said to be")
    func libraries() async throws {
        try await withTemporaryFolder { folder in
            func manifest(_ name: String, _ library: String) async throws -> String {
                let run = try await Tool.script(
                    #"cd "$1" && "$ipc" new "$2" --package "$3""#, folder.string, name, library)
                #expect(run.status == 0, "\(run.error)")
                return try await Command("cat", "\(name)/Package.swift").directory(folder).read()
            }
            let cloned = try await manifest("a", "https://example.org/somebody/swift-ipc.git")
            #expect(cloned.contains(#".package(url: "https://example.org/somebody/swift-ipc.git", branch: "main")"#))
            #expect(cloned.contains(#"package: "swift-ipc")"#))
            try await Command.script("mkdir '\(folder)/it is \"here\"'; : >'\(folder)/it is \"here\"/Package.swift'")
                .run()
            let beside = try await manifest("b", #"it is "here""#)
            #expect(beside.contains(#"path: "\#(folder)/it is \"here\"")"#))
            let none = try await Tool.script(#"cd "$1" && "$ipc" new c --package nowhere"#, folder.string)
            #expect(none.status == 71 && none.error.contains("there is no package in \(folder)/nowhere"))
            #expect(access("\(folder)/c", F_OK) != 0)
        }
    }

    @Test("A name that could not be built is refused", arguments: ["", "1st", "a b", "../a", "ipc", "Swift-IPC", "é"])
    func names(_ name: String) async throws { #expect(try await Tool.run("new", name).isUsageError) }
}
