import { stepAgainst } from '../credentials/find-troubles.js';
import type { ServerRow } from './servers.repository.js';

/** What an operator would do next with a server, each with the request to send. Empty when nothing is left to do. */
export function nextSteps({ slug, enabled, suspendedAt, discoveredAt, discoveryError, counts, grantCount, troubles }: ServerRow): string[] {
  const path = `/v1/servers/${slug}`;
  const steps: string[] = [];
  if (!enabled) steps.push(`It is disabled and no agent sees it. Enable it: PATCH ${path} {"enabled":true}`);
  if (suspendedAt !== null) {
    steps.push(`It is suspended for what it changed and no agent sees it. Look at what it changed: GET /v1/drift?server=${slug}`);
    steps.push(`Let it serve again: POST ${path}/resume {"reason":"<why>"}`);
  }
  for (const trouble of troubles) steps.push(`${trouble.reason} ${stepAgainst(trouble)}`);
  if (discoveryError !== null) steps.push(`Discovery failed. When the cause is gone, ask again: POST ${path}/discovery`);
  else if (discoveredAt === null) steps.push(`It is about to be discovered. Wait for what it offers: POST ${path}/discovery`);
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
