import { Inject, Injectable } from '@nestjs/common';
import type { AuditBoot, AuditIntegrity, AuditIntegrityQuery } from '@portcullis/contracts/api/audit-integrity';
import { z } from 'zod';
import type { Author } from '../changes/author.js';
import { readSealing } from '../audit-proof/sealing-state.js';
import { decodeCursor, pageFrom } from '../http/paging.js';
import { AuditReading } from './audit-reading.js';
import { findOperatorHoles, listBoots, RANGES_SHOWN_MAX, sumIntegrity, type BootRow, type OperatorHoles } from './integrity.repository.js';

const BootCursor = z.tuple([z.string().max(128), z.uuid()]);

/** Whether every event that was recorded anywhere is stored, and which are not. */
@Injectable()
export class IntegrityService {
  constructor(@Inject(AuditReading) private readonly audit: AuditReading) {}

  async read(author: Author, { limit, cursor, ...filter }: AuditIntegrityQuery): Promise<AuditIntegrity> {
    const after = decodeCursor(cursor, BootCursor);
    return this.audit.reading(author, { integrity: filter }, async (tx) => {
      const rows = await listBoots(tx, filter, { after, limit });
      const { boots, arriving, missing, quarantined, backlog_events: backlog } = await sumIntegrity(tx);
      return {
        ...pageFrom(rows, limit, toBoot, ({ node, boot }) => [node, boot]),
        totals: { boots, arriving, missing, backlogEvents: Number(backlog), quarantined },
        operators: toOperators(await findOperatorHoles(tx)),
        sealing: await readSealing(tx),
      };
    });
  }
}

function toBoot(row: BootRow): AuditBoot {
  return {
    node: row.node,
    boot: row.boot,
    state: row.state,
    contiguousSeq: Number(row.contiguous_seq),
    lastSeq: Number(row.last_seq),
    missingEvents: Number(row.missing_events),
    missing: [...(row.missing ?? [])],
    missingTruncated: row.missing_ranges > RANGES_SHOWN_MAX,
    behindSince: row.behind_since?.toISOString() ?? null,
    lagSeconds: row.lag_seconds,
    quarantined: row.quarantined,
  };
}

const toOperators = ({ lastSeq, missingEvents, missing }: OperatorHoles): AuditIntegrity['operators'] => ({
  lastSeq,
  missingEvents,
  missing: missing.slice(0, RANGES_SHOWN_MAX),
  missingTruncated: missing.length > RANGES_SHOWN_MAX,
});
