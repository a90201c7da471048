// A source file holds one idea; five hundred lines hold more than one.

import Testing

enum FileLength {
    static let limit = 500

    /// A table of constants says so near its top and may be longer.
    static let exemption = "// tidy: table"

    static func findings(in files: [SourceFile]) -> [Finding] {
        files.compactMap { file in
            let lines = file.source.lines
            let count = lines.count - (lines.last?.isEmpty == true ? 1 : 0)
            guard count > limit, !lines.prefix(5).contains(where: { $0.hasPrefix(exemption) }) else { return nil }
            return Finding(path: file.path, line: count, message: "\(count) lines, \(limit) at most")
        }
    }
}

@Suite("File length")
struct FileLengthTests {
    @Test("No source file is too long")
    func noSourceFileIsTooLong() throws {
        report(FileLength.findings(in: try Repository.sources(under: "Sources")))
    }

    private func findings(
        lines: Int, firstLine: String = "// A file.", path: String = "Sources/IPC/A.swift"
    ) -> [Finding] {
        let text = firstLine + "\n" + String(repeating: "let a = 1\n", count: lines - 1)
        return FileLength.findings(in: [SourceFile(path: path, text: text)])
    }

    @Test("The limit itself passes, a line more is found, in C as well")
    func limitIsExact() {
        #expect(findings(lines: 500).isEmpty)
        #expect(findings(lines: 501).map(\.message) == ["501 lines, 500 at most"])
        #expect(findings(lines: 501, path: "Sources/CIPC/a.c").count == 1)
    }

    @Test("A marked table may be longer; a mark far down does not count")
    func markedTablePasses() {
        #expect(findings(lines: 900, firstLine: "// Error numbers.\n// tidy: table").isEmpty)
        let late = String(repeating: "let a = 1\n", count: 10) + "// tidy: table"
        #expect(findings(lines: 900, firstLine: late).count == 1)
    }
}
