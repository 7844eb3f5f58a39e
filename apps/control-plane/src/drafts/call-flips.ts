import type { CallFlips, FlippedCall } from '@portcullis/contracts/api/drafts';
import type { Transaction } from '@portcullis/database';
import { decide, decideUri, type Decision, type JsonObject } from '@portcullis/policy';
import { AgentRules } from './agent-rules.js';
import type { Concern } from './concern.js';
import { servedTargets, type PolicyView } from './policy-view.js';
import { groupCalls, keptCalls, type CallGroup, type KeptCall } from './recorded-calls.js';

/** Calls that are looked at one by one because their arguments decide. */
const EXAMINED_MAX = 2000;
const SAMPLES_MAX = 10;

type Effect = Decision['effect'];

export interface FlipFacts {
  readonly before: PolicyView;
  readonly after: PolicyView;
  readonly now: number;
  readonly days: number;
}

/** Decides recorded calls again, at one moment: as policy is and as it would be. Only calls whose arguments decide are read one by one. */
export async function callFlips(tx: Transaction, concern: Concern, { before, after, now, days }: FlipFacts): Promise<CallFlips> {
  const since = new Date(now - days * 86_400_000);
  const was = deciderOf(before, now);
  const is = deciderOf(after, now);
  const flips: Tally = { days, calls: 0, allowedToDenied: 0, deniedToAllowed: 0, undecidable: 0, unexamined: 0, samples: [] };
  let examined = 0;
  for (const group of days === 0 ? [] : await groupCalls(tx, concern, since)) {
    flips.calls += group.count;
    const effects = [was(group), is(group)] as const;
    if (!effects.includes('conditional')) {
      tally(flips, group, group, [...effects, group.count]);
      continue;
    }
    const calls = await keptCalls(tx, group, since, Math.max(0, EXAMINED_MAX - examined));
    examined += calls.length;
    flips.unexamined += group.count - calls.length;
    for (const call of calls) {
      if (call.args === undefined) flips.undecidable += 1;
      else tally(flips, group, call, [was(group, call.args), is(group, call.args), 1]);
    }
  }
  return flips;
}

type Tally = { -readonly [Member in keyof CallFlips]: CallFlips[Member] };

function tally(
  flips: Tally,
  group: CallGroup,
  { callId, at }: Pick<KeptCall, 'callId' | 'at'>,
  [was, is, count]: readonly [Effect, Effect, number],
): void {
  if ((was === 'deny') === (is === 'deny')) return;
  const [before, after]: [FlippedCall['before'], FlippedCall['after']] = was === 'deny' ? ['deny', 'allow'] : ['allow', 'deny'];
  if (after === 'allow') flips.deniedToAllowed += count;
  else flips.allowedToDenied += count;
  if (flips.samples.length >= SAMPLES_MAX) return;
  const { agent, server, name, kind, recorded } = group;
  flips.samples.push({ callId, timestamp: at.toISOString(), agent, ref: `${server}:${name}`, kind, recorded, before, after });
}

/** Decides as a node with this policy would: what is not offered is denied to everybody. */
function deciderOf(view: PolicyView, now: number): (group: CallGroup, args?: JsonObject) => Effect {
  const rules = new AgentRules(view);
  const servers = new Map(
    view.servers.map((server) => [
      server.id,
      { server, targets: servedTargets(server), definitions: server.enabled ? server.definitions.filter(({ served }) => served) : [] },
    ]),
  );
  return ({ agentId, serverId, kind, name }, args) => {
    const table = rules.tableOf(agentId, false);
    const found = servers.get(serverId);
    if (table === undefined || found === undefined) return 'deny';
    const target = found.targets.get(`${kind} ${name}`);
    const uri = kind === 'resources' ? decideUri(table, found, name, { args, now }) : undefined;
    // What comes from a template was once on record under the template's name.
    if (uri !== undefined) return uri.decision.effect;
    return target === undefined ? 'deny' : decide(table, { ...target, server: found.server }, args, now).effect;
  };
}
