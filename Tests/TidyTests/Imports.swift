// Which module each target may import, and how.

enum Imports {
    /// For each target with Swift sources, the modules that its files may import.
    static let table: [String: Set<String>] = [
        "IPC": ["CIPC", "SystemPackage", "Logging", "Synchronization", "Swift"],
        "IPCTestSupport": ["IPC"],
        "IPCTool": ["IPC", "ArgumentParser", "FoundationEssentials", "Logging", "Glibc", "Synchronization"],
        "IPCActors": ["IPC", "Distributed", "Synchronization", "Swift"],
        examples: ["IPC", "Glibc"],
    ]

    /// The nested package, whose targets are all alike.
    private static let examples = "Examples"

    private static let kinds: Set = ["struct", "class", "enum", "protocol", "typealias", "func", "let", "var", "actor"]
    private static let declarations: Set = [
        "import", "struct", "class", "enum", "protocol", "actor", "typealias", "func", "let", "var", "init",
        "subscript",
        "extension", "static", "final", "mutating", "nonisolated", "indirect",
    ]

    static func findings(in files: [SourceFile]) -> [Finding] {
        files.filter { $0.path.hasSuffix(".swift") }.flatMap(findings)
    }

    private static func findings(in file: SourceFile) -> [Finding] {
        let parts = file.path.split(separator: "/")
        guard parts.count > 2, parts[0] == "Sources" || parts[0] == examples else { return [] }
        let target = parts[0] == examples ? examples : String(parts[1])
        guard let allowed = table[target] else {
            return [Finding(path: file.path, line: 1, message: "the target \(target) is not in the table of imports")]
        }
        let tokens = file.tokens
        return tokens.indices.compactMap { index -> Finding? in
            let message: String?
            switch tokens[index].text {
            case "import" where tokens.text(index - 1) != ".":
                message = refusal(ofImportAt: index, in: file, target: target, allowed: allowed)
            case "@testable", "@_spi":
                message = "\(tokens[index].text) reaches past the public interface"
            case "package" where target != "IPC" && declarations.contains(tokens.text(index + 1)):
                message = "package access reaches past the public interface"
            default:
                message = nil
            }
            return message.map { Finding(path: file.path, line: tokens[index].line, message: $0) }
        }
    }

    private static func refusal(
        ofImportAt index: Int, in file: SourceFile, target: String, allowed: Set<String>
    ) -> String? {
        let tokens = file.tokens
        let isScoped = kinds.contains(tokens.text(index + 1))
        let module = tokens.text(index + (isScoped ? 2 : 1))
        guard allowed.contains(module) else { return "\(target) may not import \(module)" }
        if module == "Glibc", !calls("exit", in: tokens) {
            return "\(target) may import Glibc for exit alone, and this file does not call it"
        }
        let exports = tokens[max(0, index - 3)..<index].contains {
            $0.text == "@_exported" && $0.line == tokens[index].line
        }
        guard exports, !Layering.filesOutsideFolders.contains(file.path) else { return nil }
        return "modules are handed on in Exports.swift alone"
    }

    private static func calls(_ function: String, in tokens: [Token]) -> Bool {
        tokens.indices.contains { tokens[$0].text == function && tokens.text($0 + 1) == "(" }
    }
}
