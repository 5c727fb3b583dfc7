import FoundationEssentials
import Glibc

/// A program on a terminal of its own: keys go in, what it shows comes out.
final class PseudoTerminal {
    private let master: Int32
    private let process: pid_t
    private(set) var shown = ""
    /// Source: asm-generic/ioctls.h (TIOCSPTLCK, TIOCGPTN) and spawn.h (POSIX_SPAWN_SETSID), which Glibc does not show.
    private static let setLock: UInt = 0x4004_5431
    private static let getNumber: UInt = 0x8004_5430
    private static let newSession: Int16 = 0x80

    init(_ arguments: [String], environment: [String: String], folder: String) throws {
        master = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC)
        var (unlock, number): (Int32, UInt32) = (0, 0)
        guard master >= 0, ioctl(master, Self.setLock, &unlock) == 0, ioctl(master, Self.getNumber, &number) == 0 else {
            throw Shell.CannotRun(program: "/dev/ptmx")
        }
        var window = winsize(ws_row: 40, ws_col: 200, ws_xpixel: 0, ws_ypixel: 0)
        _ = ioctl(master, UInt(TIOCSWINSZ), &window)
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        // The first terminal a session opens is its controlling one.
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/pts/\(number)", O_RDWR, 0)
        posix_spawn_file_actions_adddup2(&actions, 0, 1)
        posix_spawn_file_actions_adddup2(&actions, 0, 2)
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        posix_spawnattr_setflags(&attributes, Self.newSession)
        var words: [UnsafeMutablePointer<CChar>?] = (["env", "-C", folder] + arguments).map { strdup($0) } + [nil]
        var pairs: [UnsafeMutablePointer<CChar>?] = environment.map { strdup("\($0.key)=\($0.value)") } + [nil]
        defer { for text in words + pairs { free(text) } }
        var started: pid_t = 0
        guard posix_spawnp(&started, "env", &actions, &attributes, &words, &pairs) == 0 else {
            close(master)
            throw Shell.CannotRun(program: arguments[0])
        }
        process = started
    }

    /// Ends the program and what it started.
    func end() {
        kill(-process, SIGKILL)
        var status: Int32 = 0
        while waitpid(process, &status, 0) < 0, errno == EINTR {}
        close(master)
    }

    func type(_ keys: String) {
        var rest = Array(keys.utf8)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { write(master, $0.baseAddress, $0.count) }
            guard count > 0 else { return }
            rest = rest.dropFirst(count)
        }
    }

    /// Whether `text` was shown before `limit` passed.
    func waits(for text: String, limit: Duration = .seconds(30)) -> Bool {
        let clock = ContinuousClock()
        let deadline = clock.now.advanced(by: limit)
        var buffer = [UInt8](repeating: 0, count: 4096)
        while !shown.contains(text) {
            guard clock.now < deadline else { return false }
            var entry = pollfd(fd: master, events: Int16(POLLIN), revents: 0)
            guard poll(&entry, 1, 200) > 0 else { continue }
            let count = read(master, &buffer, buffer.count)
            guard count > 0 else { return shown.contains(text) }
            // A carriage return and a newline are one character of a Swift text.
            shown += String(decoding: buffer[..<count].filter { $0 != 0x0D }, as: UTF8.self)
        }
        return true
    }

    func forget() { shown = "" }
}
