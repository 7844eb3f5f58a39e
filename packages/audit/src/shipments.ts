/** A batch that is neither acknowledged nor in the queue after this is sent again. */
const RESEND_AFTER_MS = 30_000;

/** A range of sequence numbers that has left, or should leave. */
export interface Shipment {
  readonly firstSeq: number;
  readonly lastSeq: number;
  /** Undefined while nobody has taken the range. */
  readonly jobId: string | undefined;
  readonly at: number;
}

/** What one boot recorded and Postgres is not known to have, as far as it has left the line of fresh events. */
export class Shipments {
  private all: Shipment[] = [];

  /** How many events that is. */
  get events(): number {
    return this.all.reduce((sum, { firstSeq, lastSeq }) => sum + lastSeq - firstSeq + 1, 0);
  }

  push(shipment: Shipment): void {
    this.all.push(shipment);
  }

  /** Whatever was taken may be lost: all of it is looked for at once. */
  doubt(): void {
    this.all = this.all.map((shipment) => ({ ...shipment, at: Number.NEGATIVE_INFINITY }));
  }

  acknowledge(contiguousSeq: number): void {
    this.all = this.all.filter(({ lastSeq }) => lastSeq > contiguousSeq);
  }

  /** Puts others in the place of one, unless that was acknowledged meanwhile. */
  replace(old: Shipment, by: readonly Shipment[]): void {
    const place = this.all.indexOf(old);
    if (place !== -1) this.all.splice(place, 1, ...by);
  }

  /** What nobody has taken, neighbours in one since a few large batches cost less than many small ones, and what should long be acknowledged. */
  due(): readonly Shipment[] {
    const joined: Shipment[] = [];
    for (const shipment of this.all) {
      const last = joined.at(-1);
      const isNeighbour = last && last.jobId === undefined && shipment.jobId === undefined && last.lastSeq + 1 === shipment.firstSeq;
      if (isNeighbour) joined[joined.length - 1] = { ...last, lastSeq: shipment.lastSeq };
      else joined.push(shipment);
    }
    this.all = joined;
    const overdueBefore = performance.now() - RESEND_AFTER_MS;
    return joined.filter(({ jobId, at }) => jobId === undefined || at < overdueBefore);
  }
}
