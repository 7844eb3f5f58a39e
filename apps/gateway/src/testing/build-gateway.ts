import { createSecretKey } from 'node:crypto';
import { createMetrics } from '@portcullis/boot';
import type { NewAuditEvent } from '@portcullis/contracts/audit';
import type { AgentEntry, GrantEntry, ServerEntry, SettingsEntry } from '@portcullis/contracts/snapshot';
import { createEgress } from '@portcullis/egress';
import { createSealer, IssuerKeys, type Sealer } from '@portcullis/secrets';
import { keysOfAgent, type PolicySnapshot } from '@portcullis/snapshot';
import { AccessTokens } from '../caller/access-tokens.js';
import { FailedAuthentication } from '../caller/failed-authentication.js';
import { TaskKeys } from '../caller/task-keys.js';
import { Cancels, type CancelChannel } from '../cancel/cancels.js';
import { ForwardedCalls } from '../cancel/forwarded-calls.js';
import { RunningCalls } from '../cancel/running-calls.js';
import { hostFilter, originFilter } from '../edge/allowed-names.js';
import type { Gateway } from '../gateway.js';
import { openLimits } from '../limits/open-limits.js';
import { NodeUnreachableError } from '../nodes/node-client.js';
import type { NodeLinks } from '../nodes/node-links.js';
import { AccessAsker } from '../own-tools/access-asker.js';
import { CallMetrics } from '../process/call-metrics.js';
import { LoadShedding } from '../process/load-shedding.js';
import { AgentSessions } from '../session/agent-sessions.js';
import { LogLevels, type LogLevelChannel } from '../session/log-levels.js';
import type { IndexedSessionStore } from '../session/session-store.js';
import { UpstreamSessions } from '../session/upstream-sessions.js';
import { ChangeStreams, type ChangeStreamParts } from '../streams/change-streams.js';
import { Upstreams } from '../upstream/upstreams.js';
import { AgentViews } from '../view/agent-views.js';
import { carryQuestions } from '../watch/carry-questions.js';
import { memorySubscriptions } from './memory-subscriptions.js';
import { pepper, settings } from './policy-builders.js';

/** A snapshot as a node holds it, without publishing one. */
export function aSnapshot(content: {
  servers?: readonly ServerEntry[];
  agents?: readonly AgentEntry[];
  grants?: readonly GrantEntry[];
  settings?: Partial<SettingsEntry>;
}): PolicySnapshot {
  const { servers = [], agents = [], grants = [] } = content;
  return {
    epoch: 1,
    revision: 1,
    rootDigest: '0'.repeat(64),
    settings: { ...settings, ...content.settings },
    servers: new Map(servers.map((server) => [server.id, server])),
    serversBySlug: new Map(servers.map((server) => [server.slug, server])),
    agents: new Map(agents.map((agent) => [agent.id, agent])),
    agentsBySlug: new Map(agents.map((agent) => [agent.slug, agent])),
    agentByKeyId: new Map(agents.flatMap((agent) => keysOfAgent(agent).map((key) => [key.id, { agent, key }] as const))),
    grantsBySubject: Map.groupBy(grants, ({ subject }) => ('agentId' in subject ? subject.agentId : subject.groupId)),
    changed: { settings: true, serverIds: new Set(), agentIds: new Set(), subjectIds: new Set() },
  };
}

/** A key for digests of what is not kept. */
export const captureKey = { id: 'test', key: createSecretKey(Buffer.alloc(32, 2)) };

const keys: Pick<Gateway, 'captureKey' | 'pepperOf'> = {
  captureKey: () => captureKey,
  pepperOf: (id) => (id === pepper.keyId ? pepper.key : undefined),
};

const nodes: NodeLinks = {
  url: 'http://127.0.0.1:1',
  route: () => undefined,
  send: () => Promise.reject(new NodeUnreachableError('There is no other node')),
};
const noChannel: CancelChannel & LogLevelChannel = { publish: () => undefined, onMessage: () => undefined };

const noIssuer = new IssuerKeys({ fetch: () => Promise.reject(new Error('No issuer')), now: () => performance.now(), onTrouble: () => undefined });
const egress = createEgress({ allow: ['127.0.0.0/8', '::1/128'] });

const unheard = (): void => undefined;
const noDesk = (): Promise<never> => Promise.reject(new Error('Nobody else is there'));

