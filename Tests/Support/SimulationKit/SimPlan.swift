import ClusterModel
import FailoverCore
import NodeCore

/// What one run is made of: everything that is chosen before it begins.
package struct SimPlan: Sendable {
    package enum Fault: String, Sendable, CaseIterable {
        case killDaemon, freezeDaemon, killGuard, freezeGuard, killPostmaster, freezePostgres, killServer
        case crash, crashAll, suspend, partition, oneWay, isolatePrimary, isolateLeader, mutePrimary, stallDisk, unkillable
        case failover, switchover, pause, transfer, removeNode, stopDaemon, reinitialize
        case drain, fence, restartServer, takeHold, cancel

        /// Drawn apart from the others, so that the seeds of named regressions stay what they were.
        static let orders: [Fault] = [.drain, .fence, .restartServer, .takeHold, .cancel]
    }

    package var seed: UInt64
    package var nodes = 3
    package var weather = SimNetwork.Weather()
    package var clockRates: ClosedRange<Double> = 0.99...1.01
    /// Milliseconds.
    package var fsync: ClosedRange<Double> = 0.2...4
    package var startTime: ClosedRange<Double> = 50...250
    package var promotionTime: ClosedRange<Double> = 20...120
    package var replayLag: ClosedRange<Double> = 0.5...8
    package var clientInterval: ClosedRange<Double> = 30...80
    package var startFailureRate = 0.0
    package var actionFailureRate = 0.0
    package var usesCodec = false
    /// The cluster follows another one's primary (`standby_cluster`).
    package var followsAnother = false
    /// Clocks run outside AS1 and schedulers outside AS2: PR1 is off, PR2 must hold all the same.
    package var breaksClocks = false
    package var settings = NodeSettings()
    package var faults: [Fault] = []
    /// Between two faults, in milliseconds.
    package var faultInterval: ClosedRange<Double> = 500...4000
    /// How long faults go on once the cluster is complete.
    package var faultTime = seconds(14)

    package init(seed: UInt64, nodes: Int = 3) {
        self.seed = seed
        self.nodes = nodes
    }

    /// Each seed draws a random subset of faults and rates.
    ///
    /// - Parameter faultTime: nil: the usual time.
    package static func swarm(_ seed: UInt64, faultTime: Int64? = nil) -> SimPlan {
        var random = SimRandom(seed: seed &* 0x9E37_79B9 &+ 17)
        var plan = SimPlan(seed: seed)
        plan.nodes = [3, 3, 3, 3, 3, 3, 5, 5, 2, 1][random.int(0...9)]
        plan.usesCodec = seed % 50 == 0
        plan.faults = Fault.allCases.filter { !Fault.orders.contains($0) }.filter { _ in random.chance(0.35) }
        if plan.nodes < 3 { plan.faults.removeAll { $0 == .removeNode } }
        if random.chance(0.5) { plan.weather.loss = random.real(0...0.15) }
        if random.chance(0.3) { plan.weather.delay = 0.2...random.real(2...20) }
        if random.chance(0.3) { plan.weather.tailRate = random.real(0...0.03) }
        if random.chance(0.4) { plan.weather.tail = 20...random.real(400...6000) }
        if random.chance(0.3) { plan.weather.duplication = random.real(0...0.3) }
        if random.chance(0.3) { plan.fsync = 1...random.real(5...20) }
        if random.chance(0.2) { plan.actionFailureRate = random.real(0...0.15) }
        if random.chance(0.2) { plan.startFailureRate = random.real(0...0.3) }
        if random.chance(0.2) { plan.promotionTime = 50...random.real(200...1500) }
        if random.chance(0.3) { plan.faultInterval = 100...1500 }
        if random.chance(0.2) { plan.settings.policy.leaseMilliseconds = Int64(random.int(1000...6000)) }
        if plan.nodes >= 3, random.chance(0.12) {
            plan.breaksClocks = true
            plan.clockRates = 0.3...1.5
        }
        var orders = SimRandom(seed: seed &* 0x85EB_CA6B &+ 29)
        if seed % 2 == 0 { plan.faults += Fault.orders.filter { _ in orders.chance(0.4) } }
        plan.settings.policy.pauseLeaseMilliseconds = 8000
        if let faultTime { plan.faultTime = faultTime }
        if let rule = [nil, VirtualAddressRule.leader, .primary][Int(seed % 3)] { plan.follows(rule) }
        plan.settings.policy.restartHoldMilliseconds = Int64(random.int(5000...20_000))
        return plan
    }

    /// Every machine may have the virtual address (VI1).
    package mutating func follows(_ rule: VirtualAddressRule) {
        settings.virtualAddress = VirtualAddressSettings(address: "10.0.0.100/24", interface: "eth0", follows: rule)
    }

    /// Loss and jitter, and nothing else (CH17).
    package static func calm(_ seed: UInt64) -> SimPlan {
        var plan = SimPlan(seed: seed)
        plan.weather.loss = 0.2
        plan.weather.delay = 0.2...20
        plan.weather.tailRate = 0.02
        plan.weather.tail = 20...300
        return plan
    }
}
