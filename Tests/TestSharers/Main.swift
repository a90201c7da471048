// The other processes in tests of what processes share: one verb, a name, perhaps a number.
import Glibc
import IPC

@main
struct TestSharers {
    static func main() throws {
        let words = CommandLine.arguments
        guard words.count >= 3 else { exit(64) }
        let (name, number) = (words[2], words.count > 3 ? Int(words[3]) ?? 0 : 0)
        switch words[1] {
        case "increment":
            let counter = try SharedVariable(named: name, initialValue: 0)
            for _ in 0..<number { try counter.withLock { $0 += 1 } }
        case "append":
            let list = try SharedVariable(named: name, initialValue: [Int](), sizeLimit: 1 << 20)
            for _ in 0..<number { try list.withLock { $0.append($0.count) } }
        case "hold": try RobustLock(named: name).withLock(repairing: nothing) { rest("held") }
        case "hold-unrepaired": try RobustLock(named: name).withLock { rest("held") }
        case "repair": try RobustLock(named: name).withLock(repairing: restRepairing) {}
        case "change":
            try SharedVariable(named: name, initialValue: 0).withLock { value in
                value = number
                rest("changing")
            }
        case "fill": try fill(name)
        case "create":
            let variable = try SharedVariable(named: name, initialValue: number)
            print(try variable.value)
        case "state":
            let state = try SharedVariable(named: name, initialValue: State.first)
            print(try state.value)
            try state.withLock { $0 = .second }
        case "fault":
            // Reports that were asked for before and after there were regions hand on to each other.
            if number > 0 { try Signal.reportFaults() }
            // A page behind the end of a file that is none of ours, while there is a region that is.
            let memory = try SharedMemory(named: name, size: 4096)
            if number > 0 { try Signal.reportFaults() }
            let file = open("/proc/self/exe", O_RDONLY)
            var size = stat()
            fstat(file, &size)
            let end = (Int(size.st_size) + 4095) / 4096 * 4096
            let map = mmap(nil, end + 4096, PROT_READ, MAP_PRIVATE, file, 0)
            print(map?.load(fromByteOffset: end, as: UInt8.self) ?? 0, memory.size)
        case "instance":
            let instance = try SingleInstance(named: name)
            rest("the one")
            instance.end()
        default: exit(64)
        }
    }

    /// Says where it is, and stays there until it is killed.
    static func rest(_ word: String) {
        print(word)
        fflush(nil)
        while true { pause() }
    }

    static func nothing(_ dead: ProcessID?) {}
    static func restRepairing(_ dead: ProcessID?) { rest("repairing") }

    /// Writes one number everywhere, then the next, until it is killed.
    static func fill(_ name: String) throws {
        let variable = try SharedVariable(named: name, initialValue: Wide())
        print("filling")
        fflush(nil)
        while true { try variable.withLock { $0 = Wide(filledWith: $0.words[0] + 1) } }
    }
}

/// Its name has an address in it that is another in each process.
private enum State: UInt8 { case first, second }

/// A value of more than a page, all of whose numbers are the same.
struct Wide {
    var words = InlineArray<1024, Int>(repeating: 0)

    init(filledWith number: Int = 0) { words = InlineArray(repeating: number) }
}
