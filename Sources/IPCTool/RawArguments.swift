// The command line as the bytes that it is: what is not UTF-8 reaches a program unchanged, or is refused.
import ArgumentParser
import IPC

enum RawArguments {
    /// All arguments; `CommandLine.arguments` has U+FFFD in them where they are not UTF-8.
    static let all: [[UInt8]] = (0..<Int(CommandLine.argc)).map { index in
        guard var next = CommandLine.unsafeArgv[index] else { return [] }
        var bytes: [UInt8] = []
        while next.pointee != 0 {
            bytes.append(UInt8(bitPattern: next.pointee))
            next += 1
        }
        return bytes
    }

    /// The arguments of a subcommand that has only flags and names: what is not an option, and all after `--`.
    static var names: [[UInt8]] {
        let words = all.dropFirst(2)
        let end = words.firstIndex { $0.elementsEqual("--".utf8) } ?? words.endIndex
        let named = words[..<end].filter { $0.first != UInt8(ascii: "-") || $0.count == 1 }
        return named + words[end...].dropFirst()
    }

    /// What stands behind the first `--`.
    static var behindTerminator: [[UInt8]] {
        let words = all.dropFirst(2)
        return words.firstIndex { $0.elementsEqual("--".utf8) }.map { Array(words[($0 + 1)...]) } ?? []
    }

    /// Refuses arguments of ours that are not text, all but the last ones, which are somebody else's.
    static func checkAllBut(last count: Int) throws {
        for bytes in all.dropFirst().dropLast(count) where String(validating: bytes, as: UTF8.self) == nil {
            throw ValidationError("'\(String(decoding: bytes, as: UTF8.self))' is not UTF-8")
        }
    }
}

extension Command {
    /// The program that the first word names, with the others as its arguments.
    init(words: some Collection<[UInt8]>) { self.init(words.first ?? [], arguments: Array(words.dropFirst())) }
}
