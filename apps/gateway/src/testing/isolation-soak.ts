import { Agent as Connections } from 'undici';
import { aGrant, anAgent, aServer, aTool, settings } from './policy-builders.js';
import { emptyReport, soak, type SoakReport } from './soaking-agent.js';
import { startTaggingServer, tagOf, type TaggingServer } from './tagging-server.js';
import { startTestStack } from './test-stack.js';

const AGENTS = 64;
const NODES = 3;
const CONNECTIONS_PER_NODE = 48;
const LIMITS = { concurrency: 10_000, firstByteTimeoutMs: 20_000, totalTimeoutMs: 30_000, resultBytesMax: 4 * 1024 * 1024 };

/** What came of a soak, for a test to judge. */
export interface SoakOutcome {
  readonly agents: readonly string[];
  readonly report: SoakReport;
  readonly servers: readonly TaggingServer[];
  /** Rows of the trail whose arguments carry the tag of another agent than the row names. */
  readonly misattributed: readonly string[];
}

/** 64 agents with equal ids and progress tokens at three nodes, calling servers of both eras for `seconds`. Each has one tool, which no other may see. */
export async function runIsolationSoak(seconds: number): Promise<SoakOutcome> {
  const [stack, ...servers] = await Promise.all([startTestStack(NODES), startTaggingServer(), startTaggingServer()]);
  const connections = new Connections({ connections: CONNECTIONS_PER_NODE, pipelining: 1 });
  try {
    const agents = Array.from({ length: AGENTS }, (_, at) => anAgent(`agent-${String(at)}`));
    const definitions = agents.map(({ slug }) => aTool(slug, { description: tagOf(slug) }));
    const eras = ['modern', 'legacy'] as const;
    const entries = eras.map((era, at) => aServer(era, definitions, { url: servers[at]?.url ?? '', era, limits: LIMITS }));
    const grants = agents.flatMap((agent) => entries.map((entry) => aGrant(agent, entry, { names: [agent.slug] })));
    await stack.publish({ servers: entries, agents, grants, settings });
    const report = emptyReport();
    const place = { urls: stack.urls, connections, report };
    const until = performance.now() + seconds * 1000;
    // However slow the machine, everybody has called, cancelled and hung up by then.
    const goesOn = (): boolean => performance.now() < until || !isEnough(report, servers);
    await Promise.all(agents.map(({ slug, token }) => soak({ slug, token, tool: slug }, place, goesOn)));
    return { agents: agents.map(({ slug }) => slug), report, servers, misattributed: misattributed(await stack.events()) };
  } finally {
    await connections.destroy();
    await Promise.all([stack.stop(), ...servers.map((server) => server.close())]);
  }
}

/** Whether there is something to judge: what happened is chosen at random. */
function isEnough({ calls, cancels, hangUps }: SoakReport, servers: readonly TaggingServer[]): boolean {
  const sessions = Math.max(...servers.map(({ ownersOfSession }) => ownersOfSession.size));
  return calls.size === AGENTS && [cancels, hangUps, sessions].every((count) => count > AGENTS);
}

function misattributed(events: readonly { agent: string | null; arguments: string | null }[]): string[] {
  return events.flatMap(({ agent, arguments: kept }) => {
    const tag = kept === null ? undefined : /"tag":"([^"]+)"/.exec(Buffer.from(kept, 'base64').toString())?.[1];
    return tag === undefined || tag === agent ? [] : [`${String(agent)} has a row of ${tag}`];
  });
}
