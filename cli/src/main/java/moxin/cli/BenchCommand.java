package moxin.cli;

import picocli.CommandLine.Command;

/// `moxin bench`: measurements beside a limit of the machine taken in the same run.
@Command(
    name = "bench",
    description = "Measure this machine.",
    mixinStandardHelpOptions = true,
    subcommands = BenchTrainCommand.class)
final class BenchCommand {}
