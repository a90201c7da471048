// Recording what is shown and typed on a terminal.
import CIPC
import Synchronization
public import SystemPackage

/// Where and how a session is recorded. Secrets that are sent are dots in every recording.
public struct TerminalRecording: Sendable {
    enum Format {
        /// asciicast v2: a header and events with their times, one JSON value to a line.
        case asciicast(hasInput: Bool)
        /// What was shown, with control characters made visible.
        case text
    }

    let path: FilePath
    let format: Format

    /// A file that `asciinema` plays and ``TerminalTranscript`` reads; made or emptied, for its owner alone.
    ///
    /// - Parameters:
    ///   - path: the file.
    ///   - input: whether what is typed is recorded too, which a replay needs.
    public static func asciicast(_ path: FilePath, input: Bool = false) -> TerminalRecording {
        TerminalRecording(path: path, format: .asciicast(hasInput: input))
    }

    /// A log that can be shown on any terminal: control characters other than the ends of lines and TAB are written as `^X`.
    public static func text(_ path: FilePath) -> TerminalRecording { TerminalRecording(path: path, format: .text) }
}

/// Writes a recording, piece by piece as things happen.
final class SessionRecorder: Sendable {
    private struct State {
        var output = SecretFilter()
        var shower = VisibleText.Shower()
        /// The beginning of a character whose end has not come.
        var part: [UInt8] = []
        var typedPart: [UInt8] = []
        var failure: SystemError?
    }

    private let file: SharedDescriptor
    private let format: TerminalRecording.Format
    private let began = ipc_monotonic_now()
    private let state = Mutex(State())

    init(_ recording: TerminalRecording, size: TerminalSize, command: String) throws {
        let name = recording.path.string
        // Not waiting for the reader of a FIFO, and over no link.
        let flags = IPC_O_WRONLY | IPC_O_CREAT | IPC_O_TRUNC | IPC_O_NOFOLLOW | IPC_O_NONBLOCK | IPC_O_NOCTTY
        let number = try SystemCall.perform("open", on: name) {
            recording.path.withPlatformString { ipc_open($0, flags, 0o600) }
        }
        let opened = try Descriptor(fresh: number, "open", on: name)
        var status = ipc_file_information()
        if ipc_descriptor_status(opened.number, &status) == 0, status.type == Int32(IPC_FILE_REGULAR.rawValue) {
            // One that was there already is as private as a new one.
            try SystemCall.perform("open", on: name) { ipc_change_mode("/proc/self/fd/\(opened.number)", 0o600) }
        }
        file = SharedDescriptor(opened, .immediate, subject: name)
        format = recording.format
        guard case .asciicast = format else { return }
        let header = [
            #""version": 2, "width": \#(size.columns), "height": \#(size.rows), "command": \#(JSONText.quoted(command))"#,
            #""env": {"TERM": \#(JSONText.quoted(String(decoding: Environment.inherited.value(of: "TERM") ?? [], as: UTF8.self)))}"#,
        ]
        state.withLock { write("{\(header.joined(separator: ", "))}\n", &$0) }
    }

    func hide(_ secret: Secret) { state.withLock { $0.output.add(secret) } }

    func show(_ bytes: UnsafeRawBufferPointer) {
        state.withLock { state in show(state.output.pass(bytes), &state) }
    }

    func type(_ bytes: [UInt8]) {
        guard case .asciicast(hasInput: true) = format else { return }
        state.withLock { state in
            state.typedPart += bytes
            let whole = SessionRecorder.wholeCharacters(in: state.typedPart)
            typed(whole, &state)
        }
    }

    func typeSecret() {
        guard case .asciicast(hasInput: true) = format else { return }
        state.withLock { state in
            typed(state.typedPart.count, &state)
            event("m", TerminalTranscript.secretMark, &state)
        }
    }

    private func typed(_ count: Int, _ state: inout State) {
        guard count > 0 else { return }
        let bytes = Array(state.typedPart[..<count])
        state.typedPart.removeFirst(count)
        event("i", String(decoding: state.output.hiding(bytes), as: UTF8.self), &state)
    }

    func resize(_ size: TerminalSize) {
        guard case .asciicast = format else { return }
        state.withLock { event("r", "\(size.columns)x\(size.rows)", &$0) }
    }

    /// Writes what was held back, and closes the file.
    func finish() throws {
        let failure = state.withLock { state in
            typed(state.typedPart.count, &state)
            show(state.output.pass([UInt8](), isEnd: true), &state, isEnd: true)
            return state.failure
        }
        file.close()
        if let failure { throw failure }
    }

    private func show(_ bytes: [UInt8], _ state: inout State, isEnd: Bool = false) {
        switch format {
        case .text: write(state.shower.show(bytes, isEnd: isEnd), &state)
        case .asciicast:
            state.part += bytes
            let whole = isEnd ? state.part.count : SessionRecorder.wholeCharacters(in: state.part)
            guard whole > 0 else { return }
            event("o", String(decoding: state.part[..<whole], as: UTF8.self), &state)
            state.part.removeFirst(whole)
        }
    }

    /// How many of the bytes are no beginning of a character at their end.
    private static func wholeCharacters(in bytes: [UInt8]) -> Int {
        bytes.withUnsafeBytes { all in
            for place in max(0, all.count - 3)..<max(0, all.count) where all[place] >= 0xC0 {
                let token = TextToken.read(all, at: place, isEnd: false, findingEscapes: false)
                if token.length == 0 { return place }
            }
            return all.count
        }
    }

    private func event(_ kind: String, _ text: String, _ state: inout State) {
        let microseconds = (ipc_monotonic_now() - began) / 1000
        let fraction = String(1_000_000 + microseconds % 1_000_000).dropFirst()
        write("[\(microseconds / 1_000_000).\(fraction), \"\(kind)\", \(JSONText.quoted(text))]\n", &state)
    }

    private func write(_ text: String, _ state: inout State) {
        guard !text.isEmpty, state.failure == nil, file.enter() else { return }
        defer { file.leave() }
        let bytes = Array(text.utf8)
        var done = 0
        while done < bytes.count {
            let count = bytes[done...].withUnsafeBytes { rest in
                rest.baseAddress.map { file.transfer.write(file.number, $0, rest.count) } ?? 0
            }
            guard count > 0 else {
                state.failure = SystemError("write", on: file.subject, Errno(rawValue: Int32(-count)))
                return
            }
            done += count
        }
    }
}
