import type { Server, Transaction } from '@portcullis/database';
import type { Findings } from './discover-server.js';

/** What the row of a server is to say after it was asked: a row of `updateSeen`. */
export interface SeenServer extends ReturnType<typeof seenServer> {
  /** The public key it showed last for TLS. */
  readonly tls_key: string | null;
  /** Set where it is suspended by this. */
  readonly suspended_reason: string | null;
}

export function seenServer(server: Server, findings: Findings, at: Date, hasChanged: boolean) {
  const { era, bothEras, transport, capabilitiesJson, instructions, software, ttlSeconds, problems } = findings;
  // A verdict is dated when it was reached: one that was only taken over must not live for ever.
  const isTakenOver = era === 'legacy' && server.era === 'legacy' && server.eraSeenAt !== null;
  return {
    id: server.id,
    at: at.toISOString(),
    era,
    both_eras: bothEras,
    era_seen_at: (isTakenOver ? server.eraSeenAt : at)?.toISOString() ?? null,
    transport,
    capabilities_json: capabilitiesJson,
    instructions,
    software,
    list_ttl_seconds: ttlSeconds,
    has_changed: hasChanged,
    problems,
  };
}

/** One statement for all of them: servers that are seen for the first time come by the dozen. */
export async function updateSeen(tx: Transaction, seen: readonly SeenServer[]): Promise<void> {
  if (seen.length === 0) return;
  await tx.$executeRaw`
    UPDATE server AS s SET era = r.era::era, both_eras = r.both_eras, era_seen_at = r.era_seen_at, transport = r.transport,
      capabilities_json = r.capabilities_json, instructions = r.instructions, software = r.software, list_ttl_seconds = r.list_ttl_seconds,
      tls_key = r.tls_key,
      approve_first_discovery = false, discovered_at = r.at, seen_at = r.at, discovery_error = NULL, discovery_failures = 0,
      announcements = CASE WHEN r.has_changed THEN 0 ELSE s.announcements END, discovery_problems = r.problems,
      drift_counted_since = coalesce(s.drift_counted_since, r.at), updated_at = clock_timestamp(),
      suspended_at = CASE WHEN r.suspended_reason IS NULL THEN s.suspended_at ELSE r.at END,
      suspended_reason = coalesce(r.suspended_reason, s.suspended_reason),
      next_discovery_at = CASE WHEN r.suspended_reason IS NULL THEN s.next_discovery_at END
    FROM jsonb_to_recordset(${JSON.stringify(seen)}::jsonb) AS r (id uuid, at timestamptz, era text, both_eras boolean, era_seen_at timestamptz,
      transport text, capabilities_json text, instructions text, software text, list_ttl_seconds int, has_changed boolean, problems jsonb,
      tls_key text, suspended_reason text)
    WHERE s.id = r.id`;
}
