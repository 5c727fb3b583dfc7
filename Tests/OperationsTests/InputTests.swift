import ClusterModel
import Operations
import Testing

@Suite struct InputTests {
    private func error(_ name: String, _ input: String) async throws -> BastionError {
        let gateway = example()
        let answer = try await run(name, input, on: gateway)
        #expect(await gateway.submissions.isEmpty)
        return try #require(answer.error)
    }

    @Test func `Q03 an unknown field is refused and named with what was probably meant`() async throws {
        let error = try await error("peer.add", #"{"name":"node4","adress":"10.0.1.4"}"#)
        #expect(error.code == .invalidRequest)
        #expect(error.message == #"unknown field "adress""#)
        #expect(error.hint == #"did you mean "address"?"#)
    }

    @Test func `Q03 malformed JSON is refused with its position`() async throws {
        let error = try await error("pause", "{\"for\": \"2h\",\n  \"reason\" \"x\"}")
        #expect(error.message == "malformed JSON at line 2, column 12: \":\" was expected")
        #expect(error.code.exitStatus == 64)
    }

    @Test func `Q03 a wrong type is refused and named`() async throws {
        #expect(
            try await error("peer.add", #"{"name":3,"address":"h"}"#).message
                == #"field "name" must be a string, not a number"#)
        #expect(
            try await error("peer.remove", #"{"name":"node3","force":"yes"}"#).message.hasPrefix(
                #"field "force" must be true or false"#))
        #expect(try await error("switchover", #"{"max_lag":"10 bananas"}"#).message.contains("is not a size"))
        #expect(try await error("pause", #"{"for":"soon"}"#).message.contains("is not a duration"))
        #expect(
            try await error("node.reinit", #"{"node":"node3","method":"magic"}"#).message.contains(
                "auto, rewind, basebackup"))
        #expect(try await error("pause", "[]").message == "the input must be a JSON object, not an array")
        #expect(try await error("switchover", #"{"to":"Node 2"}"#).message.contains("is not a node name"))
    }

    @Test func `a missing field is named with its meaning`() async throws {
        let error = try await error("peer.add", #"{"name":"node4","address":null}"#)
        #expect(error.message == #"field "address" is missing"#)
        #expect(error.hint?.contains("pgbastion peer add") == true)
    }

    @Test func `Q02 an empty input is an empty object`() async throws {
        for input in ["", "  \n", "{}"] {
            let gateway = example { $0.paused = nil }
            let answer = try await run("pause", input, on: gateway, wait: .milliseconds(1))
            #expect(answer.error == nil)
            #expect(await gateway.submissions.map(\.request) == [.pause(forSeconds: nil, reason: "")])
        }
    }

    @Test func `Q08 an address is accepted with a port, without one, as IPv6 and as a name`() async throws {
        let expected = [
            "10.0.1.4:8301": ("10.0.1.4", 8301), "10.0.1.4": ("10.0.1.4", 8300), "[::1]:8300": ("::1", 8300),
            "[::1]": ("::1", 8300), "::1": ("::1", 8300), "node4.example.net": ("node4.example.net", 8300),
        ]
        for (text, place) in expected {
            let gateway = example()
            _ = try await run("peer.add", #"{"name":"node4","address":"\#(text)"}"#, on: gateway)
            let wanted = ClusterRequest.addPeer(
                name: ExampleCluster.name("node4"), host: place.0, port: place.1, learnerOnly: false)
            #expect(await gateway.submissions.map(\.request) == [wanted], "\(text)")
        }
        for bad in [
            "", "10.0.1.4:", "10.0.1.4:0", "10.0.1.4:99999", "[::1", "http://node4", "a b", "-x", "[1.2.3.4]:1",
        ] {
            let error = try await error("peer.add", #"{"name":"node4","address":"\#(bad)"}"#)
            #expect(error.code == .invalidRequest, "\(bad)")
        }
    }

    @Test func `sizes and durations are read and printed in one way`() {
        #expect(SizeValue("10MiB")?.bytes == 10 << 20)
        #expect(SizeValue("512")?.bytes == 512)
        #expect(SizeValue("1GB")?.bytes == 1_000_000_000)
        #expect(SizeValue("-1") == nil && SizeValue("1.5MiB") == nil && SizeValue("99999999999TiB") == nil)
        #expect(SizeValue(bytes: 52_428_800).description == "50.0 MiB")
        #expect(SizeValue(bytes: 1_258_291).description == "1.2 MiB")
        #expect(SizeValue(bytes: 0).description == "0 B")
        #expect(SizeValue(bytes: 10 << 20).exactText == "10MiB")
        #expect(DurationValue("1h30m")?.duration == .seconds(5400))
        #expect(DurationValue("500ms")?.duration == .milliseconds(500))
        #expect(DurationValue("5") == nil && DurationValue("") == nil && DurationValue("5y") == nil)
        #expect(DurationValue(.seconds(7200)).description == "2h")
        #expect(DecimalText.age(0.4) == "0.4s" && DecimalText.age(3.9) == "3s" && DecimalText.age(7300) == "2h")
    }

    @Test func `times are moved without a calendar library`() {
        #expect(Timestamp.adding(3600, to: "2026-02-28T23:30:00Z") == "2026-03-01T00:30:00Z")
        #expect(Timestamp.adding(-0.4, to: "2026-02-17T02:00:00Z") == "2026-02-17T01:59:59Z")
        #expect(Timestamp.seconds("1970-01-01T00:00:01.5Z") == 1.5)
        #expect(Timestamp.seconds("yesterday") == nil)
        #expect(Timestamp.adding(.infinity, to: "2026-02-17T02:00:00Z") == nil)
    }

    @Test func `mutated inputs are answered or refused, never fatal`() async throws {
        var generator = SeededGenerator(state: 2)
        let seeds = [
            #"{"name":"node4","address":"[::1]:8300","learner":true}"#,
            #"{"conditions":["lag<=10MiB,node=node2","role=primary"]}"#,
            #"{"to":"node2","max_lag":"10MiB","max_transaction":"15s"}"#,
            #"{"for":"2h","reason":"\u00e4\ud83d\ude00 \"x\""}"#,
        ].map { Array($0.utf8) }
        for _ in 0..<3000 {
            guard var bytes = seeds.randomElement(using: &generator), !bytes.isEmpty else { continue }
            for _ in 0..<Int.random(in: 1...4, using: &generator) {
                let index = Int.random(in: 0..<bytes.count, using: &generator)
                switch Int.random(in: 0..<4, using: &generator) {
                case 0: bytes[index] = UInt8.random(in: 0...255, using: &generator)
                case 1: bytes.insert(UInt8.random(in: 0...255, using: &generator), at: index)
                case 2: bytes.remove(at: index)
                default: bytes += bytes[index...]
                }
                if bytes.isEmpty { bytes = [0x20] }
            }
            guard let operation = Catalogue.operations.randomElement(using: &generator) else { continue }
            do {
                try operation.check(input: bytes)
            } catch {
                #expect(error.code == .invalidRequest)
            }
        }
    }

    @Test func `deeply nested JSON is refused`() async throws {
        let deep = String(repeating: "[", count: 20_000)
        #expect(try await error("pause", deep).message.contains("nested deeper than 32"))
    }

    @Test func `JSON keeps numbers and text exactly`() throws {
        let text = #"{"a":1.50e3,"b":"\u00e9\ud83d\ude00\n","c":[true,null,-0],"d":{}}"#
        let value = try JSONParser.parse(Array(text.utf8))
        #expect(
            String(decoding: value.bytes, as: UTF8.self)
                == "{\"a\":1.50e3,\"b\":\"é😀\\n\",\"c\":[true,null,-0],\"d\":{}}")
        for bad in ["01", "1.", "\"\u{1}\"", #""\ud83d""#, "{\"a\":1,\"a\":2}", "nul", "[1,]", "", "{} x", #""\x""#] {
            #expect(throws: BastionError.self, "\(bad)") { try JSONParser.parse(Array(bad.utf8)) }
        }
    }
}
