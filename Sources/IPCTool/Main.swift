// The `ipc` command: its subcommands, by chapter.
import ArgumentParser

/// The tool; every subcommand lives in a file of its own.
@main
struct IPCTool: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ipc",
        abstract: "Unix interprocess communication from the command line.",
        discussion: """
            Results go to standard output, talk to standard error. Every command has --json.
            Exit status: 0 done, 64 wrong usage, 71 a system error, 124 the time limit ended it, 126 the program cannot be
            executed, 127 it was not found, 128+n signal n ended it, otherwise the program's own.
            """,
        version: "0.1.0",
        groupedSubcommands: [
            CommandGroup(name: "Getting to know it", subcommands: [TourCommand.self]),
            CommandGroup(
                name: "Processes",
                subcommands: [
                    RunCommand.self, PipeCommand.self, CatCommand.self, DaemonCommand.self, LockCommand.self,
                ]),
            CommandGroup(
                name: "Signals", subcommands: [SignalsCommand.self, KillCommand.self, AliveCommand.self]),
            CommandGroup(name: "FIFOs", subcommands: [FIFOCommand.self]),
            CommandGroup(name: "Terminals", subcommands: [ExpectCommand.self, InteractCommand.self]),
            CommandGroup(
                name: "Sockets",
                subcommands: [ConnectCommand.self, ListenCommand.self, RelayCommand.self, SocketsCommand.self]),
            CommandGroup(
                name: "System V", subcommands: [SemCommand.self, MsgCommand.self, ShmCommand.self]),
            CommandGroup(
                name: "From the manual",
                subcommands: [WebgetCommand.self, RtimeCommand.self, DaytimeCommand.self, UDPTimeCommand.self]),
        ]
    )
}
