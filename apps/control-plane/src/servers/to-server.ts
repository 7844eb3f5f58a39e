import { type Server, ServerTransport } from '@portcullis/contracts/api/servers';
import { nextSteps } from './next-steps.js';
import { serverAnswerRulesOf } from './server-answer-rules.js';
import { serverCaptureOf } from './server-capture.js';
import { toDiscovery } from './to-discovery.js';
import { toHosting } from './to-hosting.js';
import type { ServerRow } from './servers.repository.js';
import { transportOf } from './transport-of.js';

/** A server as operators see it. */
export function toServer(row: ServerRow): Server {
  const { id, slug, name, url, protocol, era, bothEras, tags, environment, enabled, refreshIntervalSeconds, instructions, software, counts } = row;
  return {
    id,
    slug,
    name,
    url,
    protocol,
    era: protocol === 'auto' ? era : protocol,
    bothEras: protocol === 'auto' && bothEras,
    transport: transportOf(row),
    transportPin: ServerTransport.parse(row.transportPin),
    hosting: row.hosting === undefined ? null : toHosting(id, row.hosting, new Date()),
    tags,
    environment,
    description: row.description,
    importedFrom: row.importSource === null || row.importKey === null ? null : { source: row.importSource, id: row.importKey },
    enabled,
    refreshIntervalSeconds,
    keepServing: row.keepServing === 'descriptions-only' ? 'descriptions-only' : 'none',
    driftBudgetPerDay: row.driftBudgetPerDay,
    auditCapture: serverCaptureOf(row),
    answerRules: serverAnswerRulesOf(row),
    suspension: row.suspendedAt === null ? null : { at: row.suspendedAt.toISOString(), reason: row.suspendedReason ?? '' },
    software,
    tlsKey: row.tlsKey,
    instructions,
    discovery: toDiscovery(row),
    definitions: counts,
    credentialTroubles: row.troubles.map(({ server: _server, serverId: _id, ...trouble }) => trouble),
    next: nextSteps(row),
    createdAt: row.createdAt.toISOString(),
    updatedAt: row.updatedAt.toISOString(),
  };
}
