import { CallLimitTerms } from '@portcullis/contracts/limits';
import type { Transaction } from '@portcullis/database';
import { compileGlob, type ExplainFacts, type SpentLimit } from '@portcullis/policy';
import type { CountedLimit, LimitUses } from '../limits/limit-uses.js';
import { limitsBetween, type LimitRow } from '../limits/limits.repository.js';

type Known = Pick<ExplainFacts, 'agent' | 'server' | 'grants' | 'target' | 'now'>;
type Counted = CountedLimit & Pick<SpentLimit, 'whose' | 'grantId'>;

/** The limits on a call of this agent that have nothing left now, as nodes count them. What each node counts by itself is not known here. */
export async function spentLimits(tx: Transaction, uses: LimitUses, { agent, server, grants, target, now }: Known): Promise<SpentLimit[]> {
  if (agent === null || server === null) return [];
  const ofGrants = grants.flatMap(({ id, rateLimit }): Counted[] =>
    rateLimit === undefined
      ? []
      : [{ key: `${id}:${agent.id}`, terms: { kind: 'rate', ...rateLimit }, whose: `${agent.slug} under grant ${id}`, grantId: id }],
  );
  const rows = await limitsBetween(tx, agent, server.id);
  const counted = [...rows.flatMap((row) => countedOf(row, target)), ...ofGrants];
  const found = await uses.read(counted);
  return counted.flatMap(({ whose, grantId, terms }, at) => {
    const use = found[at];
    return use === undefined || use.freeInMs === 0 ? [] : [{ whose, grantId, terms: inWords(terms), until: now + use.freeInMs }];
  });
}

function countedOf(row: LimitRow, { kind, name }: ExplainFacts['target']): Counted[] {
  const { id, agent, group, server, tools } = row;
  const terms = CallLimitTerms.parse(row.terms);
  if (tools.length === 0) return [{ key: id, terms, whose: agent?.slug ?? group?.slug ?? server?.slug ?? id, grantId: null }];
  if (kind !== 'tools' || !tools.some((glob) => compileGlob(glob)(name))) return [];
  return [{ key: `${id}:${name}`, terms, whose: `${server?.slug ?? ''}:${name}`, grantId: null }];
}

function inWords(terms: CallLimitTerms): string {
  switch (terms.kind) {
    case 'rate':
      return `${terms.calls} calls in ${terms.perSeconds} s`;
    case 'quota':
      return `${terms.calls} calls a ${terms.per}`;
    case 'concurrency':
      return `${terms.calls} calls at once`;
  }
}
