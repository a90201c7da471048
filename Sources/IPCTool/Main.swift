// The `ipc` command: its subcommands, by chapter.
import ArgumentParser

/// The tool; every subcommand lives in a file of its own.
@main
struct IPCTool: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ipc",
        abstract: "Unix interprocess communication from the command line.",
        discussion: """
            'ipc COMMAND --help' has its options and an example; results go to standard
            output, talk to standard error, and --json prints one JSON object.
            Exit status: 0 done, 64 wrong usage, 71 a system error, 124 a time limit passed,
            126 not executable, 127 not found, 128+n ended by signal n, else the program's.
            """,
        version: "0.1.0",
        groupedSubcommands: [
            CommandGroup(name: "Begin here", subcommands: [TourCommand.self, GuideCommand.self, NewCommand.self]),
            CommandGroup(
                name: "Programs",
                subcommands: [
                    RunCommand.self, PipeCommand.self, CatCommand.self, DaemonCommand.self, LockCommand.self,
                    ExpectCommand.self, InteractCommand.self,
                ]),
            CommandGroup(
                name: "Signals", subcommands: [KillCommand.self, AliveCommand.self, SignalsCommand.self]),
            CommandGroup(name: "FIFOs", subcommands: [FIFOCommand.self]),
            CommandGroup(
                name: "Sockets",
                subcommands: [
                    ConnectCommand.self, ListenCommand.self, RelayCommand.self, SocketsCommand.self, WebgetCommand.self,
                    RtimeCommand.self, UDPTimeCommand.self, DaytimeCommand.self,
                ]),
            CommandGroup(name: "Shared", subcommands: [SemCommand.self, MsgCommand.self, ShmCommand.self]),
        ]
    )
}
