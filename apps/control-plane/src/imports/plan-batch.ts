import type { ImportRowState, Transaction } from '@portcullis/database';
import type { ImportRun } from './import-run.js';
import type { JudgedRow } from './judge-candidate.js';
import { planRow, slugsWanted, type KnownServer, type Plan } from './plan-rows.js';
import type { RowRefused } from './source-row.js';

/** A row with its number, judged or refused. */
export type NumberedRow = { readonly number: number; readonly line: number } & ({ readonly judged: JudgedRow } | { readonly refused: RowRefused });

/** What became, or would become, of a row. */
export interface RowOutcome {
  readonly number: number;
  readonly line: number;
  readonly state: ImportRowState;
  readonly code: string | null;
  readonly pointer: string | null;
  readonly detail: string | null;
  readonly sourceKey: string | null;
  readonly slug: string | null;
  readonly notes: readonly string[];
}

export interface PlannedRow {
  readonly row: NumberedRow;
  /** Absent for a row that was refused before it came here. */
  readonly plan?: Plan;
  readonly outcome: RowOutcome;
}

const states = { create: 'created', update: 'updated', unchanged: 'unchanged', refuse: 'failed' } as const;

const knownFields = {
  id: true,
  slug: true,
  name: true,
  url: true,
  tags: true,
  environment: true,
  description: true,
  importSource: true,
  importKey: true,
  importedJson: true,
} as const;

/** Decides about each row by what the database holds now, and by the rows before it. */
export async function planBatch(tx: Transaction, { source, promised }: Pick<ImportRun, 'source' | 'promised'>, rows: readonly NumberedRow[]) {
  const judged = rows.flatMap((row) => ('judged' in row ? [row.judged] : []));
  const keys = judged.map(({ key }) => key);
  const servers: KnownServer[] =
    keys.length === 0 ? [] : await tx.server.findMany({ where: { importSource: source, importKey: { in: keys } }, select: knownFields });
  const byKey = new Map(servers.map((server) => [server.importKey, server]));
  const wanted = judged.filter(({ key }) => !byKey.has(key)).flatMap((row) => slugsWanted(row, source));
  const taken = wanted.length === 0 ? [] : await tx.server.findMany({ where: { slug: { in: wanted } }, select: { slug: true } });
  const slugs = new Set(taken.map(({ slug }) => slug));
  const known = { byKey: (key: string) => byKey.get(key), isTaken: (slug: string) => slugs.has(slug) || promised.has(slug) };
  return rows.map((row): PlannedRow => {
    if ('refused' in row) return { row, outcome: refusedOutcome(row, row.refused) };
    const plan = planRow(row.judged, source, known);
    if (plan.kind === 'create') slugs.add(plan.slug);
    return { row, plan, outcome: plannedOutcome(row, row.judged, plan) };
  });
}

function plannedOutcome({ number, line }: NumberedRow, { key }: JudgedRow, plan: Plan): RowOutcome {
  const about = { number, line, state: states[plan.kind], sourceKey: key, pointer: null };
  if (plan.kind === 'refuse') return { ...about, code: plan.code, detail: plan.detail, slug: null, notes: [] };
  return { ...about, code: null, detail: null, slug: 'slug' in plan ? plan.slug : plan.server.slug, notes: plan.notes };
}

function refusedOutcome({ number, line }: NumberedRow, { code, detail, more }: RowRefused): RowOutcome {
  const state = more.isSkipped === true ? 'skipped' : 'failed';
  return { number, line, state, code, detail, pointer: more.pointer ?? null, sourceKey: more.key ?? null, slug: null, notes: [] };
}
