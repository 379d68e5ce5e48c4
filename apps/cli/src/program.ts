/** All commands with their options and examples. What a command does is loaded when it is used, so `--help` and `--version` are quick. */

import { nearest, parseSize } from "@millrace/base";
import { Command, Option } from "commander";
import { port, wholeNumber } from "./arguments.ts";
import { fail } from "./fail.ts";

export const version = "0.1.0";
const defaultAddress = process.env["MILLRACE_JOBMANAGER"] ?? "http://127.0.0.1:8081";

const jobManager = () =>
  new Option("-m, --jobmanager <address>", "address of the JobManager's REST API")
    .default(defaultAddress)
    .env("MILLRACE_JOBMANAGER");
const json = () => new Option("--json", "print one JSON document instead of text");
const collect = (value: string, before: readonly string[] = []) => [...before, value];

export function createProgram(): Command {
  const program = new Command("millrace")
    .description("Distributed, stateful stream processing for TypeScript.")
    .version(version, "-V, --version", "print the version")
    .showSuggestionAfterError(true)
    .exitOverride()
    // What is refused is reported as a coded error, like everything else.
    .configureOutput({ outputError: () => {} })
    .configureHelp({ showGlobalOptions: true })
    .helpCommand(false)
    .addHelpText(
      "after",
      examples("millrace run examples/word-count/job.ts", "millrace help local up"),
    );
  jobCommands(program);
  clusterCommands(program);
  daemonCommands(program);
  program
    .command("help")
    .description("Show the help of a command")
    .argument("[command...]", "the command, and the command of that")
    .addHelpText("after", examples("millrace help", "millrace help local up"))
    .action((path: readonly string[]) => commandAt(program, path).outputHelp());
  return program;
}

/** Throws `CLI_UNKNOWN_COMMAND`. */
function commandAt(program: Command, path: readonly string[]): Command {
  let command = program;
  for (const name of path) {
    const names = command.commands.map((each) => each.name());
    const next = command.commands.find((each) => each.name() === name);
    if (next === undefined)
      throw fail("CLI_UNKNOWN_COMMAND", {
        fields: { command: path.join(" "), nearest: nearest(name, names) ?? "" },
      });
    command = next;
  }
  return command;
}

function withJob(command: Command): Command {
  return command
    .argument("<job>", "path of the job's module")
    .option("--set <name=value>", "a parameter of the job; may be repeated", collect)
    .option("--params <file>", "parameters as a JSON file; --set goes over it")
    .option(
      "-p, --parallelism <n>",
      "default parallelism of the job",
      wholeNumber("parallelism", 1, 32_768),
    )
    .option("--no-check", "do not type-check the job first");
}

function jobCommands(program: Command): void {
  withJob(
    program.command("run").description("Run a job in this process until its bounded sources end"),
  )
    .option(
      "--inspect [address]",
      "wait for a debugger, run on one thread with time-outs suspended",
    )
    .option(
      "--state <location>",
      "where checkpoints go; resumes from what is there (default: memory)",
    )
    .addOption(json())
    .addHelpText(
      "after",
      examples(
        "millrace run examples/word-count/job.ts",
        "millrace run examples/departure-delays/job.ts --set output=out",
      ),
    )
    .action(async (file, options) => (await import("./commands/run.ts")).run(file, options));
  withJob(program.command("submit").description("Check, bundle and submit a job to a cluster"))
    .addOption(jobManager())
    .option("--name <name>", "name of the job on the cluster")
    .option("--wait", "wait until the job has ended; exit 1 when it failed or was cancelled")
    .addOption(json())
    .addHelpText(
      "after",
      examples(
        "millrace submit examples/word-count/job.ts --wait",
        "millrace submit examples/departure-delays/job.ts --set output=out --json",
      ),
    )
    .action(async (file, options) => (await import("./commands/submit.ts")).submit(file, options));
  withJob(
    program
      .command("plan")
      .description("Print what a job would run as: vertices, chains, edges, guarantees, types"),
  )
    .option("--code", "the JavaScript that each chain runs as, of its first subtask")
    .addOption(json())
    .addHelpText(
      "after",
      examples(
        "millrace plan examples/word-count/job.ts",
        "millrace plan examples/word-count/job.ts --code",
        "millrace plan examples/word-count/job.ts --json",
      ),
    )
    .action(async (file, options) => (await import("./commands/plan.ts")).plan(file, options));
  program
    .command("list")
    .description("List the jobs of a cluster")
    .addOption(jobManager())
    .addOption(json())
    .option("-r, --running", "only jobs that have not ended")
    .addHelpText("after", examples("millrace list", "millrace list --running --json"))
    .action(async (options) => (await import("./commands/jobs.ts")).list(options));
  program
    .command("show")
    .description("Show one job: state, vertices, checkpoints, exceptions")
    .argument("<job>", "id of the job, the beginning of it, or its name")
    .addOption(jobManager())
    .addOption(json())
    .addHelpText("after", examples("millrace show word-count", "millrace show word-count --json"))
    .action(async (job, options) => (await import("./commands/jobs.ts")).show(job, options));
  program
    .command("cancel")
    .description("Cancel a job; its completed checkpoints are committed first")
    .argument("<job>", "id of the job, the beginning of it, or its name")
    .addOption(jobManager())
    .addOption(json())
    .option("--no-wait", "do not wait until the job has ended")
    .addHelpText(
      "after",
      examples("millrace cancel word-count", "millrace cancel word-count --no-wait"),
    )
    .action(async (job, options) => (await import("./commands/jobs.ts")).cancel(job, options));
  program
    .command("checkpoints")
    .description("List a job's checkpoints")
    .argument("<job>", "id of the job, the beginning of it, or its name")
    .addOption(jobManager())
    .addOption(json())
    .option("--trigger", "trigger one now and wait for it")
    .addHelpText(
      "after",
      examples("millrace checkpoints word-count", "millrace checkpoints word-count --trigger"),
    )
    .action(async (job, options) => (await import("./commands/jobs.ts")).checkpoints(job, options));
  program
    .command("logs")
    .description("Print the tail of a job's logs")
    .argument("<job>", "id of the job, the beginning of it, or its name")
    .addOption(jobManager())
    .addOption(json())
    .option("-n, --lines <n>", "lines per TaskManager", wholeNumber("lines", 1, 10_000), 200)
    .addHelpText("after", examples("millrace logs word-count", "millrace logs word-count -n 20"))
    .action(async (job, options) => (await import("./commands/jobs.ts")).logs(job, options));
}

