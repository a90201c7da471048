// Looking names up: on a thread of its own for each, which is left alone when nobody waits for it any more.
import CIPC
import Synchronization
import SystemPackage

/// Names of hosts and their addresses.
public enum NameLookup {
    /// The addresses of a host, by name or address, in the order in which the system prefers them; with port 0.
    ///
    /// The look-up goes on in the background if the limit passes: the C library's has no end of its own. Up to 64 such are borne
    /// at a time. The C function is `getaddrinfo`.
    ///
    /// - Throws: ``EndpointError`` with `hostNotFound`, `lookupFailed` or `invalidHost`; ``SystemError`` with `EAGAIN` if too many
    ///   look-ups are under way; ``TimeoutError``; `CancellationError`.
    public static func addresses(of host: String, timeout: Duration? = nil) async throws -> [SocketAddress] {
        try await addresses(of: host, .stream, Deadline.after(timeout))
    }

    /// The addresses of a host, as ``addresses(of:timeout:)`` gives them, until a deadline.
    public static func addresses(of host: String, deadline: Deadline) async throws -> [SocketAddress] {
        try await addresses(of: host, .stream, deadline)
    }

    /// The name of an address, for people and logs: nobody vouches for it. The C function is `getnameinfo`.
    ///
    /// - Throws: as ``addresses(of:timeout:)`` does.
    public static func name(of address: SocketAddress, timeout: Duration? = nil) async throws -> String {
        let job = LookupJob { _ in
            var name = [CChar](repeating: 0, count: 1025)
            let error = address.withKernels { ipc_name_of($0, &name, name.count) }
            guard error == 0 else { return .failure(failure(error, address.host ?? "\(address)")) }
            return .success(
                .name(String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)))
        }
        guard case .name(let name) = try await job.result(of: "\(address)", Deadline.after(timeout)) else { return "" }
        return name
    }

    static func addresses(
        of host: String, _ kind: SocketKind, _ deadline: Deadline?
    ) async throws -> [SocketAddress] {
        if let numeric = try? SocketAddress(numeric: host, port: 0) { return [numeric] }
        let isPlausible = host.utf8.allSatisfy { 33...126 ~= $0 || $0 >= 128 }
        guard !host.isEmpty, host.utf8.count <= 253, isPlausible else {
            throw EndpointError(.invalidHost, host, detail: host.utf8.count > 253 ? "longer than 253 bytes" : "")
        }
        // What looks like an address and is none is nobody's name either; a name server need not hear of it.
        if host.split(separator: ".", omittingEmptySubsequences: false).allSatisfy({ Int($0) != nil }) {
            throw EndpointError(.invalidHost, host, detail: "not an address")
        }
        let job = LookupJob { _ in
            var found = [ipc_address](repeating: ipc_address(), count: 64)
            var error: Int32 = 0
            let count = ipc_resolve(host, kind.number, 0, &found, 64, &error)
            guard count > 0 else { return .failure(failure(error, host)) }
            return .success(.addresses(found.prefix(Int(count)).map(SocketAddress.init)))
        }
        guard case .addresses(let list) = try await job.result(of: host, deadline) else { return [] }
        return list
    }

    private static func failure(_ error: Int32, _ subject: String) -> EndpointError {
        switch ipc_name_error(UInt32(ipc_name_error_kind(error))) {
        case IPC_NAME_UNKNOWN: EndpointError(.hostNotFound, subject)
        default: EndpointError(.lookupFailed, subject, detail: String(cString: ipc_name_error_text(error)).lowercased())
        }
    }
}

/// One look-up: a thread that makes it, and a task that waits for it, or has given up.
private final class LookupJob: Sendable {
    enum Answer: Sendable {
        case addresses([SocketAddress])
        case name(String)
    }

    private struct State {
        var result: Result<Answer, EndpointError>?
        var place: (loop: EventLoop, token: WaitToken)?
    }

    private static let mostAtOnce = 64
    private static let running = Atomic(0)

    private let state = Mutex(State())
    private let work: @Sendable (LookupJob) -> Result<Answer, EndpointError>

    init(_ work: @escaping @Sendable (LookupJob) -> Result<Answer, EndpointError>) { self.work = work }

    func result(of subject: String, _ deadline: Deadline?) async throws -> Answer {
        let limit = Deadline.earliest(deadline, Deadline.ambient)
        if ipc_task_is_cancelled() != 0 { throw CancellationError() }
        try start(subject)
        while true {
            let reason = try await EventLoop.waitToBeWoken(deadline: limit) { loop, token in
                self.state.withLock { state in
                    state.place = (loop, token)
                    return state.result == nil
                }
            }
            if let result = state.withLock({ $0.result }) { return try result.get() }
            switch reason {
            case .timedOut: if let limit, limit.hasPassed { throw limit.passed("look up", on: subject) }
            case .cancelled: if ipc_task_is_cancelled() != 0 { throw CancellationError() }
            default: continue
            }
        }
    }

    private func start(_ subject: String) throws {
        let count = LookupJob.running.add(1, ordering: .relaxed).newValue
        var status = -Errno.resourceTemporarilyUnavailable.rawValue
        if count <= LookupJob.mostAtOnce {
            let argument = Unmanaged.passRetained(self)
            status = ipc_thread_start(
                "ipc-lookup",
                { pointer in
                    guard let pointer else { return }
                    Unmanaged<LookupJob>.fromOpaque(pointer).takeRetainedValue().run()
                }, argument.toOpaque())
            if status != 0 { argument.release() }
        }
        guard status == 0 else {
            LookupJob.running.subtract(1, ordering: .relaxed)
            throw SystemError("look up", on: subject, Errno(rawValue: -status))
        }
    }

    private func run() {
        let result = work(self)
        LookupJob.running.subtract(1, ordering: .relaxed)
        let place = state.withLock { state in
            state.result = result
            return state.place
        }
        if let place { place.loop.send(.wake(place.token, .ready)) }
    }
}

extension Endpoint {
    /// The addresses behind the endpoint, in the order in which they are to be tried or listened on.
    func resolve(toListen: Bool = false, _ deadline: Deadline?) async throws -> [SocketAddress] {
        switch place {
        case .path(let path): return [try SocketAddress(path: path)]
        case .abstract(let name): return [try SocketAddress(unix: Array(name.utf8), isAbstract: true, text: name)]
        case .loopback(let port):
            let number = try port.number(for: kind)
            return [
                try SocketAddress(numeric: "::1", port: number), try SocketAddress(numeric: "127.0.0.1", port: number),
            ]
        case .all(let port):
            guard toListen else { throw EndpointError(.unsuitable, "\(self)", detail: "'*' is to listen on") }
            return [try SocketAddress(numeric: "::", port: try port.number(for: kind))]
        case .host(let host, let port):
            let number = try port.number(for: kind)
            return try await NameLookup.addresses(of: host, kind, deadline).map { $0.with(port: number) }
        }
    }
}
