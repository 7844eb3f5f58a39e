import type { ServerHosting } from '@portcullis/contracts/api/server-hosting';
import { stepAgainst } from '../credentials/find-troubles.js';
import type { ServerRow } from './servers.repository.js';
import { toDiscovery } from './to-discovery.js';
import { toHosting } from './to-hosting.js';

/** What an operator would do next with a server, each with the request to send. Empty when nothing is left to do. */
export function nextSteps(row: ServerRow): string[] {
  const { slug, enabled, suspendedAt, discoveredAt, discoveryError, counts, grantCount, troubles, hosting } = row;
  const path = `/v1/servers/${slug}`;
  const steps = hosting === undefined ? [] : hostingSteps(slug, toHosting(row.id, hosting, new Date()));
  const isHosted = hosting === undefined || hosting.hosting?.place != null;
  if (!enabled) steps.push(`It is disabled and no agent sees it. Enable it: PATCH ${path} {"enabled":true}`);
  if (suspendedAt !== null) {
    steps.push(`It is suspended for what it changed and no agent sees it. Look at what it changed: GET /v1/drift?server=${slug}`);
    steps.push(`Let it serve again: POST ${path}/resume {"reason":"<why>"}`);
  }
  for (const trouble of troubles) steps.push(`${trouble.reason} ${stepAgainst(trouble)}`);
  if (!isHosted) return steps;
  if (discoveryError !== null) steps.push(`Discovery failed. When the cause is gone, ask again: POST ${path}/discovery`);
  else if (discoveredAt === null) steps.push(`It is about to be discovered. Wait for what it offers: POST ${path}/discovery`);
  if (toDiscovery(row).problems.some(({ cut }) => cut)) {
    steps.push(
      `It offers more than is taken of one server, and agents see none of the rest. Look where it was cut: discovery.problems of GET ${path}`,
    );
  }
  if (counts.pending > 0) {
    steps.push(`${counts.pending} new definitions wait for approval. Look at them: GET ${path}/definitions?state=pending`);
    steps.push(`Approve all that wait: POST ${path}/definitions/approve {"all":true}`);
  }
  if (counts.changed > 0) {
    steps.push(
      `${counts.changed} definitions differ from what was approved. Look at them: GET ${path}/definitions?state=changed, at a difference: GET ${path}/definitions/<id>/diff`,
    );
  }
  if (counts.approved > 0 && grantCount === 0) {
    steps.push(`No agent may use it yet. Grant it: POST /v1/grants {"agent":"<agent>","server":"${slug}","names":["<tool>"]}`);
  }
  return steps;
}

function hostingSteps(slug: string, { profile, waiting, missingSecrets, runner, child }: ServerHosting): string[] {
  const path = `/v1/servers/${slug}`;
  const steps: string[] = [];
  if (profile === null && waiting === null) steps.push(`Nothing says what is to be started. Propose it: POST ${path}/profiles {"profile":{…}}`);
  if (waiting !== null) {
    const version = `${path}/profiles/${String(waiting.version)}`;
    steps.push(`A launch profile waits for approval. Look through it: GET ${version}`);
    steps.push(`Approve it: POST ${version}/approve {"hash":"${waiting.hash}"}`);
  }
  if (missingSecrets.length > 0)
    steps.push(`It is not started without ${missingSecrets.join(', ')}. Give them in a credential of the kind environment: POST /v1/credentials`);
  else if (profile !== null && runner === null) steps.push('No runner hosts it yet. Look which there are: GET /v1/runners');
  if (runner !== null && !runner.live) steps.push(`Its runner ${runner.name} does not answer, and no other is there to take it: GET /v1/runners`);
  if (child?.throttled === true)
    steps.push(`It takes more processor time than its profile allows, and is slowed. Propose one with another cpuPercent: POST ${path}/profiles`);
  if (child?.state === 'failed' || child?.state === 'backing-off')
    steps.push(`It does not start (${child.lastError ?? 'not said why'}). Read what it said: GET ${path}/log`);
  if (child?.state === 'quarantined') {
    steps.push(`It failed too often and is not started any more. Read what it said: GET ${path}/log`);
    steps.push(`Have it started again: POST ${path}/restart {"reason":"<why>"}`);
  }
  return steps;
}
