// ipc guide: which mechanism is the one for what somebody wants to do.
import ArgumentParser
import IPC

struct GuideCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "guide",
        abstract: "Say which mechanism is the one you need.",
        discussion: """
            Without a word, a picture of all; with one, what it is for, its call in Swift
            and its command.

            Example: ipc guide fifo
            """)

    @Argument(
        help: "A mechanism: \(Mechanism.all.map(\.name).joined(separator: ", ")).",
        completion: .list(Mechanism.all.map(\.name)))
    var mechanism: String?

    @Flag(help: "Print one JSON object.")
    var json = false

    func validate() throws {
        guard let mechanism, Mechanism.named(mechanism) == nil else { return }
        let names = Mechanism.all.map(\.name).joined(separator: ", ")
        throw ValidationError("there is no mechanism '\(mechanism)', but \(names)")
    }

    func run() throws {
        let (found, json) = (mechanism.flatMap(Mechanism.named), json)
        try perform {
            if json {
                try await printJSON(["mechanisms": found.map { [$0] } ?? Mechanism.all])
            } else {
                try await ByteWriter.standardOutput.write(found?.text ?? Mechanism.picture)
                try ByteWriter.standardOutput.close()
            }
            return .success
        }
    }
}

/// One way in which processes talk, as the guide tells of it.
struct Mechanism: Encodable {
    let name: String
    let purpose: String
    let call: String
    let command: String

    /// By its name, or by another that people know it by.
    static func named(_ word: String) -> Mechanism? {
        let word = word.lowercased()
        return all.first { $0.name == (others[word] ?? word) }
    }

    private static let others = [
        "commands": "command", "run": "command", "process": "command", "pipe": "pipeline", "pipes": "pipeline",
        "pty": "terminal",
        "expect": "terminal", "signals": "signal", "kill": "signal", "fifos": "fifo", "socket": "unix",
        "sockets": "unix",
        "server": "unix", "datagram": "udp", "datagrams": "udp", "msg": "queue", "queues": "queue", "message": "queue",
        "counter": "variable", "share": "variable", "shm": "memory", "mutex": "lock", "flock": "lock",
        "sem": "semaphore",
    ]

    var text: String { "\(name): \(purpose)\n\n    \(call)\n    \(command)\n" }

    static let picture = """
        Is the other side a process that you start?
          yes: do you need its output, or to give it input?        command, pipeline
               does it talk like a person at a keyboard?           terminal
               is it your own program, doing one job apart?        worker
               should it stay when you are gone?                   daemon
          no:  do you only want to tell it something?              signal
               is it on this host?
                 yes: a service with sessions                      unix
                      a file that others open, cat and echo        fifo
                      messages that wait for a reader              queue
                      a value, a counter, a table                  variable
                      large data without a copy                    memory
                      one at a time                                lock, semaphore
                      only one of us                               instance
                 no:  a stream, whole and in order                 tcp
                      single messages, some may be lost            udp

        ipc guide WORD says more of each.

        """

    static let all = [
        Mechanism(
            name: "command", purpose: "run a program; its output, its input, its status",
            call: #"let text = try await Command("git", "status").read()"#, command: "ipc run --timeout 30 -- make test"
        ),
        Mechanism(
            name: "pipeline", purpose: "several programs in a row; the one that fails is named",
            call: #"try await Command("ps", "ax").piped(to: Command("grep", "swift")).read()"#,
            command: "ipc pipe -- ps ax :: grep swift"),
        Mechanism(
            name: "terminal", purpose: "a program that wants a person: prompts, passwords",
            call: #"try await Command("ssh", host).withTerminal { s in try await s.expect("password:") }"#,
            command: "ipc expect --expect 'password:' --send-secret-env PASSWORD -- ssh host"),
        Mechanism(
            name: "worker",
            purpose: "your own program as a child: typed request and reply, other rights, crashes apart",
            call: "let reply = try await Resize.perform(image)", command: "(in Swift alone)"),
        Mechanism(
            name: "daemon", purpose: "a program that stays: no terminal, a locked pid file, word to its launcher",
            call: #"let daemon = try Daemon.detach(pidFile: "app.pid")"#,
            command: "ipc daemon start --pid-file app.pid -- ./app"),
        Mechanism(
            name: "signal", purpose: "tell a process that something happened; it carries a number at most",
            call: "for await event in try Signal.stream(.hangup) { ... }", command: "ipc kill -s HUP 1234"),
        Mechanism(
            name: "fifo", purpose: "a file that others open like any other, with you at its other end",
            call: #"try await FIFO.serve(at: "signature") { payload }"#, command: "ipc fifo serve signature -- fortune"),
        Mechanism(
            name: "unix", purpose: "a service on this host: sessions, who is at the other side, open files handed over",
            call: #"try await Listener(on: .unix("app.sock")).serve { client in ... }"#,
            command: "ipc listen unix:app.sock -- ./app"),
        Mechanism(
            name: "tcp", purpose: "a service for other hosts: a stream each way, whole and in order",
            call: #"try await Listener(on: .tcp("*", port: 8080)).serve { client in ... }"#,
            command: "ipc listen 'tcp:*:8080' -- ./app; ipc connect tcp:example.org:80"),
        Mechanism(
            name: "udp", purpose: "single messages, some of which may be lost, to one host or to many",
            call: "let socket = try DatagramSocket(on: .udp(port: 9999))",
            command: "ipc udp-time HOST...   # as an example"),
        Mechanism(
            name: "queue", purpose: "messages that wait until somebody takes them, by urgency or by type",
            call: #"try await POSIX.MessageQueue(named: "/jobs").send("build", priority: 1)"#,
            command: "echo build | ipc msg send --name /jobs --priority 1   # after: ipc msg create --name /jobs"),
        Mechanism(
            name: "variable", purpose: "a value that processes share, read without a lock, changed in one step",
            call: #"try await SharedVariable(named: "/hits", initialValue: 0).withLock { $0 += 1 }"#,
            command: "ipc shm count --name /hits"),
        Mechanism(
            name: "memory", purpose: "bytes that processes share, by a name or handed over",
            call: #"let memory = try SharedMemory(named: "/frames", size: 1 << 20)"#,
            command: "ipc shm create --name /frames --size 1048576"),
        Mechanism(
            name: "lock", purpose: "one at a time; if the holder is killed the next one has it, and is told",
            call: #"try await RobustLock(named: "/spool").withLock(repairing: { died in ... }) { ... }"#,
            command: "ipc lock --timeout 10 app.lock -- make install   # a lock on a file: nobody is told"),
        Mechanism(
            name: "semaphore", purpose: "so many at a time, among programs of any language",
            call: "try await SystemV.SemaphoreSet(key: .number(1234), initialValue: 3).withAcquired { ... }",
            command: "ipc sem take --counting --key 1234 -- ./job   # after: ipc sem create --key 1234 --value 3"),
        Mechanism(
            name: "instance", purpose: "only one process of a kind on this host",
            call: #"let instance = try SingleInstance(named: "/backup")"#,
            command: "ipc lock --timeout 0 backup.lock -- ./backup"),
    ]
}
