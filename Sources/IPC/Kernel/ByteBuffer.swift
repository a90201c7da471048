// Bytes that were read and not yet given out: taken from the front, added at the end, with room put back in front.

struct ByteBuffer: ~Copyable {
    private var base: UnsafeMutableRawPointer?
    private var capacity = 0
    private var start = 0
    private var end = 0

    init() {}

    deinit { base?.deallocate() }

    var count: Int { end &- start }
    var isEmpty: Bool { start == end }

    /// The bytes, as long as the buffer is not changed.
    var bytes: UnsafeRawBufferPointer {
        guard let base else { return UnsafeRawBufferPointer(start: nil, count: 0) }
        return UnsafeRawBufferPointer(start: base + start, count: end &- start)
    }

    /// Room for at least `count` more bytes, to be followed by ``filled(_:)``.
    mutating func room(_ count: Int) -> UnsafeMutableRawBufferPointer {
        if start == end { (start, end) = (0, 0) }
        if capacity &- end < count { makeRoom(count) }
        guard let base else { return UnsafeMutableRawBufferPointer(start: nil, count: 0) }
        return UnsafeMutableRawBufferPointer(start: base + end, count: capacity &- end)
    }

    /// So many bytes of the room are now bytes of the buffer.
    mutating func filled(_ count: Int) { end &+= count }

    /// Takes bytes from the front.
    @inline(__always)
    mutating func consume(_ count: Int) { start &+= count }

    /// Puts bytes back in front of the others.
    mutating func prepend(_ bytes: UnsafeRawBufferPointer) {
        guard let source = bytes.baseAddress, bytes.count > 0 else { return }
        if start < bytes.count {
            let former = count
            let larger = UnsafeMutableRawPointer.allocate(byteCount: bytes.count + former + 4096, alignment: 16)
            if let base, former > 0 { (larger + bytes.count).copyMemory(from: base + start, byteCount: former) }
            base?.deallocate()
            base = larger
            capacity = bytes.count + former + 4096
            (start, end) = (bytes.count, bytes.count + former)
        }
        start -= bytes.count
        base?.advanced(by: start).copyMemory(from: source, byteCount: bytes.count)
    }

    /// Gives the memory back if there is nothing in it.
    mutating func release() {
        guard isEmpty else { return }
        base?.deallocate()
        (base, capacity, start, end) = (nil, 0, 0, 0)
    }

    private mutating func makeRoom(_ count: Int) {
        let used = self.count
        if let base, capacity >= used + count, start >= used {
            // No overlap, and no more than what was consumed is moved.
            base.copyMemory(from: base + start, byteCount: used)
        } else {
            let size = max(used + count, capacity * 2)
            let larger = UnsafeMutableRawPointer.allocate(byteCount: size, alignment: 16)
            if let base, used > 0 { larger.copyMemory(from: base + start, byteCount: used) }
            base?.deallocate()
            base = larger
            capacity = size
        }
        (start, end) = (0, used)
    }
}

extension [UInt8] {
    /// The same bytes in little more room than they need: what comes in small pieces shall not hold on to the memory of large ones.
    ///
    /// By way of their address: an array made of another, or of a slice of all of it, is that other.
    @inline(__always)
    var compacted: [UInt8] {
        capacity > 4096 && count < capacity / 2 ? withUnsafeBufferPointer { [UInt8]($0) } : self
    }
}
