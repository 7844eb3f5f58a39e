import {
  EnrolRunnerResponse,
  RUNNER_ENROL_PATH,
  RUNNER_HEARTBEAT_PATH,
  RunnerHeartbeatResponse,
  type EnrolRunner,
  type RunnerHeartbeat,
} from '@portcullis/contracts/runner/heartbeat';
import type { z } from 'zod';

/** The control plane answered, but not with what was asked for. */
export class ControlPlaneRefusal extends Error {
  override readonly name = 'ControlPlaneRefusal';

  constructor(readonly status: number) {
    super(`The control plane answered ${String(status)}`);
  }
}

const DEADLINE_MS = 5000;
const ANSWER_BYTES_MAX = 16 * 1024 * 1024;

/** What a runner asks the control plane. Every request ends within 5 s; each may fail, and the runner goes on without. */
export class ControlPlaneClient {
  constructor(private readonly baseUrl: string) {}

  enrol(joinToken: string, request: EnrolRunner): Promise<EnrolRunnerResponse> {
    return this.post(EnrolRunnerResponse, RUNNER_ENROL_PATH, { bearer: joinToken, body: request });
  }

  heartbeat(runnerKey: string, heartbeat: RunnerHeartbeat): Promise<RunnerHeartbeatResponse> {
    return this.post(RunnerHeartbeatResponse, RUNNER_HEARTBEAT_PATH, { bearer: runnerKey, body: heartbeat });
  }

  private async post<T extends z.ZodType>(schema: T, path: string, { bearer, body }: { bearer: string; body: unknown }): Promise<z.infer<T>> {
    const response = await fetch(new URL(path, this.baseUrl), {
      method: 'POST',
      headers: { authorization: `Bearer ${bearer}`, accept: 'application/json', 'content-type': 'application/json' },
      body: JSON.stringify(body),
      redirect: 'error', // our key goes to the address that was configured and to no other
      signal: AbortSignal.timeout(DEADLINE_MS),
    });
    if (!response.ok) {
      await response.body?.cancel();
      throw new ControlPlaneRefusal(response.status);
    }
    const bytes = Buffer.from(await response.arrayBuffer());
    if (bytes.length > ANSWER_BYTES_MAX) throw new Error('The answer of the control plane is too large');
    return schema.parse(JSON.parse(bytes.toString()));
  }
}
