import Testing

@testable import RaftStep

/// Commands that need a leader.
@Suite struct StepClusterTests {
    private func ledByOne(_ count: Int = 3, _ more: String = "") throws -> StepTable {
        var table = StepTable()
        try table.makeNodes(count, more)
        try table.settle(try table.accept(#"{"cmd":"campaign","node":1}"#))
        try #require(try table.state(1)["role"] == "leader")
        return table
    }

    private func applied(_ replies: [JSON]) -> [JSON] { replies.flatMap { $0["applied"]?.array ?? [] } }

    @Test(arguments: ["memory", "sqlite"])
    func `a crash keeps what was promised and drops the rest`(_ storage: String) throws {
        var table = try ledByOne(3, #","storage":"\#(storage)""#)
        for i in 0..<5 { try table.settle(try table.accept(#"{"cmd":"propose","node":1,"data":"d\#(i)"}"#)) }
        let (before, log) = (try table.state(2), try table.accept(#"{"cmd":"log","node":2}"#))
        let down = try table.accept(#"{"cmd":"crash","node":2}"#)
        #expect(down["state"]?.array?.first?["role"] == "down")
        #expect(down["state"]?.array?.first?["up"] == .bool(false))
        #expect(try table.ask(#"{"cmd":"tick","node":2}"#) == StepReply.refusal)
        #expect(try table.ask(#"{"cmd":"crash","node":2}"#) == StepReply.refusal)
        let up = try #require(try table.accept(#"{"cmd":"restart","node":2}"#)["state"]?.array?.first)
        for key in ["term", "vote", "first", "last", "last_term", "voters"] { #expect(up[key] == before[key]) }
        #expect(up["leader"] == .int(0))
        #expect(up["commit"] == .int(0))
        #expect(try table.accept(#"{"cmd":"log","node":2}"#)["entries"] == log["entries"])
        let replies = try table.settle(try table.accept(#"{"cmd":"tick","node":1}"#))
        #expect(applied(replies).filter { $0["node"] == .int(2) }.count == 6)
    }

    @Test(arguments: ["memory", "sqlite"])
    func `a follower behind the compacted log gets the snapshot`(_ storage: String) throws {
        var table = try ledByOne(3, #","storage":"\#(storage)""#)
        for i in 0..<5 {
            try table.settle(try table.accept(#"{"cmd":"propose","node":1,"data":"d\#(i)"}"#), except: [3])
        }
        #expect(try table.accept(#"{"cmd":"compact","node":1,"index":99}"#)["accepted"] == .bool(false))
        let compacted = try table.accept(#"{"cmd":"compact","node":1,"index":5}"#)
        #expect(compacted["accepted"] == .bool(true))
        #expect(compacted["state"]?.array?.first?["first"] == .int(6))
        try table.accept(#"{"cmd":"crash","node":1}"#)
        #expect(try table.accept(#"{"cmd":"restart","node":1}"#)["state"]?.array?.first?["first"] == .int(6))
        var replies = try table.settle(try table.accept(#"{"cmd":"campaign","node":1}"#))
        for _ in 0..<6 { replies += try table.settle(try table.accept(#"{"cmd":"tick","node":1}"#)) }
        let installed = applied(replies).filter { $0["snapshot"] == .bool(true) }
        #expect(installed.first?["node"] == .int(3))
        #expect(try table.state(3)["applied"] == table.state(1)["commit"])
    }

    @Test func `members come and go one at a time`() throws {
        var table = try ledByOne()
        try table.accept(#"{"cmd":"node","id":4,"voters":[]}"#)
        let two = try table.accept(#"{"cmd":"member","node":1,"changes":["+v4","-v3"]}"#)
        #expect(two["accepted"] == .bool(false))
        for change in ["+l4", "+v4", "-v3"] {
            let reply = try table.accept(#"{"cmd":"member","node":1,"changes":["\#(change)"]}"#)
            #expect(reply["accepted"] == .bool(true), "\(change)")
            try table.settle(reply)
            for _ in 0..<4 { try table.settle(try table.accept(#"{"cmd":"tick","node":1}"#)) }
            if change == "+l4" { #expect(try table.state(4)["role"] == "learner") }
        }
        #expect(try table.state(4)["voters"] == JSON(parsing: "[1,2,4]"))
        #expect(try table.state(4)["role"] == "follower")
        #expect(try table.accept(#"{"cmd":"member","node":2,"changes":["+v3"]}"#)["accepted"] == .bool(false))
    }

    @Test func `leadership is handed over`() throws {
        var table = try ledByOne()
        let reply = try table.accept(#"{"cmd":"transfer","node":1,"to":3}"#)
        #expect(reply["accepted"] == .bool(true))
        try table.settle(reply)
        #expect(try table.state(3)["role"] == "leader")
        #expect(try table.accept(#"{"cmd":"transfer","node":1,"to":3}"#)["accepted"] == .bool(false))
    }

    @Test func `a read is answered once a majority confirmed the leader`() throws {
        var table = try ledByOne()
        let reply = try table.accept(#"{"cmd":"read","node":1,"ctx":"who"}"#)
        #expect(reply["accepted"] == .bool(true))
        #expect(reply["reads"] == .array([]))
        let reads = try table.settle(reply).flatMap { $0["reads"]?.array ?? [] }
        #expect(reads == [try #require(JSON(parsing: #"{"node":1,"ctx":"who","index":1}"#))])
        #expect(try table.accept(#"{"cmd":"read","node":2,"ctx":1}"#)["accepted"] == .bool(false))
        try table.accept(#"{"cmd":"read","node":1,"ctx":7}"#)
        let lost = try table.accept(
            #"{"cmd":"step","to":1,"msg":{"type":"append_resp","from":2,"term":50,"ok":false}}"#)
        #expect(lost["reads"] == JSON(parsing: #"[{"node":1,"ctx":7,"failed":true}]"#))
    }

    @Test func `a peer can be reported unreachable`() throws {
        var table = try ledByOne()
        try table.accept(#"{"cmd":"unreachable","node":1,"peer":2}"#)
        try table.accept(#"{"cmd":"unreachable","node":1,"peer":77}"#)
        try table.settle(try table.accept(#"{"cmd":"propose","node":1,"data":"x"}"#))
        #expect(try table.state(1)["commit"] == .int(2))
    }

    @Test func `a refusal without a hint moves the leader back by one entry`() throws {
        var table = StepTable()
        try table.accept(#"{"cmd":"node","id":1,"voters":[1,2,3],"log":[1,1,1,1]}"#)
        try table.settle(try table.accept(#"{"cmd":"campaign","node":1}"#))
        try table.accept(
            #"{"cmd":"step","to":1,"msg":{"type":"vote_resp","from":2,"term":2,"granted":true}}"#)
        let reply = try table.accept(
            #"{"cmd":"step","to":1,"msg":{"type":"append_resp","from":2,"term":2,"ok":false}}"#)
        let append = reply["msgs"]?.array?.first { $0["type"] == "append" && $0["entries"]?.array?.isEmpty == false }
        #expect(append?["prev_index"] == .int(3))
    }

    @Test func `check-quorum makes a lone leader step down`() throws {
        var table = try ledByOne(3, #","checkquorum":true"#)
        let reply = try table.accept(#"{"cmd":"tick","node":1,"n":10}"#)
        #expect(reply["state"]?.array?.first?["role"] == "follower")
    }
}
