import Bastion
import ClusterModel
import FailoverCore
import Testing

@Suite struct LeaseGateTests {
    private func status(deadline: ClockStamp?, mayBeWritable: Bool) -> GuardStatus {
        var core = GuardCore(incarnation: GuardIncarnation(rawValue: 7), clusterID: nil, saved: nil).status
        core.deadline = deadline
        core.mayBeWritable = mayBeWritable
        return core
    }

    @Test func `bytes pass until the deadline the guard reported, and not at it`() {
        let gate = LeaseGate()
        gate.note(status(deadline: ClockStamp(raw: 1000, suspended: 5), mayBeWritable: true))
        #expect(gate.isOpen(at: ClockStamp(raw: 999, suspended: 5)))
        #expect(!gate.isOpen(at: ClockStamp(raw: 1000, suspended: 5)))
    }

    @Test func `a machine that slept since the grant passes nothing, however early it is (LE1)`() {
        let gate = LeaseGate()
        gate.note(status(deadline: ClockStamp(raw: 1_000_000_000, suspended: 0), mayBeWritable: true))
        #expect(gate.isOpen(at: ClockStamp(raw: 1, suspended: 900_000)))
        #expect(!gate.isOpen(at: ClockStamp(raw: 1, suspended: 2_000_000)))
    }

    @Test func `what a fenced server left in its sockets is never heard (PX9)`() {
        let gate = LeaseGate()
        gate.note(status(deadline: nil, mayBeWritable: false))
        #expect(!gate.isOpen(at: ClockStamp(raw: 0, suspended: 0)))
    }

    @Test func `a server without a timed lease has no limit, also after one with it`() {
        let gate = LeaseGate()
        gate.note(status(deadline: ClockStamp(raw: 1000, suspended: 5), mayBeWritable: true))
        gate.note(status(deadline: nil, mayBeWritable: true))
        #expect(gate.isOpen(at: ClockStamp(raw: 5000, suspended: 99_000_000)))
    }
}
