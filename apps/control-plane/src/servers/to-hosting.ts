import type { ServerHosting } from '@portcullis/contracts/api/server-hosting';
import { LaunchProfile, secretsOf } from '@portcullis/contracts/runner/launch-profile';
import type { HostedServer } from '@portcullis/contracts/runner/status';
import type { Credential, Hosting, LaunchProfileVersion, Runner, PrismaClient, Transaction } from '@portcullis/database';
import { CredentialSettings } from '../credentials/stored-credential.js';
import { isLive } from '../runners/is-live.js';
import { sandboxGaps } from '../runners/sandbox-gaps.js';
import { hostedBy } from '../runners/to-runner.js';

/** What is known of how servers of stdio are hosted. */
export interface HostingRows {
  readonly profiles: readonly Pick<LaunchProfileVersion, 'version' | 'hash' | 'state' | 'profile'>[];
  readonly credentials: readonly Pick<Credential, 'settings'>[];
  readonly hosting: (Pick<Hosting, 'serverId'> & { readonly place: Runner | null }) | null;
}

/** By server, of those of them that are of stdio; nothing is asked where none is. */
export async function readHosting(db: PrismaClient | Transaction, ids: readonly string[]): Promise<ReadonlyMap<string, HostingRows>> {
  if (ids.length === 0) return new Map();
  const rows = await db.server.findMany({
    where: { id: { in: [...ids] } },
    select: {
      id: true,
      profiles: { where: { state: { in: ['approved', 'pending'] } }, select: { version: true, hash: true, state: true, profile: true } },
      credentials: { where: { kind: 'environment' }, select: { settings: true } },
      hosting: { select: { serverId: true, place: true } },
    },
  });
  return new Map(rows.map(({ id, ...row }) => [id, row]));
}

/** How a server of stdio is hosted, as operators see it. */
export function toHosting(id: string, { profiles, credentials, hosting }: HostingRows, now: Date): ServerHosting {
  const of = (state: string) => profiles.find((one) => one.state === state);
  const [approved, waiting] = [of('approved'), of('pending')];
  const given = new Set(credentials.flatMap(({ settings }) => CredentialSettings.parse(settings).variables));
  const wanted = approved ?? waiting;
  const runner = hosting?.place ?? null;
  const child = runner === null ? undefined : hostedBy(runner).find(({ serverId }) => serverId === id);
  return {
    profile: approved === undefined ? null : { version: approved.version, hash: approved.hash },
    waiting: waiting === undefined ? null : { version: waiting.version, hash: waiting.hash },
    missingSecrets: wanted === undefined ? [] : secretsOf(LaunchProfile.parse(wanted.profile)).filter((name) => !given.has(name)),
    runner: runner === null ? null : { id: runner.id, name: runner.name, live: isLive(runner, now) },
    child: child === undefined ? null : childOf(child),
    sandboxGaps: sandboxGaps(runner?.sandbox),
  };
}

const childOf = ({ state, instances, restarts, junkLines, throttled = false, lastError }: HostedServer): ServerHosting['child'] => ({
  state,
  instances,
  restarts,
  junkLines,
  throttled,
  lastError,
});
