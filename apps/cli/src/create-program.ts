import { ServerTransport } from '@portcullis/contracts/api/servers';
import { Slug } from '@portcullis/contracts/names';
import { Command, InvalidArgumentError, Option } from 'commander';
import { add } from './add/add.js';
import { ask } from './add/ask.js';
import { slugFromUrl } from './add/slug-from-url.js';
import { addAgentKeyCommands } from './agent-key/agent-key-commands.js';
import { addAlertsCommand } from './alerts/alerts-command.js';
import { addAuditCommands } from './audit/audit-commands.js';
import { addAnswerRuleCommands } from './answers/answer-rule-commands.js';
import { addCaptureCommands } from './capture/capture-commands.js';
import { CliError } from './cli-error.js';
import type { Environment } from './config.js';
import { connect, type ConnectionOptions } from './connection.js';
import { addWebhookCommands } from './alerts/webhook-commands.js';
import { alertRules } from './alerts/alert-rule-commands.js';
import { addCollection } from './collections/collection-commands.js';
import { budgets } from './costs/budget-commands.js';
import { limits } from './limit/limit-commands.js';
import { addCostsCommand } from './costs/costs-command.js';
import { prices } from './costs/price-commands.js';
import { addCredentialCommands } from './credential/credential-commands.js';
import { addKillCommands } from './kill/kill-commands.js';
import { addPolicyCommands } from './policy/policy-commands.js';
import { addDriftCommands } from './drift/drift-commands.js';
import { addRegistryCommands } from './registry-commands.js';
import { addProfileCommands } from './runner/profile-commands.js';
import { addRunnerCommands } from './runner/runner-commands.js';
import { addRequestCommands } from './requests/request-commands.js';
import { addTaskKeyCommands } from './task-key/task-key-commands.js';
import { defaultPortBase, nodesMax, portTable } from './up/ports.js';
import { up } from './up/up.js';
import { wholeNumber } from './whole-number.js';
import { why } from './why/why.js';
import { withBreakGlass, withConnection } from './with-connection.js';
import { defaultDataDirectory } from './workspace.js';

/** The command line. `run` gives the exit code, and rejects with what went wrong. */
export interface Program {
  readonly command: Command;
  run(argv: readonly string[]): Promise<number>;
}

interface UpFlags {
  nodes?: number;
  data?: string;
  portBase: number;
  demo?: boolean;
  json?: boolean;
}
interface AddFlags extends ConnectionOptions {
  agent: string;
  slug?: string;
  tools?: string[];
  transport?: ServerTransport;
  yes?: boolean;
}
interface WhyFlags extends ConnectionOptions {
  taskServers?: string[];
  taskTools?: string[];
  arguments?: Record<string, unknown>;
}

/** A program is no address: it is registered with its profile. */
const addressable = ServerTransport.options.filter((transport) => transport !== 'stdio');
const demoNodes = 2;
const print = (text: string): boolean => process.stdout.write(text.endsWith('\n') ? text : `${text}\n`);
const say = (line: string): boolean => process.stderr.write(`[portcullis] ${line}\n`);

export function createProgram(environment: Environment): Program {
  let exitCode = 0;
  const command = new Command('portcullis')
    .description('A gateway between AI agents and MCP servers: each agent sees what it was granted, and every call is on record.')
    .exitOverride()
    .showHelpAfterError('(--help tells more)');
  addUp(command, environment);
  addAdd(command, environment);
  addWhy(command, environment, (code) => (exitCode = code));
  addRequestCommands(command, environment, print);
  addPolicyCommands(command, environment, print);
  addDriftCommands(command, environment, print);
  const terminal = { print, say, exit: (code: number): void => void (exitCode = code) };
  addRegistryCommands(command, environment, terminal);
  addAuditCommands(command, environment, terminal);
  addAlertsCommand(command, environment, print);
  addCostsCommand(command, environment, print);
  addCollection(command, environment, print, prices);
  addCollection(command, environment, print, budgets);
  addCollection(command, environment, print, limits);
  addCollection(command, environment, print, alertRules);
  addWebhookCommands(command, environment, print);
  addCaptureCommands(command, environment, print);
  addAnswerRuleCommands(command, environment, print);
  addKillCommands(command, environment, print);
  addCredentialCommands(command, environment, print);
  addAgentKeyCommands(command, environment, print);
  addTaskKeyCommands(command, environment, print);
  addRunnerCommands(command, environment, print);
  addProfileCommands(command, environment, print);
  const run = async (argv: readonly string[]): Promise<number> => {
    await command.parseAsync([...argv]);
    return exitCode;
  };
  return { command, run };
}

