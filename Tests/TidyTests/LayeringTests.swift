// The folders of Sources/IPC use each other only downwards.

import Testing

@Suite("Layering")
struct LayeringTests {
    @Test("The sources keep to the table of layers")
    func sourcesKeepToTheTable() throws {
        report(Layering.findings(in: try Repository.sources(under: "Sources/IPC")))
    }

    @Test("The table names only folders that it has, and no folder may reach itself in a circle")
    func tableHasNoCircle() {
        for (folder, reachable) in Layering.table {
            #expect(reachable.isSubset(of: Layering.table.keys), "\(folder) may use a folder without a line")
            var seen: Set<String> = []
            var open = reachable
            while let next = open.popFirst() {
                if seen.insert(next).inserted { open.formUnion(Layering.table[next, default: []]) }
            }
            #expect(!seen.contains(folder), "\(folder) reaches itself")
        }
        #expect(Layering.table["Kernel"] == [])
    }

    // MARK: Planted breaches

    private let signals = SourceFile(
        path: "Sources/IPC/Signals/Signal.swift",
        text: """
            public struct Signal { public struct Origin {} }
            public protocol `Sender` {}
            private struct Hidden {}
            extension Descriptor { struct Mask {} }
            """
    )

    private func findings(_ text: String, at path: String) -> [String] {
        Layering.findings(in: [signals, SourceFile(path: path, text: text)]).map(\.description)
    }

    @Test("A kernel file that names a chapter's type is found, with file, line, name and folder")
    func kernelMayUseNobody() {
        let found = findings("struct Loop {\n    var last: Signal?\n}", at: "Sources/IPC/Kernel/Loop.swift")
        let expected = "Kernel names Signal, which Signals declares and Kernel may not use"
        #expect(found == ["Sources/IPC/Kernel/Loop.swift:2: \(expected)"])
    }

    @Test(
        "Every way to name a type out of reach is found",
        arguments: [
            "func f(_: Signal.Origin) {}", "let s = IPC.Signal(2)", "let t = \"\\(Signal.self)\"",
            "typealias S = Sender",
            "extension Signal {}", "let m = Descriptor.Mask()", "let a: [Signal] = []", "let s = `Signal`.self",
        ]
    )
    func everyUseIsFound(text: String) {
        #expect(!findings(text, at: "Sources/IPC/SystemV/Keys.swift").isEmpty)
    }

    @Test(
        "What only looks like a use is let pass",
        arguments: [
            "// Signal\nlet a = 1", "let a = \"Signal\"", "let a = SignalSet()", "let a = Other.Signal()",
            "let h: Hidden",
            "/* Signal */", "struct Outer { struct Signal {} }\nlet s: Signal",
            "let a = \"\"\"\n    Signal\n    \"\"\"",
        ]
    )
    func lookalikesPass(text: String) {
        #expect(findings(text, at: "Sources/IPC/SystemV/Keys.swift").isEmpty)
    }

    @Test("A chapter may name what the table allows")
    func allowedUsePasses() {
        #expect(findings("let s: Signal", at: "Sources/IPC/Pipes/Lock/Lock.swift").isEmpty)
    }

    @Test("A folder that is not in the table is found, documentation apart")
    func unknownFolder() {
        let found = findings("", at: "Sources/IPC/Utilities/Helper.swift")
        #expect(found == ["Sources/IPC/Utilities/Helper.swift:1: the folder Utilities is not in the table of layers"])
        #expect(findings("", at: "Sources/IPC/Documentation.docc/Resources/Step.swift").isEmpty)
    }

    @Test("A file beside the folders is found, the one of exports apart")
    func fileOutsideFolders() {
        #expect(findings("", at: "Sources/IPC/Helper.swift").count == 1)
        #expect(findings("", at: "Sources/IPC/Exports.swift").isEmpty)
    }

    @Test("Declarations are read with what surrounds them")
    func declarationsAreRead() {
        let file = SourceFile(
            path: "A.swift",
            text: """
                import struct Foundation.URL
                final class Loop: Base { class func make() { struct Local {} } }
                enum SystemV {}
                extension SystemV { public enum Key { case actor } ; class var x: Int { 1 } }
                extension SystemV.Key { struct Bits {} }
                func f(actor a: Int, _ b: Int) {}
                let actor = 1
                """
        )
        let found = TypeDeclaration.all(in: file).map { ($0.outer + [$0.name]).joined(separator: ".") }
        #expect(found == ["Loop", "SystemV", "SystemV.Key", "SystemV.Key.Bits"])
    }
}
