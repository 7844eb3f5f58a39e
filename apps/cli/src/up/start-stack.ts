import { createApiClient } from '@portcullis/api-client';
import { execFile } from 'node:child_process';
import { rm } from 'node:fs/promises';
import type { Environment } from '../config.js';
import { CliError } from '../cli-error.js';
import { type Say, step } from '../progress.js';
import { readTokens, type Tokens, writeTokens } from '../tokens-file.js';
import { registerDemo } from './demo.js';
import { registerPrograms } from './demo-programs.js';
import type { ReadyStack } from './describe-stack.js';
import { keepProcess, type KeptProcess, type ProcessSpec } from './keep-process.js';
import type { KeptHooks } from './kept.js';
import { migrate } from './migrate.js';
import { findOperatorToken } from './operator-token.js';
import type { Parts, Phase } from './parts.js';
import { type DemoServer, demoServers } from './ports.js';
import {
  auditWorkerSpec,
  bootstrapTokenFile,
  controlPlaneSpec,
  demoSpec,
  discoverySpec,
  nodeSpec,
  runnerSpec,
  prepareDemoDatabaseScript,
  type Services,
  type StackPlan,
  urlAt,
} from './processes.js';
import { providePostgres, provideRedis } from './services.js';

export interface StackStart {
  readonly plan: StackPlan;
  readonly demo: boolean;
  readonly environment: Environment;
  readonly parts: Parts;
  readonly hooks: KeptHooks;
  readonly say: Say;
  /** Aborted when the start is to be given up. Its own first failure aborts it too, so that nothing is waited for in vain. */
  readonly abort: AbortController;
}

/** Starts everything, as much at once as can be. When it rejects, every start has come to its end, so that stopping `parts` ends all. */
export async function startStack(start: StackStart): Promise<ReadyStack> {
  const { plan, environment, abort } = start;
  const kept = await readTokens(plan.dataDirectory);
  const early = start.demo ? demoServers.filter((server) => server !== 'postgres').map((server) => launchDemo(start, server)) : [];
  const [services, others] = await together(abort, [startServices(start), together(abort, early)]);
  const [controlPlane, discovery, worker, withDatabase] = await together(abort, [
    launch(start, 'control-plane', controlPlaneSpec(plan, services)),
    launch(start, 'workers', discoverySpec(plan, services)),
    launch(start, 'workers', auditWorkerSpec(plan, services)),
    start.demo ? startDemoDatabase(start, services) : Promise.resolve([]),
  ]);
  await waitFor(start, [controlPlane]);
  const controlPlaneUrl = urlAt(plan.ports.controlPlane);
  const sources = { controlPlaneUrl, dataDirectory: plan.dataDirectory, kept: kept?.operatorToken, given: environment.token };
  const operatorToken = await findOperatorToken(sources);
  const tokens: Tokens = { controlPlaneUrl, gatewayUrls: plan.ports.nodes.map(({ mcp }) => urlAt(mcp)), operatorToken, agents: kept?.agents ?? {} };
  await writeTokens(plan.dataDirectory, tokens);
  await rm(bootstrapTokenFile(plan.dataDirectory), { force: true });
  const [, , agents] = await together(abort, [
    startNodes(start, { redisUrl: services.redisUrl, tokens }),
    startRunner(start, tokens),
    start.demo ? setUpDemo(start, tokens, [...others, ...withDatabase]) : Promise.resolve({}),
    waitFor(start, [discovery, worker]),
  ]);
  const all = { ...tokens, agents: { ...tokens.agents, ...agents } };
  await writeTokens(plan.dataDirectory, all);
  return { ...all, ...services, pids: start.parts.pids() };
}

/** All results; at the first failure the rest is told to give up and waited for. */
async function together<const Work extends readonly Promise<unknown>[]>(
  abort: AbortController,
  work: Work,
): Promise<{ -readonly [Index in keyof Work]: Awaited<Work[Index]> }> {
  for (const one of work) one.catch((error: unknown) => abort.abort(error));
  const results = await Promise.allSettled(work);
  abort.signal.throwIfAborted();
  return results.map((result) => (result.status === 'fulfilled' ? result.value : undefined)) as never;
}

