import type { AuditProofRow } from '@portcullis/contracts/api/audit-proof';
import type { Findings } from './findings.js';
import { chainOn } from './stored-event.js';

interface Chained {
  readonly hash: string;
  readonly chain: Buffer;
  readonly block: number;
}

/** The chain of the control planes' own events. They may come a little out of order: each is held until the one before it is known. */
export class OperatorsChain {
  private readonly pending = new Map<string, Map<number, Chained>>();
  private readonly last = new Map<string, { readonly seq: number; readonly chain: Buffer }>();

  constructor(private readonly findings: Findings) {}

  take({ boot, event, hash, chain }: AuditProofRow, block: number): void {
    if (hash === null || chain === null) return;
    const ofBoot = this.pending.get(boot) ?? new Map<number, Chained>();
    ofBoot.set(event.seq, { hash: Buffer.from(hash, 'base64').toString('latin1'), chain: Buffer.from(chain, 'base64'), block });
    this.pending.set(boot, ofBoot);
  }

  /** Goes on as far as events follow one another; behind a hole that an earlier block left it begins anew. */
  settle(node: string, block: number): void {
    for (const [boot, ofBoot] of this.pending) {
      for (const seq of [...ofBoot.keys()].sort((one, other) => one - other)) {
        const { hash, chain, block: of } = ofBoot.get(seq) as Chained;
        const last = this.last.get(boot);
        const follows = last === undefined || last.seq + 1 === seq;
        if (!follows && of >= block - 1) break;
        if (last !== undefined && follows && !chainOn(last.chain, hash).equals(chain))
          this.findings.add('operators_broken', { block: of, node, boot, firstSeq: seq }, "The chain of operators' events does not go on here");
        this.last.set(boot, { seq, chain });
        ofBoot.delete(seq);
      }
    }
  }
}
