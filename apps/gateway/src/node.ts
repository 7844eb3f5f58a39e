import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { createBatchQueue, openAuditTrail, type AuditTrail } from '@portcullis/audit';
import { createMetrics, ListenerTls, startHealthServer, tlsFilesOf, type Logger, type Metrics, type OnClose } from '@portcullis/boot';
import { followSnapshots, type Follower, type PolicySnapshot } from '@portcullis/snapshot';
import { linkCancels } from './cancel/link-cancels.js';
import { CallMetrics } from './process/call-metrics.js';
import type { Config } from './config.js';
import { ControlPlaneClient } from './control-plane/control-plane-client.js';
import { IdentityFile } from './control-plane/identity-file.js';
import { KeyRing } from './control-plane/key-ring.js';
import { Membership } from './control-plane/membership.js';
import { ServerChangeReporter } from './control-plane/server-change-reporter.js';
import { StatusReporter } from './control-plane/status-reporter.js';
import { hostFilter, originFilter } from './edge/allowed-names.js';
import { FailedAuthentication } from './caller/failed-authentication.js';
import type { Gateway } from './gateway.js';
import { linkNodes } from './nodes/link-nodes.js';
import type { NodeLinks } from './nodes/node-links.js';
import { redisLeases } from './limits/leases.js';
import { shedLoad } from './process/load-shedding.js';
import { openLimits } from './limits/open-limits.js';
import { openAccessTokens } from './caller/open-access-tokens.js';
import { AccessAsker } from './own-tools/access-asker.js';
import { observeNode } from './process/node-metrics.js';
import { linkQuestions } from './questions/link-questions.js';
import { readinessOf } from './process/node-readiness.js';
import { openRedis, type RedisConnections } from './process/redis-connections.js';
import { startServer } from './server.js';
import { AgentSessions } from './session/agent-sessions.js';
import { SharedEndedSessions } from './session/ended-sessions.js';
import { endUnusedSessions } from './upstream/end-unused-sessions.js';
import { LogLevels, redisLogLevelChannel } from './session/log-levels.js';
import { redisSessionStore } from './session/redis-session-store.js';
import { UpstreamSessions } from './session/upstream-sessions.js';
import { openChangeStreams } from './watch/open-change-streams.js';
import { TaskKeys } from './caller/task-keys.js';
import { openUpstreams } from './upstream/open-upstreams.js';
import { AgentViews } from './view/agent-views.js';

/** A running node. */
export interface Node {
  readonly port: number;
  readonly healthPort: number;
}

const VERSION = '0.1.0';
const BODY_BYTES_MAX = 4 * 1024 * 1024;
const QUEUE_CLOSE_MS_MAX = 1000;

/** Builds everything once, each part after those it needs; the services around it may come later, in any order. */
export async function startNode(config: Config, logger: Logger, onClose: OnClose): Promise<Node> {
  mkdirSync(config.dataDir, { recursive: true, mode: 0o700 });
  const metrics = createMetrics({ app: 'gateway' });
  const redis = openRedis({ redisUrl: config.redisUrl, auditRedisUrl: config.auditRedisUrl }, logger);
  onClose('redis', () => redis.close());

  const control = openControlPlane(config, logger);
  const news: News = { onApplied: () => undefined, onChange: () => undefined };
  const follower = followPolicy(config, { redis, control, logger, news });
  onClose('policy', () => follower.close());
  const audit = openAudit(config, { redis, control, logger, follower, onClose });
  const reporter = new StatusReporter({
    client: control.client,
    follower,
    audit,
    version: VERSION,
    url: config.publicUrl ?? null,
    onRefused: () => control.membership.noteRefused(),
  });
  news.onChange = () => reporter.reportSoon();

  const nodes = await linkNodes(config, { ring: control.ring, logger, onClose });
  const gateway = buildGateway(config, { redis, control, logger, metrics, follower, audit, nodes, onClose });
  news.onApplied = (snapshot) => {
    gateway.forwardedCalls.policyApplied(snapshot); // before their connections are taken away
    gateway.upstreams.keepOnly(snapshot.servers);
    gateway.streams.policyApplied(snapshot);
    gateway.watches.policyApplied(snapshot);
  };
  observeNode(metrics, { ...gateway, follower, audit });
  control.membership.start(control.client, () => reporter.reportSoon());
  onClose('membership', () => control.membership.stop());
  reporter.start();
  onClose('reporter', () => reporter.stop());
  return listen(config, { gateway, metrics, follower, control, redis, audit, logger, onClose });
}

/** What the policy's follower tells parts that are built after it. */
interface News {
  onApplied: (snapshot: PolicySnapshot) => void;
  onChange: () => void;
}

interface Control {
  readonly ring: KeyRing;
  readonly membership: Membership;
  readonly client: ControlPlaneClient;
}

function openControlPlane(config: Config, logger: Logger): Control {
  const ring = new KeyRing();
  const file = new IdentityFile(config.dataDir);
  const membership = new Membership({ name: config.nodeName, joinToken: config.joinToken, file, ring, logger });
  membership.restore();
  return { ring, membership, client: new ControlPlaneClient(config.controlPlaneUrl, () => membership.nodeKey) };
}

function followPolicy(config: Config, parts: { redis: RedisConnections; control: Control; logger: Logger; news: News }): Follower {
  const { redis, control, logger, news } = parts;
  const { client, membership, ring } = control;
  return followSnapshots({
    redis: redis.policyCommands,
    subscriber: redis.policy,
    controlPlane: { fetchHead: (signal) => client.fetchHead(signal), fetchChunk: (digest, signal) => client.fetchChunk(digest, signal) },
    verify: ring.verify,
    directory: join(config.dataDir, 'policy'),
    clock: { now: () => Date.now(), monotonic: () => performance.now() },
    onApplied: (snapshot) => {
      logger.debug({ epoch: snapshot.epoch, revision: snapshot.revision }, 'Policy applied');
      news.onApplied(snapshot);
      news.onChange();
    },
    onRefused: (reason, revision) => {
      // Before it has enrolled a node has no key and refuses everything; that is no news.
      if (reason === 'key_unknown') membership.refreshSoon(client);
      if (!ring.isEmpty) logger.warn({ reason, revision }, 'Policy refused');
      news.onChange();
    },
  });
}

