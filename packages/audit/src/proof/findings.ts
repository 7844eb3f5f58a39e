import type { AuditFinding, AuditFindingKind } from '@portcullis/contracts/api/audit-proof';

const FINDINGS_MAX = 100;

type Place = Partial<Pick<AuditFinding, 'block' | 'node' | 'boot' | 'firstSeq' | 'lastSeq'>>;

/** What a verification has found, in the order of the trail. */
export class Findings {
  readonly shown: AuditFinding[] = [];
  count = 0;

  add(kind: AuditFindingKind, { block = null, node = null, boot = null, firstSeq = null, lastSeq = firstSeq }: Place, detail: string): void {
    this.count += 1;
    if (this.shown.length < FINDINGS_MAX) this.shown.push({ kind, block, node, boot, firstSeq, lastSeq, detail });
  }
}