function memoryStore(): IndexedSessionStore {
  const entries = new Map<string, string>();
  return {
    get: async (key) => entries.get(key) ?? null,
    setIfAbsent: async (key, value) => !entries.has(key) && Boolean(entries.set(key, value)),
    set: async (key, value) => void entries.set(key, value),
    delete: async (key) => void entries.delete(key),
    touch: async () => undefined,
    addMember: async (key, member) => void entries.set(key, [...new Set([...(entries.get(key)?.split(' ') ?? []), member])].join(' ')),
    members: async () => [],
    takeMembers: async (key) => {
      const members = entries.get(key)?.split(' ') ?? [];
      entries.delete(key);
      return members;
    },
  };
}

function openStreams(parts: Pick<ChangeStreamParts, 'serverInfo' | 'policy' | 'views' | 'isEnded'>): ChangeStreams {
  const interest = { wantServer: () => undefined, wantResource: () => undefined };
  return new ChangeStreams({ ...parts, subscriptions: memorySubscriptions(), interest, now: () => Date.now() });
}

function buildCancels(policy: Gateway['policy'], sealer: Sealer): Pick<Gateway, 'runningCalls' | 'forwardedCalls' | 'cancels'> {
  const runningCalls = new RunningCalls();
  const cancels = new Cancels({ calls: runningCalls, channel: noChannel, sealer: () => sealer, now: () => Date.now(), isReady: () => true });
  return { runningCalls, forwardedCalls: new ForwardedCalls(policy), cancels };
}

/** A gateway over a given snapshot; its audit trail is an array. */
export function buildGateway(initial: PolicySnapshot | undefined): {
  gateway: Gateway;
  events: NewAuditEvent[];
  live: { snapshot: PolicySnapshot | undefined; ageMs: number; audits: boolean; memoryUsed: number };
} {
  const events: NewAuditEvent[] = [];
  const live = { snapshot: initial, ageMs: 0, audits: true, memoryUsed: 0 };
  const sealer = createSealer({ current: { id: 'test', key: Buffer.alloc(32, 1) } });
  const ended = new Set<string>();
  const record = async (event: NewAuditEvent): Promise<void> => {
    if (!live.audits) throw new (await import('@portcullis/contracts/errors')).GatewayError('node.audit_unavailable');
    events.push({ ...event });
  };
  const serverInfo = { name: 'portcullis', version: 'test' };
  const policy = { current: () => live.snapshot, ageMs: () => live.ageMs };
  const views = new AgentViews(100);
  const streams = openStreams({ serverInfo, policy, views, isEnded: (name) => ended.has(name) });
  const gateway: Gateway = {
    edge: { isAllowedHost: hostFilter([]), isAllowedOrigin: originFilter([]), bodyBytesMax: 64 * 1024 },
    serverInfo,
    policy,
    ...keys,
    taskKeys: new TaskKeys(() => sealer),
    accessTokens: new AccessTokens(noIssuer, policy, () => Date.now()),
    sealer: () => sealer,
    sessions: new AgentSessions(() => sealer, { has: (name) => ended.has(name), add: (name) => void ended.add(name) }),
    views,
    watches: { size: 0, policyApplied: () => undefined, close: () => undefined },
    streams,
    upstreams: new Upstreams((origin, options) => egress.poolFor(origin, options)),
    upstreamSessions: new UpstreamSessions(memoryStore(), () => sealer),
    logLevels: new LogLevels(memoryStore(), noChannel),
    nodes,
    ...carryQuestions({ nodes, sealer: () => sealer, store: memoryStore(), streams, now: () => Date.now(), onClose: () => undefined }),
    accessAsker: new AccessAsker({ fileAccessRequest: noDesk, findAccessRequests: noDesk }),
    shedding: new LoadShedding(() => live.memoryUsed),
    limits: openLimits({ rate: noDesk, quota: noDesk }),
    ...buildCancels(policy, sealer),
    audit: { recordIntent: record, recordOutcome: record },
    metrics: new CallMetrics(createMetrics({ app: 'test' })),
    failedAuthentication: new FailedAuthentication(unheard, unheard),
    logError: (error) => {
      throw error;
    },
    now: () => Date.now(),
  };
  return { gateway, events, live };
}
