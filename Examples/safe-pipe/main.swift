// Writing to a command without a shell. The manual, lines 377-392: open(KID, "|-") and exec($program, @options, @args).
//
//     safe-pipe [PROGRAM [ARGUMENT...]]
//
// The manual traps ALRM where it means PIPE. Here there is nothing to trap: that the program has left is an error of the
// write, and the pipe's end waits for the program's.
import IPC

try EventLoop.run {
    let words = CommandLine.arguments.dropFirst()
    let program = Command(words.first ?? "sort", arguments: Array(words.dropFirst()))

    do {
        try await program.withInput { kid in
            for datum in ["pear", "apple", "$(date)"] { try await kid.write(datum + "\n") }
        }
        print("written")
    } catch {
        print("whoops: \(error)")
    }
}
