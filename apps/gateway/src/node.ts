import { mkdirSync } from 'node:fs';
import type { AuditTrail } from '@portcullis/audit';
import { createMetrics, ListenerTls, startHealthServer, tlsFilesOf, type Logger, type Metrics, type OnClose } from '@portcullis/boot';
import type { Follower } from '@portcullis/snapshot';
import { openAudit } from './audit/open-audit.js';
import { FailedAuthentication } from './caller/failed-authentication.js';
import { openAccessTokens } from './caller/open-access-tokens.js';
import { TaskKeys } from './caller/task-keys.js';
import { linkCancels } from './cancel/link-cancels.js';
import type { Config } from './config.js';
import { openControlPlane, type ControlPlane } from './control-plane/open-control-plane.js';
import { ServerChangeReporter } from './control-plane/server-change-reporter.js';
import { StatusReporter } from './control-plane/status-reporter.js';
import { hostFilter, originFilter } from './edge/allowed-names.js';
import type { Gateway } from './gateway.js';
import { redisLeases } from './limits/leases.js';
import { openLimits } from './limits/open-limits.js';
import { linkNodes } from './nodes/link-nodes.js';
import type { NodeLinks } from './nodes/node-links.js';
import { AccessAsker } from './own-tools/access-asker.js';
import { followPolicy, type PolicyNews } from './policy/follow-policy.js';
import { CallMetrics } from './process/call-metrics.js';
import { shedLoad } from './process/load-shedding.js';
import { observeListener, observeNode } from './process/node-metrics.js';
import { readinessOf } from './process/node-readiness.js';
import { openRedis, type RedisConnections } from './process/redis-connections.js';
import { startServer } from './server.js';
import { AgentSessions } from './session/agent-sessions.js';
import { SharedEndedSessions } from './session/ended-sessions.js';
import { LogLevels, redisLogLevelChannel } from './session/log-levels.js';
import { redisSessionStore } from './session/redis-session-store.js';
import { UpstreamSessions } from './session/upstream-sessions.js';
import { endUnusedSessions } from './upstream/end-unused-sessions.js';
import { openUpstreams } from './upstream/open-upstreams.js';
import { AgentViews } from './view/agent-views.js';
import { openChangeStreams } from './watch/open-change-streams.js';
import { carryQuestions } from './watch/carry-questions.js';

/** A running node. */
export interface Node {
  readonly port: number;
  readonly healthPort: number;
}

const VERSION = '0.1.0';
const BODY_BYTES_MAX = 4 * 1024 * 1024;

/** Builds everything once, each part after those it needs; the services around it may come later, in any order. */
export async function startNode(config: Config, logger: Logger, onClose: OnClose): Promise<Node> {
  mkdirSync(config.dataDir, { recursive: true, mode: 0o700 });
  const metrics = createMetrics({ app: 'gateway' });
  const redis = openRedis({ redisUrl: config.redisUrl, auditRedisUrl: config.auditRedisUrl }, logger);
  onClose('redis', () => redis.close());

  const control = openControlPlane(config, logger);
  const news: PolicyNews = { onApplied: () => undefined, onChange: () => undefined };
  const follower = followPolicy(config, { redis, control, logger, news });
  onClose('policy', () => follower.close());
  const audit = openAudit(config, { redis, control, policy: follower, logger, onClose });
  const reporter = new StatusReporter({
    client: control.client,
    follower,
    audit,
    version: VERSION,
    url: config.publicUrl ?? null,
    onRefused: () => control.membership.noteRefused(),
  });
  news.onChange = () => reporter.reportSoon();

  const nodes = await linkNodes(config, { keys: control.ring.nodeLinkKeys, logger, onClose });
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

interface GatewayParts {
  readonly redis: RedisConnections;
  readonly control: ControlPlane;
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
  const opened = openChangeStreams({ serverInfo, policy: follower, views, isEnded, redis, upstreams, serverChanges, onClose });
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
    ...carryQuestions({ nodes, sealer: ring.sealer, store, streams: opened.streams, now: () => Date.now(), onClose }),
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
  readonly control: ControlPlane;
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
  const { host, port, connectionsPerSourceMax, connectionsPerSecondMax } = config;
  const files = tlsFilesOf(config);
  const tls = files && (await ListenerTls.open(files));
  const server = await startServer(gateway, { host, port, tls }, { connectionsPerSourceMax, connectionsPerSecondMax });
  observeListener(metrics, server);
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
