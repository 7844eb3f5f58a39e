import type { AgentEntry, GrantEntry } from '@portcullis/contracts/snapshot';
import type { ExplainFacts } from './explanation.js';
import { compileGlob, isGlob } from './glob.js';
import { concerns, inOrder, isAbout } from './policy-table.js';

/** Names longer than this are not compared letter by letter: the work grows with the square. */
const COMPARED_CHARS_MAX = 128;
const COMPARED_NAMES_MAX = 2_000;

/** Says in one line which allowing grant comes closest to the target, if any does: other kind, similar name, same name elsewhere. */
export function nearestGrant(facts: ExplainFacts, agent: AgentEntry): string | undefined {
  const allows = inOrder(facts.grants.filter((grant) => concerns(agent, grant) && grant.effect === 'allow'));
  return (
    shadowGrant(allows, facts) ??
    otherSelection(allows, facts) ??
    otherKind(allows, facts) ??
    similarName(allows, facts) ??
    otherServer(allows, facts)
  );
}

const onServer = (grant: GrantEntry, { server }: ExplainFacts): boolean => server !== null && isAbout(grant, server);

const namesIt = (grant: GrantEntry, { target }: ExplainFacts): boolean =>
  grant.kind === target.kind && grant.names.some((name) => compileGlob(name)(target.name));

function shadowGrant(allows: readonly GrantEntry[], facts: ExplainFacts): string | undefined {
  const grant = allows.find((one) => one.mode === 'shadow' && onServer(one, facts) && namesIt(one, facts));
  return grant && `Grant ${grant.id} would allow it, but its mode is shadow.`;
}

function otherSelection(allows: readonly GrantEntry[], facts: ExplainFacts): string | undefined {
  const grant = allows.find((one) => 'selector' in one.target && one.mode !== 'shadow' && namesIt(one, facts));
  if (grant === undefined || !('selector' in grant.target)) return undefined;
  const { annotations, ...servers } = grant.target.selector;
  if (!onServer(grant, facts)) return `Grant ${grant.id} names it, on servers with ${JSON.stringify(servers)}.`;
  return annotations && `Grant ${grant.id} names it, where the tool says of itself ${JSON.stringify(annotations)}.`;
}

function otherKind(allows: readonly GrantEntry[], facts: ExplainFacts): string | undefined {
  const { kind, name } = facts.target;
  const grant = allows.find((one) => onServer(one, facts) && one.kind !== kind && one.names.some((each) => compileGlob(each)(name)));
  return grant && `Grant ${grant.id} names it, but among ${grant.kind}, not ${kind}.`;
}

function similarName(allows: readonly GrantEntry[], facts: ExplainFacts): string | undefined {
  const { kind, name } = facts.target;
  if (name.length > COMPARED_CHARS_MAX) return undefined;
  const candidates = allows
    .filter((grant) => onServer(grant, facts) && grant.kind === kind)
    .flatMap((grant) => grant.names.map((each) => ({ grantId: grant.id, each })))
    .slice(0, COMPARED_NAMES_MAX);
  const scored = candidates
    .map((candidate) => ({ ...candidate, distance: isGlob(candidate.each) ? globDistance(candidate.each, name) : distance(candidate.each, name) }))
    .filter((candidate) => candidate.distance <= Math.max(2, Math.floor(name.length / 3)))
    .sort((a, b) => a.distance - b.distance);
  const best = scored[0];
  return best && `Grant ${best.grantId} allows "${best.each}", which is close.`;
}

function otherServer(allows: readonly GrantEntry[], facts: ExplainFacts): string | undefined {
  const { kind, name } = facts.target;
  const grant = allows.find((one) => !onServer(one, facts) && one.kind === kind && one.names.includes(name));
  return grant && `Grant ${grant.id} allows ${name} on another server.`;
}

/** How far a name is from what a glob demands at its ends. */
function globDistance(glob: string, name: string): number {
  const parts = glob.split('*');
  const prefix = parts[0] ?? '';
  const suffix = parts.at(-1) ?? '';
  return distance(prefix, name.slice(0, prefix.length)) + distance(suffix, suffix === '' ? '' : name.slice(-suffix.length));
}

/** Levenshtein's distance without regard to case; infinite for long names. */
function distance(one: string, other: string): number {
  if (one.length > COMPARED_CHARS_MAX || other.length > COMPARED_CHARS_MAX) return Infinity;
  const [a, b] = [one.toLowerCase(), other.toLowerCase()];
  let row = Array.from({ length: b.length + 1 }, (_, at) => at);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const swap = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(swap, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? Infinity;
}
