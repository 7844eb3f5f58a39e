import { linkText } from '@portcullis/audit';
import type { AuditLink } from '@portcullis/contracts/audit';
import type { PrismaClient } from '@portcullis/database';
import { verifyBytes } from '@portcullis/secrets';

/**
 * Keeps links of its chains that this node signed; says how many it did not sign, which are not kept. A link over events that have one already changes
 * nothing.
 */
export async function storeLinks(database: PrismaClient, node: string, links: readonly AuditLink[]): Promise<number> {
  if (links.length === 0) return 0;
  const keys = await database.auditKey.findMany({ where: { node, keyId: { in: links.map(({ keyId }) => keyId) } } });
  const publicKeys = new Map(keys.map(({ keyId, publicKey }) => [keyId, publicKey]));
  const genuine = links.filter((link) => verifyBytes(publicKeys.get(link.keyId) ?? '', linkText(node, link), link.signature));
  await database.auditLink.createMany({ data: genuine.map((link) => ({ node, ...link })), skipDuplicates: true });
  return links.length - genuine.length;
}
