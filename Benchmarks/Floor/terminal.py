"""terminal.py: the same with pexpect, for comparison; prints nothing where that is not installed."""
import os, sys, time
try:
    import pexpect
except ImportError:
    sys.exit(77)
child = pexpect.spawn("cat", echo=False)
child.delaybeforesend = None  # else each line waits 50 ms
begin, limit, rounds = time.monotonic(), float(os.environ.get("BENCH_SECS", "0.4")), 0
while time.monotonic() - begin < limit:
    child.sendline("line %d" % rounds)
    child.expect_exact("line %d\r\n" % rounds)
    rounds += 1
print("R - %g answers/s" % (rounds / (time.monotonic() - begin)))
child.close(force=True)
