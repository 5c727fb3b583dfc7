import FoundationEssentials
import Testing

@testable import ClusterModel

@Suite struct IdentifiersTests {
    @Test func `K02 a node name is a DNS label`() {
        for name in ["a", "node1", "node-1", "0", String(repeating: "a", count: 63)] { #expect(NodeName(name) != nil) }
        for name in ["", "-a", "a-", "Node", "a_b", "a.b", "é", "a b", String(repeating: "a", count: 64)] {
            #expect(NodeName(name) == nil, "\(name)")
        }
        #expect(NodeName("node-1")?.slotName == "node_1")
    }

    @Test func `a wrong node name in JSON is an error`() throws {
        let names = try JSONDecoder().decode([NodeName].self, from: Data("[\"n1\"]".utf8))
        #expect(names.map(\.rawValue) == ["n1"])
        #expect(throws: DecodingError.self) { try JSONDecoder().decode([NodeName].self, from: Data("[\"N1\"]".utf8)) }
    }

    @Test func `node names are keys of JSON objects`() throws {
        let map = [try #require(NodeName("n1")): 1]
        let text = String(decoding: try JSONEncoder().encode(map), as: UTF8.self)
        #expect(text == "{\"n1\":1}")
        #expect(try JSONDecoder().decode([NodeName: Int].self, from: Data(text.utf8)) == map)
    }

    @Test func `an identifier is 32 hexadecimal digits and reads back`() throws {
        let id = ClusterID(rawValue: 0xAB)
        #expect(id.description == String(repeating: "0", count: 30) + "ab")
        #expect(ClusterID(id.description) == id)
        #expect(ClusterID("") == nil)
        #expect(ClusterID("xyz") == nil)
        #expect(ClusterID(String(repeating: "0", count: 33)) == nil)
        #expect(MemberID(rawValue: .max).description == String(repeating: "f", count: 32))
        #expect(DataID(rawValue: UInt128(1) << 120).short == "01000000")
        let back = try JSONDecoder().decode([ClusterID].self, from: JSONEncoder().encode([id]))
        #expect(back == [id])
    }

    @Test func `a request id has 1 to 128 harmless characters`() {
        #expect(RequestID("abc-123_4.5") != nil)
        for text in ["", "a b", "a\nb", "a/b", "é", String(repeating: "a", count: 129)] {
            #expect(RequestID(text) == nil)
        }
    }
}