function openAudit(config: Config, parts: Pick<GatewayParts, 'redis' | 'control' | 'logger' | 'follower' | 'onClose'>): AuditTrail {
  const { redis, control, logger, follower, onClose } = parts;
  const queue = createBatchQueue(redis.audit);
  onClose('audit queue', () => Promise.race([queue.close(), pause(QUEUE_CLOSE_MS_MAX)]));
  const audit = openAuditTrail({
    node: config.nodeName,
    directory: join(config.dataDir, 'audit'),
    queue,
    handOver: (batch) => control.client.handOverAudit(batch),
    signer: () => control.membership.auditSigner,
    release: () => follower.current()?.settings.auditRelease ?? 'queue',
    onTrouble: (what, error) => logger.warn({ err: error, what }, 'Audit events are not taken at once'),
  });
  onClose('audit', () => audit.close());
  return audit;
}

interface GatewayParts {
  readonly redis: RedisConnections;
  readonly control: Control;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly follower: Follower;
  readonly audit: AuditTrail;
  readonly nodes: NodeLinks;
  readonly onClose: OnClose;
}

function buildGateway(config: Config, { redis, control, logger, metrics, follower, audit, nodes, onClose }: GatewayParts): Gateway {
  const { ring } = control;
  const callMetrics = new CallMetrics(metrics);
  const upstreams = openUpstreams(config.portcullisEgressAllow, { control, metrics: callMetrics, logger, onClose });
  const accessTokens = openAccessTokens(config, { policy: follower, logger, onClose });
  const ended = new SharedEndedSessions(redis.commands, redis.sessions);
  onClose('ended sessions', () => ended.close());
  const sessions = new AgentSessions(ring.sealer, ended, () => callMetrics.foreignSession());
  const views = new AgentViews(config.agentsReadyMax);
  ring.onChange = () => {
    sessions.forgetOpened();
    views.forget();
  };
  const store = redisSessionStore(redis.commands);
  const serverInfo = { name: 'portcullis', version: VERSION };
  const serverChanges = new ServerChangeReporter(control.client);
  const isEnded = (name: string): boolean => ended.has(name);
  const { stopLooking, ...opened } = openChangeStreams({ serverInfo, policy: follower, views, isEnded, redis, upstreams, serverChanges });
  onClose('servers in use', async () => stopLooking());
  return {
    edge: { isAllowedHost: hostFilter(config.allowedHosts), isAllowedOrigin: originFilter(config.allowedOrigins), bodyBytesMax: BODY_BYTES_MAX },
    serverInfo,
    policy: follower,
    pepperOf: ring.pepperOf,
    taskKeys: new TaskKeys(ring.taskKeySealer),
    accessTokens,
    sealer: ring.sealer,
    sessions,
    views,
    ...opened,
    upstreams,
    upstreamSessions: endUnusedSessions(new UpstreamSessions(store, ring.sealer), { upstreams, policy: follower, onClose }),
    logLevels: new LogLevels(store, redisLogLevelChannel(redis.commands, redis.sessions)),
    nodes,
    // Closed behind what they hold open for answers, which ends as if its client had gone.
    ...linkCancels({ redis, ring, policy: follower, onClose }),
    ...linkQuestions({ nodes, sealer: ring.sealer, store, streams: opened.streams, now: () => Date.now(), onClose }),
    accessAsker: new AccessAsker(control.client),
    shedding: shedLoad(onClose),
    limits: openLimits(redisLeases(redis.commands)),
    audit,
    captureKey: ring.captureKey,
    metrics: callMetrics,
    failedAuthentication: new FailedAuthentication(
      (failure) => logger.warn(failure, 'Authentication failed'),
      (reason) => callMetrics.failedAuthentication(reason),
    ),
    logError: (error, message) => logger.error({ err: error }, message),
    now: () => Date.now(),
  };
}

interface Listening {
  readonly gateway: Gateway;
  readonly metrics: Metrics;
  readonly follower: Follower;
  readonly control: Control;
  readonly redis: RedisConnections;
  readonly audit: AuditTrail;
  readonly logger: Logger;
  readonly onClose: OnClose;
}

async function listen(config: Config, { gateway, metrics, follower, control, redis, audit, logger, onClose }: Listening): Promise<Node> {
  let isStopping = false;
  const health = await startHealthServer({
    host: config.healthHost,
    port: config.healthPort,
    metrics,
    ready: () => readinessOf({ follower, gateway, isStopping, isEnrolled: !control.ring.isEmpty, redis: redis.commands, audit }),
  });
  onClose('health', () => health.close());
  const { host, port, connectionsPerSourceMax } = config;
  const files = tlsFilesOf(config);
  const tls = files && (await ListenerTls.open(files));
  const server = await startServer(gateway, { host, port, tls }, { connectionsPerSourceMax });
  if (tls !== undefined && server.tls !== undefined) onClose('certificate', tls.keepRenewing(server.tls, logger));
  onClose('server', () => server.close(config.stopGraceMs));
  // Before the listener, which would wait for them.
  onClose('streams', () => {
    gateway.streams.close();
    gateway.watches.close();
  });
  onClose('readiness', () => {
    isStopping = true;
  });
  return { port: server.port, healthPort: health.port };
}
