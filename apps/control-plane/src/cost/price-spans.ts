import { compileGlob, isGlob } from '@portcullis/policy';

/** A price as it is applied. Amounts are millionths of the currency. */
export interface AppliedPrice {
  readonly id: string;
  readonly server: string;
  readonly tool: string;
  readonly basis: string;
  readonly unit: string | null;
  readonly amountMicros: bigint;
  readonly per: bigint;
  readonly currency: string;
  readonly effectiveFrom: Date;
}

/** One price of one tool for calls that began from `fromMs` on, before `toMs`. */
export interface PriceSpan {
  readonly price: AppliedPrice;
  readonly fromMs: number;
  /** Null: until further notice. */
  readonly toMs: number | null;
}

/**
 * What calls of this tool cost when. At every time the price whose names say most: prices with the same names follow one another, and where a more
 * telling one has not begun, the next one counts. A price of 0 is a price.
 */
export function priceSpans(prices: readonly AppliedPrice[], server: string, tool: string): PriceSpan[] {
  const matching = prices.filter((price) => compileGlob(price.server)(server) && compileGlob(price.tool)(tool));
  const starts = [...new Set(matching.map(({ effectiveFrom }) => effectiveFrom.getTime()))].sort((a, b) => a - b);
  const spans: PriceSpan[] = [];
  for (const [place, fromMs] of starts.entries()) {
    const price = matching.filter(({ effectiveFrom }) => effectiveFrom.getTime() <= fromMs).reduce((a, b) => (saysMore(b, a) ? b : a));
    const toMs = starts[place + 1] ?? null;
    const last = spans.at(-1);
    if (last?.price === price) spans[spans.length - 1] = { ...last, toMs };
    else spans.push({ price, fromMs, toMs });
  }
  return spans;
}

function saysMore(one: AppliedPrice, other: AppliedPrice): boolean {
  const [mine, others] = [rankOf(one), rankOf(other)];
  const place = mine.findIndex((value, index) => value !== others[index]);
  return place >= 0 && (mine[place] ?? 0) > (others[place] ?? 0);
}

/** Equal but for the time means equal names; of those the later counts. Ids only make it certain. */
const rankOf = ({ server, tool, effectiveFrom, id }: AppliedPrice): (number | string)[] => [
  Number(!isGlob(server)),
  Number(!isGlob(tool)),
  server.length,
  tool.length,
  server,
  tool,
  effectiveFrom.getTime(),
  id,
];
