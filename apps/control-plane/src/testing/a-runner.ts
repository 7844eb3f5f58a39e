import { RUNNER_ENROL_PATH, RUNNER_HEARTBEAT_PATH, type RunnerHeartbeat, type RunnerHeartbeatResponse } from '@portcullis/contracts/runner/heartbeat';
import { newNodeKeyPair } from '@portcullis/secrets';
import type { Answer, TestApp } from './start-test-app.js';

/** A runner as the control plane sees it: it says what it is told to, and hosts nothing. */
export interface ARunner {
  readonly id: string;
  readonly privateKey: string;
  send(beat?: Partial<RunnerHeartbeat>): Promise<Answer>;
  /** What it is to host, by the server's slug. */
  beat(said?: Partial<RunnerHeartbeat>): Promise<RunnerHeartbeatResponse>;
}

const enforced = { enforced: true } as const;

export async function aRunner(own: TestApp, name: string, address = `http://${name}.example:9300`): Promise<ARunner> {
  const { token } = (await own.call('POST', '/v1/runners/join-tokens', {})).body as { token: string };
  const { publicKey, privateKey } = newNodeKeyPair();
  const enrolled = await own.call('POST', RUNNER_ENROL_PATH, { name, sealingPublicKey: publicKey }, token);
  const { runnerId: id, runnerKey } = enrolled.body as { runnerId: string; runnerKey: string };
  const usual: RunnerHeartbeat = {
    boot: id,
    version: '1',
    address,
    capacity: 10,
    sandbox: {
      user: enforced,
      pidNamespace: enforced,
      networkNamespace: { enforced: false, reason: 'no user namespaces' },
      mountNamespace: enforced,
      cgroups: enforced,
      noNewPrivileges: enforced,
    },
    servers: [],
    logs: [],
    left: [],
    leaving: false,
  };
  const send: ARunner['send'] = (said = {}) => own.call('POST', RUNNER_HEARTBEAT_PATH, { ...usual, ...said }, runnerKey);
  const beat: ARunner['beat'] = async (said) => (await send(said)).body as RunnerHeartbeatResponse;
  return { id, privateKey, send, beat };
}
