import ClusterModel
import FailoverCore
import Testing

@Suite struct GuardTransitionTests {
    @Test func `every state of the table can be reached from empty and left`() {
        var reached: Set<GuardState> = [.empty]
        for _ in GuardState.allCases {
            for transition in GuardTransition.all where reached.contains(transition.from) {
                reached.insert(transition.to)
            }
        }
        #expect(reached == Set(GuardState.allCases))
        #expect(Set(GuardTransition.all.map(\.from)) == Set(GuardState.allCases))
    }

    @Test func `no transition is listed twice`() {
        let pairs = GuardTransition.all.map { "\($0.from)-\($0.to)" }
        #expect(Set(pairs).count == pairs.count)
    }

    /// Random orders and events for 200 lives of 300 inputs. `GuardCore` itself stops on an illegal transition.
    @Test func `random lives make every legal transition, and keep the invariants`() {
        var seen: Set<String> = []
        for seed in 0..<200 as Range<UInt64> {
            var generator = SplitMix(state: seed)
            var bench = life(seed)
            var token: UInt64 = 0
            for _ in 0..<300 {
                let before = bench.trace.count
                var last = bench.status.state
                randomInput(&bench, &token, &generator)
                for entry in bench.trace[before...] {
                    guard case .report(let report) = entry.effect else { continue }
                    let state = report.status.state
                    // One input may pass through several states; the reports show each that was entered by a step.
                    if state != last { seen.insert("\(last)-\(state)") }
                    last = state
                }
                checkInvariants(bench)
                if bench.effects.last == .exit { break }
            }
        }
        let legal = Set(GuardTransition.all.map { "\($0.from)-\($0.to)" })
        // A fence that finds nothing running is confirmed within one step, and the order of that step comes on top.
        let withinOneStep = GuardState.allCases.flatMap { ["\($0)-fenced", "\($0)-standby", "\($0)-armed"] }
        #expect(seen.subtracting(legal).subtracting(withinOneStep).isEmpty)
        #expect(legal.subtracting(seen).isEmpty, "never made: \(legal.subtracting(seen).sorted())")
    }

    /// Some lives begin with processes an earlier guard left behind, some of them fenced.
    private func life(_ seed: UInt64) -> CoreBench {
        guard seed % 4 == 0 else { return CoreBench() }
        let saved = SavedGuardState(
            clusterID: nil, incarnation: GuardIncarnation(rawValue: 1), highestToken: .never, highestFenced: .never,
            fencedToken: seed % 8 == 0 ? .never : nil, fenceReason: nil)
        var bench = CoreBench(saved: saved, settled: false)
        bench.backends = 2
        bench.feed(.tick)
        return bench
    }

    private func randomInput(_ bench: inout CoreBench, _ token: inout UInt64, _ generator: inout SplitMix) {
        switch UInt64.random(in: 0..<22, using: &generator) {
        case 0: bench.order(.startStandby(CoreBench.spec))
        case 1:
            token += 1
            bench.arm(token)
        case 2, 3, 4, 5: bench.arm(bench.status.token?.rawValue ?? token)
        case 6, 7: bench.order(.promote(token: bench.status.token ?? .never))
        case 8: bench.order(.startInPlace(CoreBench.spec, token: bench.status.token ?? .never))
        case 9:
            bench.endsOn = Bool.random(using: &generator) ? [.kill] : [.fastStop, .immediate, .kill]
            bench.order(.stop(budgetMilliseconds: 500))
        case 10 where bench.hasPostmaster: bench.crash()
        case 11 where Int.random(in: 0..<4, using: &generator) == 0:
            bench.order(.fence(token: FencingToken(token + 1), reason: "test"))
        case 12 where Int.random(in: 0..<6, using: &generator) == 0: bench.feed(.rogueSignal(.foreignPromoteFile))
        case 13 where Int.random(in: 0..<8, using: &generator) == 0: bench.suspend(.seconds(1))
        case 14 where Int.random(in: 0..<40, using: &generator) == 0: bench.feed(.terminate)
        case 15: bench.order(bench.hold(UInt64.random(in: 0..<9, using: &generator), milliseconds: 5000))
        case 16: bench.order(.lower(.endHold(id: UInt64.random(in: 0..<9, using: &generator))))
        case 17: bench.backends = Int.random(in: 0..<5, using: &generator)
        case 18: strange(&bench, &generator)
        case 19:
            bench.adopt([.standby, .firstPrimary, .primary(bench.status.token ?? .never)].randomElement(using: &generator) ?? .standby)
        default: bench.advance(.milliseconds(Int64.random(in: 1..<900, using: &generator)))
        }
    }

    private func strange(_ bench: inout CoreBench, _ generator: inout SplitMix) {
        guard !bench.hasPostmaster, bench.stranger == nil else { return }
        bench.strangerStarts(writable: Bool.random(using: &generator))
    }

    private func checkInvariants(_ bench: CoreBench) {
        let status = bench.status
        if status.state == .empty || status.state == .fenced { #expect(!status.mayBeWritable && !bench.hasPostmaster) }
        if status.mayBeWritable { #expect([.primary, .stopping, .fencing].contains(status.state)) }
        if status.allProcessesGone { #expect(!bench.hasPostmaster && !status.mayBeWritable) }
        if status.state == .primary, status.token == nil, bench.hasPostmaster {
            #expect(status.isAdopted == true && status.highestToken == .never)
        }
        if status.state == .primary, let token = status.token { #expect(token > status.highestFenced) }
        if status.state == .primary, status.mode == .timed, status.token != nil {
            #expect(status.deadline != nil)
            #expect(bench.timer.map { $0.since(bench.now) <= .milliseconds(50) } == true)
        }
    }
}

/// A small seeded generator (Steele, Lea, Flood: SplitMix64).
struct SplitMix: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
