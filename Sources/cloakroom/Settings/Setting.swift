import Yams

/// One setting: its key, its meaning, the syntax of its values, and the property that holds the value.
///
/// Its flag with its help, its environment variable, its key in the YAML file and its row in `docs/configuration.md`
/// follow from this value. Texts are Markdown; a key in backticks names a setting.
struct Setting: Sendable {
    let key: SettingKey
    /// One or two sentences, for `--help` and the document.
    let help: String
    /// Links and details for the document only.
    let note: String
    /// The placeholder of a value in `--help`, such as `seconds`.
    let placeholder: String
    /// The accepted values, as the end of the message "expected ...".
    let expected: String
    /// All values, if there are few of them; shells complete these.
    let words: [String]
    /// A value other than the default.
    let example: String
    let defaultValue: Default
    /// The way in which this setting can make the server less safe; nil when no value does.
    let risk: Risk?
    /// The flag takes no value and means `true`.
    let isSwitch: Bool
    /// Whether the commands for administration use the value with which the server was last started.
    let isRemembered: Bool
    /// Whether a value may hold a password. Messages then do not quote it.
    let mayHoldPassword: Bool
    /// Parses a text and stores its value in the settings; false for an invalid text.
    let apply: @Sendable (String, inout Settings) -> Bool
    /// The end of the message about a text that `apply` refuses.
    let problem: @Sendable (String) -> String
    /// The current value as text: what `apply` takes, or words such as `none` where no text means this value.
    let text: @Sendable (Settings) -> String
    /// The text that a node of the YAML file stands for.
    let readYAML: @Sendable (Node) throws(SettingsFile.Fault) -> String

    /// The value of a setting that is not given.
    struct Default: Sendable {
        /// The value, or words that describe it.
        let text: String
        /// Whether `text` is a value that can be given.
        let isValue: Bool
        /// The value again in a unit that is easier to read, such as `30 days`.
        let remark: String?
        /// Computes the value from the settings that are given.
        let apply: @Sendable (inout Settings) -> Void

        /// A fixed value. Its text is the value, or words such as `none` if no text means it.
        init<Value>(_ value: Value, _ syntax: ValueSyntax<Value>) {
            text = syntax.write(value)
            isValue = syntax.parse(text) != nil
            remark = syntax.remark(value)
            apply = { _ in }
        }

        private init(text: String, apply: @escaping @Sendable (inout Settings) -> Void) {
            self.text = text
            isValue = false
            remark = nil
            self.apply = apply
        }

        /// A value that depends on other settings or on the system.
        static func computed(_ text: String, _ apply: @escaping @Sendable (inout Settings) -> Void = { _ in }) -> Self {
            Self(text: text, apply: apply)
        }
    }

    /// A warning that the document shows and that the server logs when it starts.
    struct Risk: Sendable {
        let warning: String
        let isTaken: @Sendable (Settings) -> Bool
    }

    /// - Parameters:
    ///   - syntax: the syntax of the values.
    ///   - path: the property that holds the value. Its value in `Settings()` is the default.
    ///   - computed: the default, if it is not a fixed value.
    init<Value>(
        _ key: SettingKey, _ syntax: ValueSyntax<Value>, to path: any WritableKeyPath<Settings, Value> & Sendable,
        default computed: Default? = nil, example: String, help: String, note: String = "", risk: Risk? = nil,
        isSwitch: Bool = false, isRemembered: Bool = false, mayHoldPassword: Bool = false,
        readYAML: @escaping @Sendable (Node) throws(SettingsFile.Fault) -> String = SettingsFile.text
    ) {
        self.key = key
        self.help = help
        self.note = note
        self.example = example
        self.risk = risk
        self.isSwitch = isSwitch
        self.isRemembered = isRemembered
        self.mayHoldPassword = mayHoldPassword
        self.readYAML = readYAML
        placeholder = syntax.placeholder
        expected = syntax.expected
        words = syntax.words
        defaultValue = computed ?? Default(Settings()[keyPath: path], syntax)
        text = { syntax.write($0[keyPath: path]) }
        apply = { text, settings in
            guard let value = syntax.parse(text) else { return false }
            settings[keyPath: path] = value
            return true
        }
        problem = { text in
            let found = mayHoldPassword ? "" : ", got \"\(text)\""
            return syntax.fault(text) ?? "expected \(syntax.expected.withoutMarkup)\(found)"
        }
    }
}
