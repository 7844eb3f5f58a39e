import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { CliError } from '../cli-error.js';
import { inWorkspace } from '../workspace.js';
import type { ProcessSpec } from './keep-process.js';
import type { DemoServer, Ports } from './ports.js';

/** What the specs of all processes are made from. */
export interface StackPlan {
  readonly dataDirectory: string;
  readonly ports: Ports;
  readonly inherited: Readonly<Record<string, string>>;
}

export interface Services {
  readonly databaseUrl: string;
  readonly redisUrl: string;
}

const host = '127.0.0.1';
export const urlAt = (port: number): string => `http://${host}:${port}`;

// This stack serves one machine, whose owner's own servers listen on loopback. Nowhere else is that address allowed.
const loopback = '127.0.0.0/8,::1/128';

const appFile = (app: string, file = 'main.js'): string => inWorkspace('apps', app, 'dist', file);

/** The file in which a new control plane leaves the first operator's token. */
export const bootstrapTokenFile = (dataDirectory: string): string => join(dataDirectory, 'operator-token');

function spec(plan: StackPlan, name: string, script: string, own: { env: Record<string, string>; healthPort: number }): ProcessSpec {
  const env = { ...plan.inherited, HEALTH_HOST: host, HEALTH_PORT: String(own.healthPort), ...own.env };
  const logFile = join(plan.dataDirectory, 'logs', `${name}.log`);
  return { name, script, env, readyUrl: `${urlAt(own.healthPort)}/readyz`, logFile, watchesParent: true };
}

export function controlPlaneSpec(plan: StackPlan, services: Services): ProcessSpec {
  const env = {
    ...serviceVariables(services),
    ...masterKey(plan),
    ...auditKey(plan),
    HOST: host,
    PORT: String(plan.ports.controlPlane),
    PORTCULLIS_BOOTSTRAP_TOKEN_FILE: bootstrapTokenFile(plan.dataDirectory),
    AUDIT_ANCHOR_FILE: join(plan.dataDirectory, 'audit-anchor.ndjson'),
    // For a registry of servers on this machine.
    PORTCULLIS_EGRESS_ALLOW: loopback,
  };
  return spec(plan, 'control-plane', appFile('control-plane'), { env, healthPort: plan.ports.controlPlaneHealth });
}

export function discoverySpec(plan: StackPlan, services: Services): ProcessSpec {
  const env = { ...serviceVariables(services), ...masterKey(plan), PORTCULLIS_EGRESS_ALLOW: loopback };
  return spec(plan, 'discovery', appFile('control-plane', 'discovery-main.js'), { env, healthPort: plan.ports.discoveryHealth });
}

export function auditWorkerSpec(plan: StackPlan, services: Services): ProcessSpec {
  const env = { ...serviceVariables(services), ...auditKey(plan) };
  return spec(plan, 'audit-worker', appFile('audit-worker'), { env, healthPort: plan.ports.auditWorkerHealth });
}

export function nodeSpec(plan: StackPlan, index: number, own: { redisUrl: string; joinToken: string }): ProcessSpec {
  const { mcp, health } = plan.ports.nodes[index] ?? { mcp: 0, health: 0 };
  const name = `gateway-${index + 1}`;
  const env = {
    REDIS_URL: own.redisUrl,
    HOST: host,
    PORT: String(mcp),
    INTERNAL_HOST: host,
    // A free one: nodes tell one another where they are.
    INTERNAL_PORT: '0',
    CONTROL_PLANE_URL: urlAt(plan.ports.controlPlane),
    JOIN_TOKEN: own.joinToken,
    PORTCULLIS_EGRESS_ALLOW: loopback,
    NODE_NAME: name,
    PUBLIC_URL: urlAt(mcp),
    DATA_DIR: join(plan.dataDirectory, 'nodes', name),
  };
  return spec(plan, name, appFile('gateway'), { env, healthPort: health });
}

export function runnerSpec(plan: StackPlan, joinToken: string): ProcessSpec {
  const { servers, health } = plan.ports.runner;
  const env = {
    HOST: host,
    PORT: String(servers),
    CONTROL_PLANE_URL: urlAt(plan.ports.controlPlane),
    JOIN_TOKEN: joinToken,
    RUNNER_NAME: 'runner-1',
    DATA_DIR: join(plan.dataDirectory, 'runner'),
    STOP_GRACE_MS: '0',
  };
  return spec(plan, 'runner', appFile('runner'), { env, healthPort: health });
}

export function demoSpec(plan: StackPlan, server: DemoServer, env: Record<string, string> = {}): ProcessSpec {
  const port = plan.ports.demo[server];
  const name = `demo-${server}`;
  return {
    name,
    script: appFile('demo', `${server}.js`),
    env: { ...plan.inherited, PORT: String(port), ...env },
    readyUrl: `${urlAt(port)}/healthz`,
    logFile: join(plan.dataDirectory, 'logs', `${name}.log`),
    watchesParent: false,
  };
}

/** Prints the URL of the demo's database for the role that may read it. */
export const prepareDemoDatabaseScript = appFile('demo', 'prepare-database.js');

/** Refuses when a part of the stack was not built. */
export function refuseUnbuilt(demo: boolean): void {
  const needed = [
    appFile('control-plane'),
    appFile('control-plane', 'discovery-main.js'),
    appFile('audit-worker'),
    appFile('gateway'),
    appFile('runner'),
  ];
  if (demo) needed.push(prepareDemoDatabaseScript, appFile('demo', 'github.js'));
  const missing = needed.filter((file) => !existsSync(file));
  if (missing.length > 0) throw new CliError(`This checkout is not fully built (${missing.join(', ')} is missing). Run "npm run build" first.`);
}

/** The key before the one in use is in a file of its own for as long as somebody leaves it there. */
function masterKey({ dataDirectory }: StackPlan): Record<string, string> {
  const before = join(dataDirectory, 'previous-master.key');
  return {
    PORTCULLIS_MASTER_KEY_FILE: join(dataDirectory, 'master.key'),
    ...(existsSync(before) && { PORTCULLIS_PREVIOUS_MASTER_KEY_FILE: before }),
  };
}

/** Made from the master key by the control plane: all of that which an audit worker needs. */
const auditKey = ({ dataDirectory }: StackPlan): Record<string, string> => ({ PORTCULLIS_AUDIT_KEY_FILE: join(dataDirectory, 'audit.key') });

const serviceVariables = ({ databaseUrl, redisUrl }: Services): Record<string, string> => ({ DATABASE_URL: databaseUrl, REDIS_URL: redisUrl });
