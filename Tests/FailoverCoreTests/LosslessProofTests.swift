import ClusterModel
import FailoverCore
import Testing

/// SE4 by cases, and against a model that knows which commits were acknowledged (SE1, SE2).
@Suite struct LosslessProofTests {
    @Test func `without any rule nothing is proven (SE4)`() {
        let proof = LosslessProof(rules: [], pledges: pledges(["b": at(1, 9)]), lineage: nil)
        #expect(proof.bound == nil)
        #expect(!proof.isLossless(answer("b", at(1, 9))))
    }

    @Test func `one of two members waited for: both answers prove the higher one (SE4 b)`() {
        let proof = LosslessProof(
            rules: [rule(1, "a", ["b", "c"], 1)], pledges: pledges(["b": at(1, 9), "c": at(1, 7)]), lineage: nil)
        #expect(proof.bound == at(1, 9))
        #expect(proof.isLossless(answer("b", at(1, 9))))
        #expect(!proof.isLossless(answer("c", at(1, 7))))
    }

    @Test func `one of two members waited for: one silent member is too many (SE4 b)`() {
        let proof = LosslessProof(
            rules: [rule(1, "a", ["b", "c"], 1)], pledges: pledges(["b": at(1, 9)]), lineage: nil)
        #expect(proof.bound == nil)
        #expect(proof.missing.count == 1)
        #expect(!proof.isLossless(answer("b", at(1, 9))))
    }

    @Test func `two of three members waited for: one may be silent, then the highest answer is the bound (SE4 b)`() {
        let rules = [rule(1, "a", ["b", "c", "d"], 2)]
        let all = LosslessProof(
            rules: rules, pledges: pledges(["b": at(1, 9), "c": at(1, 7), "d": at(1, 5)]), lineage: nil)
        #expect(all.bound == at(1, 7))
        let two = LosslessProof(rules: rules, pledges: pledges(["b": at(1, 9), "d": at(1, 5)]), lineage: nil)
        #expect(two.bound == at(1, 9))
        let one = LosslessProof(rules: rules, pledges: pledges(["b": at(1, 9)]), lineage: nil)
        #expect(one.bound == nil)
    }

    @Test func `a member with other data counts as silent (SE1)`() {
        var answers = pledges(["b": at(1, 9), "c": at(1, 7)])
        answers[name("b")]?.dataID = dataOf("b", life: 2)
        let proof = LosslessProof(rules: [rule(1, "a", ["b", "c"], 1)], pledges: answers, lineage: nil)
        #expect(proof.bound == nil)
    }

    @Test func `a member on a timeline outside the lineage counts as silent (SE4)`() {
        let lineage = Lineage(of: TimelineID(2), records: [timeline(2, parent: 1, fork: 100)])
        let proof = LosslessProof(
            rules: [rule(1, "a", ["b", "c"], 1)], pledges: pledges(["b": at(3, 9), "c": at(2, 7)]), lineage: lineage)
        #expect(proof.bound == nil)
    }

    @Test func `the stopped primary's own end covers its rule, the lower cover counts (SE4 a)`() {
        let rules = [rule(1, "a", ["b", "c"], 1)]
        var answers = pledges(["a": at(1, 8)])
        #expect(LosslessProof(rules: rules, pledges: answers, lineage: nil).bound == nil, "it runs: not an end of WAL")
        answers[name("a")]?.isStopped = true
        #expect(LosslessProof(rules: rules, pledges: answers, lineage: nil).bound == at(1, 8))
        answers[name("b")] = answer("b", at(1, 7))
        answers[name("c")] = answer("c", at(1, 6))
        #expect(LosslessProof(rules: rules, pledges: answers, lineage: nil).bound == at(1, 7))
    }

    @Test func `a rule with k = 0 is covered by its primary only (SE1)`() {
        let rules = [rule(1, "a", [], 0)]
        #expect(LosslessProof(rules: rules, pledges: pledges(["b": at(1, 9)]), lineage: nil).bound == nil)
        var answers = pledges(["a": at(1, 9), "b": at(1, 9)])
        answers[name("a")]?.isStopped = true
        let proof = LosslessProof(rules: rules, pledges: answers, lineage: nil)
        #expect(proof.bound == at(1, 9))
        #expect(proof.isLossless(answer("b", at(1, 9))))
    }

    @Test func `every unsettled rule must be covered, the highest bound counts (SE2)`() {
        let rules = [rule(1, "a", ["b"], 1), rule(1, "a", ["c"], 1)]
        let half = LosslessProof(rules: rules, pledges: pledges(["b": at(1, 9)]), lineage: nil)
        #expect(half.bound == nil)
        let both = LosslessProof(rules: rules, pledges: pledges(["b": at(1, 9), "c": at(1, 12)]), lineage: nil)
        #expect(both.bound == at(1, 12))
        #expect(!both.isLossless(answer("b", at(1, 9))))
    }

