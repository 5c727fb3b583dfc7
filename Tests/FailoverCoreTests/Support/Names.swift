import ClusterModel

/// Short names for what the tests need often. The same word always gives the same identifier.
func name(_ text: String) -> NodeName {
    guard let name = NodeName(text) else { preconditionFailure("\"\(text)\" is not a node name") }
    return name
}
func request(_ text: String) -> RequestID {
    guard let id = RequestID(text) else { preconditionFailure("\"\(text)\" is not a request id") }
    return id
}
func number(_ text: String, life: Int) -> UInt128 {
    text.utf8.reduce(UInt128(life)) { $0 * 256 + UInt128($1) }
}
func member(_ node: String, life: Int = 1) -> MemberID { MemberID(rawValue: number(node, life: life)) }
func guardOf(_ node: String, life: Int = 1) -> GuardIncarnation { GuardIncarnation(rawValue: number(node, life: life)) }
func dataOf(_ node: String, life: Int = 1) -> DataID { DataID(rawValue: number(node, life: life)) }
func daemonOf(_ node: String, life: Int = 1) -> DaemonIncarnation {
    DaemonIncarnation(rawValue: number(node, life: life))
}

let clusterID = ClusterID(rawValue: 0xC1)
let systemID: UInt64 = 4242

func at(_ timeline: UInt32, _ lsn: UInt64) -> WALPosition { WALPosition(timeline: TimelineID(timeline), lsn: LSN(lsn)) }
func stamp(_ milliseconds: Int64) -> ClockStamp { ClockStamp(raw: milliseconds * 1_000_000) }

/// SplitMix64: the same seed gives the same run everywhere.
struct Dice: RandomNumberGenerator {
    private var state: UInt64
    init(seed: UInt64) { state = seed }
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
    mutating func roll(_ range: Range<Int>) -> Int { range.lowerBound + Int(next() % UInt64(range.count)) }
    mutating func chance(_ percent: Int) -> Bool { roll(0..<100) < percent }
    mutating func pick<T>(_ options: [T]) -> T { options[roll(0..<options.count)] }
}
