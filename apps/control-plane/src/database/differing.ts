/** The members of a change that differ from what is stored; members left out of the change stay out. */
export function differing<Row extends object, Change extends Partial<Row>>(row: Row, change: Change): Partial<Change> {
  const entries = Object.entries(change).filter(([key, value]) => value !== undefined && !same(value, Reflect.get(row, key)));
  return Object.fromEntries(entries) as Partial<Change>;
}

function same(one: unknown, other: unknown): boolean {
  if (one instanceof Date && other instanceof Date) return one.getTime() === other.getTime();
  return JSON.stringify(one) === JSON.stringify(other);
}