    @Test func `the primary of a later rule covers the earlier ones (SE4 a)`() {
        let rules = [rule(1, "a", ["c"], 1), rule(2, "b", ["c"], 1)]
        var answers = pledges(["b": at(2, 20)])
        answers[name("b")]?.isStopped = true
        let proof = LosslessProof(rules: rules, pledges: answers, lineage: nil)
        #expect(proof.bound == at(2, 20))
        #expect(proof.isLossless(answer("b", at(2, 20))))
    }

    @Test func `a later primary that served covers the earlier rules by its fork, whoever is silent (SE4, SE8)`() {
        let rules = [rule(1, "a", ["b", "c", "d"], 1), rule(2, "b", ["c", "d"], 1)]
        let lineage = Lineage(of: TimelineID(2), records: [timeline(2, parent: 1, fork: 8)])
        let forks = [FencingToken(2): at(2, 8)]
        let answers = pledges(["a": at(1, 8), "c": at(2, 9), "d": at(1, 7)])
        #expect(LosslessProof(rules: rules, pledges: answers, lineage: lineage).bound == nil)
        let proof = LosslessProof(rules: rules, pledges: answers, lineage: lineage, forks: forks)
        #expect(proof.bound == at(2, 9))
        #expect(answers.values.filter(proof.isLossless).map(\.node) == [name("c")])
        // A fork says nothing of what was acknowledged after it, nor under a rule of its own token.
        let silent = LosslessProof(rules: rules, pledges: pledges(["c": at(2, 9)]), lineage: lineage, forks: forks)
        #expect(silent.bound == nil && silent.missing.count == 1)
        // The start of the timeline's first segment is not its fork.
        let early = LosslessProof(rules: rules, pledges: pledges(["c": at(2, 7), "d": at(1, 8)]), lineage: lineage, forks: forks)
        #expect(early.bound == at(2, 8))
        #expect(!early.isLossless(answer("c", at(2, 7))))
    }

    @Test func `WAL of the parent up to the fork counts as WAL of the fork, so a second loss before anybody follows is provable (SE8)`() {
        let rules = [rule(1, "a", ["b", "c", "d", "e"], 1), rule(2, "b", ["c", "d", "e"], 1)]
        let lineage = Lineage(of: TimelineID(2), records: [timeline(2, parent: 1, fork: 8)])
        func proof(_ answers: [NodeName: Pledge]) -> LosslessProof {
            LosslessProof(rules: rules, pledges: answers, lineage: lineage, forks: [FencingToken(2): at(2, 8)])
        }
        // Nobody has received from "b" yet; "c" and "d" had as much as it had when it was appointed.
        let answers = pledges(["c": at(1, 8), "d": at(1, 9), "e": at(1, 7)])
        #expect(proof(answers).bound == at(2, 8))
        #expect(Set(answers.values.filter(proof(answers).isLossless).map(\.node)) == [name("c"), name("d")])
        // Somebody has received from "b": then that may have been acknowledged, and more of the old timeline does not help.
        let ahead = pledges(["c": at(1, 20), "d": at(2, 9), "e": at(1, 7)])
        #expect(ahead.values.filter(proof(ahead).isLossless).map(\.node) == [name("d")])
        #expect(lineage.newestPoint(of: at(1, 7)) == at(1, 7))
        #expect(lineage.newestPoint(of: at(3, 9)) == at(3, 9))
    }

    @Test func `the primary of the rule is lossless by itself, unless its data were replaced (SE4)`() {
        let proof = LosslessProof(rules: [rule(1, "a", ["b", "c"], 1)], pledges: [:], lineage: nil)
        #expect(proof.isLossless(answer("a", at(1, 3))))
        var replaced = answer("a", at(1, 3))
        replaced.dataID = dataOf("a", life: 2)
        #expect(!proof.isLossless(replaced))
    }

    // MARK: Model check

    @Test(arguments: 0..<10) func `whoever is proven lossless has every acknowledged commit (SE4, D16)`(_ block: Int) {
        var proven = 0
        for seed in (block * 2000)..<(block * 2000 + 2000) {
            var world = AcknowledgedWorld(seed: UInt64(seed))
            for _ in 0..<4 {
                let found = world.draw()
                proven += found.proven
                #expect(found.lost == nil, "seed \(seed): \(found.lost ?? "")")
            }
        }
        #expect(proven > 500, "the model must prove something")
    }
}

func answer(_ node: String, _ position: WALPosition, stopped: Bool = false, ballot: UInt64 = 2) -> Pledge {
    Pledge(
        ballot: FencingToken(ballot), node: name(node), memberID: member(node), dataID: dataOf(node),
        position: position,
        replayed: position.lsn, history: [], isStopped: stopped, storage: .healthy, isReplayPaused: false)
}

func pledges(_ positions: [String: WALPosition]) -> [NodeName: Pledge] {
    var result: [NodeName: Pledge] = [:]
    for (node, position) in positions { result[name(node)] = answer(node, position) }
    return result
}
