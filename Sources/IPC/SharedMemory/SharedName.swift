// Names of shared objects: a slash and one word, as POSIX has them, and where the files behind them are.
import SystemPackage

/// A name that can be one.
struct SharedName: Hashable {
    let kind: NamedObject.Kind
    /// Without the slash.
    private let word: String

    /// Takes a name with its slash or without.
    init(_ name: String, _ kind: NamedObject.Kind, _ operation: String) throws(SharedObjectError) {
        let word = name.hasPrefix("/") ? String(name.dropFirst()) : name
        let most = 255 - kind.prefix.utf8.count
        let fault: String? =
            if word.isEmpty {
                "a name is not empty"
            } else if word.utf8.contains(UInt8(ascii: "/")) {
                "a name has a slash at its beginning or none"
            } else if word.utf8.contains(0) {
                "a name has no NUL"
            } else if word == "." || word == ".." {
                "it means a folder"
            } else if word.utf8.count > most {
                "a name has at most \(most) bytes, not \(word.utf8.count)"
            } else if kind != .queue, kind != .semaphore, word.hasPrefix(NamedObject.Kind.semaphore.prefix) {
                "such names are those of semaphores"
            } else {
                nil
            }
        if let fault {
            let shown = word.utf8.count > 80 ? word.prefix(60) + "..." : word[...]
            throw SharedObjectError(.badName, operation, on: "\(kind) /\(shown)", .invalidArgument, fault)
        }
        (self.kind, self.word) = (kind, word)
    }

    /// With its slash, as the C functions take it.
    var text: String { "/" + word }
    var subject: String { "\(kind) \(text)" }
    /// The file in ``SharedFile/folder``; a queue has none there.
    var path: FilePath { FilePath("\(SharedFile.folder)/\(kind.prefix)\(word)") }
}
