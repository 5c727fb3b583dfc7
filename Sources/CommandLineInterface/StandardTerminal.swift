import Dispatch
import FoundationEssentials
import Glibc
import Synchronization

extension Terminal {
    /// The streams of this process.
    package static func standard() -> Terminal {
        Terminal(
            write: { writeAll($0, to: STDOUT_FILENO) }, writeError: { writeAll($0, to: STDERR_FILENO) },
            readLine: { Swift.readLine() }, isInputTerminal: isatty(STDIN_FILENO) == 1,
            isOutputTerminal: isatty(STDOUT_FILENO) == 1, isErrorTerminal: isatty(STDERR_FILENO) == 1,
            size: windowSize,
            timestamp: { Date.now.formatted(.iso8601) },
            randomID: {
                let digits = String(UInt64.random(in: .min ... .max), radix: 16)
                return String(repeating: "0", count: 16 - digits.count) + digits
            },
            pause: { duration in
                do { try await Task.sleep(for: duration) } catch { return }
            },
            interruption: awaitInterrupt, isTerminated: { wasTerminated.load(ordering: .relaxed) }, page: page)
    }

    /// A reader that went away is no error of ours: what cannot be written is dropped.
    private static func writeAll(_ text: String, to descriptor: Int32) {
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let written = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if written < 0, errno == EINTR { continue }
            guard written > 0 else { return }
            rest = rest.dropFirst(written)
        }
    }

    private static func windowSize() -> Size? {
        var window = winsize()
        guard ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &window) == 0, window.ws_col > 0, window.ws_row > 0 else {
            return nil
        }
        return Size(columns: Int(window.ws_col), rows: Int(window.ws_row))
    }

    /// The pager is a command line as in every other program that honours PAGER.
    private static func page(_ text: String, _ pager: String) -> Bool {
        guard let stream = popen(pager, "w") else { return false }
        fputs(text, stream)
        return pclose(stream) == 0
    }

    private static let wasTerminated = Atomic<Bool>(false)

    /// From the first call on, Ctrl-C and SIGTERM no longer end the process by themselves; a second one does.
    private static func awaitInterrupt() async {
        let (interrupts, continuation) = AsyncStream.makeStream(of: Void.self)
        let sources = [SIGINT, SIGTERM].map { number in
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler {
                signal(number, SIG_DFL)
                wasTerminated.store(number == SIGTERM, ordering: .relaxed)
                continuation.yield()
                continuation.finish()
            }
            source.resume()
            return source
        }
        for await _ in interrupts { break }
        for source in sources { source.cancel() }
        signal(SIGINT, SIG_DFL)
        signal(SIGTERM, SIG_DFL)
    }
}