function addUp(program: Command, environment: Environment): void {
  const ports = portTable.map(([port, what]) => `  ${port.padEnd(15)} ${what}`).join('\n');
  program
    .command('up')
    .description(
      'Start everything on this machine and keep it until Ctrl-C: Postgres, Redis, control plane, discovery, audit worker, a runner, gateway nodes.',
    )
    .option('--nodes <n>', `gateway nodes, 1 to ${nodesMax} (default: 1, with --demo ${demoNodes})`, wholeNumber(1, nodesMax))
    .option('--data <directory>', 'where data, tokens and logs are kept (default: .portcullis in the checkout)')
    .option('--port-base <port>', 'first of a hundred ports, see below', wholeNumber(1024, 65_400), defaultPortBase)
    .option('--demo', 'also run and register demo servers, and four agents with the few grants they need')
    .option('--no-demo', 'without the demo (the default)')
    .option('--json', 'print one line of JSON when ready, and nothing else on standard output')
    .addHelpText('after', `\nPorts, all on 127.0.0.1:\n${ports}\n\nDATABASE_URL and REDIS_URL, when set, name services to use instead of our own.`)
    .action(async (flags: UpFlags) => {
      const dataDirectory = flags.data ?? environment.dataDirectory ?? defaultDataDirectory;
      const nodes = flags.nodes ?? (flags.demo ? demoNodes : 1);
      await up({ nodes, dataDirectory, portBase: flags.portBase, demo: flags.demo ?? false, json: flags.json ?? false }, environment, { print, say });
    });
}

function addAdd(program: Command, environment: Environment): void {
  const command = program
    .command('add')
    .description('Put an MCP server to use for an agent: register it, show what it offers, ask, approve, grant.')
    .argument('<url>', 'address of the server', httpUrl)
    .requiredOption('--agent <slug>', 'who may use it; made when missing', slug)
    .option('--slug <slug>', 'name of the server (default: from its address)', slug)
    .option('--tools <names>', 'only these tools, separated by commas (default: all)', names)
    .addOption(new Option('--transport <transport>', 'how the server is reached (default: auto, found out)').choices(addressable))
    .option('--yes', 'approve and grant without asking');
  withBreakGlass(command).action(async (url: string, flags: AddFlags) => {
    if (!flags.yes && !process.stdin.isTTY)
      throw new CliError('There is no terminal to ask at. Give --yes to approve and grant what the server offers.');
    const connection = await connect(flags, environment);
    const confirm = flags.yes ? () => Promise.resolve(true) : ask;
    const { agent, tools, transport, slug: name = slugFromUrl(url) } = flags;
    await add({ url, agent, slug: name, tools, transport, confirm }, connection, { print, say });
  });
}

function addWhy(program: Command, environment: Environment, exit: (code: number) => void): void {
  const command = program
    .command('why')
    .description('Explain why an agent may use a tool or not. Exit code 0: it may, 1: it may not, 2: that could not be found out.')
    .argument('<agent>', 'the agent, by slug or id')
    .argument('<target>', 'the tool as server:tool', target)
    .option('--arguments <json>', 'arguments of the call, a JSON object', jsonObject)
    .option('--task-servers <names>', 'with a key for a task that has these servers, separated by commas', names)
    .option('--task-tools <names>', 'with a key for a task that has these tools (server:tool), separated by commas', names);
  withConnection(command).action(async (agent: string, tool: string, flags: WhyFlags) => {
    const { taskServers: servers, taskTools: tools } = flags;
    const task = servers === undefined && tools === undefined ? undefined : { ...(servers && { servers }), ...(tools && { tools }) };
    exit(await why({ agent, target: tool, arguments: flags.arguments, task }, await connect(flags, environment), print));
  });
}

function slug(text: string): string {
  if (Slug.safeParse(text).success) return text;
  throw new InvalidArgumentError('It must be 1–32 characters of a–z, 0–9 and inner hyphens.');
}

function httpUrl(text: string): string {
  if (URL.canParse(text) && /^https?:$/.test(new URL(text).protocol)) return text;
  throw new InvalidArgumentError('It must be an http(s) URL.');
}

function names(text: string): string[] {
  const list = text.split(',').map((name) => name.trim());
  if (list.every((name) => name !== '')) return list;
  throw new InvalidArgumentError('It must be names separated by commas.');
}

function target(text: string): string {
  if (/^[^:]+:./s.test(text)) return text;
  throw new InvalidArgumentError('It must be server:tool.');
}

function jsonObject(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { ...value };
  } catch {
    // Refused below.
  }
  throw new InvalidArgumentError('It must be a JSON object.');
}
