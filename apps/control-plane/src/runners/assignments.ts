import { runnerEnvironmentAad, type RunnerAssignment, type SecretEnvironment } from '@portcullis/contracts/runner/heartbeat';
import { LaunchProfile, secretsOf } from '@portcullis/contracts/runner/launch-profile';
import type { PrismaClient, Runner } from '@portcullis/database';
import { sealFor, UnsealError } from '@portcullis/secrets';
import type { CredentialVault } from '../credentials/credential-vault.js';
import { environmentOf } from '../launch/environment-of.js';

const fields = {
  server: {
    select: {
      id: true,
      slug: true,
      profiles: { where: { state: 'approved' }, select: { profile: true, hash: true } },
      credentials: { where: { kind: 'environment' }, select: { id: true, version: true, sealed: true, settings: true } },
    },
  },
} as const;

/**
 * What a runner is to offer: what it is to host, and what nodes still come to it for. A server whose profile wants a secret that is not there, or does not
 * open, is left out, and so is one that is switched off.
 */
export async function assignmentsOf(database: PrismaClient, runner: Runner, vault: Pick<CredentialVault, 'open'>): Promise<RunnerAssignment[]> {
  const server = { enabled: true, suspendedAt: null, transportPin: 'stdio', profiles: { some: { state: 'approved' as const } } };
  const rows = await database.hosting.findMany({
    where: { OR: [{ runnerId: runner.id }, { placeRunnerId: runner.id }], server },
    select: { generation: true, ...fields },
    orderBy: { serverId: 'asc' },
  });
  return rows.flatMap(({ generation, server: { id: serverId, slug, profiles, credentials } }): RunnerAssignment[] => {
    const [approved] = profiles;
    if (approved === undefined) return [];
    const profile = LaunchProfile.parse(approved.profile);
    const about = { serverId, slug, profileHash: approved.hash, profile, generation };
    const wanted = secretsOf(profile);
    if (wanted.length === 0) return [{ ...about, environmentVersion: null, sealedEnvironment: null }];
    const [credential] = credentials;
    const environment = credential === undefined ? undefined : environmentFrom(vault, credential, wanted);
    if (credential === undefined || environment === undefined) return [];
    const aad = runnerEnvironmentAad(runner.id, serverId, approved.hash);
    const sealedEnvironment = sealFor(runner.sealingPublicKey, JSON.stringify(environment), aad);
    return [{ ...about, environmentVersion: `${credential.id}.${String(credential.version)}`, sealedEnvironment }];
  });
}

/** One that does not open concerns its server alone: the runner's others go on. */
function environmentFrom(
  vault: Pick<CredentialVault, 'open'>,
  credential: Parameters<CredentialVault['open']>[0],
  wanted: readonly string[],
): SecretEnvironment | undefined {
  try {
    return environmentOf(vault.open(credential), wanted);
  } catch (error) {
    if (error instanceof UnsealError) return undefined;
    throw error;
  }
}
