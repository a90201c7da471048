// Workers for the tests. IPCTestSupport enters them: a copy of the test runner becomes one before the runner begins.
import CIPC
import Glibc
import IPC
import Synchronization

struct Echo: Worker {
    static func run(_ request: [UInt8]) async throws -> [UInt8] { request }
}

/// A request with a shape: what came is told in other words.
struct Describe: Worker {
    enum Shape: Codable, Equatable, Sendable {
        case circle(radius: Double)
        case named(String, corners: [String: Int])
        case nothing
    }

    struct Reply: Codable, Equatable, Sendable {
        var shape: Shape
        var note: String?
        var process: Int32
    }

    static func run(_ request: Shape) async throws -> Reply {
        Reply(shape: request, note: nil, process: getpid())
    }
}

/// Ends in a way that gives no reply.
struct Misbehave: Worker {
    enum Way: Codable, Sendable {
        case exit(Int32)
        case signal(Int32)
        case crash
        case hang
        case hangWithGrandchild
        case blockThread
        case printAndHang(String)
        case closeSocket
        case fillStandardOutput(Int)
        case talkNonsense
    }

    static func run(_ request: Way) async throws -> Int32 {
        switch request {
        case .exit(let status): Glibc.exit(status)
        case .signal(let number): raise(number)
        case .crash:
            signal(SIGTRAP, SIG_DFL)
            let none: Int? = Array(CommandLine.arguments.dropFirst(1000)).first.map(\.count)
            return Int32(none!)
        case .hang: try await Task.sleep(for: .seconds(1000))
        case .hangWithGrandchild:
            let child = try await Command("sleep", "1000").inCallersGroup().start()
            announce("\(child.processID)\n")
            try await Task.sleep(for: .seconds(1000))
        case .blockThread: while true { pause() }
        case .printAndHang(let text):
            announce(text)
            try await Task.sleep(for: .seconds(1000))
        case .closeSocket:
            close(3)
            try await Task.sleep(for: .seconds(1000))
        case .fillStandardOutput(let count):
            try await ByteWriter.standardOutput.write(floodedBytes(count))
        case .talkNonsense:
            announce(to: 3, "this is no message, and long enough to be the head of one")
            try await Task.sleep(for: .seconds(1000))
        }
        return getpid()
    }

    private static func announce(to number: Int32 = 1, _ text: String) {
        _ = text.withCString { write(number, $0, strlen($0)) }
    }
}

/// Throws, an error that its type has named or another.
struct Fail: Worker {
    struct Failure: Error, Codable, Equatable, Sendable {
        var code: Int
        var why: String
    }

    struct Other: Error, CustomStringConvertible {
        var description: String { "the other error, in words" }
    }

    static func run(_ request: Failure?) async throws -> Bool {
        if let request { throw request }
        throw Other()
    }
}

/// What a worker finds when it begins.
struct LookAround: Worker {
    struct Reply: Codable, Sendable {
        var descriptors: [String]
        var closesOnExec: Bool
        var environment: [String]
        var childsEnvironment: String
        var arguments: [String]
        var user: UInt32
        var groups: [UInt32]
        var leadsGroup: Bool
        var parent: Int32
        var directory: String
        var ignoredSignals: String
    }

    static func run(_ request: Bool) async throws -> Reply {
        // Those of the event loop apart.
        let own = Folder.names(in: "/proc/self/fd").filter { name in
            guard let target = Folder.target(of: "/proc/self/fd/\(name)") else { return false }
            return !target.hasPrefix("anon_inode:")
        }
        var variables: [String] = []
        var entry = ipc_environment()
        while let text = entry?.pointee {
            variables.append(String(cString: text))
            entry = entry.map { $0 + 1 }
        }
        let status = Folder.text(of: "/proc/self/status") ?? ""
        func field(_ name: String) -> String {
            let line = status.split(separator: "\n").first { $0.hasPrefix(name) }
            return line.map { String($0.dropFirst(name.count)).split(separator: "\t").joined(separator: " ") } ?? ""
        }
        return Reply(
            descriptors: own.sorted(), closesOnExec: fcntl(3, F_GETFD) == FD_CLOEXEC, environment: variables,
            childsEnvironment: try await Command("env").read(), arguments: CommandLine.arguments, user: getuid(),
            groups: field("Groups:").split(separator: " ").compactMap { UInt32($0) }, leadsGroup: getpgrp() == getpid(),
            parent: getppid(), directory: Folder.target(of: "/proc/self/cwd") ?? "", ignoredSignals: field("SigIgn:"))
    }
}

/// Prints by the C library, which keeps it in a buffer until the process ends.
struct Print: Worker {
    static func run(_ request: String) async throws -> Bool {
        puts(request)
        return true
    }
}

/// Concurrency of all kinds, in a process that has not reached its main function.
struct AddUp: Worker {
    static func run(_ request: Int) async throws -> Int {
        let detached = await Task.detached { request }.value
        let group = await withTaskGroup(of: Int.self) { group in
            for number in 0..<request { group.addTask { number } }
            return await group.reduce(0, +)
        }
        let answer = try await Command("sh", "-c", "echo \(group)").read()
        return detached + (Int(answer) ?? -1)
    }
}

/// Descriptors both ways.
struct Relabel: Worker {
    struct Pair: Codable, Sendable {
        var name: String
        var file: SentDescriptor
    }

    static func run(_ request: Pair) async throws -> Pair {
        let writer = try ByteWriter(try request.file.take())
        try await writer.write("written by \(getpid()) for \(request.name)\n")
        try writer.close()
        return Pair(name: "null", file: SentDescriptor(try Descriptor.open("/dev/null", for: .read)))
    }
}
