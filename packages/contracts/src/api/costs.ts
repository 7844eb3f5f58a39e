import { z } from 'zod';
import { Id, UNIT_LENGTH_MAX } from '../names.js';
import { pageOf, pageQuery, Timestamp } from './conventions.js';

/** An amount of money in millionths of its currency, as the digits of a whole number: sums are exact, and no reader may round them. */
export const Micros = z.string().regex(/^\d{1,30}$/, 'must be a whole number of millionths, as a text of digits');
export type Micros = z.infer<typeof Micros>;

const Amount = Micros.refine((text) => text.length <= 15, 'must be below 1000000000000000');
/** An exact name, or a glob in which `*` stands for any run of characters. */
const pattern = z.string().min(1).max(256);

/** `call`: for each answered call. `byte`: for each `per` bytes of its result. `unit`: for each `per` units that its result reports. */
export const PriceBasis = z.enum(['call', 'byte', 'unit']);
export type PriceBasis = z.infer<typeof PriceBasis>;

/** Where in a result's `_meta` a number says what the call took. */
const Unit = z
  .string()
  .max(UNIT_LENGTH_MAX)
  .regex(/^(\/([^~/\p{Cc}]|~[01])+)+$/u, 'must be a JSON pointer into `_meta`, such as /usage/tokens');

const priceFields = {
  server: pattern,
  tool: pattern,
  basis: PriceBasis,
  /** Of a price per unit: the place of its number in a result's `_meta`, as a JSON pointer (RFC 6901). Numbers from 0 to a thousand million count. */
  unit: Unit.nullable(),
  /** For each call, or for each `per` bytes or units; 0 ends a price. */
  amountMicros: Amount,
  per: z.number().int().min(1).max(1_000_000_000_000),
  currency: z.string().regex(/^[A-Z]{3}$/, 'must be three capital letters'),
  /** Of calls that began at this time or later, until another of the same names begins to count. */
  effectiveFrom: Timestamp,
};

/** What calls of these tools cost. Of several that match, the one whose names say most counts: an exact server, then an exact tool, then the longer texts. */
export const CreatePrice = z
  .strictObject({
    ...priceFields,
    tool: pattern.default('*'),
    basis: PriceBasis.default('call'),
    unit: Unit.optional(),
    per: priceFields.per.default(1),
    effectiveFrom: Timestamp.optional(),
  })
  .refine(({ basis, unit }) => (basis === 'unit') === (unit !== undefined), {
    error: 'is given with the basis `unit`, and with no other',
    path: ['unit'],
  })
  .meta({ id: 'CreatePrice', examples: [{ server: 'github', tool: 'search_*', amountMicros: '2500', currency: 'EUR' }] });
export type CreatePrice = z.infer<typeof CreatePrice>;

export const Price = z.object({ id: Id, ...priceFields, createdBy: z.string(), createdAt: Timestamp }).meta({ id: 'Price' });
export type Price = z.infer<typeof Price>;
export const PricePage = pageOf(Price).meta({ id: 'PricePage' });

const name = z.string().min(1).max(256).optional();
const period = { from: Timestamp.optional(), to: Timestamp.optional(), agent: name, server: name, tool: name };

/**
 * What answered calls cost, by when they began, in UTC; the present month unless a period is given, 366 days at most. Owners and groups are
 * those of today. `json` unless `format` says `csv`.
 */
export const CostsQuery = z.strictObject({
  by: z.enum(['agent', 'owner', 'group', 'server', 'tool', 'month', 'day']).default('agent'),
  ...period,
  format: z.enum(['json', 'csv']).default('json'),
});
export type CostsQuery = z.infer<typeof CostsQuery>;

const count = z.number().int().nonnegative();

/** Each row is the exact sum of its calls, and `totals` that of the rows. Calls without a price are in no row. */
export const Costs = z
  .object({
    from: Timestamp,
    to: Timestamp,
    rows: z.array(
      z.object({
        agent: z.string().nullable().optional(),
        owner: z.string().nullable().optional(),
        /** All groups of the agent: one in two groups has a row of its own, so that nothing counts twice. */
        groups: z.array(z.string()).optional(),
        server: z.string().nullable().optional(),
        tool: z.string().nullable().optional(),
        /** `2026-11`. */
        month: z.string().optional(),
        /** `2026-11-22`. */
        day: z.string().optional(),
        currency: z.string(),
        calls: count,
        costMicros: Micros,
      }),
    ),
    totals: z.array(z.object({ currency: z.string(), calls: count, costMicros: Micros })),
  })
  .meta({ id: 'Costs' });
export type Costs = z.infer<typeof Costs>;

/** The calls behind the sums, newest first. A page ends after some time of looking: only one without `nextCursor` is the end. */
export const ListCostedCallsQuery = z.strictObject({ ...pageQuery, ...period });
export type ListCostedCallsQuery = z.infer<typeof ListCostedCallsQuery>;

export const CostedCall = z
  .object({
    callId: Id,
    at: Timestamp,
    agent: z.string().nullable(),
    server: z.string().nullable(),
    tool: z.string().nullable(),
    priceId: Id,
    resultBytes: count,
    /** What its result reported where its price asks for it, in millionths of a unit; null where nothing was reported or asked for. */
    unitsMicros: Micros.nullable(),
    currency: z.string(),
    costMicros: Micros,
  })
  .meta({ id: 'CostedCall' });
export type CostedCall = z.infer<typeof CostedCall>;
export const CostedCallPage = pageOf(CostedCall).meta({ id: 'CostedCallPage' });
