import type { AgentEntry } from '@portcullis/contracts/snapshot';
import { decide } from './decide.js';
import type { Decision, Reason } from './decision.js';
import { grantSteps } from './explain-grants.js';
import type { ExplainFacts, ExplainStep, Explanation } from './explanation.js';
import { compileNarrowings } from './narrowing.js';
import { nearestGrant } from './nearest-grant.js';
import { compileTable } from './policy-table.js';
import { canonicalUri } from './resource-uri.js';
import type { ServerFacts } from './selector.js';

interface Finding {
  readonly passes: boolean;
  readonly step: ExplainStep;
  readonly hint?: string | undefined;
}

/** Walks every rule on the way from an agent to a target, past the first that refuses, so that one answer names all that is in the way. */
export function explain(facts: ExplainFacts): Explanation {
  const { server } = facts;
  const about = server === null ? [] : [...templateFindings(facts), definitionFinding(facts), ...taskFindings(facts, server)];
  const gates = [agentFinding(facts), serverFinding(facts), ...about];
  const considered = facts.agent === null || facts.server === null ? [] : grantSteps(facts, facts.agent, facts.server);
  const decision = decideFacts(facts);
  const spent = [...budgetFindings(facts), ...limitFindings(facts, decision)];
  const blocked = gates.some((gate) => !gate.passes);
  const stopped = blocked || spent.length > 0;
  const granted = decision.effect !== 'deny';
  const hints = [...gates, ...spent].map((gate) => gate.hint).filter((hint) => hint !== undefined);
  if (!granted && facts.agent !== null && facts.server !== null) hints.push(...grantHints(facts, facts.agent, decision));
  return {
    effect: stopped ? 'deny' : decision.effect,
    visible: !blocked && (granted || decision.refused === 'arguments'),
    grantId: decision.grantId,
    steps: [...[...gates, ...spent].map((gate) => gate.step), ...considered, conclusion(facts, decision, stopped)],
    hints,
  };
}

/** The decision over the grants alone; an agent that is switched off has its own step. */
function decideFacts({ agent, server, target, definition, grants, args, now }: ExplainFacts): Decision {
  const nobody: Decision = { effect: 'deny', reasons: [], grantId: null, refused: 'target', pinned: null, rateLimit: null };
  if (agent === null || server === null) return nobody;
  const table = compileTable({ agent: { ...agent, enabled: true }, grants });
  return decide(table, { server, ...target, definition: definition ?? undefined }, args, now);
}

const finding = (passes: boolean, code: string, text: string, hint?: string): Finding => ({ passes, step: { code, text, grantId: null }, hint });

function agentFinding({ agent, named }: ExplainFacts): Finding {
  if (agent === null) return finding(false, 'agent_unknown', `There is no agent ${named.agent}.`, `Create the agent ${named.agent}.`);
  if (!agent.enabled) return finding(false, 'agent_disabled', `The agent ${agent.slug} is disabled.`, `Enable the agent ${agent.slug}.`);
  return finding(true, 'agent_enabled', `The agent ${agent.slug} is enabled.`);
}

/** A spent budget stops calls, and leaves lists as they are. */
function budgetFindings({ agent, now }: ExplainFacts): Finding[] {
  const until = agent?.budgetSpentUntil;
  if (agent === null || until === undefined || until <= now) return [];
  const end = new Date(until).toISOString();
  const text = `A budget that ${agent.slug} counts to is spent: its calls are refused until ${end}.`;
  return [finding(false, 'budget_spent', text, `Raise the budget that is spent, or wait until ${end}.`)];
}

/** So does a limit that is used up. */
function limitFindings({ spentLimits = [] }: ExplainFacts, decision: Decision): Finding[] {
  return spentLimits
    .filter(({ grantId }) => grantId === null || grantId === decision.grantId)
    .map(({ whose, terms, until, grantId }) => {
      const end = new Date(until).toISOString();
      const step = { code: 'limit_spent', text: `The limit of ${whose}, ${terms}, is used up until ${end}.`, grantId };
      return { passes: false, step, hint: `Raise the limit of ${whose}, or wait until ${end}.` };
    });
}

