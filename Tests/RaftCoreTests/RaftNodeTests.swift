import RaftCore
import Testing

struct RaftNodeTests {
    @Test func `three servers elect a leader, replicate and commit`() {
        var cluster = TestCluster()
        cluster.elect(1)
        #expect(cluster.leaders == [1])
        cluster.propose(1, "a")
        cluster.settle()
        for number in 1...3 {
            #expect(cluster.commands(number) == ["a"])
            #expect(cluster[number].commitIndex == index(2))
        }
    }

    @Test func `a cluster left alone elects exactly one leader`() {
        for seed in 1...20 {
            var cluster = TestCluster(5, seed: UInt64(seed) * 97)
            cluster.tick(200)
            #expect(cluster.leaders.count == 1)
        }
    }
}
