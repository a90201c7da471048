// A script as the shell gets it: the values assigned in front, and their variables' names in their places.
import SystemPackage

/// A script as the shell gets it, or why it must not.
///
/// Whatever state the scanner is in, what is put into the text is a name in quotes, and leaves the shell in the quotes that it
/// was in: `"${_ipc_1}"` in double quotes closes and opens them again, `'"${_ipc_1}"'` does with either kind, and single
/// quotes take all of it as it is. A scanner that mistakes the place yields several words or the name itself; it cannot
/// make code of a value, since the shell does not look for any in what a variable expands to.
struct ShellRendering {
    private(set) var bytes: [UInt8]
    private(set) var defect: StartError?
}

extension ShellScript {
    var rendering: ShellRendering {
        let prefix = variablePrefix
        var scanner = ShellScanner()
        var (front, text): ([UInt8], [UInt8]) = ([], [])
        var defect: StartError?
        var count = 0
        for part in parts {
            switch part {
            case .text(let bytes):
                scanner.read(bytes)
                text += bytes
            case .words(let values):
                let place = scanner.place
                let names = values.enumerated().map { index, value in
                    let name = Array("\(prefix)\(count + index + 1)".utf8)
                    front += name + [UInt8(ascii: "=")] + ShellScript.quoted(value) + Array("; ".utf8)
                    return Array("${".utf8) + name + [UInt8(ascii: "}")]
                }
                if let index = values.firstIndex(where: { $0.contains(0) }) {
                    defect = defect ?? refusal(of: count + index + 1, because: "it has a NUL inside")
                }
                if let reason = scanner.refusal { defect = defect ?? refusal(of: count + 1, because: reason) }
                text += place.rendering(names)
                scanner.readValues(values.count)
                count += values.count
            }
        }
        // A script that begins like an option would be one.
        if count == 0, text.first == UInt8(ascii: "-") || text.first == UInt8(ascii: "+") { front = [32] }
        return ShellRendering(bytes: front + text, defect: defect)
    }

    private func refusal(of number: Int, because reason: String) -> StartError {
        StartError(
            .invalidArgument, "start", on: "sh with value \(number) of its script", .invalidArgument, detail: reason)
    }

    /// The beginning of all variables' names, which the script's own text has nowhere: it may have another script in it.
    private var variablePrefix: String {
        let texts = parts.compactMap { if case .text(let bytes) = $0 { bytes } else { nil } }
        var prefix = "_ipc_"
        var number = 1
        while texts.contains(where: { $0.contains(Array(prefix.utf8)) }) {
            number += 1
            prefix = "_ipc\(number)_"
        }
        return prefix
    }
}

extension ShellScanner.Place {
    /// What stands for variables in this place.
    fileprivate func rendering(_ names: [[UInt8]]) -> [UInt8] {
        let quote: [UInt8] = [UInt8(ascii: "\"")]
        switch self {
        case .open: return Array(names.map { quote + $0 + quote }.joined(separator: [32]))
        case .doubleQuotes: return Array(names.joined(separator: [32]))
        case .singleQuotes:
            let single: [UInt8] = [UInt8(ascii: "'")]
            return single + quote + Array(names.joined(separator: [32])) + quote + single
        }
    }
}