function serverFinding({ server, named }: ExplainFacts): Finding {
  if (server === null) return finding(false, 'server_unknown', `There is no server ${named.server}.`, `Register the server ${named.server}.`);
  if (!server.enabled) return finding(false, 'server_disabled', `The server ${named.server} is disabled.`, `Enable the server ${named.server}.`);
  return finding(true, 'server_enabled', `The server ${named.server} is enabled.`);
}

function templateFindings({ target: { uri, name } }: ExplainFacts): readonly Finding[] {
  return uri === undefined ? [] : [finding(true, 'from_template', `${uri} comes from the template ${name}.`)];
}

function definitionFinding({ definition, named, target }: ExplainFacts): Finding {
  const id = canonical(named.server, target.name);
  if (definition === null) {
    const normal = target.kind === 'resources' ? canonicalUri(target.name) : target.name;
    const hint =
      normal === target.name
        ? `Check the name, or run discovery of ${named.server}.`
        : `From templates come only URIs in their normal form: ${normal}.`;
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

/** A key for a task only ever shrinks, so what lies outside of it is refused whatever is granted. */
function taskFindings({ task, named, target }: ExplainFacts, server: ServerFacts): Finding[] {
  if (task === undefined) return [];
  const id = canonical(named.server, target.name);
  if (compileNarrowings([task])({ server, ...target })) return [finding(true, 'within_task', `${id} lies within the task.`)];
  const hint = `Make the key for the task with ${target.kind === 'tools' ? `the tool ${id}` : `the server ${named.server}`}.`;
  return [finding(false, 'outside_task', `${id} lies outside of the task.`, hint)];
}

function conclusion({ named, target }: ExplainFacts, decision: Decision, blocked: boolean): ExplainStep {
  const id = canonical(named.server, target.uri ?? target.name);
  const reason = decision.reasons[0];
  const code = reason?.code ?? 'refused';
  const sees = decision.effect !== 'deny' && !blocked;
  if (decision.effect !== 'deny' && blocked) {
    return { code: 'refused', text: `${named.agent} is granted ${id} but cannot use it for the reasons above.`, grantId: decision.grantId };
  }
  const may = decision.effect === 'conditional' ? 'may use, as its arguments are,' : sees ? 'may use' : 'may not use';
  const why = code === 'no_grant' ? ': no grant names it' : decision.refused === 'arguments' ? ' with these arguments' : '';
  return { code, text: `${named.agent} ${may} ${id}${why}.`, grantId: decision.grantId };
}

function grantHints(facts: ExplainFacts, agent: AgentEntry, decision: Decision): readonly string[] {
  const { named, target } = facts;
  const id = canonical(named.server, target.name);
  if (decision.refused === 'arguments') return decision.reasons.map((reason) => argumentsHint(reason, facts));
  if (decision.grantId !== null) return [`Delete the denying grant ${decision.grantId}, or take the name out of it.`];
  const near = nearestGrant(facts, agent);
  const first = decision.reasons[0];
  if (first?.code === 'expired') return [`Extend grant ${first.grantId} past its expiry.`];
  if (first?.code === 'not_yet_valid') return [`Wait until grant ${first.grantId} starts, or let it start earlier.`];
  const grantIt = `Grant ${id} (${target.kind}) to ${agent.slug}.`;
  return near === undefined ? [grantIt] : [grantIt, near];
}

function argumentsHint({ code, grantId }: Reason, { grants }: ExplainFacts): string {
  const grant = grants.find(({ id }) => id === grantId);
  const condition = grant?.condition ?? '';
  switch (code) {
    case 'pinned_argument':
      return `Leave out what grant ${grantId} pins: ${JSON.stringify(grant?.pinned)}.`;
    case 'denied_by_condition':
      return `Send arguments for which the condition of the denying grant ${grantId} is false, or change it: ${condition}`;
    case 'condition_error':
      return `The condition of grant ${grantId} cannot be said of these arguments; has() asks whether one is there: ${condition}`;
    default:
      return `Send arguments for which the condition of grant ${grantId} is true, or change it: ${condition}`;
  }
}

const canonical = (server: string, name: string): string => `${server}:${name}`;
