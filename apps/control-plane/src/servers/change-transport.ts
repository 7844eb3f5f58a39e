import type { UpdateServer } from '@portcullis/contracts/api/servers';
import type { Server, Transaction } from '@portcullis/database';
import { ProblemError } from '../http/problem.js';
import { forgetProfiles } from '../launch/launch-profiles.repository.js';
import { stdioUrl } from './stdio-url.js';

/**
 * The address that a server is to have, where the change says one. Refuses (400) an address for a server of stdio, and none for one that becomes
 * a server with an address.
 */
export function addressAfter(
  row: Pick<Server, 'slug' | 'transportPin'>,
  { url, transport }: Pick<UpdateServer, 'url' | 'transport'>,
): string | undefined {
  const isStdio = (transport ?? row.transportPin) === 'stdio';
  if (isStdio && url !== undefined) throw refusal('A server of stdio has no address; set transport as well.');
  if (isStdio) return row.transportPin === 'stdio' ? undefined : stdioUrl(row.slug);
  if (row.transportPin === 'stdio' && url === undefined) throw refusal('A server that is no longer one of stdio needs an address.');
  return url;
}

/** Whether a server turns from an address to a program, or back. */
export const turnsAround = (row: Pick<Server, 'transportPin'>, { transport }: Pick<UpdateServer, 'transport'>): boolean =>
  transport !== undefined && (transport === 'stdio') !== (row.transportPin === 'stdio');

/** It is as good as another server: nothing that was approved of it counts any more, neither what it offers nor what runs. */
export async function beginAsAnother(tx: Transaction, serverId: string): Promise<void> {
  await forgetProfiles(tx, serverId);
  await tx.definition.updateMany({
    where: { serverId },
    data: { state: 'removed', approvedJson: null, approvedHash: null, descriptionsOnly: false, decidedAt: null, decidedBy: null },
  });
}

const refusal = (detail: string): ProblemError => new ProblemError('validation', undefined, [{ pointer: '/url', detail }]);
