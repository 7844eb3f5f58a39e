import type { AlertCondition, AlertKind } from '@portcullis/contracts/api/alerts';
import { compileGlob } from '@portcullis/policy';

/** Something that a rule speaks of. Names and numbers only. */
export interface Finding {
  readonly summary: string;
  readonly subject: Readonly<Record<string, string>>;
  readonly values: Readonly<Record<string, number | string | boolean>>;
  /** Told once, whatever the quiet time. */
  readonly once?: boolean;
}

/** A rule as it is evaluated. */
export interface ActiveRule<Kind extends AlertKind = AlertKind> {
  readonly id: string;
  readonly name: string;
  readonly severity: string;
  readonly webhookIds: readonly string[];
  readonly quietSeconds: number;
  readonly when: Extract<AlertCondition, { kind: Kind }>;
}

/** Whether names meet the patterns that are given; an absent pattern meets everything. */
export function meets(
  patterns: { readonly agent?: string | undefined; readonly server?: string | undefined; readonly tool?: string | undefined },
  names: { readonly agent?: string | undefined; readonly server?: string | undefined; readonly tool?: string | undefined },
): boolean {
  return (['agent', 'server', 'tool'] as const).every((part) => {
    const pattern = patterns[part];
    return pattern === undefined || compileGlob(pattern)(names[part] ?? '');
  });
}

/** The same finding is the same subject of the same rule. */
export const keyOf = (subject: Finding['subject']): string =>
  Object.keys(subject)
    .sort()
    .map((name) => `${name}=${subject[name] ?? ''}`)
    .join('\n');
