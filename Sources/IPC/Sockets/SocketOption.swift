// Options of sockets, by names of their own.
import CIPC
import SystemPackage

/// An option of a socket that is a number, or on (1) and off (0). The C functions are `getsockopt` and `setsockopt`.
public struct SocketOption: Hashable, Sendable, CustomStringConvertible {
    private enum Kind: Hashable {
        case known(Int32)
        case raw(level: Int32, name: Int32)
    }

    private let kind: Kind
    public let description: String

    private init(_ option: ipc_option, _ name: String) {
        kind = .known(Int32(option.rawValue))
        description = name
    }

    /// An option that is not listed here, by its numbers in C.
    public init(level: Int32, name: Int32) {
        kind = .raw(level: level, name: name)
        description = "option \(name) of level \(level)"
    }

    /// Whether a connection that is silent is asked now and then whether it is still there (`SO_KEEPALIVE`).
    public static let keepAlive = SocketOption(IPC_OPTION_KEEP_ALIVE, "SO_KEEPALIVE")
    /// After so many seconds of silence (`TCP_KEEPIDLE`).
    public static let keepAliveIdle = SocketOption(IPC_OPTION_KEEP_IDLE, "TCP_KEEPIDLE")
    /// Again after so many seconds (`TCP_KEEPINTVL`).
    public static let keepAliveInterval = SocketOption(IPC_OPTION_KEEP_INTERVAL, "TCP_KEEPINTVL")
    /// So many times (`TCP_KEEPCNT`).
    public static let keepAliveCount = SocketOption(IPC_OPTION_KEEP_COUNT, "TCP_KEEPCNT")
    /// Whether what is written goes out at once; on for every ``Connection`` of TCP (`TCP_NODELAY`).
    public static let noDelay = SocketOption(IPC_OPTION_NO_DELAY, "TCP_NODELAY")
    /// So many milliseconds what was sent may stay unconfirmed (`TCP_USER_TIMEOUT`).
    public static let userTimeout = SocketOption(IPC_OPTION_USER_TIMEOUT, "TCP_USER_TIMEOUT")
    /// The room for what was not sent, in bytes; the kernel makes it twice as much (`SO_SNDBUF`).
    public static let sendBuffer = SocketOption(IPC_OPTION_SEND_BUFFER, "SO_SNDBUF")
    /// The room for what was not read, in bytes; the kernel makes it twice as much (`SO_RCVBUF`).
    public static let receiveBuffer = SocketOption(IPC_OPTION_RECEIVE_BUFFER, "SO_RCVBUF")
    /// So many microseconds the kernel looks for packets before it sleeps (`SO_BUSY_POLL`).
    public static let busyPoll = SocketOption(IPC_OPTION_BUSY_POLL, "SO_BUSY_POLL")

    func value(of number: Int32, _ subject: String) throws(SystemError) -> Int {
        var value: Int32 = 0
        try SystemCall.perform("get \(self) of", on: subject) {
            switch kind {
            case .known(let option): return ipc_get_option(number, option, &value)
            case .raw(let level, let name):
                var size: UInt32 = 4
                return ipc_get_raw_option(number, level, name, &value, &size)
            }
        }
        return Int(value)
    }

    func set(_ value: Int, of number: Int32, _ subject: String) throws(SystemError) {
        var exact = Int32(clamping: value)
        try SystemCall.perform("set \(self) of", on: subject) {
            switch kind {
            case .known(let option): ipc_set_option(number, option, exact)
            case .raw(let level, let name): ipc_set_raw_option(number, level, name, &exact, 4)
            }
        }
    }
}

extension Connection {
    /// The value of an option.
    ///
    /// - Throws: ``SystemError``, with `EOPNOTSUPP` or `ENOPROTOOPT` for an option of another kind of socket.
    public func value(of option: SocketOption) throws -> Int {
        try descriptor.use("get option of") { try option.value(of: $0, name) }
    }

    /// Sets an option.
    ///
    /// - Throws: as ``value(of:)`` does.
    public func set(_ option: SocketOption, to value: Int) throws {
        try descriptor.use("set option of") { try option.set(value, of: $0, name) }
    }
}

extension DatagramSocket {
    /// The value of an option.
    ///
    /// - Throws: as ``Connection/value(of:)`` does.
    public func value(of option: SocketOption) throws -> Int {
        try descriptor.use("get option of") { try option.value(of: $0, name) }
    }

    /// Sets an option.
    ///
    /// - Throws: as ``Connection/value(of:)`` does.
    public func set(_ option: SocketOption, to value: Int) throws {
        try descriptor.use("set option of") { try option.set(value, of: $0, name) }
    }
}
