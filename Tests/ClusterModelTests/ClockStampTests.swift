import Testing

@testable import ClusterModel

@Suite struct ClockStampTests {
    @Test func `durations convert without loss`() {
        #expect(Duration.milliseconds(1500).inNanoseconds == 1_500_000_000)
        #expect(Duration.milliseconds(-1).inNanoseconds == -1_000_000)
        #expect(Duration.seconds(3).inMilliseconds == 3000)
        #expect(Duration.milliseconds(250).inSeconds == 0.25)
    }

    @Test func `LE1 time is counted in raw time`() {
        let start = ClockStamp(raw: 5_000_000_000, suspended: 7)
        let later = start.advanced(by: .milliseconds(300))
        #expect(later.since(start) == .milliseconds(300))
        #expect(later.suspended == 7)
    }

    @Test func `LE1 a suspension of more than a millisecond is noticed`() {
        let start = ClockStamp(raw: 0, suspended: 10)
        #expect(!ClockStamp(raw: 1, suspended: 1_000_010).wasSuspended(since: start))
        #expect(ClockStamp(raw: 1, suspended: 1_000_011).wasSuspended(since: start))
    }
}
