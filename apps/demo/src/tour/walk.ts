import { AuditRecordPage, type AuditRecord } from '@portcullis/contracts/api/operations';
import { Grant, GrantPage } from '@portcullis/contracts/api/grants';
import { z } from 'zod';
import { askAs, namesIn, type AgentAnswer, type AgentAt } from './agent-request.js';
import { agentAt, demoAgents, serversOf, type DemoAgent } from './demo-agents.js';
import { check, received, sent, step } from './narrate.js';
import { ask } from './operator-request.js';
import type { Stack } from './stack.js';
import { until } from './until.js';
import { usePrograms, whyNoPrograms } from './use-programs.js';

const wireName = 'github__create_issue';
const issue = { repo: 'acme/storefront', title: 'The basket forgets its last item' };
/** Far more than it takes; how long that was is printed. */
const revokedWithinMs = 15_000;
const auditedWithinMs = 15_000;

const call = (agent: AgentAt, name: string): Promise<AgentAnswer> => askAs(agent, 'tools/call', { name, arguments: issue });

const unknownName = 'github__no_such_tool';

/** Whether both are refused alike. Each answer repeats the name that was asked for, and nothing else may differ. */
const sameBytes = (refused: AgentAnswer, unknown: AgentAnswer): boolean =>
  refused.message.error !== undefined &&
  refused.status === unknown.status &&
  refused.contentType === unknown.contentType &&
  refused.raw.replace(wireName, unknownName) === unknown.raw;

async function listAsEach(stack: Stack, agents: readonly DemoAgent[]): Promise<void> {
  step('What each agent sees', 'All agents use one address. Each finds the tools it was granted there, and no sign of others.');
  for (const slug of agents) {
    const names = namesIn(await askAs(agentAt(stack, slug), 'tools/list', {}));
    const own = names.length > 0 && names.every((name) => serversOf[slug].some((server) => name.startsWith(`${server}__`)));
    check(own, `${slug} sees ${names.join(', ') || 'nothing'}`);
  }
}

async function allowedCall(stack: Stack): Promise<void> {
  step('A call that is allowed', 'The gateway decides, records, forwards to the real server and records what came back.');
  const { message } = await call(agentAt(stack, 'code-review-agent'), wireName);
  check(message.result !== undefined && message.result.isError !== true, 'the issue was created');
}

async function refusedCall(stack: Stack): Promise<void> {
  step('A call that is refused', 'data-agent was not granted this tool. It must not even learn that there is one.');
  const agent = agentAt(stack, 'data-agent');
  const refused = await call(agent, wireName);
  const unknown = await call(agent, unknownName);
  check(sameBytes(refused, unknown), 'but for the name it repeats, the refusal equals the answer for a tool that does not exist, byte for byte');
}

async function findGrant(stack: Stack): Promise<Grant> {
  const page = await ask(stack, { method: 'GET', path: '/v1/grants?agent=code-review-agent&server=github', answer: GrantPage });
  const [grant] = page.items.filter(({ effect, kind }) => effect === 'allow' && kind === 'tools');
  if (!grant)
    throw new Error(
      'code-review-agent has no grant on github. Give it one: POST /v1/grants {"agent":"code-review-agent","server":"github","names":["create_issue"]}',
    );
  return grant;
}

async function seeItGone(stack: Stack, since: number): Promise<void> {
  await Promise.all(
    stack.gatewayUrls.map(async (gatewayUrl) => {
      const agent = agentAt(stack, 'code-review-agent', gatewayUrl);
      const list = () => askAs(agent, 'tools/list', {}, true);
      const names = namesIn(await until(list, (answer) => !namesIn(answer).includes(wireName), revokedWithinMs));
      const afterMs = Math.round(performance.now() - since);
      check(!names.includes(wireName), `${gatewayUrl} no longer lists it, ${afterMs} ms after the revocation`);
    }),
  );
  const agent = agentAt(stack, 'code-review-agent');
  const refused = await call(agent, wireName);
  const unknown = await askAs(agent, 'tools/call', { name: unknownName, arguments: issue }, true);
  check(sameBytes(refused, unknown), 'a call is refused now, again like a tool that does not exist');
}

const asRead = ({ agent, server, tool, args, timestamp, status, decision, reason, revision, durationMs, node }: AuditRecord): string =>
  JSON.stringify({ agent, server, tool, args, timestamp, status, decision, reason, revision, durationMs, node });

async function readAudit(stack: Stack, grant: Grant, from: string): Promise<void> {
  step('The record', 'Every call and every refusal is in the audit trail, with what was asked, the decision and the grant behind it.');
  const isCall = ({ status, grantId, args }: AuditRecord) =>
    status === 'success' && grantId === grant.id && (args as Partial<typeof issue> | null)?.title === issue.title;
  const isRefusal = (agent: DemoAgent) => (record: AuditRecord) => record.agent === agent && record.decision === 'deny';
  const wanted = [isCall, isRefusal('data-agent'), isRefusal('code-review-agent')];
  const path = `/v1/audit/events?method=tools/call&limit=200&from=${encodeURIComponent(from)}`;
  sent(`GET ${new URL(path, stack.controlPlaneUrl).href}\nauthorization: Bearer <the operator's token>`);
  // Records travel through a queue, so the last ones may be on their way.
  const read = () => ask(stack, { method: 'GET', path, answer: AuditRecordPage, quiet: true });
  const { items } = await until(read, (page) => wanted.every((test) => page.items.some(test)), auditedWithinMs);
  received('200, newest first', items.map(asRead).join('\n'));
  check(items.some(isCall), 'the allowed call is on record, with its arguments and the grant that allowed it');
  check(items.some(isRefusal('data-agent')), 'so is the refusal of data-agent');
  check(items.some(isRefusal('code-review-agent')), 'and the refusal after the revocation');
}

async function restore(stack: Stack, grant: Grant): Promise<void> {
  step('The grant again', 'A grant is given with one request, and needs no agent to reconnect.');
  const { subject, server, kind, names, effect, condition, pinned, rateLimit, mode, notBefore, expiresAt } = grant;
  const terms = { condition, pinned, rateLimit, mode, notBefore, expiresAt };
  const body = { ...subject, server, kind, names, effect, ...terms, reason: 'restored by the tour' };
  await ask(stack, { method: 'POST', path: '/v1/grants', body, answer: Grant });
  const agent = agentAt(stack, 'code-review-agent');
  const list = () => askAs(agent, 'tools/list', {}, true);
  const listed = await until(list, (answer) => namesIn(answer).includes(wireName), auditedWithinMs);
  check(namesIn(listed).includes(wireName), `code-review-agent sees ${wireName} again`);
}

/** Walks through the running demo, printing what travels. Ends at the first step that does not give what it says, the grant restored. */
export async function walk(stack: Stack): Promise<void> {
  const from = new Date().toISOString();
  const whyNot = await whyNoPrograms(stack);
  await listAsEach(stack, whyNot === undefined ? demoAgents : demoAgents.filter((slug) => slug !== 'notes-agent'));
  await allowedCall(stack);
  await refusedCall(stack);
  await usePrograms(stack, whyNot);
  step('A grant revoked', 'An operator takes the grant away. Nobody reconnects: the next request already meets the new policy, on every node.');
  const grant = await findGrant(stack);
  await ask(stack, { method: 'DELETE', path: `/v1/grants/${grant.id}`, answer: z.unknown() });
  const revokedAt = performance.now();
  try {
    await seeItGone(stack, revokedAt);
    await readAudit(stack, grant, from);
  } finally {
    await restore(stack, grant);
  }
}
