// ipc-bench WORKLOAD VARIANT: one measurement of the library, printed as the floors print theirs.
import CBench
import Glibc
import IPC

@main
struct Bench {
    static let seconds = getenv("BENCH_SECS").flatMap { Double(String(cString: $0)) } ?? 0.4

    static func report(_ value: Double, _ unit: String) { print("R - \(value) \(unit)") }

    static func main() throws {
        let arguments = CommandLine.arguments
        guard arguments.count >= 3 else {
            print("usage: ipc-bench spawn|capture|lines|unix-pp|pipe-pp VARIANT")
            exit(64)
        }
        switch arguments[1] {
        case "unix-pp": try PingPong.run(arguments[2], overSockets: true)
        case "pipe-pp": try PingPong.run(arguments[2], overSockets: false)
        default: exit(64)
        }
    }
}
