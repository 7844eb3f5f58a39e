import type { TargetSelector } from '@portcullis/contracts/grants';
import type { GrantEntry } from '@portcullis/contracts/snapshot';
import { isGlob } from './glob.js';
import { globCovers, globsMeet } from './glob-relations.js';
import { deniedForm } from './resource-uri.js';

/** One name or glob of a grant, looked at by itself. */
export interface NamedRule {
  readonly grant: GrantEntry;
  readonly name: string;
}

/** Each name of these grants that may still have an effect after `now` (epoch milliseconds); those in shadow mode have none. */
export function rulesOf(grants: readonly GrantEntry[], effect: GrantEntry['effect'], now: number): readonly NamedRule[] {
  const live = grants.filter((grant) => grant.effect === effect && grant.mode !== 'shadow' && (grant.expiresAt ?? Infinity) > now);
  return live.flatMap((grant) => grant.names.map((name) => ({ grant, name })));
}

/**
 * Whether the allowing rule `wide` lets through whatever `narrow` does, at every moment from `now` on. Never true by mistake: a term that is not
 * understood here has to be the same in both. `sameTarget` where the caller knows that both are about the same server.
 */
export function allowsAllOf(wide: NamedRule, narrow: NamedRule, now: number, sameTarget = false): boolean {
  return isAsStrict(narrow.grant, wide.grant) && admitsAllOf(wide, narrow, now, sameTarget);
}

/** Whether whatever counted under the rate limit of `before` counts, after a change, under one as strict of the same grant. */
export function limitsAllOf(after: NamedRule, before: NamedRule, now: number, sameTarget = false): boolean {
  return after.grant.id === before.grant.id && isAsStrict(after.grant, before.grant) && admitsAllOf(after, before, now, sameTarget);
}

/** Whether the rate limit of `one` lets no more pass than that of `other`. */
export const isAsStrict = ({ rateLimit: one }: GrantEntry, { rateLimit: other }: GrantEntry): boolean =>
  other === undefined || (one !== undefined && one.perSeconds === other.perSeconds && one.calls <= other.calls);

/** Whether `one` puts something into a call that `other` does not. */
export const pinsMore = ({ pinned: one = {} }: GrantEntry, { pinned: other = {} }: GrantEntry): boolean =>
  Object.keys(one).some((name) => !Object.hasOwn(other, name));

/** Whether of two grants that allow the same call `one` is asked first, as `decide` does. */
export function speaksFirst(one: GrantEntry, other: GrantEntry): boolean {
  const order = ({ condition, pinned, rateLimit }: GrantEntry): number =>
    (condition === undefined && pinned === undefined ? 0 : 2) + (rateLimit === undefined ? 0 : 1);
  const [a, b] = [order(one), order(other)];
  return a === b ? one.id < other.id : a < b;
}

/** As `allowsAllOf`, whatever the rate limits. */
function admitsAllOf(wide: NamedRule, narrow: NamedRule, now: number, sameTarget: boolean): boolean {
  const { condition: needs, pinned: pins, rateLimit: _wideLimit, ...wideRest } = wide.grant;
  const { condition, pinned = {}, rateLimit: _narrowLimit, ...narrowRest } = narrow.grant;
  const keepsPins = Object.entries(pins ?? {}).every(([name, value]) => Object.hasOwn(pinned, name) && same(pinned[name], value));
  return (needs === undefined || needs === condition) && keepsPins && reaches(wide, narrow, { now, sameTarget, wideRest, narrowRest });
}

/** Whether the denying rule `wide` stops whatever `narrow`, denying or allowing, is about, at every moment from `now` on. */
export function deniesAllOf(wide: NamedRule, narrow: NamedRule, now: number, sameTarget = false): boolean {
  const { condition: needs, ...wideRest } = wide.grant;
  const { condition, pinned: _pinned, rateLimit: _rateLimit, ...narrowRest } = narrow.grant;
  const isMet = needs === undefined || (narrow.grant.effect === 'deny' && needs === condition);
  return isMet && reaches(wide, narrow, { now, sameTarget, wideRest, narrowRest });
}

