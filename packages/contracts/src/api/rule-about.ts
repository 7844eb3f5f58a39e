import { z } from 'zod';
import { TargetSelector } from '../grants.js';
import { Slug, TargetKind } from '../names.js';
import { Reference } from './conventions.js';

/** Whom and what a grant or a requestable rule is about, as it is created. */
export const wantedAbout = {
  /** Exactly one of `agent` and `group`. */
  agent: Reference.optional(),
  group: Reference.optional(),
  /** Exactly one of `server` and `selector`. */
  server: Reference.optional(),
  selector: TargetSelector.optional(),
};

/** The same as it is told. */
export const shownAbout = {
  subject: z.union([z.object({ agent: Slug }), z.object({ group: Slug })]),
  /** Null where there is a selector. */
  server: Slug.nullable(),
  selector: TargetSelector.nullable(),
  kind: TargetKind,
  names: z.array(z.string()),
};

/** What is wrong with a rule, and with which member. */
export interface RuleFault {
  readonly member: string;
  readonly message: string;
}

type WantedAbout = { readonly [Member in keyof typeof wantedAbout]?: z.infer<(typeof wantedAbout)[Member]> };

/** A rule is about either or, never about both or nobody. */
export function aboutFaults({ agent, group, server, selector }: WantedAbout): RuleFault[] {
  const subject = (agent === undefined) === (group === undefined) ? [{ member: 'agent', message: 'name either an agent or a group' }] : [];
  const target = (server === undefined) === (selector === undefined) ? [{ member: 'server', message: 'name either a server or a selector' }] : [];
  return [...subject, ...target];
}

/** Adds such faults where a schema is refined. */
export function addFaults(context: z.RefinementCtx, faults: readonly RuleFault[]): void {
  for (const { member, message } of faults) context.addIssue({ code: 'custom', path: [member], message });
}
