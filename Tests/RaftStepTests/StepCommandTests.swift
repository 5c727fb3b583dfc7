import Testing

@testable import RaftStep

/// One engine and short ways to ask it.
struct StepTable {
    var engine = StepEngine()

    @discardableResult
    mutating func ask(_ line: String) throws -> JSON { try #require(JSON(parsing: engine.reply(toLine: line))) }

    /// Nodes 1 ... `count`, all voters.
    mutating func makeNodes(_ count: Int, _ more: String = "") throws {
        let voters = "[" + (1...count).map(String.init).joined(separator: ",") + "]"
        for id in 1...count { try accept(#"{"cmd":"node","id":\#(id),"voters":\#(voters)\#(more)}"#) }
    }

    @discardableResult
    mutating func accept(_ line: String) throws -> JSON {
        let reply = try ask(line)
        try #require(reply["ok"] == .bool(true), "\(line): \(reply.line)")
        return reply
    }

    /// Delivers what `reply` sent and what follows from it, until nothing is sent any more; the replies in order.
    @discardableResult
    mutating func settle(_ reply: JSON, except cut: Set<Int> = []) throws -> [JSON] {
        var queue = reply["msgs"]?.array ?? []
        var replies = [reply]
        while !queue.isEmpty {
            let message = queue.removeFirst()
            let (id, to, from) = (message["id"]?.int ?? 0, message["to"]?.int ?? 0, message["from"]?.int ?? 0)
            if cut.contains(to) || cut.contains(from) { continue }
            let answer = try ask(#"{"cmd":"deliver","msg":\#(id)}"#)
            queue += answer["msgs"]?.array ?? []
            replies.append(answer)
        }
        return replies
    }

    mutating func state(_ id: Int) throws -> JSON {
        try #require(try accept(#"{"cmd":"state","node":\#(id)}"#)["state"]?.array?.first)
    }
}

@Suite struct StepCommandTests {
    var table = StepTable()

    @Test func `hello names the features that exist`() throws {
        var table = table
        let reply = try table.accept(#"{"cmd":"hello"}"#)
        #expect(reply["name"] == "pgbastion")
        #expect(reply["features"]?.array?.contains("prevote") == true)
        #expect(reply["features"]?.array?.contains("joint") == false)
    }

    @Test(arguments: [
        "", "nonsense", "{}", "7", "[[]]", #"{"cmd":"fly"}"#, #"{"cmd":"tick","node":9}"#, #"{"cmd":"tick"}"#,
        #"{"cmd":"tick","node":1,"n":-1}"#, #"{"cmd":"tick","node":1,"n":9223372036854775807}"#,
        #"{"cmd":"tick","node":"1"}"#, #"{"cmd":"deliver","msg":99}"#, #"{"cmd":"node","id":1}"#,
        #"{"cmd":"node","id":0}"#, #"{"cmd":"node","id":7,"log":[3,2]}"#, #"{"cmd":"node","id":7,"log":[3],"term":2}"#,
        #"{"cmd":"node","id":7,"election":0}"#, #"{"cmd":"node","id":7,"storage":"tape"}"#,
        #"{"cmd":"step","to":1,"msg":{"from":2,"type":"vote","term":1}}"#, #"{"cmd":"restart","node":1}"#,
        #"{"cmd":"step","to":1,"msg":{"from":2,"type":"append","term":99999999999999999999,"prev_index":0,"prev_term":0}}"#,
        #"{"cmd":"member","node":1,"changes":["*v4"]}"#, #"{"cmd":"member","node":1,"changes":["+v+4"]}"#,
    ])
    func `a command without sense is refused and nothing else`(_ line: String) throws {
        var table = table
        try table.makeNodes(1)
        let before = try table.state(1)
        let reply = try table.ask(line)
        #expect(reply == StepReply.refusal || reply == .array([StepReply.refusal]))
        #expect(try table.state(1) == before)
    }

    @Test func `a line with an array is answered by an array`() throws {
        var table = table
        let reply = try table.ask(#"[{"cmd":"node","id":1,"voters":[1]},{"cmd":"campaign","node":1},{"cmd":"x"}]"#)
        let replies = try #require(reply.array)
        #expect(replies.map { $0["ok"] } == [.bool(true), .bool(true), .bool(false)])
        #expect(replies[1]["state"]?.array?.first?["role"] == "leader")
    }

    @Test func `a node starts with exactly the state it was given`() throws {
        var table = table
        let reply = try table.accept(
            #"{"cmd":"node","id":3,"voters":[1,2,3],"learners":[4],"term":7,"vote":2,"commit":6,"#
                + #""snap":{"index":5,"term":2,"data":"s"},"log":[2,{"term":3,"data":"x"},7]}"#)
        let state = try #require(reply["state"]?.array?.first)
        #expect(
            state
                == JSON(
                    parsing:
                        #"{"id":3,"up":true,"role":"follower","term":7,"vote":2,"leader":0,"commit":6,"applied":6,"first":6,"#
                        + #""last":8,"last_term":7,"voters":[1,2,3],"learners":[4]}"#))
        #expect(reply["applied"] == JSON(parsing: #"[{"node":3,"index":6,"term":2,"data":""}]"#))
        let log = try table.accept(#"{"cmd":"log","node":3}"#)
        #expect(log["first"] == .int(6))
        #expect(log["entries"] == JSON(parsing: #"[{"term":2,"data":""},{"term":3,"data":"x"},{"term":7,"data":""}]"#))
    }

    @Test func `a timeout is obeyed to the tick and a new leader sends its entry at once`() throws {
        var table = table
        try table.makeNodes(3)
        try table.accept(#"{"cmd":"timeout","node":2,"ticks":4}"#)
        #expect(try table.accept(#"{"cmd":"tick","node":2,"n":3}"#)["msgs"] == .array([]))
        let votes = try table.accept(#"{"cmd":"tick","node":2}"#)
        #expect(votes["msgs"]?.array?.count == 2)
        let first = try #require(votes["msgs"]?.array?.first?["id"]?.int)
        let granted = try table.accept(#"{"cmd":"deliver","msg":\#(first)}"#)
        let answer = try #require(granted["msgs"]?.array?.first)
        #expect(answer["type"] == "vote_resp" && answer["granted"] == .bool(true))
        let won = try table.accept(#"{"cmd":"deliver","msg":\#(answer["id"]?.int ?? 0)}"#)
        let appends = try #require(won["msgs"]?.array).filter { $0["type"] == "append" }
        #expect(appends.contains { $0["entries"]?.array?.count == 1 })
    }

    @Test func `a proposal is sent, committed and applied everywhere`() throws {
        var table = table
        try table.makeNodes(3)
        try table.settle(try table.accept(#"{"cmd":"campaign","node":1}"#))
        #expect(try table.accept(#"{"cmd":"propose","node":2,"data":"no"}"#)["accepted"] == .bool(false))
        let reply = try table.accept(#"{"cmd":"propose","node":1,"data":"a\u0001\"é"}"#)
        #expect(reply["accepted"] == .bool(true))
        #expect(reply["index"] == .int(2))
        #expect(reply["msgs"]?.array?.isEmpty == false)
        let replies = try table.settle(reply) + table.settle(try table.accept(#"{"cmd":"tick","node":1}"#))
        var applied = replies.flatMap { $0["applied"]?.array ?? [] }
        applied.removeAll { $0["data"] != "a\u{1}\"é" }
        #expect(applied.compactMap { $0["node"]?.int }.sorted() == [1, 2, 3])
    }

    @Test func `a message can be delivered twice until it is forgotten`() throws {
        var table = table
        try table.makeNodes(2)
        let id = try #require(
            try table.accept(#"{"cmd":"campaign","node":1}"#)["msgs"]?.array?.first?["id"]?.int)
        try table.accept(#"{"cmd":"deliver","msg":\#(id)}"#)
        try table.accept(#"{"cmd":"deliver","msg":\#(id)}"#)
        try table.accept(#"{"cmd":"forget","msgs":[\#(id),4711]}"#)
        #expect(try table.ask(#"{"cmd":"deliver","msg":\#(id)}"#) == StepReply.refusal)
    }

    @Test func `hand-made messages need none of our own fields`() throws {
        var table = table
        try table.makeNodes(3)
        let reply = try table.accept(
            #"{"cmd":"step","to":1,"msg":{"type":"append","from":2,"to":1,"term":3,"prev_index":0,"prev_term":0,"#
                + #""entries":[{"term":1,"data":"x"},{"term":3,"data":"y"}],"commit":1}}"#)
        let answer = try #require(reply["msgs"]?.array?.first)
        #expect(answer["type"] == "append_resp" && answer["ok"] == .bool(true) && answer["match"] == .int(2))
        #expect(reply["applied"] == JSON(parsing: #"[{"node":1,"index":1,"term":1,"data":"x"}]"#))
        let gap = try table.accept(
            #"{"cmd":"step","to":1,"msg":{"type":"append","from":2,"term":3,"prev_index":9,"prev_term":3,"entries":[]}}"#
        )
        #expect(gap["msgs"]?.array?.first?["ok"] == .bool(false))
        let vote = try table.accept(
            #"{"cmd":"step","to":1,"msg":{"type":"vote","from":3,"term":4,"last_index":1,"last_term":1}}"#)
        #expect(vote["msgs"]?.array?.first?["granted"] == .bool(false))
        let snapshot = try table.accept(
            #"{"cmd":"step","to":1,"msg":{"type":"snapshot","from":3,"term":4,"index":9,"snap_term":3,"voters":[1,3],"#
                + #""learners":[],"data":"all"}}"#)
        #expect(snapshot["applied"] == JSON(parsing: #"[{"node":1,"index":9,"term":3,"snapshot":true}]"#))
        #expect(snapshot["msgs"]?.array?.first?["match"] == .int(9))
        #expect(snapshot["state"]?.array?.first?["voters"] == JSON(parsing: "[1,3]"))
    }

    @Test func `timeout_now by hand starts a campaign without pre-vote`() throws {
        var table = table
        try table.makeNodes(3, #","prevote":true"#)
        let reply = try table.accept(#"{"cmd":"step","to":1,"msg":{"type":"timeout_now","from":2,"term":1}}"#)
        let vote = try #require(reply["msgs"]?.array?.first)
        #expect(vote["type"] == "vote" && vote["pre"] == .bool(false) && vote["transfer"] == .bool(true))
    }

    @Test func `equal commands after a reset give equal replies`() throws {
        func run(_ seed: Int) throws -> [String] {
            var table = StepTable()
            try table.accept(#"{"cmd":"reset","seed":1}"#)
            var lines: [String] = []
            for _ in 0..<2 {
                lines.append(try table.accept(#"{"cmd":"reset","seed":\#(seed)}"#).line)
                try table.makeNodes(3)
                for i in 0..<60 { lines.append(try table.accept(#"{"cmd":"tick","node":\#(i % 3 + 1)}"#).line) }
            }
            #expect(Array(lines.prefix(61)) == Array(lines.suffix(61)))
            return lines
        }
        #expect(try run(5) == run(5))
    }

    @Test func `quorum arithmetic answers for one list and for two`() throws {
        var table = table
        let match = #""match":{"1":5,"2":3,"3":1,"4":9}"#
        #expect(try table.accept(#"{"cmd":"committed","voters":[[1,2,3]],\#(match)}"#)["index"] == .int(3))
        #expect(try table.accept(#"{"cmd":"committed","voters":[[1,2,3],[3,4]],\#(match)}"#)["index"] == .int(1))
        #expect(try table.accept(#"{"cmd":"committed","voters":[[1,2],[]],\#(match)}"#)["index"] == .int(3))
        #expect(try table.accept(#"{"cmd":"committed","voters":[[]],"match":{}}"#)["index"] == .null)
        let votes = #""votes":{"1":true,"2":true,"3":false}"#
        #expect(try table.accept(#"{"cmd":"vote_result","voters":[[1,2,3]],\#(votes)}"#)["result"] == "won")
        #expect(try table.accept(#"{"cmd":"vote_result","voters":[[1,2],[3]],\#(votes)}"#)["result"] == "lost")
        #expect(try table.accept(#"{"cmd":"vote_result","voters":[1,4],\#(votes)}"#)["result"] == "pending")
    }
}
