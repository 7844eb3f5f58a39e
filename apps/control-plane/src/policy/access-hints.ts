import { targetKindOf } from '@portcullis/contracts/names';
import { compileTable, decide, isAbout, isGlob } from '@portcullis/policy';
import type { AccessFacts } from './effective-access.js';
import type { PolicyServer } from './policy.repository.js';

/** What keeps granted things from showing, in words, each with what an operator would do about it. */
export function accessHints(facts: AccessFacts): string[] {
  const { agent, grants, servers, now } = facts;
  const hints: string[] = [];
  if (!agent.enabled) hints.push(`The agent ${agent.slug} is disabled: PATCH /v1/agents/${agent.slug} {"enabled":true}.`);
  if (agent.budgetSpentUntil !== undefined)
    hints.push(
      `A budget of ${agent.slug} is spent: its calls are refused until ${new Date(agent.budgetSpentUntil).toISOString()}. See GET /v1/budgets.`,
    );
  const allowing = grants.filter(({ effect, mode }) => effect === 'allow' && mode !== 'shadow');
  if (allowing.length === 0) {
    hints.push(`No grant speaks to ${agent.slug}: POST /v1/grants {"agent":"${agent.slug}","server":"…","names":["…"]}.`);
  }
  const early = allowing.filter(({ notBefore }) => notBefore !== null && notBefore > now).length;
  const late = allowing.filter(({ expiresAt }) => expiresAt !== null && expiresAt <= now).length;
  if (early > 0) hints.push(`${counted(early, 'grant')} not in force yet.`);
  if (late > 0) hints.push(`${counted(late, 'grant')} past ${late === 1 ? 'its' : 'their'} expiry.`);
  return [...hints, ...servers.flatMap((server) => serverHints(server, facts))];
}

function serverHints(server: PolicyServer, { agent, grants, now }: AccessFacts): string[] {
  const { slug } = server;
  const mine = grants.filter((grant) => grant.effect === 'allow' && isAbout(grant, server));
  if (mine.length === 0) return [];
  const hints: string[] = [];
  if (server.suspended)
    hints.push(`The server ${slug} is suspended for what it changed: GET /v1/drift?server=${slug}, then POST /v1/servers/${slug}/resume.`);
  else if (!server.enabled) hints.push(`The server ${slug} is disabled: PATCH /v1/servers/${slug} {"enabled":true}.`);
  if (!server.discovered) hints.push(`Nothing is known of what ${slug} offers yet: POST /v1/servers/${slug}/discovery.`);
  // As if enabled: what waits for approval is worth knowing beside the fact that the agent is switched off.
  const table = compileTable({ agent: { ...agent, enabled: true }, grants });
  const granted = server.definitions.filter(
    (definition) =>
      decide(table, { server, kind: targetKindOf[definition.kind], name: definition.name, definition }, undefined, now).effect !== 'deny',
  );
  const inState = (state: string): number => granted.filter((definition) => definition.state === state).length;
  const defined = (state: string): string => counted(inState(state), 'granted definition', ` of ${slug}`);
  const approve = `POST /v1/servers/${slug}/definitions/approve {"all":true}`;
  if (inState('pending') > 0) hints.push(`${defined('pending')} waiting for approval: ${approve}.`);
  if (inState('changed') > 0) hints.push(`${defined('changed')} changed since approval: look at the difference, then ${approve}.`);
  if (inState('rejected') > 0) hints.push(`${defined('rejected')} rejected.`);
  if (inState('removed') > 0) hints.push(`${defined('removed')} no longer offered.`);
  return server.discovered
    ? [
        ...hints,
        ...unknownNames(
          server,
          mine.filter(({ target }) => 'serverId' in target),
        ),
      ]
    : hints;
}

function unknownNames({ slug, definitions }: PolicyServer, grants: AccessFacts['grants']): string[] {
  const offered = new Set(definitions.map(({ kind, name }) => `${targetKindOf[kind]} ${name}`));
  const missing = grants.flatMap(({ kind, names }) => names.filter((name) => !isGlob(name) && !offered.has(`${kind} ${name}`)));
  return [...new Set(missing)]
    .slice(0, 5)
    .map((name) => `${slug} was not seen to offer ${name}, which is granted: check the name, or POST /v1/servers/${slug}/discovery.`);
}

const counted = (count: number, noun: string, where = ''): string =>
  `${count} ${noun}${count === 1 ? '' : 's'}${where} ${count === 1 ? 'is' : 'are'}`;
