import Testing

@testable import ConfigFiles

@Suite struct ValueTests {
    @Test func `durations are read and written with their unit`() {
        let cases: [(String, Duration)] = [
            ("0", .zero), ("600ms", .milliseconds(600)), ("1m30s", .seconds(90)), ("1.5s", .milliseconds(1500)),
            ("26h", .seconds(93_600)), ("7d", .seconds(604_800)), ("10us", .microseconds(10)),
        ]
        for (text, duration) in cases {
            #expect(DurationText.parse(text) == duration)
            #expect(DurationText.parse(DurationText.format(duration)) == duration)
        }
        for text in ["", "5", "s", "1x", "1.s", ".5s", "-1s", "1s ", "1 s", "9999999999999d", "1..2s", "٣s", "0.3ns"] {
            #expect(DurationText.parse(text) == nil, "\(text)")
        }
        #expect(DurationText.format(.seconds(90)) == "90s")
    }

    @Test func `sizes are read and written with their unit`() {
        let cases: [(String, UInt64)] = [
            ("0", 0), ("1048576", 1 << 20), ("16MiB", 16 << 20), ("1 GiB", 1 << 30), ("10MB", 10_000_000),
        ]
        for (text, bytes) in cases {
            #expect(ByteSize(text)?.bytes == bytes)
            #expect(ByteSize(ByteSize(bytes: bytes).description)?.bytes == bytes)
        }
        for text in ["", "MiB", "1.5MiB", "-1", "1mib", "16777217TiB", "99999999999999999999"] {
            #expect(ByteSize(text) == nil, "\(text)")
        }
        #expect(ByteSize.mebibytes(16).description == "16MiB")
    }

    @Test func `two spellings of an address are one address`() {
        #expect(IPAddress("::1") == IPAddress("0:0:0:0:0:0:0:1"))
        #expect(IPAddress("127.9.9.9")?.isLoopback == true)
        #expect(IPAddress("::")?.isWildcard == true)
        #expect(IPAddress("127.1") == nil)
        #expect(IPAddress("fe80::1%eth0") == nil)
    }

    @Test func `a slip of the keyboard is recognised`() {
        #expect(Suggestion.closest(to: "bind_prot", among: ["bind_port", "bootstrap"]) == "bind_port")
        #expect(Suggestion.closest(to: "colour", among: ["bind_port", "bootstrap"]) == nil)
        #expect(Suggestion.distance("kitten", "sitting") == 3)
        #expect(Suggestion.distance("", "abc") == 3)
    }
}
