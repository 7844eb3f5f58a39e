import { portIsFree } from '@portcullis/local-services';
import { CliError } from '../cli-error.js';

export const defaultPortBase = 7400;
export const nodesMax = 40;
const portSpan = 100;
const namedMax = 3;

export const demoServers = ['github', 'postgres', 'slack', 'everything'] as const;
export type DemoServer = (typeof demoServers)[number];

/** Where everything of one local stack listens, all on 127.0.0.1. */
export interface Ports {
  readonly controlPlane: number;
  readonly controlPlaneHealth: number;
  readonly discoveryHealth: number;
  readonly auditWorkerHealth: number;
  readonly postgres: number;
  readonly redis: number;
  readonly demo: Readonly<Record<DemoServer, number>>;
  readonly nodes: readonly { readonly mcp: number; readonly health: number }[];
  readonly runner: { readonly servers: number; readonly health: number };
}

/** The table, as `--help` shows it. */
export const portTable = [
  ['base', 'control plane (REST)'],
  ['base+1', 'its health and metrics'],
  ['base+2', "discovery's health and metrics"],
  ['base+3', "audit worker's health and metrics"],
  ['base+4, +5', 'Postgres, Redis (unless DATABASE_URL, REDIS_URL)'],
  ['base+6 … +9', `demo servers ${demoServers.join(', ')}`],
  ['base+10 … +49', 'gateway nodes (MCP)'],
  ['base+50 … +89', 'their health and metrics'],
  ['base+90, +91', 'the runner of stdio servers, its health and metrics'],
] as const;

export function portsFrom(base: number, nodes: number): Ports {
  return {
    controlPlane: base,
    controlPlaneHealth: base + 1,
    discoveryHealth: base + 2,
    auditWorkerHealth: base + 3,
    postgres: base + 4,
    redis: base + 5,
    demo: { github: base + 6, postgres: base + 7, slack: base + 8, everything: base + 9 },
    runner: { servers: base + 90, health: base + 91 },
    nodes: Array.from({ length: nodes }, (_, index) => ({ mcp: base + 10 + index, health: base + 50 + index })),
  };
}

/** Refuses, naming them, when something already listens on ports that are needed. */
export async function refuseTakenPorts(needed: readonly (readonly [what: string, port: number])[], base: number): Promise<void> {
  const checked = await Promise.all(needed.map(async ([what, port]) => ({ what, port, isFree: await portIsFree(port) })));
  const taken = checked.filter(({ isFree }) => !isFree);
  if (taken.length === 0) return;
  const named = taken.slice(0, namedMax).map(({ what, port }) => `${port} (meant for ${what})`);
  const list = named.join(', ') + (taken.length > namedMax ? ` and ${taken.length - namedMax} more` : '');
  const other = base + portSpan <= 65_000 ? base + portSpan : base - portSpan;
  throw new CliError(
    `${taken.length === 1 ? 'Port' : 'Ports'} ${list} of 127.0.0.1 ${taken.length === 1 ? 'is' : 'are'} taken by another program. Stop it, or choose other ports with --port-base ${other}.`,
  );
}
