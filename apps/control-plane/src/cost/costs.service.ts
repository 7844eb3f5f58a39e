import { Inject, Injectable } from '@nestjs/common';
import type { CostedCall, CostedCallPage, Costs, CostsQuery, ListCostedCallsQuery } from '@portcullis/contracts/api/costs';
import { PrismaClient } from '@portcullis/database';
import type { z } from 'zod';
import { AuditReading } from '../audit/audit-reading.js';
import type { Author } from '../changes/author.js';
import { decodeCursor, encodeCursor, IdCursor } from '../http/paging.js';
import { ProblemError } from '../http/problem.js';
import { listCostedCalls, sumCosts, type CostedCallRow, type CostKey, type CostRow } from './costs.repository.js';
import { readPrices, type CostFilter } from './priced-calls.js';
import { summedCosts } from './summed-costs.js';

const DAY_MS = 86_400_000;
const PERIOD_DAYS_MAX = 366;
const ROWS_MAX = 20_000;

type Row = Costs['rows'][number];
type By = CostsQuery['by'];

/** What answered calls cost, and whom. */
@Injectable()
export class CostsService {
  constructor(
    @Inject(PrismaClient) private readonly database: PrismaClient,
    @Inject(AuditReading) private readonly audit: AuditReading,
  ) {}

  /** Sums at once; what is not in them day by day, each in a statement of its own, so that a month of any size neither holds nor ends one. */
  async read(author: Author, { by, format: _format, ...wanted }: CostsQuery): Promise<Costs> {
    const filter = filterOf(wanted);
    await this.audit.reading(author, { costs: { by, ...wanted } }, async () => undefined);
    const sums = new Map<string, Row>();
    const nameOf = await this.namesOf(by);
    const addAll = (rows: readonly CostRow[]): void => {
      for (const row of rows) add(sums, nameOf(row), row);
      if (sums.size > ROWS_MAX) throw new ProblemError('unprocessable', `There are more than ${ROWS_MAX} rows. Narrow it by time, server or agent.`);
    };
    const { rows: summed, rest, prices } = await this.audit.atOnce((tx) => summedCosts(tx, filter, keysOf[by]));
    addAll(summed);
    for (const part of rest) addAll(await this.audit.bounded((tx) => sumCosts(tx, prices, part, keysOf[by])));
    const rows = [...sums].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, row]) => row);
    return { from: filter.from.toISOString(), to: filter.to.toISOString(), rows, totals: totalsOf(rows) };
  }

  async calls(author: Author, { limit, cursor, ...wanted }: ListCostedCallsQuery): Promise<z.infer<typeof CostedCallPage>> {
    const filter = filterOf(wanted);
    const [before] = decodeCursor(cursor, IdCursor) ?? [];
    const { rows, reached } = await this.audit.reading(author, { costedCalls: wanted }, async (tx) =>
      listCostedCalls(tx, await readPrices(tx), filter, { before, limit }),
    );
    return { items: rows.map(toCostedCall), nextCursor: reached === null ? null : encodeCursor([reached]) };
  }

  /** What a sum counts for. */
  private async namesOf(by: By): Promise<(row: CostRow) => Partial<Row>> {
    const agents = by === 'owner' || by === 'group' ? await this.agents() : new Map<string, { owner: string | null; groups: string[] }>();
    return (row) => {
      switch (by) {
        case 'agent':
          return { agent: row.agent || null };
        case 'owner':
          return { owner: agents.get(row.agent ?? '')?.owner ?? null };
        case 'group':
          return { groups: agents.get(row.agent ?? '')?.groups ?? [] };
        case 'server':
          return { server: row.server ?? null };
        case 'tool':
          return { server: row.server ?? null, tool: row.tool ?? null };
        case 'month':
          return { month: row.month };
        case 'day':
          return { day: row.day };
      }
    };
  }

  private async agents(): Promise<Map<string, { owner: string | null; groups: string[] }>> {
    const rows = await this.database.agent.findMany({
      select: { slug: true, owner: true, memberships: { select: { group: { select: { slug: true } } } } },
    });
    return new Map(rows.map(({ slug, owner, memberships }) => [slug, { owner, groups: memberships.map(({ group }) => group.slug).sort() }]));
  }
}

const keysOf: Readonly<Record<By, readonly CostKey[]>> = {
  agent: ['agent'],
  owner: ['agent'],
  group: ['agent'],
  server: ['server'],
  tool: ['server', 'tool'],
  month: ['month'],
  day: ['day'],
};

function add(sums: Map<string, Row>, names: Partial<Row>, { currency, calls, micros }: CostRow): void {
  const key = JSON.stringify([names, currency]);
  const before = sums.get(key) ?? { ...names, currency, calls: 0, costMicros: '0' };
  sums.set(key, { ...before, calls: before.calls + calls, costMicros: String(BigInt(before.costMicros) + BigInt(micros)) });
}

function totalsOf(rows: readonly Row[]): Costs['totals'] {
  return [...Map.groupBy(rows, ({ currency }) => currency)].map(([currency, all]) => ({
    currency,
    calls: all.reduce((sum, { calls }) => sum + calls, 0),
    costMicros: String(all.reduce((sum, { costMicros }) => sum + BigInt(costMicros), 0n)),
  }));
}

function filterOf({ from, to, ...named }: Omit<CostsQuery, 'by' | 'format'>): CostFilter {
  const end = to === undefined ? new Date() : new Date(to);
  // The month that ends then, where it is the first moment of one.
  const last = new Date(end.getTime() - 1);
  const start = from === undefined ? new Date(Date.UTC(last.getUTCFullYear(), last.getUTCMonth(), 1)) : new Date(from);
  const days = (end.getTime() - start.getTime()) / DAY_MS;
  const detail =
    days <= 0 ? 'lies behind the end of the period' : days > PERIOD_DAYS_MAX ? `lies more than ${PERIOD_DAYS_MAX} days before the end` : undefined;
  if (detail !== undefined) throw new ProblemError('validation', undefined, [{ pointer: '/from', detail }]);
  return { from: start, to: end, ...named };
}

const toCostedCall = (row: CostedCallRow): CostedCall => ({
  callId: row.call_id,
  at: new Date(Number(row.began_ms)).toISOString(),
  agent: row.agent,
  server: row.server,
  tool: row.tool,
  priceId: row.price_id,
  resultBytes: Number(row.result_bytes ?? 0),
  unitsMicros: row.units,
  currency: row.currency,
  costMicros: row.micros,
});
