import type { GrantRateLimit } from '@portcullis/contracts/grants';
import type { AgentEntry, GrantEntry } from '@portcullis/contracts/snapshot';
import { compileCondition } from './condition.js';
import { toConditionArgs } from './condition-values.js';
import type { ExplainFacts, ExplainStep } from './explanation.js';
import { compileGlob, isGlob } from './glob.js';
import { concerns, inOrder, isAbout } from './policy-table.js';
import { deniedForm } from './resource-uri.js';
import { hintsOf, selectsHints, type ServerFacts } from './selector.js';
import { withPinned } from './weigh-arguments.js';

/** Each grant that names or selects the target, in order of id, with what it says now. */
export function grantSteps(facts: ExplainFacts, agent: AgentEntry, server: ServerFacts): readonly ExplainStep[] {
  const { target, grants } = facts;
  const about = grants.filter((grant) => concerns(agent, grant) && isAbout(grant, server) && grant.kind === target.kind);
  return inOrder(about).flatMap((grant) => {
    const by = grant.names.find((name) => compileGlob(name)(target.name) || (grant.effect === 'deny' && namesUri(name, target.uri)));
    return by === undefined ? [] : [grantStep(grant, by, { facts, agent, server })];
  });
}

/** Whether a denial is about the URI itself, however it spells it. */
function namesUri(name: string, uri: string | undefined): boolean {
  if (uri === undefined) return false;
  const [matches, read] = [compileGlob(name), deniedForm(uri)];
  return matches(uri) || matches(read) || (!isGlob(name) && deniedForm(name) === read);
}

interface Place {
  readonly facts: ExplainFacts;
  readonly agent: AgentEntry;
  readonly server: ServerFacts;
}

function grantStep(grant: GrantEntry, by: string, place: Place): ExplainStep {
  const { now, definition } = place.facts;
  const who = 'agentId' in grant.subject ? 'the agent' : `the group ${grant.subject.groupId}`;
  const where = 'selector' in grant.target ? ` on servers with ${JSON.stringify(grant.target.selector)}` : '';
  const what = `${grant.effect === 'allow' ? 'Allowing' : 'Denying'} grant ${grant.id} of ${who} on "${by}"${where}`;
  const step = (code: string, text: string): ExplainStep => ({ code, text: `${what} ${text}.`, grantId: grant.id });
  const annotations = 'selector' in grant.target ? grant.target.selector.annotations : undefined;
  if (annotations !== undefined && !selectsHints(annotations, hintsOf(definition ?? undefined))) {
    return step('grant_not_selected', 'is about tools that say otherwise of themselves');
  }
  if (grant.notBefore !== null && now < grant.notBefore) return step('grant_not_yet_valid', `starts at ${timeText(grant.notBefore)}`);
  if (grant.expiresAt !== null && now >= grant.expiresAt) return step('grant_expired', `ended at ${timeText(grant.expiresAt)}`);
  if (grant.mode === 'shadow') return step('grant_shadow', 'is recorded, not enforced');
  return step(...termsSay(grant, place));
}

/** What the terms of a grant in force make of the arguments. */
function termsSay(grant: GrantEntry, { facts, agent, server }: Place): [code: string, text: string] {
  const allows = grant.effect === 'allow';
  const limit = grant.rateLimit === undefined ? '' : `, for ${callsText(grant.rateLimit)}`;
  const plain: [string, string] = allows ? ['grant_allows', `is in force${limit}`] : ['grant_denies', 'is in force and outweighs every allowing one'];
  if (grant.condition === undefined && grant.pinned === undefined) return plain;
  const terms = [grant.condition ?? '', grant.pinned === undefined ? '' : `pinned ${JSON.stringify(grant.pinned)}`].filter((term) => term !== '');
  const text = terms.join(', ');
  if (facts.args === undefined) return ['grant_conditional', `${allows ? 'allows' : 'denies'} as the arguments are: ${text}`];
  const forwarded = withPinned(facts.args, grant.pinned ?? null);
  if (forwarded === undefined) return ['pinned_argument', `pins an argument that was sent with another value: ${text}`];
  if (grant.condition === undefined) return plain;
  const { condition } = compileCondition(grant.condition);
  const holds = condition?.({ args: toConditionArgs(forwarded), tool: facts.target.name, server: server.slug, agent: agent.slug });
  if (holds === true) return [plain[0], `${plain[1]}, its condition holds: ${text}`];
  if (holds === false) return ['condition_false', `does not count, its condition does not hold: ${text}`];
  return ['condition_error', `${allows ? 'does not count' : 'counts'}, its condition cannot be said of these arguments: ${text}`];
}

const callsText = ({ calls, perSeconds }: GrantRateLimit): string => `at most ${String(calls)} calls of this agent in any ${String(perSeconds)} s`;

/** A number beyond the range of dates stays a number: an explanation never throws. */
const timeText = (time: number): string => (Math.abs(time) <= 8.64e15 ? new Date(time).toISOString() : String(time));
