// ipc connect, listen and relay: with each other, and with Python's sockets.
import IPC
import Testing

@testable import IPCTests

@Suite(.guarded)
struct SocketTests {
    /// A script with the tool listening on a port that it chooses: `$port`, and `$sock`, a Unix socket; `$p` is its number.
    private func listening(_ options: String, _ script: String) async throws -> ToolRun {
        try await withTemporaryFolder { folder in
            let text = """
                export SWIFT_BACKTRACE=enable=no; ulimit -c 0
                sock=$1/sock; "$ipc" listen tcp:127.0.0.1:0 unix:$sock \(options) 2>$1/err >$1/out & p=$!
                until grep -q sock $1/err; do kill -0 $p || exit 99; sleep 0.01; done
                port=$(sed -n 's/.*127.0.0.1:\\([0-9]*\\)$/\\1/p' $1/err)
                \(script)
                """
            return try await Tool.script(text, folder.string)
        }
    }

    private let end = "; kill -TERM $p; wait $p; echo status $?; [ -e $sock ] && echo left; true"

    @Test("S-84: the end of the input ends our direction alone; the server's end ends the command")
    func echo() async throws {
        let run = try await listening(
            "--echo",
            #"printf 'a\nb' | "$ipc" connect tcp:127.0.0.1:$port; echo; echo c | "$ipc" connect unix:$sock"# + end)
        #expect(run.output == "a\nb\nc\nstatus 143\n")
    }

    @Test("S-84: the server's end ends the command, though its input is open")
    func serverEnds() async throws {
        let run = try await listening(
            "--greet hello", #"mkfifo $1/in; "$ipc" connect tcp:127.0.0.1:$port <>$1/in; echo $?; rm $1/in"# + end)
        #expect(run.output.hasPrefix("hello\n0\n"))
    }

    @Test("S-85: a prompt without a line's end is seen at once")
    func prompt() async throws {
        let run = try await listening(
            #"-- sh -c 'printf "name: "; read n; echo "hello $n"'"#,
            #"mkfifo $1/in; { "$ipc" connect tcp:127.0.0.1:$port <$1/in >$1/seen & }; exec 5>$1/in; until grep -q 'name: ' $1/seen; do sleep 0.01; done; echo me >&5; until grep -q 'hello me' $1/seen; do sleep 0.01; done; exec 5>&-; cat $1/seen; rm $1/in"#
                + end)
        #expect(run.output == "name: hello me\nstatus 143\n")
    }

    @Test("S-64: the program has its client as 0 and 1, and nothing else")
    func commandServer() async throws {
        let run = try await listening(
            #"-- sh -c 'ls /proc/self/fd | tr "\n" " "; env | grep -c IPC_MARK; cat'"#,
            #"export IPC_MARK=1; printf x | "$ipc" connect tcp:127.0.0.1:$port"# + end)
        #expect(run.output.hasPrefix("0 1 2 3 0\nx"), "3 is ls looking: \(run.output)")
    }

    @Test("S-61: two hundred clients of the command server, one that leaves and one that says nothing among them")
    func manyClients() async throws {
        let client = """
            import socket,sys,threading
            port=int(sys.argv[1]); good=[]
            silent=socket.create_connection(("127.0.0.1",port))
            socket.create_connection(("127.0.0.1",port)).close()
            def ask(n):
                s=socket.create_connection(("127.0.0.1",port)); s.sendall(b"%d\\n"%n); s.shutdown(socket.SHUT_WR)
                data=b""
                while True:
                    piece=s.recv(100)
                    if not piece: break
                    data+=piece
                if data==b"%d\\n"%n: good.append(n)
            threads=[threading.Thread(target=ask,args=(n,)) for n in range(200)]
            [t.start() for t in threads]; [t.join() for t in threads]
            print(len(good))
            """
        let run = try await listening("-- cat", "python3 -c '\(client)' $port" + end)
        #expect(run.output == "200\nstatus 143\n")
    }

    @Test func whoIsNotLetInIsGone() async throws {
        let run = try await listening(
            "--greet secret --deny 127.0.0.0/8",
            #""$ipc" connect tcp:127.0.0.1:$port </dev/null; "$ipc" connect unix:$sock </dev/null"# + end)
        #expect(run.output == "secret\nstatus 143\n")
    }

    @Test("N44: what is relayed is what was sent, both ways, each to its own end")
    func relayed() async throws {
        let script = #"""
            "$ipc" relay unix:$1/front tcp:127.0.0.1:$port 2>$1/err2 & q=$!
            until grep -q front $1/err2; do sleep 0.01; done
            head -c 3000000 /dev/urandom >$1/data
            "$ipc" connect unix:$1/front <$1/data | cmp - $1/data && echo equal
            echo x | "$ipc" relay - unix:$1/front
            kill -TERM $q; wait $q
            """#
        let run = try await listening("--echo", script + end)
        #expect(run.output == "equal\nx\nstatus 143\n")
    }

    @Test func inJSON() async throws {
        let run = try await listening("--echo", #"printf x | "$ipc" connect --json tcp:127.0.0.1:$port"# + end)
        #expect(
            run.output.hasPrefix(#"{"output":"x","peer":"127.0.0.1:"#)
                && run.output.contains(#""received":1,"sent":1}"#))
        let refused = try await Tool.run("connect", "--json", "unix:/no/such/socket")
        #expect(refused.status == 71)
        #expect(refused.output.contains(#""errno":"ENOENT""#) && refused.output.contains(#""kind":"notConnected""#))
    }

    @Test("Wrong words are refused with the reason")
    func usage() async throws {
        for (words, reason) in [
            (["connect", "tcp:"], "nothing behind the colon"), (["listen"], "no endpoint"),
            (["listen", "x"], "say tcp:HOST:PORT"),
            (["listen", "tcp:0", "--echo", "--greet", "x"], "say one of"), (["relay", "-", "-"], "one of the two"),
        ] {
            let run = try await Tool.start(Tool.path, words)
            #expect(run.status == 64)
            #expect(run.error.contains(reason), "\(run.error)")
        }
        let taken = try await listening(
            "--echo", #""$ipc" listen tcp:127.0.0.1:$port unix:$sock --echo; echo $?"# + end)
        #expect(taken.output.hasPrefix("71\n"))
        #expect(taken.error.contains("address already in use (EADDRINUSE)"))
    }

    @Test("S-72: whatever signal ends a server, its socket's file is gone; what SIGKILL leaves is replaced")
    func fileRemoved() async throws {
        for signal in ["ALRM", "USR1", "40"] + Sanitizer.faults("SEGV") {
            let run = try await listening(
                "--echo", "kill -\(signal) $p; wait $p 2>/dev/null; [ -e $sock ] && echo left; true")
            #expect(run.output == "", "\(signal)")
        }
        let killed = try await listening(
            "--echo",
            #"kill -KILL $p; wait $p 2>/dev/null; "$ipc" listen unix:$sock --greet again 2>$1/err & p=$!; until grep -q sock $1/err; do sleep 0.01; done; "$ipc" connect unix:$sock </dev/null"#
                + end)
        #expect(killed.output == "again\nstatus 143\n")
    }

    @Test("Sockets that a service manager hands over are served, and no child has their variables")
    func activated() async throws {
        let manager = """
            import os,socket,sys
            s=socket.socket(); s.bind(("127.0.0.1",0)); s.listen(); os.dup2(s.fileno(),3); os.set_inheritable(3,True)
            print(s.getsockname()[1],flush=True)
            os.environ.update(LISTEN_FDS="1",LISTEN_PID=str(os.getpid()))
            os.execv(sys.argv[1],[sys.argv[1],"listen","--activated","--","sh","-c","env | grep -c LISTEN"])
            """
        let script = #"""
            python3 -c "$1" "$ipc" >"$2/port" 2>"$2/err" & p=$!
            until grep -q listening "$2/err"; do kill -0 $p || exit 99; sleep 0.01; done
            "$ipc" connect tcp:127.0.0.1:$(cat "$2/port") </dev/null; kill -TERM $p; wait $p; echo $?
            """#
        try await withTemporaryFolder { folder in
            let run = try await Tool.script(script, manager, folder.string)
            #expect(run.output == "0\n143\n", "\(run.error)")
        }
        #expect(try await Tool.run("listen", "--activated", "--echo").status == 71)
    }

    @Test("S-86: rights are given up once it listens, for good")
    func droppedRights() async throws {
        guard try await Tool.script("id -u").output == "0\n" else { return }
        let run = try await listening(
            "--user 65534 --group 65534 -- sh -c 'id -u; id -g; id -G; grep Uid /proc/$PPID/status'",
            #""$ipc" connect tcp:127.0.0.1:$port </dev/null"# + "; kill -TERM $p; wait $p; rm -f $sock")
        #expect(run.output == "65534\n65534\n65534\nUid:\t65534\t65534\t65534\t65534\n", "\(run.output)\(run.error)")
    }
}
