import Glibc

// The loop of the step binary: a line in, a line out, until the input ends. A reader that is gone ends it as well.
signal(SIGPIPE, SIG_IGN)
var engine = StepEngine()
while let line = readLine(), StandardOutput.write(engine.reply(toLine: line)) {}
// Lets go of the Raft directories, which removes them.
engine = StepEngine()
