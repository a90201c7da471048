// How bytes go over a serial line: speed, frame, flow control.
import CIPC

/// The settings of a serial line. Those not stated are 9,600 bits a second, 8 data bits, no parity, one stop bit and no flow
/// control.
public struct SerialSettings: Hashable, Sendable {
    /// A bit that makes the number of ones even or odd.
    public enum Parity: Hashable, Sendable {
        /// No such bit.
        case none
        /// Even.
        case even
        /// Odd.
        case odd
    }

    /// How the receiver says that it cannot take more.
    public enum FlowControl: Hashable, Sendable {
        /// Not at all.
        case none
        /// By the lines RTS and CTS.
        case hardware
        /// By the characters XON and XOFF, Ctrl-Q and Ctrl-S.
        case software
    }

    /// In bits a second; any number that the device can do.
    public var speed: Int
    /// 5 to 8.
    public var dataBits: Int
    /// The parity bit.
    public var parity: Parity
    /// 1 or 2.
    public var stopBits: Int
    /// How the receiver says that it cannot take more.
    public var flowControl: FlowControl
    /// Whether the line is used without the carrier of a modem (`CLOCAL`).
    public var ignoresCarrier: Bool

    /// Settings for a line.
    public init(
        speed: Int = 9600, dataBits: Int = 8, parity: Parity = .none, stopBits: Int = 1,
        flowControl: FlowControl = .none, ignoresCarrier: Bool = true
    ) {
        (self.speed, self.dataBits, self.parity) = (speed, dataBits, parity)
        (self.stopBits, self.flowControl, self.ignoresCarrier) = (stopBits, flowControl, ignoresCarrier)
    }

    /// The settings that modes hold.
    init(_ modes: TerminalModes) {
        let bits = ipc_terminal_bits
        let size = modes.kernels.control & bits.size_mask
        speed = Int(modes.kernels.output_speed)
        dataBits = size == bits.size_5 ? 5 : size == bits.size_6 ? 6 : size == bits.size_7 ? 7 : 8
        parity = !modes.has(\.control, bits.parity) ? .none : modes.has(\.control, bits.odd_parity) ? .odd : .even
        stopBits = modes.has(\.control, bits.two_stop_bits) ? 2 : 1
        flowControl =
            modes.has(\.control, bits.hardware_flow)
            ? .hardware : modes.has(\.input, bits.software_flow_out) ? .software : .none
        ignoresCarrier = modes.has(\.control, bits.local_line)
    }

    /// Raw modes with these settings.
    func apply(to modes: inout TerminalModes) {
        let bits = ipc_terminal_bits
        modes.makeRaw()
        let sizes = [bits.size_5, bits.size_6, bits.size_7, bits.size_8]
        modes.set(\.control, bits.size_mask, false)
        modes.set(\.control, sizes[min(max(dataBits, 5), 8) - 5], true)
        modes.set(\.control, bits.parity, parity != .none)
        modes.set(\.control, bits.odd_parity, parity == .odd)
        modes.set(\.control, bits.sticky_parity, false)
        modes.set(\.input, bits.parity_check, parity != .none)
        modes.set(\.control, bits.two_stop_bits, stopBits == 2)
        modes.set(\.control, bits.hardware_flow, flowControl == .hardware)
        modes.set(\.input, bits.software_flow_in, flowControl == .software)
        modes.set(\.input, bits.software_flow_out, flowControl == .software)
        modes.set(\.control, bits.local_line, ignoresCarrier)
        modes.set(\.control, bits.receiver, true)
        ipc_terminal_set_speed(&modes.kernels, UInt32(clamping: speed))
    }

    /// Whether a device that was to have these has them: its clock may not make the speed exactly.
    func isMet(by device: SerialSettings) -> Bool {
        var nominal = device
        if abs(device.speed - speed) * 33 <= speed { nominal.speed = speed }
        return nominal == self
    }

    /// What is out of its range, in words; `nil` if nothing is.
    var defect: String? {
        if !(1...0x7FFF_FFFF ~= speed) { return "speed \(speed)" }
        if !(5...8 ~= dataBits) { return "\(dataBits) data bits" }
        if !(1...2 ~= stopBits) { return "\(stopBits) stop bits" }
        return nil
    }
}
