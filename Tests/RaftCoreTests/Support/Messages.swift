import RaftCore

var withoutPreVote: RaftSettings {
    var settings = RaftSettings()
    settings.preVote = false
    return settings
}

func vote(
    from: Int, to: Int, term number: Int, last: Int = 0, lastTerm: Int = 0, preVote: Bool = false,
    transfer: Bool = false
) -> RaftMessage {
    RaftMessage(
        from: server(from), to: server(to), term: term(number),
        body: .voteRequest(
            .init(lastIndex: index(last), lastTerm: term(lastTerm), preVote: preVote, transfer: transfer)))
}

func granted(from: Int, to: Int, term number: Int) -> RaftMessage {
    RaftMessage(from: server(from), to: server(to), term: term(number), body: .voteResponse(.init(granted: true)))
}

func append(
    from: Int, to: Int, term number: Int, previous: Int = 0, previousTerm: Int = 0, entries: [LogEntry] = [],
    commit: Int = 0
) -> RaftMessage {
    RaftMessage(
        from: server(from), to: server(to), term: term(number),
        body: .append(
            .init(
                previousIndex: index(previous), previousTerm: term(previousTerm), entries: entries,
                commitIndex: index(commit))))
}

func entry(_ place: Int, term number: Int) -> LogEntry { LogEntry(index: index(place), term: term(number)) }

extension RaftMessage {
    var voteGranted: Bool? {
        if case .voteResponse(let response) = body { return response.granted }
        return nil
    }

    var appendResponse: AppendResponse? {
        if case .appendResponse(let response) = body { return response }
        return nil
    }

    var appendRequest: AppendRequest? {
        if case .append(let request) = body { return request }
        return nil
    }

    var isTimeoutNow: Bool { body == .timeoutNow }
}
