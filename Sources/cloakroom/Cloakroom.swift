import ArgumentParser

/// The command. Each subcommand stands in a file of its own.
@main
struct Cloakroom: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cloakroom",
        abstract: "The session layer for browser apps.",
        discussion: """
            It issues JWT access and refresh tokens, keeps them where script cannot steal them, renews them without \
            logging anybody out, and ends them when they must end.

            Try it:  cloakroom serve --demo
            Every setting is a flag, an environment variable (CLOAKROOM_PUBLIC_URL) and a key of the YAML file \
            (publicURL); a flag beats the environment, the environment beats the file.
            """,
        version: "0.1.0",
        subcommands: [Serve.self, Keys.self, Users.self, Sessions.self, Verify.self, LabCommand.self])
}
