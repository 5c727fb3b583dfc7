import Dispatch
import FoundationEssentials
import Glibc

extension Terminal {
    /// The streams of this process.
    package static func standard() -> Terminal {
        Terminal(
            write: { writeAll($0, to: STDOUT_FILENO) }, writeError: { writeAll($0, to: STDERR_FILENO) },
            readLine: { Swift.readLine() }, isInputTerminal: isatty(STDIN_FILENO) == 1,
            isOutputTerminal: isatty(STDOUT_FILENO) == 1,
            timestamp: { Date.now.formatted(.iso8601) },
            randomID: {
                let digits = String(UInt64.random(in: .min ... .max), radix: 16)
                return String(repeating: "0", count: 16 - digits.count) + digits
            },
            pause: { duration in
                do { try await Task.sleep(for: duration) } catch { return }
            },
            interruption: awaitInterrupt)
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

    /// From the first call on, Ctrl-C no longer ends the process by itself; a second one does.
    private static func awaitInterrupt() async {
        let (interrupts, continuation) = AsyncStream.makeStream(of: Void.self)
        signal(SIGINT, SIG_IGN)
        let source = DispatchSource.makeSignalSource(signal: SIGINT, queue: .global())
        source.setEventHandler {
            signal(SIGINT, SIG_DFL)
            continuation.yield()
            continuation.finish()
        }
        source.resume()
        for await _ in interrupts { break }
        source.cancel()
        signal(SIGINT, SIG_DFL)
    }
}
