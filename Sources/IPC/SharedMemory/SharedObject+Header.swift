// What a shared object says of itself, so that nobody takes it for something else, and where its parts are.
import CIPC
import SystemPackage

extension SharedObject.Header {
    /// "swiftIPC", as a number of the byte order in which all else is written.
    private static let mark: UInt64 = 0x4350_4974_6669_7773
    /// Of what stands in the file. A program refuses all others.
    private static let format: UInt64 = 1
    private static let words = 8

    /// What is written at the beginning of the first page; the last word is made of the others.
    private func words(namespace: UInt64) -> [UInt64] {
        var words = [
            Self.mark, Self.format, UInt64(kind.rawValue) | (isCoded ? 1 << 32 : 0), UInt64(SharedObject.page),
            UInt64(size),
            layout, namespace,
        ]
        words.append(words.reduce(0) { SharedLayout.mixed($0, $1) })
        return words
    }

    func write(to region: SharedRegion) {
        for (index, word) in words(namespace: SharedObject.ownNamespace).enumerated() {
            region.address.storeBytes(of: word, toByteOffset: index * 8, as: UInt64.self)
        }
    }

    /// Checks that an object is what it is to be; the pid namespace of its maker.
    func check(_ region: SharedRegion, _ subject: String, fileSize actual: Int) throws(SharedObjectError) -> UInt64 {
        guard actual >= SharedObject.page else { throw foreign(subject) }
        // Copied once, then looked at: others can write there.
        let found = (0..<Self.words).map { region.address.load(fromByteOffset: $0 * 8, as: UInt64.self) }
        try region.check("open", on: subject)
        guard found[0] == Self.mark else { throw foreign(subject) }
        func refuse(_ kind: SharedObjectError.Kind, _ detail: String) -> SharedObjectError {
            SharedObjectError(kind, "open", on: subject, .invalidArgument, detail)
        }
        guard found[7] == found[..<7].reduce(0, { SharedLayout.mixed($0, $1) }) else {
            throw refuse(.damaged, "its beginning was written over")
        }
        guard found[1] == Self.format else {
            throw refuse(.wrongLayout, "it has format \(found[1]), and this program knows format \(Self.format)")
        }
        guard let there = NamedObject.Kind(rawValue: UInt32(truncatingIfNeeded: found[2])), there == kind else {
            throw refuse(.wrongLayout, "it is another kind of object")
        }
        guard found[3] == UInt64(SharedObject.page) else {
            throw refuse(
                .wrongLayout, "it was made with pages of \(found[3]) bytes, and here they have \(SharedObject.page)")
        }
        guard found[2] == UInt64(kind.rawValue) | (isCoded ? 1 << 32 : 0), found[5] == layout else {
            throw refuse(.wrongLayout, "its values are of another type")
        }
        guard found[4] == UInt64(size) else {
            throw refuse(.wrongSize, "its values have up to \(found[4]) bytes, not \(size)")
        }
        guard actual == fileSize else { throw refuse(.damaged, "its file has \(actual) bytes, not \(fileSize)") }
        return found[6]
    }

    /// What the first page of a file says that it is; `nil` if it is none of ours.
    static func kind(of region: SharedRegion) -> NamedObject.Kind? {
        guard region.address.load(as: UInt64.self) == mark else { return nil }
        let word = region.address.load(fromByteOffset: 16, as: UInt64.self)
        return NamedObject.Kind(rawValue: UInt32(truncatingIfNeeded: word))
    }

    private func foreign(_ subject: String) -> SharedObjectError {
        SharedObjectError(
            .wrongLayout, "open", on: subject, .invalidArgument, "what is there was not made by this library")
    }

    // MARK: Places

    /// The first page has room for halves between what never changes and what does.
    private static let firstHalf = 256
    private static let lengths = 128

    private enum Place { case line, page, rest }

    private var place: Place {
        if isCoded { return .rest }
        if size <= 8 { return .line }
        return Self.firstHalf + 2 * size <= SharedObject.page - 64 ? .page : .rest
    }

    func inPages(_ count: Int) -> Int { (count + SharedObject.page - 1) / SharedObject.page * SharedObject.page }

    private var sizeInPages: Int { inPages(size) }

    var fileSize: Int { SharedObject.page + (place == .rest ? 2 * sizeInPages : 0) }

    /// Where in the file a half is.
    func offset(ofHalf half: Int) -> Int { SharedObject.page + half * sizeInPages }

    func halves(of region: SharedRegion) -> ipc_shared_halves {
        let line = ipc_lock_line(region.region)
        let (first, second): (UnsafeMutableRawPointer, UnsafeMutableRawPointer)
        switch place {
        case .line:
            first = UnsafeMutableRawPointer(line) + 8
            second = first + 8
        case .page:
            first = region.address + Self.firstHalf
            second = first + size
        case .rest:
            first = ipc_lock_rest(region.region)
            second = first + sizeInPages
        }
        let lengths = (region.address + Self.lengths).assumingMemoryBound(to: UInt64.self)
        return ipc_shared_halves(
            line: line, half: (first, second), size: size, length: isCoded ? lengths : nil,
            region: region.region)
    }
}
