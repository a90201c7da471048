// A growing table whose places are used in place: what the event loop touches several times for each wait.

/// An array without copies: elements are changed where they lie, with no check for other owners, since there can be none.
///
/// The memory never moves an element's index, only its address; so an address is good until the next `grow`.
struct Table<Element: BitwiseCopyable>: ~Copyable {
    private var base: UnsafeMutablePointer<Element>
    private var capacity: Int
    private(set) var count = 0

    init(capacity: Int = 64) {
        self.capacity = capacity
        base = .allocate(capacity: capacity)
    }

    deinit { base.deallocate() }

    @inline(__always)
    subscript(index: Int32) -> Element {
        unsafeAddress {
            precondition(index >= 0 && Int(index) < count)
            return UnsafePointer(base + Int(index))
        }
        unsafeMutableAddress {
            precondition(index >= 0 && Int(index) < count)
            return base + Int(index)
        }
    }

    /// The place of an element, good until the table grows.
    @inline(__always)
    func address(_ index: Int32) -> UnsafeMutablePointer<Element> { base + Int(index) }

    mutating func append(_ element: Element) {
        if count == capacity {
            let larger = UnsafeMutablePointer<Element>.allocate(capacity: capacity * 2)
            larger.update(from: base, count: count)
            base.deallocate()
            base = larger
            capacity *= 2
        }
        base[count] = element
        count += 1
    }
}
