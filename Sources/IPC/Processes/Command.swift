// What to run and how: a value that is built up, and runs only when it is told to.
public import SystemPackage

/// A program to run, with its arguments and all that it shall have.
///
/// A command is a value: every method gives a changed copy, and nothing happens before one of those that start it.
///
/// ```swift
/// let date = try await Command("date", "-u").read()
/// let result = try await Command("git", "status").capture()
/// for try await line in Command("journalctl", "-f").lines() { ... }
/// ```
///
/// No shell takes part: the arguments reach the program byte for byte. The program has the stated standard streams and no
/// other descriptor, default signal dispositions and an empty signal mask, whatever this process ignores or blocks. It leads
/// a process group of its own, which ``run(timeout:grace:passingOn:)``, ``capture(limit:timeout:grace:passingOn:)``,
/// ``read(limit:timeout:grace:)``, ``lines(keepingEnds:decoding:limit:timeout:grace:)`` and
/// ``withInput(timeout:grace:_:)`` end when the program has ended, and after a limit or a cancellation.
///
/// A status other than 0 is an error, ``CommandError``, unless ``unchecked()`` says otherwise. That a program cannot be
/// started is always one, ``StartError``, thrown by the call that starts it.
public struct Command: Sendable {
    /// The program's name: looked for in the folders of the PATH that the program will have, unless it has a slash.
    public let program: String

    let programBytes: [UInt8]
    var arguments: [[UInt8]]
    var environment = Environment.inherited
    var directory: FilePath?
    var input: Input?
    var output: Output?
    var error: Output?
    var mergesError = false
    var isChecked = true
    var isGrouped = true
    var endsTree = true
    var setup = ChildSetup()
    /// What is executed, if it is another file than the one that the program's name means.
    var file: [UInt8]?
    /// What messages call the program, if not by its name.
    var title: String?
    /// How it is ended where the library ends it; by SIGTERM and the call's grace for `nil`.
    var teardown: [TeardownStep]?
    var script: ShellScript?
    var scriptDefect: StartError?
    /// Who is told what is read of the program.
    var observer: (@Sendable (OutputStream, [UInt8]) -> Void)?

    /// A program and its arguments, each passed on as it is.
    ///
    /// An argument is a `String`, a `FilePath`, an `Int` or an array of bytes; NUL inside is reported when the program is
    /// started.
    public init(_ program: any ProgramArgument, _ arguments: any ProgramArgument...) {
        self.init(program, arguments: arguments)
    }

    /// A program and its arguments as an array.
    public init(_ program: any ProgramArgument, arguments: [any ProgramArgument]) {
        programBytes = program.argumentBytes
        self.program = String(decoding: programBytes, as: UTF8.self)
        self.arguments = arguments.map(\.argumentBytes)
    }

    /// The command with more arguments at the end.
    public func adding(_ arguments: any ProgramArgument...) -> Command {
        changed { $0.arguments += arguments.map(\.argumentBytes) }
    }

    /// The command with another environment; this process's own unless this is used.
    public func environment(_ environment: Environment) -> Command { changed { $0.environment = environment } }

    /// The command with another working directory; this process's own unless this is used.
    ///
    /// A program with a relative path, such as `./build`, is looked for there.
    public func directory(_ directory: FilePath) -> Command { changed { $0.directory = directory } }

    /// The command with another standard input.
    ///
    /// Without this, ``run(timeout:grace:passingOn:)`` gives the program this process's input, all other forms `/dev/null`.
    public func input(_ input: Input) -> Command { changed { $0.input = input } }

    /// The command with a text as its standard input.
    public func input(_ text: String) -> Command { input(.bytes(Array(text.utf8))) }

    /// The command with bytes as its standard input.
    public func input(_ bytes: [UInt8]) -> Command { input(.bytes(bytes)) }

    /// The command with another standard output.
    public func output(_ output: Output) -> Command { changed { $0.output = output } }

    /// The command with another standard error.
    public func error(_ error: Output) -> Command { changed { $0.error = error } }

    /// The command whose standard error goes where its standard output goes, in the order of writing; the shell's `2>&1`.
    public func mergingError() -> Command { changed { $0.mergesError = true } }

    /// The command for which every status is right: none is thrown as an error.
    public func unchecked() -> Command { changed { $0.isChecked = false } }

    /// The command that stays in this process's group, for programs that shall get the terminal's signals together with
    /// us. Its tree is then the program alone.
    public func inCallersGroup() -> Command { changed { $0.isGrouped = false } }

    /// The command whose left-behind processes are not ended with it. A limit or a cancellation still ends the whole tree.
    public func keepingTree() -> Command { changed { $0.endsTree = false } }

    func changed(_ change: (inout Command) -> Void) -> Command {
        var copy = self
        change(&copy)
        return copy
    }
}

extension Command: CustomStringConvertible {
    /// The command as one would type it to a shell, for messages; what is not a plain word is quoted.
    public var description: String {
        // A script reads best as it was written, unless it has parameters.
        if let script, arguments.count == 3 { return script.description }
        var words = [programBytes] + arguments
        if let script { words[2] = Array(script.description.utf8) }
        return words.map(Command.typed).joined(separator: " ")
    }

    /// A word as one would type it to a shell.
    static func typed(_ bytes: [UInt8]) -> String {
        let text = String(decoding: bytes, as: UTF8.self)
        let isPlain = !text.isEmpty && text.allSatisfy { $0.isLetter || $0.isNumber || "-_./=:,+@%".contains($0) }
        return isPlain ? text : ShellScript.quoted(text)
    }
}
