import { targetKindOf, type TargetKind } from '@portcullis/contracts/names';
import type { AgentEntry, GrantEntry, ServerEntry } from '@portcullis/contracts/snapshot';
import { globsMeet } from './glob-relations.js';
import {
  allowsAllOf,
  deniesAllOf,
  isAsStrict,
  limitsAllOf,
  mayMeet,
  namesMeet,
  pinsMore,
  reachesName,
  rulesOf,
  speaksFirst,
  type NamedRule,
} from './grant-relations.js';
import { loosenedAnswers } from './loosened-answers.js';
import { concerns, isAbout } from './policy-table.js';

/** What one agent may reach, as nodes would have it. */
export interface Reach {
  /** Undefined: there is no such agent. */
  readonly agent: AgentEntry | undefined;
  readonly grants: readonly GrantEntry[];
  /** Servers that may differ between the two states that are compared, by id; others are taken to be the same. */
  readonly servers: readonly ServerEntry[];
}

/** Something an agent could reach after a change and not before. `name` may be a glob. */
export interface Gain {
  readonly kind: TargetKind;
  readonly name: string;
  /** Null where it is not about one server. */
  readonly serverId: string | null;
}

/**
 * What an agent gains from `now` on (epoch milliseconds) by a change: at once, later, or as soon as a server offers it. Nothing that is gained is
 * ever left out; where it cannot be told cheaply (conditions, overlapping times), what may be a gain counts as one.
 */
export function gainedAccess(before: Reach, after: Reach, now: number): readonly Gain[] {
  const was = rulesAt(before, now);
  const is = rulesAt(after, now);
  if (is.allows.length === 0) return [];
  const allowed = is.allows.filter((rule) => !was.allows.some((old) => allowsAllOf(old, rule, now)) && !isDenied(rule, is, now));
  const lifted = was.denies.filter(
    (rule) => !is.denies.some((other) => deniesAllOf(other, rule, now)) && is.allows.some((allow) => mayMeet(allow, rule, now)),
  );
  const known = new Map(before.servers.map((server) => [server.id, server]));
  const freed = takingTurns(was, is, now);
  const agent = after.agent?.slug ?? '';
  return [
    ...[...allowed, ...lifted, ...freed].map(gainOf),
    ...after.servers.flatMap((server) => gainedOn(known.get(server.id), server, { agent, was, is, now })),
  ];
}

interface Rules {
  readonly allows: readonly NamedRule[];
  readonly denies: readonly NamedRule[];
}

function rulesAt({ agent, grants }: Reach, now: number): Rules {
  if (agent === undefined || !agent.enabled) return { allows: [], denies: [] };
  const own = grants.filter((grant) => concerns(agent, grant));
  return { allows: rulesOf(own, 'allow', now), denies: rulesOf(own, 'deny', now) };
}

const isDenied = (rule: NamedRule, { denies }: Rules, now: number, sameTarget = false): boolean =>
  denies.some((deny) => deniesAllOf(deny, rule, now, sameTarget));

/**
 * Rules that speak for calls for which another one spoke before: of several that allow the same call the first alone says what limit counts and
 * what is pinned. So taking that one away, or its turn, leaves more, although nothing new is allowed.
 */
function takingTurns(was: Rules, is: Rules, now: number, sameTarget = false): readonly NamedRule[] {
  return is.allows.filter((rule) => {
    const stays = (old: NamedRule): boolean =>
      is.allows.some((other) => speaksFirst(other.grant, rule.grant) && limitsAllOf(other, old, now, sameTarget));
    const spokeBefore = (old: NamedRule): boolean =>
      was.allows.some((same) => speaksFirst(same.grant, old.grant) && same.grant.id === rule.grant.id && allowsAllOf(same, rule, now, sameTarget));
    const heldMore = ({ grant }: NamedRule): boolean => !isAsStrict(rule.grant, grant) || pinsMore(grant, rule.grant);
    return was.allows.some((old) => heldMore(old) && mayMeet(old, rule, now) && !stays(old) && !spokeBefore(old));
  });
}

const gainOf = ({ grant, name }: NamedRule): Gain => ({
  kind: grant.kind,
  name,
  serverId: 'serverId' in grant.target ? grant.target.serverId : null,
});

interface Compared {
  readonly agent: string;
  readonly was: Rules;
  readonly is: Rules;
  readonly now: number;
}

/** What the agent gains because this server is not what it was. */
function gainedOn(before: ServerEntry | undefined, after: ServerEntry, { agent, was, is, now }: Compared): readonly Gain[] {
  if (!after.enabled) return [];
  const about = (rules: Rules, server: ServerEntry): Rules => ({
    allows: rules.allows.filter(({ grant }) => isAbout(grant, server)),
    denies: rules.denies.filter(({ grant }) => isAbout(grant, server)),
  });
  const here = about(is, after);
  // Whoever answers at another address may be somebody else.
  const isOther = before === undefined || !before.enabled || before.url !== after.url;
  const there = isOther ? { allows: [], denies: [] } : about(was, before);
  const allowed = here.allows.filter((rule) => !there.allows.some((old) => allowsAllOf(old, rule, now, true)) && !isDenied(rule, here, now, true));
  const lifted = there.denies.filter(
    (rule) =>
      !here.denies.some((other) => deniesAllOf(other, rule, now, true)) &&
      here.allows.some((allow) => allow.grant.kind === rule.grant.kind && namesMeet(allow, rule)),
  );
  const freed = takingTurns(there, here, now, true);
  const gains = [...allowed, ...lifted, ...freed].map((rule) => ({ ...gainOf(rule), serverId: after.id }));
  const looser = loosenedAnswers(before?.answerRules, after.answerRules, agent);
  return [...gains, ...offeredAnew(before, after, here, now), ...looser.flatMap((name) => answeredMore(name, after.id, here, now))];
}

/** What a rule lets the agent call under a name or glob whose answers it may get more of. */
function answeredMore(name: string, serverId: string, here: Rules, now: number): readonly Gain[] {
  return here.allows.filter((rule) => reachesName(rule, name) && !isDenied(rule, here, now, true)).map((rule) => ({ ...gainOf(rule), serverId }));
}

/** Definitions that were not there before, or not like this, and that a rule lets the agent reach. */
function offeredAnew(before: ServerEntry | undefined, after: ServerEntry, here: Rules, now: number): readonly Gain[] {
  const known = new Set(before?.definitions.map(({ kind, name, hash }) => `${kind} ${hash} ${name}`));
  const added = after.definitions.filter(({ kind, name, hash }) => !known.has(`${kind} ${hash} ${name}`));
  return added.flatMap((definition) => {
    const kind = targetKindOf[definition.kind];
    const isTemplate = definition.kind === 'resource_template';
    const reaching = here.allows.filter(({ grant, name }) => grant.kind === kind && globsMeet(name, definition.name));
    const open = reaching.filter(({ grant }) => isTemplate || !isDenied({ grant, name: definition.name }, here, now, true));
    return open.length === 0 ? [] : [{ kind, name: definition.name, serverId: after.id }];
  });
}
