// How long the line is that is being typed, as the terminal's own editor counts it.
import CIPC

/// The editor in the kernel takes 4,095 bytes of a line and drops the rest without a word.
enum TypedLine {
    /// The length of the line after some bytes are typed, and the most that one had in between.
    ///
    /// What erases counts as erasing only where that is certain; so a line may be taken for longer than it is, never for
    /// shorter.
    static func count(_ bytes: [UInt8], after typed: Int, _ modes: TerminalModes) -> (count: Int, longest: Int) {
        guard modes.readsLines else { return (0, 0) }
        let bits = ipc_terminal_bits
        let isExtended = modes.has(\.local, bits.extended)
        var (count, longest) = (typed, typed)
        var isLiteral = false
        func isKey(_ byte: UInt8, _ place: Int32) -> Bool { byte != 0 && byte == modes.character(place) }
        for byte in bytes {
            defer { longest = max(longest, count) }
            if isLiteral {
                isLiteral = false
                count += 1
                continue
            }
            if isExtended, isKey(byte, bits.literal) {
                isLiteral = true
                continue
            }
            let isSignal =
                modes.sendsSignals && !modes.has(\.local, bits.keeps_input_on_signal)
                && (isKey(byte, bits.interrupt) || isKey(byte, bits.quit) || isKey(byte, bits.suspend))
            let isReturn =
                byte == 13 && modes.has(\.input, bits.return_to_newline) && !modes.has(\.input, bits.ignore_return)
            let isNewline = byte == 10 && !modes.has(\.input, bits.newline_to_return_in)
            if isSignal || isReturn || isNewline || isKey(byte, bits.end_of_file) || isKey(byte, bits.kill) {
                count = 0
            } else if isKey(byte, bits.erase) {
                count = max(0, count - 1)
            } else {
                count += 1
            }
        }
        return (count, longest)
    }
}
