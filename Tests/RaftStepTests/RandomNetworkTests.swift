import RaftCore
import Testing

@testable import RaftStep

/// Whole clusters under a random network, judged by the replies alone.
@Suite struct RandomNetworkTests {
    @Test(arguments: 0..<60)
    func `no order of messages, crashes and changes breaks a safety property`(_ seed: UInt64) throws {
        var driver = NetworkDriver(seed: seed, storage: "memory")
        try driver.run(steps: 1_200)
        #expect(driver.checker.problems == [], "seed \(seed)")
    }

    @Test(arguments: 100..<103)
    func `the same holds on the store of the daemon`(_ seed: UInt64) throws {
        var driver = NetworkDriver(seed: seed, storage: "sqlite")
        try driver.run(steps: 400)
        #expect(driver.checker.problems == [], "seed \(seed)")
    }

    @Test func `a seed gives the same run twice and the runs get something done`() throws {
        var first = NetworkDriver(seed: 4, storage: "memory")
        var second = NetworkDriver(seed: 4, storage: "memory")
        try first.run(steps: 1_200)
        try second.run(steps: 1_200)
        #expect(first.digest == second.digest)
        var (applied, leaders, reads) = (0, 0, 0)
        for seed in 200..<220 {
            var driver = NetworkDriver(seed: UInt64(seed), storage: "memory")
            try driver.run(steps: 1_200)
            applied += driver.checker.appliedCount
            leaders += driver.checker.leaders.count
            reads += driver.checker.readsServed
        }
        #expect(applied > 2_000 && leaders > 40 && reads > 50, "\(applied) \(leaders) \(reads)")
    }

    /// Otherwise an empty list of problems would mean nothing.
    @Test func `the checker sees a second leader and a different entry`() throws {
        var checker = SafetyChecker()
        for id in 1...2 {
            checker.note(
                try #require(
                    JSON(
                        parsing: #"{"state":[{"id":\#(id),"up":true,"role":"leader","term":3,"commit":0,"last":0}],"#
                            + #""applied":[{"node":\#(id),"index":1,"term":\#(id),"data":""}]}"#)))
        }
        #expect(checker.problems.count == 2)
    }
}

/// The network, the clock and the crashes of one run.
struct NetworkDriver {
    private var table = StepTable()
    private var generator: SeededGenerator
    private var wire: [Int] = []
    private var down: Set<Int> = []
    private let count: Int
    private var proposals = 0
    var checker = SafetyChecker()
    var digest: UInt64 = 14_695_981_039_346_656_037
    private let settings: String

    init(seed: UInt64, storage: String) {
        generator = SeededGenerator(seed: seed)
        count = generator.draw(3...5)
        settings =
            #","heartbeat":3,"prevote":\#(seed % 2 == 0),"checkquorum":\#(seed % 3 == 0),"max_entries":\#(1 + seed % 4),"#
            + #""max_inflight":\#(1 + seed % 3),"storage":"\#(storage)""#
    }

    mutating func run(steps: Int) throws {
        try send(#"{"cmd":"reset","seed":\#(generator.draw(0...1_000_000))}"#)
        for id in 1...count { try send(#"{"cmd":"node","id":\#(id),"voters":[1,2,3]\#(settings)}"#) }
        for _ in 0..<steps { try step() }
        try calm()
    }

    private mutating func step() throws {
        let node = generator.draw(1...count)
        switch generator.draw(0...99) {
        case 0..<50 where !wire.isEmpty: try deliver(remove: true)
        case 50..<54 where !wire.isEmpty: try deliver(remove: false)
        case 54..<57 where !wire.isEmpty: wire.remove(at: generator.draw(0...(wire.count - 1)))
        case 57..<75: try send(#"{"cmd":"tick","node":\#(node),"n":\#(generator.draw(1...4))}"#)
        case 75..<83:
            proposals += 1
            try send(#"{"cmd":"propose","node":\#(node),"data":"p\#(proposals)"}"#)
        case 83..<86:
            try send(#"{"cmd":"\#(down.contains(node) ? "restart" : "crash")","node":\#(node)}"#)
        case 86..<89: if let id = down.sorted().first { try send(#"{"cmd":"restart","node":\#(id)}"#) }
        case 89..<91: try changeMembers(at: node)
        case 91..<94:
            let floor = checker.highestCommit
            let number = generator.draw(1...1_000_000_000)
            checker.readFloors[number] = floor
            try send(#"{"cmd":"read","node":\#(node),"ctx":\#(number)}"#)
        case 94: try send(#"{"cmd":"compact","node":\#(node),"index":\#(checker.applied[node] ?? 0)}"#)
        case 95: try send(#"{"cmd":"transfer","node":\#(node),"to":\#(generator.draw(1...count))}"#)
        case 96: try send(#"{"cmd":"unreachable","node":\#(node),"peer":\#(generator.draw(1...count))}"#)
        case 97: try send(#"{"cmd":"campaign","node":\#(node)}"#)
        default: try send(#"{"cmd":"timeout","node":\#(node),"ticks":\#(generator.draw(1...9))}"#)
        }
    }

    private mutating func changeMembers(at node: Int) throws {
        let change = ["+v", "-v", "+l"][generator.draw(0...2)]
        try send(#"{"cmd":"member","node":\#(node),"changes":["\#(change)\#(generator.draw(1...count))"]}"#)
    }

    /// Any message, so that order means nothing.
    private mutating func deliver(remove: Bool) throws {
        let at = generator.draw(0...(wire.count - 1))
        let id = wire[at]
        if remove { wire.remove(at: at) }
        try send(#"{"cmd":"deliver","msg":\#(id)}"#)
    }

    /// With everybody up and nothing lost, somebody leads and commits in the end.
    private mutating func calm() throws {
        for id in down.sorted() { try send(#"{"cmd":"restart","node":\#(id)}"#) }
        let before = checker.highestCommit
        for round in 0..<400 {
            for id in 1...count { try send(#"{"cmd":"tick","node":\#(id)}"#) }
            while !wire.isEmpty { try send(#"{"cmd":"deliver","msg":\#(wire.removeFirst())}"#) }
            if round % 10 == 0 { for id in 1...count { try send(#"{"cmd":"propose","node":\#(id),"data":"last"}"#) } }
            if checker.highestCommit > before + 3 { return }
        }
        checker.problems.append("nothing was committed in 400 calm rounds")
    }

    private mutating func send(_ line: String) throws {
        let reply = try table.ask(line)
        for byte in reply.line.utf8 { digest = (digest ^ UInt64(byte)) &* 1_099_511_628_211 }
        guard reply["ok"] == .bool(true) else {
            if reply["error"] != nil { checker.problems.append("\(line): \(reply.line)") }
            return
        }
        wire += (reply["msgs"]?.array ?? []).compactMap { $0["id"]?.int }
        for state in reply["state"]?.array ?? [] {
            guard let id = state["id"]?.int else { continue }
            if state["up"] == .bool(true) { down.remove(id) } else { down.insert(id) }
        }
        checker.note(reply)
    }
}
