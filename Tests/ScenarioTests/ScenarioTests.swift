import Testing

/// Real daemons, guards and PostgreSQL servers on loopback.
///
/// The process becomes the service user for ever, so these tests run in a process of their own:
/// `swift test --filter ScenarioTests`. One scenario runs at a time; scenarios of one suite share a cluster and leave it healthy.
@Suite(.serialized, .programUnderTest) struct ScenarioTests {}