function clusterCommands(program: Command): void {
  const local = program
    .command("local")
    .description("A cluster of processes on this machine")
    .addHelpText("after", examples("millrace local up", "millrace local down"));
  local
    .command("up")
    .description("Start a JobManager and TaskManagers on loopback; state under .millrace/")
    .option(
      "-t, --taskmanagers <n>",
      "number of TaskManagers",
      wholeNumber("taskmanagers", 1, 64),
      2,
    )
    .option("-s, --slots <n>", "slots of each TaskManager", wholeNumber("slots", 1, 256), 2)
    .option("--port <n>", "REST port (0: any free one)", port("port"), 8081)
    .option("--dir <path>", "where state and logs go", ".millrace")
    .addOption(json())
    .addHelpText(
      "after",
      examples("millrace local up", "millrace local up --taskmanagers 3 --slots 1 --port 0"),
    )
    .action(async (options) => {
      await (await import("./commands/local.ts")).up(options);
    });
  local
    .command("down")
    .description("Stop the local cluster")
    .option("--dir <path>", "where state and logs are", ".millrace")
    .addOption(json())
    .addHelpText("after", examples("millrace local down"))
    .action(async (options) => (await import("./commands/local.ts")).down(options));
  local
    .command("status")
    .description("Show the local cluster's processes")
    .option("--dir <path>", "where state and logs are", ".millrace")
    .addOption(json())
    .addHelpText("after", examples("millrace local status", "millrace local status --json"))
    .action(async (options) => (await import("./commands/local.ts")).status(options));
}

function daemonCommands(program: Command): void {
  program
    .command("jobmanager")
    .description("Run a JobManager in the foreground")
    .option("--host <host>", "address to listen on", "127.0.0.1")
    .option("--rest-port <n>", "REST port (0: any free one)", port("rest-port"), 8081)
    .option(
      "--control-port <n>",
      "port for TaskManagers (0: any free one)",
      port("control-port"),
      6123,
    )
    .requiredOption(
      "--store <location>",
      "where jobs and checkpoints live: a path, file:///… or s3://bucket/prefix",
    )
    .option("-D, --define <key=value>", "an option of the JobManager; may be repeated", collect)
    .option("--ready-file <path>", "write addresses as JSON to this file once everything listens")
    .addHelpText(
      "after",
      examples(
        "millrace jobmanager --store .millrace/store",
        "millrace jobmanager --store .millrace/store --host 127.0.0.1 -D heartbeat.timeout=10s",
      ),
    )
    .action(async (options) => (await import("./commands/jobmanager.ts")).jobManager(options));
  program
    .command("taskmanager")
    .description("Run a TaskManager in the foreground")
    .requiredOption("-j, --jobmanager <host:port>", "control address of the JobManager")
    .requiredOption("--store <location>", "the JobManager's store")
    .option("-s, --slots <n>", "number of slots", wholeNumber("slots", 1, 256), 2)
    .option("--host <host>", "address under which other TaskManagers reach this one", "127.0.0.1")
    .option("--id <id>", "name of this TaskManager (default: made up)")
    .option("--work-dir <path>", "private working directory", ".millrace/taskmanager")
    .option("--log-dir <path>", "where runners' logs go", ".millrace/logs")
    .option(
      "--runner-memory <size>",
      "memory of a task runner, for example 2gb (default: its slots' part of 80 % of what there is)",
      (text: string) => parseSize(text),
    )
    .option("--metrics-port <n>", "port of /metrics (0: any free one)", port("metrics-port"), 0)
    .option("--ready-file <path>", "write addresses as JSON to this file once everything listens")
    .addHelpText(
      "after",
      examples("millrace taskmanager --jobmanager 127.0.0.1:6123 --store .millrace/store"),
    )
    .action(async (options) => (await import("./commands/taskmanager.ts")).taskManager(options));
  program
    .command("gc")
    .description("Delete checkpoints' objects that nothing references")
    .argument("<job>", "id of the job")
    .requiredOption("--store <location>", "the cluster's store")
    .option("--dry-run", "only show what would go, and why")
    .addOption(json())
    .addHelpText(
      "after",
      examples("millrace gc 00000000000000000000000000000000 --store .millrace/store --dry-run"),
    )
    .action(async (job, options) => (await import("./commands/gc.ts")).gc(job, options));
}

function examples(...lines: readonly string[]): string {
  return `\nExamples:\n${lines.map((line) => `  $ ${line}`).join("\n")}\n`;
}
