// Every public declaration is documented, and every file says what it is for.

import Testing

@Suite("Documentation")
struct DocumentationTests {
    @Test("Every public declaration of the library has a documentation comment")
    func everyPublicDeclarationIsDocumented() throws {
        report(try Repository.sources(under: "Sources/IPC").flatMap(Documentation.findings))
    }

    @Test("Every public call of the library that throws says what")
    func everyThrowIsDocumented() throws {
        report(try Repository.sources(under: "Sources/IPC").flatMap(Documentation.silentThrows))
    }

    @Test(
        "A public call that throws without a word is found",
        arguments: [
            "/// Text.\npublic func a() throws {}", "/// Text.\npublic init(a: () -> Int) async throws {}",
            "/// Text.\npublic var a: Int { get throws { 1 } }",
            "/// Text.\npublic var a: Int {\n    get async throws { 1 }\n}",
            "/// Text.\n@discardableResult\npublic static func a() throws(E) -> Int { 1 }",
        ])
    func silentThrowIsFound(text: String) {
        #expect(Documentation.silentThrows(in: SourceFile(path: "A.swift", text: text)).count == 1)
    }

    @Test(
        "A call that says what it throws passes, and one that throws nothing",
        arguments: [
            "/// Text.\n///\n/// - Throws: this.\npublic func a() throws {}",
            "/// Does it as ``b()`` does.\npublic func a() throws {}",
            "/// Text.\npublic func a(b: () throws -> Int) {}",
            "/// Text.\npublic var a = 1\n/// Text.\npublic func b() throws(E) {}",
            "/// Text.\nfunc a() throws {}",
        ])
    func spokenThrowPasses(text: String) {
        let found = Documentation.silentThrows(in: SourceFile(path: "A.swift", text: text))
        #expect(found.count == (text.contains("throws(E)") ? 1 : 0))
    }

    @Test("Every source file says in its first line what it is for")
    func everyFileSaysWhatItIsFor() throws {
        report(try Repository.sources(under: "Sources").compactMap(Documentation.missingPurpose))
    }

    private func findings(_ text: String) -> [String] {
        Documentation.findings(in: SourceFile(path: "Sources/IPC/A.swift", text: text)).map(\.message)
    }

    @Test(
        "A public declaration without a comment is found",
        arguments: [
            ("public struct A {}", "struct A"),
            ("open class A {}", "class A"),
            ("public final class A {}", "class A"),
            ("/// Text.\n\npublic enum A {}", "enum A"),
            ("// Text.\npublic actor A {}", "actor A"),
            ("/// Text.\nstruct A {\n    public private(set) var b: Int\n}", "var b"),
            ("/// Text.\nstruct A { public init() {} }", "init"),
            ("public subscript(index: Int) -> Int { index }", "subscript"),
            ("/// Text.\nstruct A {\n    public class func open() {}\n}", "func open"),
            ("@inlinable\npublic func a() {}", "func a"),
            ("@available(\n    *, deprecated,\n    message: \"m\"\n)\npublic func a() {}", "func a"),
            ("public static func > (a: A, b: A) -> Bool { true }", "func >"),
            ("nonisolated(nonsending) public func a() async {}", "func a"),
            ("static public func hash(by key: Int) {}", "func hash"),
            ("@frozen public enum A {}", "enum A"),
        ]
    )
    func undocumentedIsFound(text: String, name: String) {
        #expect(findings(text) == ["the public \(name) has no documentation comment"])
    }

    @Test(
        "A documented declaration passes, whatever stands between",
        arguments: [
            "/// Text.\npublic struct A {}",
            "/// Text.\n@frozen\npublic enum A {}",
            "/// Text.\n@available(\n    *, deprecated,\n    message: \"m\"\n)\n@inlinable\npublic func a() {}",
            "/// Text.\n// swift-format-ignore: AlwaysUseLowerCamelCase\npublic static let A = 1",
            "/// Text.\n@discardableResult public nonisolated(nonsending) func a() async {}",
        ]
    )
    func documentedPasses(text: String) {
        #expect(findings(text).isEmpty)
    }

    @Test(
        "What explains itself, and what only looks like a declaration, passes",
        arguments: [
            "public import SystemPackage",
            "@_exported public import SystemPackage",
            "struct A {\n    public var description: String { \"\" }\n}",
            "public static func == (a: A, b: A) -> Bool { true }",
            "public static func < (a: A, b: A) -> Bool { true }",
            "public func hash(into hasher: inout Hasher) {}",
            "public func encode(to encoder: any Encoder) throws {}",
            "public init(from decoder: any Decoder) throws {}",
            "public func makeAsyncIterator() -> I { I() }",
            "@available(*, unavailable, renamed: \"terminate\")\npublic static var SIGTERM: A { fatal }",
            "func open() {}\nlet a = open(1)\nlet b = File.open\nfunc c() {}",
            "enum A {\n    case open\n    func a() {}\n}",
            "// public func a() {}\nlet text = \"public func a() {}\"",
        ]
    )
    func selfExplainingPasses(text: String) {
        #expect(findings(text).isEmpty)
    }

    @Test(
        "A first line that says nothing is found",
        arguments: [
            "import CIPC", "", "//", "// Loop.swift", "// tidy: table\n// Error numbers of Linux.",
            "/* Block of text. */",
        ]
    )
    func emptyFirstLine(text: String) {
        #expect(Documentation.missingPurpose(in: SourceFile(path: "A.swift", text: text)) != nil)
    }

    @Test("A first line that says what the file is for passes, in C in either form")
    func purposePasses() {
        for (path, text) in [
            ("A.swift", "// Waits for events."), ("A.swift", "/// Waits for events."), ("a.c", "// Waits for events."),
            ("a.h", "/* Waits for events. */"),
        ] {
            #expect(Documentation.missingPurpose(in: SourceFile(path: path, text: text)) == nil)
        }
    }
}
