// Where a program's standard streams come from and go to.
import CIPC
public import SystemPackage

extension Command {
    /// What a program reads.
    public struct Input: Sendable {
        enum Source {
            case inherit
            case discard
            case pipe
            case file(FilePath)
            case descriptor(DescriptorBox)
            case bytes([UInt8])
        }

        let source: Source

        /// This process's standard input.
        public static let inherit = Input(source: .inherit)
        /// `/dev/null`: the program finds the end at once.
        public static let discard = Input(source: .discard)
        /// A pipe, whose other end is ``Child/standardInput``.
        public static let pipe = Input(source: .pipe)

        /// A file, opened when the program is started.
        public static func file(_ path: FilePath) -> Input { Input(source: .file(path)) }

        /// A descriptor, which belongs to the command from now on, and to its copies.
        public static func descriptor(_ descriptor: consuming Descriptor) -> Input {
            Input(source: .descriptor(DescriptorBox(descriptor)))
        }

        /// Bytes, written to a pipe while the program runs. That the program does not read them all is not an error.
        public static func bytes(_ bytes: [UInt8]) -> Input { Input(source: .bytes(bytes)) }
    }

    /// Where a program writes.
    public struct Output: Sendable {
        enum Target {
            case inherit
            case discard
            case pipe
            case file(FilePath, Descriptor.Access, FilePermissions)
            case descriptor(DescriptorBox)
        }

        let target: Target

        /// This process's standard output, or its standard error for the program's.
        public static let inherit = Output(target: .inherit)
        /// `/dev/null`.
        public static let discard = Output(target: .discard)
        /// A pipe, whose other end is ``Child/standardOutput`` or ``Child/standardError``.
        public static let pipe = Output(target: .pipe)

        /// A file, made or emptied when the program is started, for its owner alone unless told otherwise.
        public static func file(
            _ path: FilePath, _ access: Descriptor.Access = .replace, permissions: FilePermissions = .ownerReadWrite
        ) -> Output {
            Output(target: .file(path, access, permissions))
        }

        /// A descriptor, which belongs to the command from now on, and to its copies.
        public static func descriptor(_ descriptor: consuming Descriptor) -> Output {
            Output(target: .descriptor(DescriptorBox(descriptor)))
        }
    }
}

/// Our ends of a child's pipes.
struct ChildStreams: Sendable {
    var input: ByteWriter?
    var output: ByteReader?
    var error: ByteReader?
}

/// A stream's descriptor, kept from being closed as long as this lives.
private final class EnteredDescriptor {
    private let descriptor: SharedDescriptor

    init(_ descriptor: SharedDescriptor) throws(SystemError) {
        guard descriptor.enter() else { throw descriptor.closedError("pass on") }
        self.descriptor = descriptor
    }

    deinit { descriptor.leave() }
}

/// The child's standard streams, opened: which of our descriptors becomes which of the child's, and our ends of its pipes.
struct StreamPlan {
    private(set) var mappings: [ipc_spawn_mapping] = []
    private(set) var streams = ChildStreams()
    /// What is the child's, open here until it has it.
    private var childs: [DescriptorBox] = []
    private var entered: [EnteredDescriptor] = []

    init(
        of name: String, input: Command.Input, output: Command.Output, error: Command.Output?,
        others: [PassedDescriptor] = []
    ) throws {
        switch input.source {
        case .inherit: map(0, to: 0)
        case .discard: map(try StreamPlan.open("/dev/null", .read), to: 0)
        case .file(let path): map(try StreamPlan.open(path, .read), to: 0)
        case .descriptor(let box): map(box, to: 0)
        case .pipe, .bytes:
            var ends = try PipeEnds()
            map(DescriptorBox(try ends.takeReader()), to: 0)
            streams.input = ByteWriter(
                try .pipeEnd(ends.takeWriter(), writing: true, subject: "standard input of \(name)"))
        }
        streams.output = try add(output, as: 1, "standard output of \(name)")
        if let error {
            streams.error = try add(error, as: 2, "standard error of \(name)")
        } else if let output = mappings.last {
            map(output.source, to: 2)
        }
        for passed in others {
            switch passed.source {
            case .owned(let box): map(box, to: passed.number)
            case .inherited(let number): map(number, to: passed.number)
            case .shared(let descriptor):
                entered.append(try EnteredDescriptor(descriptor))
                map(descriptor.number, to: passed.number)
            }
        }
    }

    private mutating func add(_ output: Command.Output, as number: Int32, _ subject: String) throws -> ByteReader? {
        switch output.target {
        case .inherit: map(number, to: number)
        case .discard: map(try StreamPlan.open("/dev/null", .write), to: number)
        case .file(let path, let access, let permissions):
            map(try StreamPlan.open(path, access, permissions), to: number)
        case .descriptor(let box): map(box, to: number)
        case .pipe:
            var ends = try PipeEnds()
            map(DescriptorBox(try ends.takeWriter()), to: number)
            return ByteReader(try .pipeEnd(ends.takeReader(), writing: false, subject: subject))
        }
        return nil
    }

    private mutating func map(_ source: Int32, to target: Int32) {
        mappings.append(ipc_spawn_mapping(source: source, target: target))
    }

    private mutating func map(_ box: DescriptorBox, to target: Int32) {
        childs.append(box)
        map(box.number, to: target)
    }

    private static func open(
        _ path: FilePath, _ access: Descriptor.Access, _ permissions: FilePermissions = .ownerReadWrite
    ) throws -> DescriptorBox {
        do { return DescriptorBox(try Descriptor.open(path, for: access, permissions: permissions)) } catch {
            guard let error = error as? SystemError, !isOfTable(error.errno) else { throw error }
            throw StartError(.streamNotOpened, error.operation, on: error.subject, error.errno)
        }
    }

    /// Not the file is at fault: there is no descriptor to be had.
    private static func isOfTable(_ errno: Errno) -> Bool {
        errno == .tooManyOpenFiles || errno == .tooManyOpenFilesInSystem
    }
}
