import ClusterModel
import Glibc
import RaftCore
import RaftIO

/// `pgbastion-lin-kv`: speaks the Maelstrom protocol on standard input and output; its state is under
/// `$MAEL_DIR/<node id>` and survives a kill.
@main struct LinKVMain {
    static let tickNanoseconds: Int64 = 10_000_000
    /// Limit: time lost in a stall is not made up for beyond this, so that queued messages come first.
    static let maximumTicks: Int64 = 10

    private var input: [UInt8] = []
    private var node: KeyValueNode?
    private var lastTick = LinKVMain.now()

    static func main() {
        signal(SIGPIPE, SIG_IGN)
        var server = LinKVMain()
        do throws(BastionError) {
            try server.run()
        } catch {
            let text = Array("pgbastion-lin-kv: error: \(error)\n".utf8)
            _ = write(2, text, text.count)
            exit(error.code.exitStatus)
        }
    }

    private mutating func run() throws(BastionError) {
        while try readInput() {
            let due = min((LinKVMain.now() - lastTick) / LinKVMain.tickNanoseconds, LinKVMain.maximumTicks)
            if due > 0 {
                node?.tick(Int(due))
                lastTick = due == LinKVMain.maximumTicks ? LinKVMain.now() : lastTick + due * LinKVMain.tickNanoseconds
            }
            guard let node else { continue }
            try send(try node.flush())
        }
        try node?.close()
    }

    /// Waits for input until the next tick is due; false at the end of the input.
    private mutating func readInput() throws(BastionError) -> Bool {
        let wait = max(0, LinKVMain.tickNanoseconds - (LinKVMain.now() - lastTick)) / 1_000_000
        var descriptor = pollfd(fd: 0, events: Int16(POLLIN), revents: 0)
        guard poll(&descriptor, 1, Int32(wait + 1)) > 0 else { return true }
        var part = [UInt8](repeating: 0, count: 256 * 1024)
        let count = read(0, &part, part.count)
        if count < 0 { return errno == EINTR }
        if count == 0 { return false }
        input.append(contentsOf: part[..<count])
        var start = 0
        while let end = input[start...].firstIndex(of: UInt8(ascii: "\n")) {
            if let message = MaelstromMessage(line: Array(input[start..<end])) { try receive(message) }
            start = end + 1
        }
        input.removeFirst(start)
        return true
    }

    private mutating func receive(_ message: MaelstromMessage) throws(BastionError) {
        guard message.type == "init" else {
            node?.receive(message)
            return
        }
        guard let name = message.body["node_id"]?.text, let members = message.body["node_ids"]?.list?.compactMap(\.text)
        else { throw BastionError(.invalidData, "init without node_id or node_ids") }
        if node == nil {
            node = try KeyValueNode(name: name, members: members, directory: directory(name), seed: LinKVMain.seed())
        }
        var body: [String: JSONValue] = ["type": .string("init_ok")]
        if let id = message.id { body["in_reply_to"] = .integer(id) }
        try send([MaelstromMessage(source: name, destination: message.source, body: body)])
    }

    private func directory(_ name: String) throws(BastionError) -> String {
        let parent = getenv("MAEL_DIR").map { String(cString: $0) } ?? "."
        guard mkdir(parent, 0o700) == 0 || errno == EEXIST else {
            throw BastionError(.io, "could not create \"\(parent)\"", detail: String(cString: strerror(errno)))
        }
        return "\(parent)/\(name)"
    }

    private func send(_ messages: [MaelstromMessage]) throws(BastionError) {
        var bytes: [UInt8] = []
        for message in messages { bytes += message.line }
        var start = 0
        while start < bytes.count {
            let count = bytes.withUnsafeBytes { write(1, $0.baseAddress.map { $0 + start }, bytes.count - start) }
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { throw BastionError(.io, "could not write to standard output") }
            start += count
        }
    }

    private static func now() -> Int64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }

    /// Nodes must not draw the same election timeouts.
    private static func seed() -> UInt64 { .random(in: 0 ... .max) }
}
