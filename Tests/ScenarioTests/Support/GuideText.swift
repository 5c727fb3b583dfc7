enum GuideText { static let sections: [String: String] = [:] }
