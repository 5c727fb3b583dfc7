import FoundationEssentials
import Testing

@testable import ClusterModel

@Suite struct PostgresNounsTests {
    @Test func `an LSN is printed and read as PostgreSQL does`() throws {
        let lsn = try #require(LSN("16/B374D848"))
        #expect(lsn.rawValue == 0x16_B374_D848)
        #expect(lsn.description == "16/B374D848")
        #expect(LSN("0/0") == .zero)
        #expect(LSN("FFFFFFFF/FFFFFFFF")?.rawValue == .max)
        for text in ["", "/", "1", "1/2/3", "100000000/0", "g/0", "1/", " 1/0"] { #expect(LSN(text) == nil, "\(text)") }
    }

    @Test func `the distance of two LSNs is never negative`() {
        #expect(LSN(10) - LSN(4) == 6)
        #expect(LSN(4) - LSN(10) == 0)
    }

    @Test func `SE4 positions compare by timeline first`() {
        let old = WALPosition(timeline: TimelineID(1), lsn: LSN(1000))
        let new = WALPosition(timeline: TimelineID(2), lsn: LSN(10))
        #expect(old < new)
        #expect(old < WALPosition(timeline: TimelineID(1), lsn: LSN(1001)))
        #expect(new.description == "2:0/A")
    }

    @Test func `tokens only grow`() {
        #expect(FencingToken.never < FencingToken.never.next)
        #expect(FencingToken(41).next.description == "42")
    }

    @Test func `nouns survive JSON`() throws {
        let position = WALPosition(timeline: TimelineID(3), lsn: LSN(0x16_B374_D848))
        let data = try JSONEncoder().encode(position)
        #expect(try JSONDecoder().decode(WALPosition.self, from: data) == position)
        #expect(throws: DecodingError.self) { try JSONDecoder().decode([LSN].self, from: Data("[\"x\"]".utf8)) }
    }
}
