import ClusterModel

/// What holds of every value of a parameter beyond its kind.
package struct ParameterLimits: Sendable, Hashable {
    /// Of a text, in Unicode scalars.
    package var longest: Int
    package var allowsEmpty: Bool
    /// A regular expression that the operation takes every match of; it may take more. Says to generators of requests what a
    /// text with a grammar looks like.
    package var form: String?
    /// Of a list: elements.
    package var most: Int?
    package var minimum: Int64?
    package var maximum: Int64?
    package var shortest: Duration?
    package var latest: Duration?

    package init(
        longest: Int = 1024, allowsEmpty: Bool = true, form: String? = nil, most: Int? = nil, minimum: Int64? = nil, maximum: Int64? = nil,
        shortest: Duration? = nil, latest: Duration? = nil
    ) {
        self.longest = longest
        self.allowsEmpty = allowsEmpty
        self.form = form
        self.most = most
        self.minimum = minimum
        self.maximum = maximum
        self.shortest = shortest
        self.latest = latest
    }

    func allows(integer: Int64) -> Bool { integer >= minimum ?? .min && integer <= maximum ?? .max }

    func allows(_ value: DurationValue) -> Bool {
        value.duration >= shortest ?? .zero && value.duration <= latest ?? value.duration
    }

    var integerText: String {
        switch (minimum, maximum) {
        case (let low?, let high?): "a number from \(low) to \(high)"
        case (let low?, nil): "a number of at least \(low)"
        case (nil, let high?): "a number of at most \(high)"
        case (nil, nil): "a whole number"
        }
    }

    var durationText: String {
        let low = shortest.map { "at least \(DurationValue($0))" }
        let high = latest.map { "at most \(DurationValue($0))" }
        return "a duration of " + [low, high].compactMap { $0 }.joined(separator: " and ")
    }

    /// Names that people give: of tokens, labels and the like.
    static func isName(_ text: String) -> Bool { text.utf8.count <= 64 && RequestID(text) != nil }
}