async function startServices({ plan, environment, parts, hooks, say, abort }: StackStart): Promise<Services> {
  const host = { parts, hooks, say };
  const wish = (given: string | undefined, port: number) => ({ given, dataDirectory: plan.dataDirectory, port });
  const postgres = providePostgres(wish(environment.databaseUrl, plan.ports.postgres), host);
  const migrated = postgres.then((databaseUrl) => migrate({ databaseUrl, inherited: plan.inherited, say, signal: abort.signal }));
  const redis = provideRedis(wish(environment.redisUrl, plan.ports.redis), host);
  const [databaseUrl, redisUrl] = await together(abort, [postgres, redis, migrated]);
  return { databaseUrl, redisUrl };
}

async function launch({ parts, hooks, abort }: StackStart, phase: Phase, spec: ProcessSpec): Promise<KeptProcess> {
  abort.signal.throwIfAborted();
  const kept = parts.add(phase, await keepProcess(spec, hooks));
  hooks.changed();
  return kept;
}

interface DemoProcess {
  readonly server: DemoServer;
  readonly running: KeptProcess;
}

const launchDemo = async (start: StackStart, server: DemoServer, env?: Record<string, string>): Promise<DemoProcess> => ({
  server,
  running: await launch(start, 'demo', demoSpec(start.plan, server, env)),
});

const waitFor = (start: StackStart, processes: readonly KeptProcess[]): Promise<unknown> =>
  step(start.say, `Waiting for ${processes.map(({ name }) => name).join(', ')}`, () =>
    together(
      start.abort,
      processes.map((one) => one.ready(start.abort.signal)),
    ),
  );

async function startNodes(start: StackStart, own: { redisUrl: string; tokens: Tokens }): Promise<void> {
  const { controlPlaneUrl: baseUrl, operatorToken: token } = own.tokens;
  const join = await createApiClient({ baseUrl, token }).nodes.createJoinToken();
  const launches = start.plan.ports.nodes.map((_, index) =>
    launch(start, 'nodes', nodeSpec(start.plan, index, { redisUrl: own.redisUrl, joinToken: join.token })),
  );
  await waitFor(start, await together(start.abort, launches));
}

/** Nobody waits for it but who calls a server of stdio. */
async function startRunner(start: StackStart, { controlPlaneUrl: baseUrl, operatorToken: token }: Tokens): Promise<void> {
  const join = await createApiClient({ baseUrl, token }).runners.createJoinToken();
  await waitFor(start, [await launch(start, 'runners', runnerSpec(start.plan, join.token))]);
}

/** The demo server that needs a database. Its role would reach into every database of a cluster that is not ours, so there it is left out. */
async function startDemoDatabase(start: StackStart, { databaseUrl }: Services): Promise<DemoProcess[]> {
  const { plan, environment, say, abort } = start;
  if (environment.databaseUrl !== undefined) {
    say('The demo runs without its postgres server: that would need a role and a database of its own in the Postgres that DATABASE_URL names.');
    return [];
  }
  const demoUrl = await step(say, "Preparing the demo's database", () => prepareDemoDatabase(databaseUrl, plan.inherited, abort.signal));
  return [await launchDemo(start, 'postgres', { DEMO_DATABASE_URL: demoUrl })];
}

function prepareDemoDatabase(adminUrl: string, inherited: Readonly<Record<string, string>>, signal: AbortSignal): Promise<string> {
  const env = { ...inherited, ADMIN_DATABASE_URL: adminUrl };
  return new Promise((resolve, reject) => {
    execFile(process.execPath, [prepareDemoDatabaseScript], { env, signal }, (error, stdout, stderr) => {
      const url = stdout.trim().split('\n').at(-1) ?? '';
      if (!error && URL.canParse(url)) return resolve(url);
      if (signal.aborted) return reject(signal.reason as Error);
      reject(new CliError(`The demo's database could not be prepared: ${stderr.trim().slice(-2_000) || 'the program said nothing'}`));
    });
  });
}

async function setUpDemo(start: StackStart, tokens: Tokens, demo: readonly DemoProcess[]): Promise<Record<string, string>> {
  const { plan, say, abort } = start;
  const ready = waitFor(
    start,
    demo.map(({ running }) => running),
  );
  await together(abort, [ready, registerPrograms(tokens, plan.dataDirectory)]);
  const api = createApiClient({ baseUrl: tokens.controlPlaneUrl, token: tokens.operatorToken });
  const servers = demo.map(({ server }) => server);
  return registerDemo({ api, ports: plan.ports, servers, keys: tokens.agents, say, signal: abort.signal });
}
