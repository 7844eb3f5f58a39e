import type { Id } from '@portcullis/contracts/names';
import type { AgentEntry, GrantEntry } from '@portcullis/contracts/snapshot';
import { decide } from './decide.js';
import type { Decision } from './decision.js';
import { compileGlob } from './glob.js';
import type { ExplainFacts, ExplainStep, Explanation } from './explanation.js';
import { nearestGrant } from './nearest-grant.js';
import { compileTable, concerns, inOrder, serverIdOf } from './policy-table.js';

interface Finding {
  readonly passes: boolean;
  readonly step: ExplainStep;
  readonly hint?: string | undefined;
}

/** Walks every rule on the way from an agent to a target, past the first that refuses, so that one answer names all that is in the way. */
export function explain(facts: ExplainFacts): Explanation {
  const gates = [agentFinding(facts), serverFinding(facts), ...(facts.server === null ? [] : [definitionFinding(facts)])];
  const considered = facts.agent === null || facts.server === null ? [] : grantSteps(facts, facts.agent, facts.server.id);
  const decision = decideFacts(facts);
  const blocked = gates.some((gate) => !gate.passes);
  const effect = blocked ? 'deny' : decision.effect;
  const granted = decision.effect !== 'deny';
  const hints = gates.map((gate) => gate.hint).filter((hint) => hint !== undefined);
  if (!granted && facts.agent !== null && facts.server !== null) hints.push(...grantHints(facts, facts.agent, decision));
  return {
    effect,
    visible: effect !== 'deny',
    grantId: decision.grantId,
    steps: [...gates.map((gate) => gate.step), ...considered, conclusion(facts, decision, blocked)],
    hints,
  };
}

/** The decision over the grants alone; an agent that is switched off has its own step. */
function decideFacts({ agent, server, target, grants, args, now }: ExplainFacts): Decision {
  const nobody: Decision = { effect: 'deny', reasons: [], grantId: null };
  if (agent === null || server === null) return nobody;
  return decide(compileTable({ agent: { ...agent, enabled: true }, grants }), { serverId: server.id, ...target }, args, now);
}

const finding = (passes: boolean, code: string, text: string, hint?: string): Finding => ({ passes, step: { code, text, grantId: null }, hint });

function agentFinding({ agent, named }: ExplainFacts): Finding {
  if (agent === null) return finding(false, 'agent_unknown', `There is no agent ${named.agent}.`, `Create the agent ${named.agent}.`);
  if (!agent.enabled) return finding(false, 'agent_disabled', `The agent ${agent.slug} is disabled.`, `Enable the agent ${agent.slug}.`);
  return finding(true, 'agent_enabled', `The agent ${agent.slug} is enabled.`);
}

function serverFinding({ server, named }: ExplainFacts): Finding {
  if (server === null) return finding(false, 'server_unknown', `There is no server ${named.server}.`, `Register the server ${named.server}.`);
  if (!server.enabled) return finding(false, 'server_disabled', `The server ${named.server} is disabled.`, `Enable the server ${named.server}.`);
  return finding(true, 'server_enabled', `The server ${named.server} is enabled.`);
}

function definitionFinding({ definition, named, target }: ExplainFacts): Finding {
  const id = canonical(named.server, target.name);
  if (definition === null) {
    const hint = `Check the name, or run discovery of ${named.server}.`;
    return finding(false, 'definition_unknown', `${named.server} was not seen to offer ${target.name} among its ${target.kind}.`, hint);
  }
  const { state, served } = definition;
  const still = served ? ', and its approved form is still served' : '';
  switch (state) {
    case 'approved':
      return finding(served, 'definition_approved', `${id} is approved.`);
    case 'pending':
      return finding(served, 'definition_pending', `${id} waits for approval.`, `Approve ${id}.`);
    case 'changed':
      return finding(served, 'definition_changed', `${id} has changed since it was approved${still}.`, `Review the change of ${id} and approve it.`);
    case 'rejected':
      return finding(served, 'definition_rejected', `${id} was rejected.`, `Approve ${id} after all.`);
    case 'removed':
      return finding(served, 'definition_removed', `${named.server} no longer offers ${target.name}.`);
  }
}

/** Each grant that names the target, in order of id, with what it says now. */
function grantSteps({ target, grants, now }: ExplainFacts, agent: AgentEntry, serverId: Id): readonly ExplainStep[] {
  const about = grants.filter((grant) => concerns(agent, grant) && serverIdOf(grant) === serverId && grant.kind === target.kind);
  return inOrder(about).flatMap((grant) => {
    const by = grant.names.find((name) => compileGlob(name)(target.name));
    return by === undefined ? [] : [grantStep(grant, by, now)];
  });
}

function grantStep(grant: GrantEntry, by: string, now: number): ExplainStep {
  const who = 'agentId' in grant.subject ? 'the agent' : `the group ${grant.subject.groupId}`;
  const what = `${grant.effect === 'allow' ? 'Allowing' : 'Denying'} grant ${grant.id} of ${who} on "${by}"`;
  const step = (code: string, text: string): ExplainStep => ({ code, text: `${what} ${text}.`, grantId: grant.id });
  if (grant.notBefore !== null && now < grant.notBefore) return step('grant_not_yet_valid', `starts at ${timeText(grant.notBefore)}`);
  if (grant.expiresAt !== null && now >= grant.expiresAt) return step('grant_expired', `ended at ${timeText(grant.expiresAt)}`);
  return grant.effect === 'allow' ? step('grant_allows', 'is in force') : step('grant_denies', 'is in force and outweighs every allowing one');
}

function conclusion({ named, target }: ExplainFacts, decision: Decision, blocked: boolean): ExplainStep {
  const id = canonical(named.server, target.name);
  const reason = decision.reasons[0];
  const code = reason?.code ?? 'refused';
  const sees = decision.effect !== 'deny' && !blocked;
  if (decision.effect !== 'deny' && blocked) {
    return { code: 'refused', text: `${named.agent} is granted ${id} but cannot use it for the reasons above.`, grantId: decision.grantId };
  }
  const text = sees ? `${named.agent} may use ${id}.` : `${named.agent} may not use ${id}${code === 'no_grant' ? ': no grant names it' : ''}.`;
  return { code, text, grantId: decision.grantId };
}

function grantHints(facts: ExplainFacts, agent: AgentEntry, decision: Decision): readonly string[] {
  const { named, target } = facts;
  const id = canonical(named.server, target.name);
  if (decision.grantId !== null) return [`Delete the denying grant ${decision.grantId}, or take the name out of it.`];
  const near = nearestGrant(facts, agent);
  const first = decision.reasons[0];
  if (first?.code === 'expired') return [`Extend grant ${first.grantId} past its expiry.`];
  if (first?.code === 'not_yet_valid') return [`Wait until grant ${first.grantId} starts, or let it start earlier.`];
  const grantIt = `Grant ${id} (${target.kind}) to ${agent.slug}.`;
  return near === undefined ? [grantIt] : [grantIt, near];
}

const canonical = (server: string, name: string): string => `${server}:${name}`;

/** A number beyond the range of dates stays a number: an explanation never throws. */
const timeText = (time: number): string => (Math.abs(time) <= 8.64e15 ? new Date(time).toISOString() : String(time));
