/** Bad arguments, parameters, files and stores, and clusters that are not there. */
import { goodJob, job } from "./job-text.ts";
import type { Case } from "./run-case.ts";

const good = { "job.ts": goodJob };
const params = {
  "job.mjs": job(
    "",
    `{ name: "bad", params: { input: param.string(), limit: param.number({ default: 5 }) } }`,
  ),
};
const typed = (declaration: string) => ({
  "job.mjs": job("", `{ name: "bad", params: { value: ${declaration} } }`),
});
const unreachable = (...args: readonly string[]): Case => ({
  args: [...args, "--jobmanager", "http://127.0.0.1:{free}"],
  exit: 1,
  says: ["CLIENT_UNREACHABLE", "127.0.0.1:<free>", "ECONNREFUSED", "millrace local up"],
});

export const usageCases: Readonly<Record<string, Case>> = {
  "unknown command": { args: ["lst"], says: ["CLI_UNKNOWN_COMMAND", "lst", "nearest: list"] },
  "unknown command, far from all": { args: ["frobnicate"], says: ["CLI_UNKNOWN_COMMAND"] },
  "unknown command of local": {
    args: ["local", "stauts"],
    says: ["CLI_UNKNOWN_COMMAND", "nearest: status"],
  },
  "unknown option": {
    args: ["run", "job.ts", "--paralelism", "2"],
    files: good,
    says: ["CLI_UNKNOWN_OPTION", "--paralelism", "nearest: --parallelism"],
  },
  "unknown option, as JSON": {
    args: ["list", "--json", "--runing"],
    says: ["CLI_UNKNOWN_OPTION"],
  },
  "no job": { args: ["run"], says: ["CLI_MISSING_ARGUMENT", "job"] },
  "an option without its value": {
    args: ["run", "job.ts", "--set"],
    files: good,
    says: ["CLI_MISSING_ARGUMENT", "--set"],
  },
  "one argument too many": {
    args: ["run", "job.ts", "other.ts"],
    files: good,
    says: ["CLI_UNEXPECTED_ARGUMENT"],
  },
  "parallelism 0": {
    args: ["run", "job.ts", "--parallelism", "0"],
    files: good,
    says: ["CLI_BAD_ARGUMENT", "parallelism", "0", "1 to 32768"],
  },
  "parallelism 1.5": {
    args: ["plan", "job.ts", "-p", "1.5"],
    files: good,
    says: ["CLI_BAD_ARGUMENT", "1.5"],
  },
  "parallelism in words": {
    args: ["submit", "job.ts", "-p", "two"],
    files: good,
    says: ["CLI_BAD_ARGUMENT", "two"],
  },
  "parallelism beyond all bounds": {
    args: ["run", "job.ts", "-p", "40000"],
    files: good,
    says: ["CLI_BAD_ARGUMENT", "40000"],
  },
  "--set without a value": {
    args: ["run", "job.ts", "--set", "input"],
    files: good,
    says: ["CLIENT_BAD_PARAMETER", "input", "name=value"],
  },
  "a parameter that the job does not have": {
    args: ["run", "job.mjs", "--set", "inptu=x"],
    files: params,
    says: ["PARAM_UNKNOWN", "inptu", "nearest: input"],
  },
  "a parameter for a job without any": {
    args: ["run", "job.ts", "--set", "input=x"],
    files: good,
    says: ["PARAM_UNKNOWN", "input"],
  },
  "a parameter without a value": {
    args: ["plan", "job.mjs"],
    files: params,
    says: ["PARAM_MISSING", "input", "string"],
  },
  "a number that is none": {
    args: ["run", "job.mjs", "--set", "input=a", "--set", "limit=many"],
    files: params,
    says: ["PARAM_BAD_VALUE", "limit", "number", "many"],
  },
  "a boolean that is none": {
    args: ["run", "job.mjs", "--set", "value=yes"],
    files: typed("param.boolean()"),
    says: ["PARAM_BAD_VALUE", "boolean", "yes", "true or false"],
  },
  "a duration without a unit": {
    args: ["run", "job.mjs", "--set", "value=10"],
    files: typed("param.duration()"),
    says: ["PARAM_BAD_VALUE", "duration", "10", "10s"],
  },
  "a default that is no duration": {
    args: ["run", "job.mjs"],
    files: typed(`param.duration({ default: "soon" })`),
    says: ["PARAM_BAD_VALUE", "soon"],
  },
  "no parameter file": {
    args: ["run", "job.mjs", "--params", "p.json"],
    files: params,
    says: ["CLIENT_BAD_PARAMETER_FILE", "p.json", "ENOENT"],
  },
  "a parameter file that is not JSON": {
    args: ["run", "job.mjs", "--params", "p.json"],
    files: { ...params, "p.json": '{\n  "input": "a",\n}\n' },
    says: ["CLIENT_BAD_PARAMETER_FILE", "p.json", "line 3"],
  },
  "a parameter file that holds a list": {
    args: ["run", "job.mjs", "--params", "p.json"],
    files: { ...params, "p.json": '["input"]' },
    says: ["CLIENT_BAD_PARAMETER_FILE", "p.json", "a list"],
  },
  "a parameter file that is a directory": {
    args: ["run", "job.mjs", "--params", "p.json"],
    files: { ...params, "p.json/a": "" },
    says: ["CLIENT_BAD_PARAMETER_FILE", "p.json", "EISDIR"],
  },
  "a parameter file with a value of another type": {
    args: ["run", "job.mjs", "--params", "p.json"],
    files: { ...params, "p.json": '{ "input": ["a"] }' },
    says: ["PARAM_BAD_VALUE", "input", "string", '["a"]'],
  },
  "a secret that is not in the environment": {
    args: ["run", "job.mjs"],
    files: typed("param.secret()"),
    says: ["SECRET_MISSING", "MILLRACE_SECRET_VALUE"],
  },
  "a secret on the command line": {
    args: ["run", "job.mjs", "--set", "value=hunter2"],
    files: typed("param.secret()"),
    says: ["PARAM_SECRET_GIVEN", "value", "MILLRACE_SECRET_VALUE"],
  },

  "state at an unknown kind of store": {
    args: ["run", "job.ts", "--state", "gs://bucket/x"],
    files: good,
    says: ["STORE_BAD_LOCATION", "gs://bucket/x", "s3://bucket/prefix"],
  },
  "state at a misspelt kind of store": {
    args: ["run", "job.ts", "--state", "s4:bucket"],
    files: good,
    says: ["CLI_BAD_ARGUMENT", "state", "s4:bucket", "s3://bucket/prefix"],
  },
  "state in a bucket without a name": {
    args: ["run", "job.ts", "--state", "s3:///x"],
    files: good,
    says: ["STORE_BAD_LOCATION", "s3:///x", "no bucket"],
  },
  "state at an endpoint that is no address": {
    args: ["run", "job.ts", "--state", "s3://bucket/x?endpoint=minio"],
    files: good,
    says: ["STORE_BAD_LOCATION", "endpoint"],
  },
  "state with a misspelt setting": {
    args: ["run", "job.ts", "--state", "s3://bucket/x?endpont=http://127.0.0.1:{free}"],
    files: good,
    says: ["STORE_BAD_LOCATION", "endpont"],
  },
  "state in a bucket without credentials": {
    args: ["run", "job.ts", "--state", "s3://bucket/x?endpoint=http://127.0.0.1:{free}"],
    files: good,
    exit: 1,
    says: ["STORE_DENIED", "credentials"],
  },
  "state at an endpoint where nobody listens": {
    args: ["run", "job.ts", "--state", "s3://bucket/x?endpoint=http://127.0.0.1:{free}"],
    files: good,
    env: { AWS_ACCESS_KEY_ID: "a", AWS_SECRET_ACCESS_KEY: "b" },
    exit: 1,
    says: ["STORE_UNAVAILABLE", "ECONNREFUSED"],
  },
  "state in a file": {
    args: ["run", "job.ts", "--state", "job.ts"],
    files: good,
    says: ["CLI_BAD_ARGUMENT", "state", "job.ts", "a folder"],
  },
  "state of a job that can't be": {
    args: ["run", "job.mjs", "--state", "state"],
    files: { "job.mjs": job(`env.fromCollection([1]).keyBy("x").window(1);`) },
    says: ["BUILD_BAD_ARGUMENT"],
  },
  "inspect a job that is not there": {
    args: ["run", "nope.ts", "--no-check", "--inspect", "{free}"],
    says: ["CLIENT_NO_SUCH_FILE", "nope.ts"],
  },
  "help for a command that is not there": {
    args: ["help", "local", "pu"],
    says: ["CLI_UNKNOWN_COMMAND", "local pu", "nearest: up"],
  },
  "inspect on a port that is none": {
    args: ["run", "job.ts", "--no-check", "--inspect", "99999"],
    files: good,
    says: ["CLI_BAD_ARGUMENT", "inspect", "99999"],
  },

  "list without a cluster": unreachable("list"),
  "show without a cluster": unreachable("show", "word-count"),
  "cancel without a cluster": unreachable("cancel", "word-count"),
  "checkpoints without a cluster": unreachable("checkpoints", "word-count"),
  "logs without a cluster": unreachable("logs", "word-count"),
  "submit without a cluster": { ...unreachable("submit", "job.ts"), files: good },
  "an address that is none": {
    args: ["list", "--jobmanager", "http://"],
    says: ["CLIENT_BAD_ADDRESS", "jobmanager", "http://", "127.0.0.1:8081"],
  },
  "an address of another protocol": {
    args: ["list", "--jobmanager", "ftp://127.0.0.1:8081"],
    says: ["CLIENT_BAD_ADDRESS", "jobmanager", "ftp://"],
  },
  "a port that is no port": {
    args: ["list", "--jobmanager", "127.0.0.1:99999"],
    says: ["CLIENT_BAD_ADDRESS", "jobmanager", "99999"],
  },
  "a server that is no JobManager": {
    args: ["list", "--jobmanager", "127.0.0.1:{port}"],
    exit: 1,
    says: ["CLIENT_UNREACHABLE", "127.0.0.1:<port>"],
  },
  "a job that the cluster does not know": {
    args: ["show", "word-cuont", "--jobmanager", "{rest}"],
    says: ["CLI_JOB_NOT_FOUND", "word-cuont", "millrace list"],
  },
  "cancelling an id that the cluster does not know": {
    args: ["cancel", "0123456789abcdef0123456789abcdef", "--jobmanager", "{rest}"],
    says: ["CLI_JOB_NOT_FOUND", "0123456789abcdef0123456789abcdef"],
  },
  "zero lines of log": {
    args: ["logs", "word-count", "-n", "0", "--jobmanager", "{rest}"],
    says: ["CLI_BAD_ARGUMENT", "lines", "0"],
  },
  "a name that is empty": {
    args: ["submit", "job.ts", "--name", "", "--jobmanager", "{rest}"],
    files: good,
    says: ["CLI_BAD_ARGUMENT", "name"],
  },

  "a jobmanager without a store": {
    args: ["jobmanager"],
    says: ["CLI_MISSING_ARGUMENT", "--store"],
  },
  "a jobmanager on a taken port": {
    args: ["jobmanager", "--store", "store", "--rest-port", "{port}", "--control-port", "0"],
    listens: true,
    says: ["CLI_CANNOT_LISTEN", "<port>", "EADDRINUSE"],
  },
  "a jobmanager whose control port is taken": {
    args: ["jobmanager", "--store", "store", "--rest-port", "0", "--control-port", "{port}"],
    listens: true,
    says: ["CLI_CANNOT_LISTEN", "<port>", "EADDRINUSE"],
  },
  "a port beyond 65535": {
    args: ["jobmanager", "--store", "store", "--rest-port", "70000"],
    says: ["CLI_BAD_ARGUMENT", "rest-port", "70000", "0 to 65535"],
  },
  "a host that is not this machine's": {
    args: ["jobmanager", "--store", "store", "--host", "192.0.2.1", "--rest-port", "0"],
    listens: true,
    says: ["CLI_CANNOT_LISTEN", "192.0.2.1", "EADDRNOTAVAIL"],
  },
  "an option that the jobmanager does not have": {
    args: ["jobmanager", "--store", "store", "-D", "heartbeat.timout=10s"],
    says: ["OPTION_UNKNOWN", "heartbeat.timout", "nearest: heartbeat.timeout"],
  },
  "an option with a bad value": {
    args: ["jobmanager", "--store", "store", "-D", "heartbeat.timeout=soon"],
    says: ["OPTION_BAD_DURATION", "heartbeat.timeout", "soon"],
  },
  "an option beyond its range": {
    args: ["jobmanager", "--store", "store", "-D", "heartbeat.timeout=0ms"],
    says: ["OPTION_BAD_VALUE", "heartbeat.timeout"],
  },
  "an option without a value": {
    args: ["jobmanager", "--store", "store", "-D", "heartbeat.timeout"],
    says: ["CLI_BAD_ARGUMENT", "define", "key=value"],
  },
  "a jobmanager with an unknown store": {
    args: ["jobmanager", "--store", "ftp://x/y"],
    says: ["STORE_BAD_LOCATION", "ftp://x/y"],
  },
  "a ready file in a folder that is not there": {
    args: ["jobmanager", "--store", "store", "--ready-file", "no/ready"],
    says: ["CLI_BAD_ARGUMENT", "ready-file", "no/ready"],
  },
  "a taskmanager without a jobmanager": {
    args: ["taskmanager", "--store", "store"],
    says: ["CLI_MISSING_ARGUMENT", "--jobmanager"],
  },
  "a taskmanager without slots": {
    args: ["taskmanager", "-j", "127.0.0.1:6123", "--store", "store", "--slots", "0"],
    says: ["CLI_BAD_ARGUMENT", "slots", "0"],
  },
  "a taskmanager with an address that is none": {
    args: ["taskmanager", "-j", "127.0.0.1", "--store", "store"],
    says: ["TASKMANAGER_BAD_ADDRESS", "127.0.0.1", "host:port"],
  },
  "a taskmanager with an unknown store": {
    args: ["taskmanager", "-j", "127.0.0.1:6123", "--store", "ftp://x/y"],
    says: ["STORE_BAD_LOCATION", "ftp://x/y"],
  },
  "a cluster without taskmanagers": {
    args: ["local", "up", "--taskmanagers", "0"],
    says: ["CLI_BAD_ARGUMENT", "taskmanagers", "0", "1 to 64"],
  },
  "a cluster on a port that is none": {
    args: ["local", "up", "--port", "http"],
    says: ["CLI_BAD_ARGUMENT", "port", "http"],
  },
  "a cluster on a taken port": {
    args: ["local", "up", "--port", "{port}"],
    listens: true,
    says: ["CLI_CANNOT_LISTEN", "<port>", "EADDRINUSE"],
  },
  "stopping what is not there": { args: ["local", "down"], says: ["CLI_NOT_UP", "local up"] },
  "the status of what is not there": {
    args: ["local", "status", "--dir", "elsewhere"],
    says: ["CLI_NOT_UP", "elsewhere"],
  },
  "collecting the garbage of no id": {
    args: ["gc", "word-count", "--store", "store"],
    says: ["CLI_BAD_ARGUMENT", "word-count", "32 hex digits"],
  },
  "collecting garbage in a store that is not there": {
    args: ["gc", "0123456789abcdef0123456789abcdef", "--store", "store", "--dry-run"],
    says: ["CLI_BAD_ARGUMENT", "store", "a folder that exists"],
  },

  "no such file": {
    args: ["run", "jbo.ts"],
    files: good,
    says: ["CLIENT_NO_SUCH_FILE", "jbo.ts", "nearest: job.ts"],
  },
  "no such folder": {
    args: ["submit", "jobs/job.ts"],
    files: good,
    says: ["CLIENT_NO_SUCH_FILE", "jobs/job.ts"],
  },
  "a folder": {
    args: ["run", "jobs"],
    files: { "jobs/job.ts": goodJob },
    says: ["CLIENT_NO_SUCH_FILE", "jobs", "a folder", "jobs/job.ts"],
  },
  "a file that is no module": {
    args: ["plan", "job.json"],
    files: { "job.json": "{}", "job.ts": goodJob },
    says: ["CLIENT_NO_SUCH_FILE", "job.json", "no module", "    job.ts"],
  },
};
