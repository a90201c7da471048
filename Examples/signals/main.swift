// The signals of this host by name and by number. The manual, lines 42-55: $signame[17] and $signo{ALRM}.
//
//     signals [NAME|NUMBER...]
//
// Names come with or without SIG, in whatever case, RTMIN+3 and CLD among them. Without a word all signals are listed, each
// found by its name.
import Glibc
import IPC

var missing = false
let words = CommandLine.arguments.dropFirst()
for word in words.isEmpty ? Signal.all.map(\.name) : Array(words) {
    if let signal = Signal(word) {
        print("\(signal.number) \(signal): \(signal.defaultAction) (\(signal.meaning))")
    } else {
        print("\(word): no signal")
        missing = true
    }
}
exit(missing ? 1 : 0)
