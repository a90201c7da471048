// Comments and literals are told from code, and everything stays in its place.

import Testing

@Suite("Source text")
struct SourceTextTests {
    private func words(_ text: String, _ language: SourceText.Language = .swift) -> [String] {
        SourceText(text, language: language).tokens().filter(\.isWord).map(\.text)
    }

    @Test(
        "Comments are no code",
        arguments: [
            "a // x", "a /* x */", "a /* x /* y */ z */", "a /* x\ny */", "/// x\na", "a // \"x", "a /* \" */",
            "a /** x */",
        ]
    )
    func commentsAreNoCode(text: String) {
        #expect(words(text) == ["a"])
    }

    @Test(
        "The contents of literals are no code",
        arguments: [
            #"a "x""#, #"a "x\"y""#, #"a "x\\""#, ##"a #"x"y"#"##, ##"a #"x\(y)"#"##, ###"a ##"x"# y"##"###,
            "a \"\"\"\n  x \"y\" // z\n  \"\"\"", "a #\"\"\"\n  x \"\"\" y\n  \"\"\"#", #"a "// x""#, #"a "/* x""#,
            #"a = /x"y/"#, #"a(#/x"y/#)"#, "a \"\"", #"a "x\u{41}""#, ##"a #"""#"##,
        ]
    )
    func literalsAreNoCode(text: String) {
        #expect(words(text) == ["a"])
    }

    @Test(
        "What follows a comment or literal is code again",
        arguments: [
            "// x\na b", "/* /* x */ */ a b", #"a "x" b"#, ##"a #"x"# b"##, "a \"\"\"\n  x\n  \"\"\" b", #"a "" b"#,
            #"a "x\\" b"#, "a / b", "a = (/x/, b)", "a / (b) / 2", "a\n    / b", "a \"x\n b", #"a "\(b)""#,
            ##"a #"x \#(b) y"#"##, #"a "\("x" + (b))""#, "a \"\"\"\n  x \\(b) y\n  \"\"\"", #"a "\(/* x */ b)""#,
        ]
    )
    func codeFollows(text: String) {
        #expect(words(text).filter { $0 != "2" } == ["a", "b"])
    }

    @Test("C has its own rules: comments do not nest, a quotation mark may be a character")
    func cRules() {
        #expect(words("/* /* x */ a", .c) == ["a"])
        #expect(words("a = '\"'; b = '\\''; c", .c) == ["a", "b", "c"])
        #expect(words("a(\"x \\(y) \\\" z\"); // w", .c) == ["a"])
        #expect(words("#define A 1", .c) == ["#define", "A", "1"])
    }

    @Test("Lines and columns stay where they were")
    func placesStay() {
        let text = "let ä = \"\"\"\n  é \\(b) // x\n  \"\"\"  // c\n"
        let source = SourceText(text)
        #expect(source.lines == ["let ä = \"\"\"", "  é \\(b) // x", "  \"\"\"  // c", ""])
        #expect(source.code.map(\.utf8.count) == source.lines.map(\.utf8.count))
        #expect(source.tokens().first { $0.text == "b" }?.line == 2)
        #expect(source.comments[2].hasSuffix("  // c"))
        #expect(source.comments[1].allSatisfy { $0 == " " })
    }

    @Test("Words keep what belongs to them, signs stand alone")
    func tokens() {
        let tokens = SourceText("@available(*, x) `let it`!.b #if").tokens()
        #expect(tokens.map(\.text) == ["@available", "(", "*", ",", "x", ")", "`let it`", "!", ".", "b", "#if"])
        #expect(tokens.map(\.touchesPrevious).filter { $0 }.count == 7)
    }

    @Test("A text cut short in the middle of a literal or comment is still read to its end")
    func cutShort() {
        for text in ["a \"x", "a \"\"\"\nx", "a /* x", "a \"\\(", "a \"\\", "a `x", "a = /x", "a #\"x", "a #/x"] {
            #expect(SourceText(text).lines.joined(separator: "\n") == text)
        }
    }
}

@Suite("Repository")
struct RepositoryTests {
    @Test("What .gitignore names is left out")
    func ignoredPaths() {
        let ignored = IgnoredPaths("# build\n.build*\n*.swp\n/Benchmarks/build\ncache/\n")
        for path in [".build", "Examples/.build-release", "a/b.swp", "Benchmarks/build", ".git", "a/cache"] {
            #expect(ignored.covers(path), "\(path)")
        }
        for path in ["Sources", "Benchmarks", "Examples/build", ".gitignore", "build"] {
            #expect(!ignored.covers(path), "\(path)")
        }
    }

    @Test("A finding reads as the compiler's own messages do")
    func findingReads() {
        #expect(Finding(path: "A.swift", line: 3, message: "wrong").description == "A.swift:3: wrong")
    }
}
