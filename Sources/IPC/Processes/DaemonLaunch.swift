// The launching process: it holds the pid file until the daemon has it, and waits for the daemon's word.
import CIPC
import SystemPackage

enum DaemonLaunch {
    /// Starts this program anew as a daemon, and waits until it is ready.
    static func perform(
        pidFile: FilePath?, log: FilePath?, directory: FilePath, modeMask: FilePermissions, timeout: Duration?
    ) throws -> ProcessID {
        let deadline = Deadline.after(timeout)
        let path = try pidFile.map { try absolute($0) }
        var file: PIDFile?
        if let path { file = try PIDFile.take(path, deadline: deadline) }
        var ends = try PipeEnds()
        let reader = ByteReader(try .pipeEnd(ends.takeReader(), writing: false, subject: "daemon"))
        let writer = try ends.takeWriter()

        let inheritance = DaemonInheritance(launcher: 3, lock: file == nil ? nil : 4, pidFile: path)
        var command = again().environment(.inherited.setting(DaemonInheritance.variable, to: inheritance.text))
            .directory(directory).modeMask(modeMask).passing(inherited: writer.number, as: 3)
        if let file { command = command.passing(inherited: file.descriptor.number, as: 4) }
        if let log {
            let flags = IPC_O_WRONLY | IPC_O_CREAT | IPC_O_APPEND | IPC_O_NOFOLLOW
            command = command.output(.file(log, Descriptor.Access(flags: flags))).mergingError()
        }
        let started = command
        do {
            let child = try EventLoop.run { try await started.launch() }
            try? writer.close()  // only the daemon is to have it, so that its end shows
            try EventLoop.run { try await waitForWord(of: child, reader, deadline) }
            // Only now: whoever comes meanwhile is to learn who runs, or to start the daemon if this one fails.
            file?.endTurn()
            return child.processID
        } catch {
            file?.remove()
            file?.endTurn()
            throw error
        }
    }

    /// Waits until the daemon says how it is, or ends.
    private static func waitForWord(of child: Child, _ reader: ByteReader, _ deadline: Deadline?) async throws {
        do {
            let word = try await deadline.runs { try await reader.readAll(limit: 8192) }
            if word.first == UInt8(ascii: "R") { return }
            if word.first == UInt8(ascii: "F"), word.count >= 2 {
                let reason = String(decoding: word.dropFirst(2), as: UTF8.self)
                throw DaemonError(.refused, on: child.name, status: Int32(word[1]), reason: reason)
            }
            let end = try await child.ended(deadline, endingTree: true).status
            let status = end.isSuccess ? 71 : end.shellStatus
            throw DaemonError(.ended, on: child.name, status: status, reason: "it \(end)")
        } catch let error as DaemonError { throw error } catch {
            await child.end()
            throw error
        }
    }

    private static func absolute(_ path: FilePath) throws -> FilePath {
        if path.isAbsolute { return path }
        var bytes = [CChar](repeating: 0, count: 4097)
        let room = bytes.count - 1
        try SystemCall.perform("getcwd", on: "working directory") { ipc_current_directory(&bytes, room) }
        return bytes.withUnsafeBufferPointer { buffer in
            buffer.baseAddress.map { FilePath(platformString: $0) } ?? path
        }.pushing(path)
    }

    /// This program with its own arguments.
    private static func again() -> Command {
        let arguments = (0..<Int(CommandLine.argc)).map { index in
            CommandLine.unsafeArgv[index].map { FilePath(platformString: $0).argumentBytes } ?? []
        }
        return Command(arguments.first ?? Array("daemon".utf8), arguments: Array(arguments.dropFirst())).changed {
            $0.file = OwnProgram.file
        }
    }

    /// Executes this program's file anew in this process; gives the reason if that fails.
    static func replaceProcess(_ inheritance: DaemonInheritance) -> Errno {
        let command = again()
        let environment = Environment.inherited.setting(DaemonInheritance.variable, to: inheritance.text).resolved()
        let kept = [inheritance.lock].compactMap(\.self)
        let result = withTerminated(OwnProgram.newestFile) { path in
            withVector([command.programBytes] + command.arguments) { arguments in
                withVector(environment.map { $0 + [UInt8(ascii: "=")] + $1 }) { environment in
                    ipc_replace_process(path, arguments, environment, kept, Int32(kept.count))
                }
            }
        }
        return Errno(rawValue: -result)
    }
}