/** Whether the two rules may be about the same thing at the same moment. */
export function mayMeet(one: NamedRule, other: NamedRule, now: number): boolean {
  const [a, b] = [one.grant, other.grant];
  const sameServer = !('serverId' in a.target) || !('serverId' in b.target) || a.target.serverId === b.target.serverId;
  return a.kind === b.kind && sameServer && namesMeet(one, other) && Math.max(startOf(a, now), startOf(b, now)) < Math.min(endOf(a), endOf(b));
}

/** Whether some name is concerned by both rules, whose kind is the same. */
export const namesMeet = (one: NamedRule, other: NamedRule): boolean =>
  globsMeet(reachOf(one), reachOf(other)) || globsMeet(reachOf(readAs(one)), reachOf(readAs(other)));

/** Whether the rule may be about something with this name, or of this glob, by itself or by a template. */
export const reachesName = (rule: NamedRule, name: string): boolean => globsMeet(reachOf(rule), name);

/** A denied URI is one however it is spelled. */
function readAs({ grant, name }: NamedRule): NamedRule {
  return { grant, name: grant.kind === 'resources' && grant.effect === 'deny' && !isGlob(name) ? deniedForm(name) : name };
}

/** A rule about a resource template is about every URI that the template makes, and those begin as the template does (RFC 6570 §3.2.2). */
function reachOf({ grant, name }: NamedRule): string {
  const literal = grant.kind === 'resources' ? name.search(/[*{]/) : -1;
  return literal === -1 ? name : `${name.slice(0, literal)}*`;
}

interface Reach {
  readonly now: number;
  readonly sameTarget: boolean;
  readonly wideRest: object;
  readonly narrowRest: object;
}

function reaches(wide: NamedRule, narrow: NamedRule, { now, sameTarget, wideRest, narrowRest }: Reach): boolean {
  const [a, b] = [wide.grant, narrow.grant];
  const inTime = startOf(a, now) <= startOf(b, now) && endOf(a) >= endOf(b);
  const onTarget = sameTarget ? annotationsCover(a, b) : targetCovers(a, b);
  return a.kind === b.kind && inTime && onTarget && globCovers(wide.name, narrow.name) && same(unknownTerms(wideRest), unknownTerms(narrowRest));
}

const startOf = ({ notBefore }: GrantEntry, now: number): number => Math.max(notBefore ?? now, now);
const endOf = ({ expiresAt }: GrantEntry): number => expiresAt ?? Infinity;

function targetCovers({ target: wide }: GrantEntry, { target: narrow }: GrantEntry): boolean {
  if ('serverId' in wide || 'serverId' in narrow) return same(wide, narrow);
  return selectorCovers(wide.selector, narrow.selector);
}

/** Every demand of the wide selector is one of the narrow one, word for word. */
function selectorCovers({ annotations = {}, ...wide }: TargetSelector, narrow: TargetSelector): boolean {
  return Object.entries(wide).every(([demand, value]) => same(Reflect.get(narrow, demand), value)) && demandsOf(annotations, narrow.annotations);
}

function annotationsCover({ target: wide }: GrantEntry, { target: narrow }: GrantEntry): boolean {
  const [demanded, given] = [wide, narrow].map((target) => ('selector' in target ? (target.selector.annotations ?? {}) : {}));
  return demandsOf(demanded ?? {}, given);
}

const demandsOf = (demanded: object, given: object = {}): boolean =>
  Object.entries(demanded).every(([hint, value]) => Reflect.get(given, hint) === value);

/** What a later version of a grant may say beside what is compared here. */
function unknownTerms(grant: object): object {
  const known = new Set(['id', 'subject', 'target', 'kind', 'names', 'effect', 'notBefore', 'expiresAt', 'mode']);
  return Object.fromEntries(Object.entries(grant).filter(([member]) => !known.has(member)));
}

/** Same JSON, whatever the order of members. */
function same(one: unknown, other: unknown): boolean {
  if (typeof one !== 'object' || typeof other !== 'object' || one === null || other === null) return one === other;
  const [a, b] = [Object.entries(one), Object.entries(other)];
  return (
    Array.isArray(one) === Array.isArray(other) && a.length === b.length && a.every(([member, value]) => same(value, Reflect.get(other, member)))
  );
}
