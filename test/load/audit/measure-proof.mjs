import { readSegments } from '../../../apps/control-plane/dist/audit-proof/seal-repository.js';

/** What it costs to seal the rows that were stored last, and to verify the whole trail over REST, in events per second. */
export async function measureProof(database, api) {
  const [{ first, last, events }] = await database.$queryRaw`
    SELECT min(stored_tx) AS first, max(stored_tx) AS last, count(*)::int AS events FROM audit_event WHERE node = 'bench'`;
  const sealing = await timed(() => readSegments(database, first, last + 1n));
  let verification;
  const verifying = await timed(async () => {
    for await (const line of api.audit.verify()) if (line.type === 'result') verification = line.result;
  });
  return { sealedPerSecond: events / sealing, verifiedPerSecond: verification.events / verifying, verification };
}

async function timed(work) {
  const startedAt = performance.now();
  await work();
  return (performance.now() - startedAt) / 1000;
}
