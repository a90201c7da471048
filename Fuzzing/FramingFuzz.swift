// Fuzz target: whatever the bytes are and wherever they are cut, a framing finds the same messages, and what it sends it finds.
//
// Built by Scripts/fuzz with libFuzzer from the sources of the framings themselves. The first bytes of an input choose the framing,
// the limit and the cuts.

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
    let input = Array(UnsafeBufferPointer(start: start, count: count))
    guard input.count > 4 else { return 0 }
    let framing = framings[Int(input[0]) % framings.count]
    let (limit, length, bytes) = (Int(input[1]), Int(input[2]) % 16 + 1, Array(input[3...]))

    let whole = messages(in: bytes, framing, limit, inPiecesOf: bytes.count)
    let cut = messages(in: bytes, framing, limit, inPiecesOf: length)
    expect(whole == cut, "\(framing) \(bytes), cut at \(length): \(cut), whole: \(whole)")
    #if PLANTED
    expect(whole.count < 4, "the planted fault: more than three messages")
    #endif

    if let frame = try? framing.framed(bytes.span.bytes), framing != .untilEnd {
        let back = messages(in: frame + frame, framing, 1 << 20, inPiecesOf: length)
        expect(back.count == 2 && back[0] == back[1], "\(framing) \(bytes) as \(frame): \(back)")
    }
    return 0
}

/// Says what is wrong, in an optimised build too.
private func expect(_ condition: Bool, _ text: @autoclosure () -> String) { if !condition { fatalError(text()) } }

private let framings: [Framing] = [
    .lines, .dotTerminated, .lengthPrefixed(by: UInt8.self), .lengthPrefixed(by: UInt32.self, .littleEndian),
    .lengthPrefixed(by: UInt64.self), .delimiter([0]), .delimiter([13, 10]), .delimiter([1, 1, 2]), .untilEnd,
]

private func messages(in bytes: [UInt8], _ framing: Framing, _ limit: Int, inPiecesOf count: Int) -> [String] {
    let starts = stride(from: 0, to: bytes.count, by: max(1, count))
    return framing.messages(in: starts.map { bytes[$0..<min(bytes.count, $0 + count)] }, limit: limit)
}
