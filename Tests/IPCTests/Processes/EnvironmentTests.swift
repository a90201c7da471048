// The environment of a program: inherited, changed, made anew; as bytes.
import Glibc
import IPC
import Testing

@Suite(.guarded)
struct EnvironmentTests {
    private func received(_ environment: Environment) async throws -> [[UInt8]] {
        let bytes = try await Command.testChild("env").environment(environment).capture().output.bytes
        return bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).dropLast().map(Array.init)
    }

    private func received(_ environment: Environment, _ name: String) async throws -> [String] {
        try await received(environment).map { String(decoding: $0, as: UTF8.self) }.filter { $0.hasPrefix("\(name)=") }
    }

    @Test func theEnvironmentIsInheritedAsItIsWhenTheProgramStarts() async throws {
        setenv("IPC_TEST_VARIABLE", "one", 1)
        defer { unsetenv("IPC_TEST_VARIABLE") }
        #expect(try await received(.inherited, "IPC_TEST_VARIABLE") == ["IPC_TEST_VARIABLE=one"])
        let changed = Environment.inherited.setting("OTHER", to: "x")
        setenv("IPC_TEST_VARIABLE", "two", 1)
        #expect(try await received(.inherited, "IPC_TEST_VARIABLE") == ["IPC_TEST_VARIABLE=two"])
        #expect(try await received(changed, "IPC_TEST_VARIABLE") == ["IPC_TEST_VARIABLE=two"])
        #expect(try await received(changed.removing("IPC_TEST_VARIABLE"), "IPC_TEST_VARIABLE").isEmpty)
        #expect(try await received(changed, "PATH").count == 1)
    }

    @Test func anEmptyEnvironmentIsEmpty() async throws {
        #expect(try await received(.empty).isEmpty)
        #expect(try await received(.empty.setting("A", to: "1").removing("A")).isEmpty)
        #expect(try await received(.empty.removing("NOT_THERE")).isEmpty)
    }

    @Test("P14: of several values for a name the last one counts, and a name appears once")
    func duplicates() async throws {
        let environment = Environment.empty.setting("A", to: "1").setting("B", to: "2").setting("A", to: "3")
        #expect(try await received(environment) == [Array("A=3".utf8), Array("B=2".utf8)])
        let again = environment.removing("A").setting("A", to: 4)
        #expect(try await received(again) == [Array("B=2".utf8), Array("A=4".utf8)])
    }

    @Test("P14: bytes that are not UTF-8, empty values and values with an equals sign are kept")
    func oddValues() async throws {
        let odd: [UInt8] = [0xFF, 0x01, 0xC3]
        let environment = Environment.empty.setting(odd, to: odd).setting("EMPTY", to: "").setting("E", to: "a=b=")
        #expect(try await received(environment) == [odd + [61] + odd, Array("EMPTY=".utf8), Array("E=a=b=".utf8)])
        defer { unsetenv("IPC_TEST_ODD") }
        setenv("IPC_TEST_ODD", odd.forC, 1)
        let inherited = try await received(.inherited.setting("X", to: "1"))
        #expect(inherited.contains(Array("IPC_TEST_ODD=".utf8) + odd))
    }

    @Test func aMinimalEnvironmentHasWhatProgramsNeedAndNoSecrets() async throws {
        for (name, value) in [("LC_ALL", "C"), ("TZ", "UTC"), ("IPC_TEST_SECRET", "s"), ("PATHOLOGY", "x")] {
            setenv(name, value, 1)
        }
        defer { for name in ["LC_ALL", "TZ", "IPC_TEST_SECRET", "PATHOLOGY"] { unsetenv(name) } }
        let names = try await received(.minimal).map { String(decoding: $0.prefix { $0 != 61 }, as: UTF8.self) }
        #expect(Set(names).isSuperset(of: ["PATH", "LC_ALL", "TZ"]))
        #expect(names.allSatisfy { ["PATH", "HOME", "USER", "LANG", "TZ"].contains($0) || $0.hasPrefix("LC_") })
    }
}
