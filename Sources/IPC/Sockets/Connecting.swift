// From an endpoint to a connected socket: all addresses, none waited for alone, one limit for all.
import CIPC
import SystemPackage

enum Connecting {
    /// So long an address has the others to itself.
    private static let headStart = Duration.milliseconds(250)

    /// A socket that is connected to an endpoint.
    ///
    /// - Throws: ``ConnectError``, ``EndpointError``, ``SystemError``, ``TimeoutError``, `CancellationError`.
    static func connect(to endpoint: Endpoint, _ deadline: Deadline?) async throws -> (
        socket: SharedDescriptor, peer: SocketAddress
    ) {
        let limit = Deadline.earliest(deadline, Deadline.ambient)
        if ipc_task_is_cancelled() != 0 { throw CancellationError() }
        let addresses = interleaved(try await endpoint.resolve(deadline))
        do {
            return try await addresses.count == 1
                ? first(of: addresses, endpoint, limit) : race(addresses, endpoint, limit)
        } catch is TimeoutError {
            throw limit?.passed("connect", on: "\(endpoint)") ?? SystemError("connect", on: "\(endpoint)", .timedOut)
        }
    }

    /// The two families by turns, beginning with the one that the system prefers.
    static func interleaved(_ addresses: [SocketAddress]) -> [SocketAddress] {
        guard let first = addresses.first else { return [] }
        var (same, other) = (
            addresses.filter { $0.isIPv6 == first.isIPv6 }[...], addresses.filter { $0.isIPv6 != first.isIPv6 }[...]
        )
        var list: [SocketAddress] = []
        while !same.isEmpty || !other.isEmpty {
            if let next = same.popFirst() { list.append(next) }
            if let next = other.popFirst() { list.append(next) }
        }
        return list
    }

    private static func first(
        of addresses: [SocketAddress], _ endpoint: Endpoint, _ limit: Deadline?
    ) async throws -> (socket: SharedDescriptor, peer: SocketAddress) {
        guard let address = addresses.first else { throw ConnectError(endpoint: endpoint, attempts: []) }
        switch try await attempt(address, endpoint, limit) {
        case .success(let socket): return (socket, address)
        case .failure(let error):
            throw ConnectError(endpoint: endpoint, attempts: [.init(address: address, errno: error.errno)])
        }
    }

    /// Starts with the first; the next when that has failed or had its head start. Whoever is connected first wins; the others
    /// are closed.
    private static func race(
        _ addresses: [SocketAddress], _ endpoint: Endpoint, _ limit: Deadline?
    ) async throws -> (socket: SharedDescriptor, peer: SocketAddress) {
        enum Event: Sendable {
            case connected(SharedDescriptor, SocketAddress)
            case failed(SocketAddress, Errno)
            case nextIsDue(Int)
        }
        return try await withThrowingTaskGroup(of: Event?.self) { group in
            defer { group.cancelAll() }
            var (started, running) = (0, 0)
            var failures: [SocketAddress: Errno] = [:]
            func startNext() {
                guard started < addresses.count else { return }
                let (address, number) = (addresses[started], started)
                started += 1
                running += 1
                group.addTask {
                    switch try await attempt(address, endpoint, limit) {
                    case .success(let socket): .connected(socket, address)
                    case .failure(let error): .failed(address, error.errno)
                    }
                }
                guard started < addresses.count else { return }
                group.addTask {
                    do { try await EventLoop.sleep(until: Deadline(in: headStart)) } catch { return nil }
                    return .nextIsDue(number)
                }
            }
            startNext()
            while running > 0, let event = try await group.next() {
                switch event {
                case .connected(let socket, let address): return (socket, address)
                case .failed(let address, let errno):
                    failures[address] = errno
                    running -= 1
                    startNext()
                case .nextIsDue(let number): if number == started - 1 { startNext() }
                case nil: break
                }
            }
            let attempts = addresses.map { ConnectError.Attempt(address: $0, errno: failures[$0] ?? .timedOut) }
            throw ConnectError(endpoint: endpoint, attempts: attempts)
        }
    }

    /// One address. The kernel's refusals are a result; what ends the wait is thrown.
    private static func attempt(
        _ address: SocketAddress, _ endpoint: Endpoint, _ limit: Deadline?
    ) async throws -> Result<SharedDescriptor, SystemError> {
        let subject = "\(endpoint)"
        let family = Int32(address.family.rawValue)
        let number = SystemCall.retrying { ipc_socket(family, endpoint.kind.number, 1) }
        guard number >= 0 else { return .failure(SystemError("connect", on: subject, Errno(rawValue: -number))) }
        let socket = SharedDescriptor(try Descriptor(fresh: number, "connect", on: subject), .socket, subject: subject)
        // Not tried again when a signal interrupts it: it goes on all the same, and is waited for.
        var status = address.withKernels { ipc_connect(socket.number, $0) }
        switch Errno(rawValue: -status) {
        case .nowInProgress, .interrupted:
            try await socket.wait(.writing, deadline: limit, "connect")
            status = -ipc_take_error(socket.number)
        case .wouldBlock where address.port == nil:
            status = try await connectWhenThereIsRoom(socket, address, subject, limit)
        default: break
        }
        guard status == 0 else { return .failure(SystemError("connect", on: subject, Errno(rawValue: -status))) }
        // Blocking from now on, as whoever it is passed on to expects it; our own calls say that they do not wait.
        try socket.becomeBlocking()
        return .success(socket)
    }

    /// A Unix listener's queue is full. No event tells of room there; a call that blocks is woken.
    private static func connectWhenThereIsRoom(
        _ socket: SharedDescriptor, _ address: SocketAddress, _ subject: String, _ limit: Deadline?
    ) async throws -> Int32 {
        let number = socket.number
        try socket.becomeBlocking()
        do {
            _ = try await BlockingCall.perform("connect", on: subject, deadline: limit) {
                Int(address.withKernels { ipc_connect(number, $0) })
            }
            return 0
        } catch let error as SystemError { return -error.errno.rawValue }
    }
}

extension SharedDescriptor {
    fileprivate func becomeBlocking() throws(SystemError) {
        try SystemCall.perform("connect", on: subject) {
            ipc_set_status_flags(number, ipc_get_status_flags(number) & ~IPC_O_NONBLOCK)
        }
    }
}
