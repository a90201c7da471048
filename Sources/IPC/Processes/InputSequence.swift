// One input over files, standard input and commands: what Perl's `<>` reads, with commands only where they are allowed.
import Synchronization

/// Several files, standard input and commands, read one after the other as one input.
///
/// ```swift
/// let input = InputSequence(arguments, commands: .allowed)   // program f1 "cmd1|" - f2
/// for try await line in input.lines() { print(line.source, line.number, line.text) }
/// for failure in input.failures { print(failure) }
/// ```
///
/// `-` is standard input. A name that ends with `|` is a command for `/bin/sh` if commands are allowed; they are not unless one
/// says so, and then `rm -rf ~|` is the name of a file. No other character means anything. Without any name the input is
/// standard input.
///
/// What is missing, is a directory, may not be read, and a command that fails, is passed over: it is kept in ``failures``, and
/// the rest is read. A FIFO is opened without waiting, and its writer is waited for as bytes are, until a deadline or the
/// task's cancellation. Commands read from `/dev/null`, and their standard error is this process's.
///
/// Standard input is read once, by whoever comes first; files and commands anew by each call.
public final class InputSequence: Sendable {
    /// Whether names may be commands.
    public struct Commands: Sendable {
        let areAllowed: Bool
        let passingOn: Set<Signal>

        /// Every name is a file's; the default.
        public static let never = Commands(areAllowed: false, passingOn: [])
        /// A name that ends with `|` is a command. Whoever chooses the names chooses what is run.
        public static let allowed = allowed(passingOn: [])

        /// A name that ends with `|` is a command, which gets these signals to this process while it runs, as in
        /// ``Command/run(timeout:grace:passingOn:)``.
        public static func allowed(passingOn: Set<Signal>) -> Commands {
            Commands(areAllowed: true, passingOn: passingOn)
        }
    }

    /// What is read, in order.
    public let sources: [InputSource]

    let passingOn: Set<Signal>
    private let failed = Mutex<[InputFailure]>([])

    /// An input over names, as a program has them on its command line: strings, paths, arrays of bytes.
    public init(_ names: [any ProgramArgument], commands: Commands = .never) {
        let named = names.map { InputSource($0.argumentBytes, mayBeCommand: commands.areAllowed) }
        sources = named.isEmpty ? [.standardInput] : named
        passingOn = commands.passingOn
    }

    /// What could not be read until now, by all calls, in the order in which it was met.
    public var failures: [InputFailure] { failed.withLock { $0 } }

    func report(_ failure: InputFailure) { failed.withLock { $0.append(failure) } }
}

/// One of the things that an ``InputSequence`` reads.
public struct InputSource: Hashable, Sendable, CustomStringConvertible {
    /// The kinds of things that are read.
    public enum Kind: Hashable, Sendable {
        /// A file.
        case file
        /// This process's standard input.
        case standardInput
        /// The output of a command.
        case command
    }

    /// What it is.
    public let kind: Kind

    /// The name as it was given, byte for byte: a path, `-`, or a command with its `|`.
    public let bytes: [UInt8]

    static let standardInput = InputSource(Array("-".utf8), mayBeCommand: false)

    init(_ name: [UInt8], mayBeCommand: Bool) {
        bytes = name
        if name.elementsEqual("-".utf8) {
            kind = .standardInput
        } else {
            kind = mayBeCommand && name.count > 1 && name.last == UInt8(ascii: "|") ? .command : .file
        }
    }

    /// The name as text, and `standard input`.
    public var description: String {
        kind == .standardInput ? "standard input" : String(decoding: bytes, as: UTF8.self)
    }
}

/// Something that could not be read, or not to its end.
public struct InputFailure: Error, Sendable, CustomStringConvertible {
    /// What it was.
    public let source: InputSource

    /// Why: ``SystemError`` for a file, ``CommandError`` or ``StartError`` for a command.
    public let error: any Error

    public var description: String { "\(error)" }
}

/// A line of an ``InputSequence``, and where it is from.
public struct InputLine: Sendable, Hashable {
    /// The line, without its end unless that was asked for.
    public let text: String

    /// What it was read from.
    public let source: InputSource

    /// Its number in its source, from 1 on.
    public let number: Int

    /// Its number in the whole input, from 1 on; Perl's `$.`.
    public let overallNumber: Int
}
